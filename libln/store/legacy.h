#ifndef LNI_LEGACY_H
#define LNI_LEGACY_H

#include "store/intake.h"

/*
 * Taking over a database of the legacy program.  Enums give the order of
 * lni_legacy_tables and of their columns.
 */

enum lni_legacy_table {
	LNI_LEGACY_USERS,
	LNI_LEGACY_SESSIONS,
	LNI_LEGACY_MESSAGES,
	LNI_LEGACY_PROMPTS,
	LNI_LEGACY_SETTINGS,
	LNI_LEGACY_PROJECTS,
	LNI_LEGACY_DOCUMENTS,
	LNI_LEGACY_EMBEDDINGS,
	LNI_LEGACY_GROUPS,
	LNI_LEGACY_TAGS,
	LNI_LEGACY_TOOLS,
	LNI_LEGACY_USER_SETTINGS,
	LNI_LEGACY_RESET_TOKENS,
};

enum {
	LNI_USERS_ID, LNI_USERS_USERNAME, LNI_USERS_HASH, LNI_USERS_EMAIL,
	LNI_USERS_FULL_NAME, LNI_USERS_PICTURE, LNI_USERS_CREATED,
	LNI_USERS_ROLE, LNI_USERS_BLOCKED,
};
enum {
	LNI_SESSIONS_ID, LNI_SESSIONS_TITLE, LNI_SESSIONS_MODEL,
	LNI_SESSIONS_PROMPT, LNI_SESSIONS_PROJECT, LNI_SESSIONS_TIME,
	LNI_SESSIONS_IMAGES, LNI_SESSIONS_ARCHIVED, LNI_SESSIONS_PINNED,
	LNI_SESSIONS_GROUP, LNI_SESSIONS_USER, LNI_SESSIONS_TOKENS,
	LNI_SESSIONS_FORKED,
};
enum {
	LNI_MESSAGES_ID, LNI_MESSAGES_SESSION, LNI_MESSAGES_ROLE,
	LNI_MESSAGES_CONTENT, LNI_MESSAGES_IMAGES, LNI_MESSAGES_TIME,
	LNI_MESSAGES_PINNED,
};
enum { LNI_PROMPTS_ID, LNI_PROMPTS_TITLE, LNI_PROMPTS_CONTENT };
enum { LNI_SETTINGS_KEY, LNI_SETTINGS_VALUE };
enum {
	LNI_PROJECTS_ID, LNI_PROJECTS_TITLE, LNI_PROJECTS_DESCRIPTION,
	LNI_PROJECTS_CREATED, LNI_PROJECTS_USER,
};
enum {
	LNI_DOCUMENTS_ID, LNI_DOCUMENTS_PROJECT, LNI_DOCUMENTS_FILENAME,
	LNI_DOCUMENTS_CONTENT,
};
enum { LNI_GROUPS_ID, LNI_GROUPS_TITLE, LNI_GROUPS_ORDER };
enum { LNI_TAGS_SESSION, LNI_TAGS_TAG };
enum {
	LNI_TOOLS_ID, LNI_TOOLS_NAME, LNI_TOOLS_DESCRIPTION,
	LNI_TOOLS_DEFINITION, LNI_TOOLS_GLOBAL, LNI_TOOLS_USER,
	LNI_TOOLS_CREATED, LNI_TOOLS_ENABLED,
};
enum {
	LNI_USER_SETTINGS_USER, LNI_USER_SETTINGS_KEY,
	LNI_USER_SETTINGS_VALUE,
};

/* All rows into im->to, inside the caller's transaction. */
enum ln_status lni_legacy_take(struct lni_intake *im, struct ln_error *err)
    LN_USE;

/* Its parts, in the order in which they run. */
enum ln_status lni_legacy_users(struct lni_intake *im, struct ln_error *err)
    LN_USE;
enum ln_status lni_legacy_owners(struct lni_intake *im, struct ln_error *err)
    LN_USE;
enum ln_status lni_legacy_projects(struct lni_intake *im,
    struct ln_error *err) LN_USE;
enum ln_status lni_legacy_groups(struct lni_intake *im, struct ln_error *err)
    LN_USE;
enum ln_status lni_legacy_conversations(struct lni_intake *im,
    struct ln_error *err) LN_USE;
enum ln_status lni_legacy_messages(struct lni_intake *im,
    struct ln_error *err) LN_USE;
enum ln_status lni_legacy_tags(struct lni_intake *im, struct ln_error *err)
    LN_USE;
enum ln_status lni_legacy_documents(struct lni_intake *im,
    struct ln_error *err) LN_USE;
enum ln_status lni_legacy_library(struct lni_intake *im,
    struct ln_error *err) LN_USE;	/* prompts and tools */
enum ln_status lni_legacy_settings(struct lni_intake *im,
    struct ln_error *err) LN_USE;

/* What they share: every row of a table; the time of a row, or the fallback;
 * its title, or ${fallback}. */
enum ln_status lni_legacy_each(struct lni_intake *im, size_t table,
    enum ln_status (*fn)(struct lni_intake *, const struct lni_value *,
    struct ln_error *), struct ln_error *err) LN_USE;
int64_t lni_legacy_time(struct lni_intake *im, const struct lni_value *v,
    const char *table);
const char *lni_legacy_title(struct lni_intake *im,
    const struct lni_value *v, const char *fallback, const char *table);

#define LNI_UNTITLED "Untitled"
/* Where what belongs nowhere is kept. */
#define LNI_UNASSIGNED_ID "imported-unassigned"
#define LNI_UNASSIGNED_TITLE "Imported, unassigned"

#endif
