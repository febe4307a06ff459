#ifndef ROUTES_H
#define ROUTES_H

#include "api.h"

/* The one table, ended by a row without a path. */
extern const struct route routes[];

/**
 * routes_print():
 * The table as JSON on standard output: {"routes": [{method, path, who,
 * flags[], body_max, limit: {name, per_minute} or null}]}.  The exit status:
 * 0, or 1 after a sentence on standard error.
 */
int routes_print(void);

/* r_auth.c */
int auth_register(struct rq *);
int auth_login(struct rq *);
int auth_logout(struct rq *);
int auth_me(struct rq *);
int auth_forgot(struct rq *);
int auth_reset(struct rq *);

/* r_profile.c */
int profile_show(struct rq *);
int profile_update(struct rq *);
int profile_password(struct rq *);
int profile_sessions_list(struct rq *);
int profile_session_end(struct rq *);
int account_delete(struct rq *);

/* r_picture.c */
int profile_pic_show(struct rq *);
int profile_pic_set(struct rq *);
int profile_pic_delete(struct rq *);

/* r_sessions.c */
int history_list(struct rq *);
int session_delete(struct rq *);
int session_rename(struct rq *);
int session_pin(struct rq *);
int session_archive(struct rq *);
int session_config_show(struct rq *);
int session_config_update(struct rq *);
int tag_sessions(struct rq *);
int bulk_delete(struct rq *);
/* "tags" of the object that is open; ${tags} as in struct ln_conversation. */
void session_tags_json(struct ln_jw *w, const char *tags);

/* r_stats.c */
int stats_show(struct rq *);

/* r_branches.c */
int session_fork(struct rq *);
int session_branches(struct rq *);

/* r_groups.c */
int groups_list(struct rq *);
int groups_create(struct rq *);
int groups_update(struct rq *);
int groups_delete(struct rq *);
int session_group(struct rq *);
int tags_list(struct rq *);
int tags_delete(struct rq *);
int session_tags_list(struct rq *);
int session_tags_add(struct rq *);
int session_tags_remove(struct rq *);

/* r_search.c */
int search_list(struct rq *);

/* r_messages.c */
int chat_show(struct rq *);
int messages_list(struct rq *);
int message_pin(struct rq *);

/* r_prompts.c */
int prompts_list(struct rq *);
int prompts_create(struct rq *);
int prompts_update(struct rq *);
int prompts_delete(struct rq *);
int config_show(struct rq *);
int config_update(struct rq *);

/* r_read.c */
int chat_upload(struct rq *);
int url_scrape(struct rq *);

/* r_summary.c */
int session_summarize(struct rq *);

/* r_export.c */
int session_export(struct rq *);
int message_export(struct rq *);

/* r_admin.c */
int admin_users_list(struct rq *);
int admin_users_create(struct rq *);
int admin_users_delete(struct rq *);
int admin_user_role(struct rq *);
int admin_user_show(struct rq *);
int admin_user_password(struct rq *);
int admin_user_block(struct rq *);
int admin_user_revoke(struct rq *);
int admin_audit(struct rq *);

/* r_status.c */
int admin_status(struct rq *);

/* r_tools.c */
int tools_list(struct rq *);
int tools_create(struct rq *);
int tools_update(struct rq *);
int tools_delete(struct rq *);
int websearch(struct rq *);
int file_read(struct rq *);

/* r_projects.c */
int projects_list(struct rq *);
int projects_create(struct rq *);
int projects_update(struct rq *);
int projects_delete(struct rq *);
int documents_list(struct rq *);
int documents_add(struct rq *);
int documents_delete(struct rq *);

/* r_settings.c */
int admin_settings_show(struct rq *);
int admin_settings_update(struct rq *);
int user_settings_show(struct rq *);
int user_settings_update(struct rq *);
int provider_config_show(struct rq *);
int provider_config_update(struct rq *);

/* r_models.c */
int provider_models(struct rq *);
int models_list(struct rq *);
int models_manage(struct rq *);
int audio_transcribe(struct rq *);
int models_pull(struct rq *);
int models_delete(struct rq *);

/* r_db.c */
int db_export(struct rq *);
int db_import(struct rq *);
int data_import(struct rq *);

/* r_health.c */
int health_show(struct rq *);
int healthz(struct rq *);

/* ws.c, sse.c */
int ws_open(struct rq *);
int chat_stream(struct rq *);
int chat_tool(struct rq *);

/* pages.c */
int page_login(struct rq *);
int page_app(struct rq *);
int page_settings(struct rq *);
int page_admin(struct rq *);
int page_reset(struct rq *);
int page_favicon(struct rq *);
int page_static(struct rq *);

#endif
