#include "routes.h"

#include "server.h"

#define GET HTTP_METHOD_GET
#define POST HTTP_METHOD_POST
#define PUT HTTP_METHOD_PUT
#define DELETE HTTP_METHOD_DELETE
#define SMALL SERVER_BODY_MAX

/* clang-format off */
const struct route routes[] = {
	{ GET,    "/", G_PAGE_USER, 0, 0, LIMIT_NONE, page_app },
	{ GET,    "/settings", G_PAGE_USER, 0, 0, LIMIT_NONE, page_settings },
	{ GET,    "/profile", G_PAGE_USER, 0, 0, LIMIT_NONE, page_app },
	{ GET,    "/login", G_PAGE, 0, 0, LIMIT_NONE, page_login },
	{ GET,    "/reset-password/*", G_PAGE, 0, 0, LIMIT_NONE, page_reset },
	{ GET,    "/admin", G_PAGE_ADMIN, 0, 0, LIMIT_NONE, page_admin },
	{ GET,    "/admin_dashboard", G_PAGE_ADMIN, 0, 0, LIMIT_NONE, page_admin },
	{ GET,    "/admin/user/*", G_PAGE_ADMIN, 0, 0, LIMIT_NONE, page_admin },
	{ GET,    "/healthz", G_PAGE, 0, 0, LIMIT_NONE, healthz },
	{ GET,    "/favicon.ico", G_PAGE, 0, 0, LIMIT_NONE, page_favicon },
	{ GET,    "/static/*", G_PAGE, 0, 0, LIMIT_NONE, page_static },
	{ GET,    "/static/*/*", G_PAGE, 0, 0, LIMIT_NONE, page_static },
	{ GET,    "/ws/chat", G_USER, R_WEBSOCKET, 0, LIMIT_NONE, ws_open },

	{ POST,   "/api/auth/register", G_ANYONE, R_AUTH | R_JSON, SMALL, LIMIT_REGISTER, auth_register },
	{ POST,   "/api/auth/login", G_ANYONE, R_AUTH | R_JSON, SMALL, LIMIT_LOGIN, auth_login },
	{ POST,   "/api/auth/logout", G_ANYONE, R_AUTH | R_JSON_OPTIONAL, SMALL, LIMIT_DEFAULT, auth_logout },
	{ GET,    "/api/auth/me", G_USER, 0, 0, LIMIT_DEFAULT, auth_me },
	{ POST,   "/api/auth/forgot-password", G_ANYONE, R_AUTH | R_JSON, SMALL, LIMIT_FORGOT, auth_forgot },
	{ POST,   "/api/auth/reset-password", G_ANYONE, R_AUTH | R_JSON, SMALL, LIMIT_RESET, auth_reset },
	{ GET,    "/api/profile", G_USER, 0, 0, LIMIT_DEFAULT, profile_show },
	{ PUT,    "/api/profile", G_USER, R_JSON, SMALL, LIMIT_DEFAULT, profile_update },
	{ GET,    "/api/profile/pic", G_USER, 0, 0, LIMIT_DEFAULT, profile_pic_show },
	{ POST,   "/api/profile/pic", G_USER, R_RAW, SERVER_PICTURE_MAX, LIMIT_DEFAULT, profile_pic_set },
	{ DELETE, "/api/profile/pic", G_USER, 0, 0, LIMIT_DEFAULT, profile_pic_delete },
	{ POST,   "/api/profile/password", G_USER, R_JSON, SMALL, LIMIT_PASSWORD, profile_password },

	{ GET,    "/api/profile/sessions", G_USER, 0, 0, LIMIT_DEFAULT, profile_sessions_list },
	{ DELETE, "/api/profile/sessions/*", G_USER, 0, 0, LIMIT_DEFAULT, profile_session_end },
	{ POST,   "/api/account/delete", G_USER, R_JSON, SMALL, LIMIT_ACCOUNT_DELETE, account_delete },

	{ GET,    "/api/history", G_USER, 0, 0, LIMIT_DEFAULT, history_list },
	{ GET,    "/api/chat/*", G_USER, 0, 0, LIMIT_DEFAULT, chat_show },
	{ POST,   "/api/chat/stream", G_USER, R_JSON, SERVER_MESSAGE_MAX, LIMIT_DEFAULT, chat_stream },
	{ POST,   "/api/chat/tool", G_USER, R_JSON, SMALL, LIMIT_DEFAULT, chat_tool },
	{ GET,    "/api/sessions/*/messages", G_USER, 0, 0, LIMIT_DEFAULT, messages_list },
	{ DELETE, "/api/sessions/*", G_USER, 0, 0, LIMIT_DEFAULT, session_delete },
	{ POST,   "/api/rename/*", G_USER, R_JSON, SMALL, LIMIT_DEFAULT, session_rename },
	{ POST,   "/api/pin/*", G_USER, R_JSON_OPTIONAL, SMALL, LIMIT_DEFAULT, session_pin },
	{ POST,   "/api/archive/*", G_USER, R_JSON_OPTIONAL, SMALL, LIMIT_DEFAULT, session_archive },
	{ GET,    "/api/session/*/config", G_USER, 0, 0, LIMIT_DEFAULT, session_config_show },
	{ POST,   "/api/session/*/config", G_USER, R_JSON, SMALL, LIMIT_DEFAULT, session_config_update },
	{ GET,    "/api/export/db", G_USER, 0, 0, LIMIT_DEFAULT, db_export },
	{ GET,    "/api/export/*", G_USER, 0, 0, LIMIT_DEFAULT, session_export },

	{ GET,    "/api/user/settings", G_USER, 0, 0, LIMIT_DEFAULT, user_settings_show },
	{ POST,   "/api/user/settings", G_USER, R_JSON, SMALL, LIMIT_DEFAULT, user_settings_update },
	{ GET,    "/api/provider/config", G_USER, 0, 0, LIMIT_DEFAULT, provider_config_show },
	{ POST,   "/api/provider/config", G_USER, R_JSON, SMALL, LIMIT_DEFAULT, provider_config_update },
	{ GET,    "/api/provider/models", G_USER, 0, 0, LIMIT_DEFAULT, provider_models },
	{ GET,    "/api/models", G_USER, 0, 0, LIMIT_DEFAULT, models_list },
	{ GET,    "/api/tools", G_USER, 0, 0, LIMIT_DEFAULT, tools_list },
	{ POST,   "/api/tools", G_USER, R_JSON, SMALL, LIMIT_DEFAULT, tools_create },
	{ PUT,    "/api/tools/*", G_USER, R_JSON, SMALL, LIMIT_DEFAULT, tools_update },
	{ DELETE, "/api/tools/*", G_USER, 0, 0, LIMIT_DEFAULT, tools_delete },
	{ GET,    "/api/prompts", G_USER, 0, 0, LIMIT_DEFAULT, prompts_list },
	{ POST,   "/api/prompts", G_USER, R_JSON, SMALL, LIMIT_DEFAULT, prompts_create },
	{ PUT,    "/api/prompts/*", G_USER, R_JSON, SMALL, LIMIT_DEFAULT, prompts_update },
	{ DELETE, "/api/prompts/*", G_USER, 0, 0, LIMIT_DEFAULT, prompts_delete },
	{ GET,    "/api/config", G_USER, 0, 0, LIMIT_DEFAULT, config_show },
	{ POST,   "/api/config", G_USER, R_JSON, SMALL, LIMIT_DEFAULT, config_update },
	{ POST,   "/api/websearch", G_USER, R_JSON, SMALL, LIMIT_DEFAULT, websearch },
	{ POST,   "/api/file/read", G_ADMIN, R_JSON, SMALL, LIMIT_DEFAULT, file_read },
	{ GET,    "/api/health", G_USER, 0, 0, LIMIT_DEFAULT, health_show },

	{ GET,    "/api/admin/users", G_ADMIN, 0, 0, LIMIT_DEFAULT, admin_users_list },
	{ POST,   "/api/admin/users", G_ADMIN, R_JSON, SMALL, LIMIT_DEFAULT, admin_users_create },
	{ DELETE, "/api/admin/users/*", G_ADMIN, 0, 0, LIMIT_DEFAULT, admin_users_delete },
	{ PUT,    "/api/admin/users/*/role", G_ADMIN, R_JSON, SMALL, LIMIT_DEFAULT, admin_user_role },
	{ GET,    "/api/admin/user/*", G_ADMIN, 0, 0, LIMIT_DEFAULT, admin_user_show },
	{ POST,   "/api/admin/user/*/password", G_ADMIN, R_JSON, SMALL, LIMIT_DEFAULT, admin_user_password },
	{ POST,   "/api/admin/user/*/block", G_ADMIN, R_JSON, SMALL, LIMIT_DEFAULT, admin_user_block },
	{ POST,   "/api/admin/user/*/sessions/revoke", G_ADMIN, R_JSON_OPTIONAL, SMALL, LIMIT_DEFAULT, admin_user_revoke },
	{ GET,    "/api/admin/settings", G_ADMIN, 0, 0, LIMIT_DEFAULT, admin_settings_show },
	{ POST,   "/api/admin/settings", G_ADMIN, R_JSON, SMALL, LIMIT_DEFAULT, admin_settings_update },
	{ GET,    "/api/admin/audit", G_ADMIN, 0, 0, LIMIT_DEFAULT, admin_audit },
	{ POST,   "/api/import/db", G_ADMIN, R_RAW, SERVER_IMPORT_MAX, LIMIT_DEFAULT, db_import },
	{ 0, NULL, G_ANYONE, 0, 0, LIMIT_NONE, NULL },
};
/* clang-format on */
