/* Every statement of every model file can be prepared against a database as
 * this build makes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "model/audit.h"
#include "model/audit_chain.h"
#include "model/audit_rekey.h"
#include "model/backup.h"
#include "model/chunk.h"
#include "model/branch.h"
#include "model/conversation.h"
#include "model/document.h"
#include "model/find.h"
#include "model/generation.h"
#include "model/group.h"
#include "model/message.h"
#include "model/outbox.h"
#include "model/picture.h"
#include "model/project.h"
#include "model/prompt.h"
#include "model/search.h"
#include "model/session.h"
#include "model/setting.h"
#include "model/tag.h"
#include "model/token.h"
#include "model/tool.h"
#include "model/tool_run.h"
#include "model/user.h"
#include "model/vector.h"
#include "place.h"
#include "store/stmt.h"
#include "store/user_put.h"

static const struct {
	const char *file;
	const char *const *sql;
	const size_t *count;
} files[] = {
	{ "audit.c", lni_audit_sql, &lni_audit_sql_count },
	{ "audit_chain.c", lni_audit_chain_sql, &lni_audit_chain_sql_count },
	{ "audit_rekey.c", lni_audit_rekey_sql, &lni_audit_rekey_sql_count },
	{ "backup.c", lni_backup_sql, &lni_backup_sql_count },
	{ "chunk.c", lni_chunk_sql, &lni_chunk_sql_count },
	{ "branch.c", lni_branch_sql, &lni_branch_sql_count },
	{ "conversation.c", lni_conversation_sql, &lni_conversation_sql_count },
	{ "conversation_list.c", lni_conversation_list_sql,
	    &lni_conversation_list_sql_count },
	{ "document.c", lni_document_sql, &lni_document_sql_count },
	{ "document_work.c", lni_document_work_sql,
	    &lni_document_work_sql_count },
	{ "find.c", lni_find_sql, &lni_find_sql_count },
	{ "generation.c", lni_generation_sql, &lni_generation_sql_count },
	{ "group.c", lni_group_sql, &lni_group_sql_count },
	{ "message.c", lni_message_sql, &lni_message_sql_count },
	{ "outbox.c", lni_outbox_sql, &lni_outbox_sql_count },
	{ "picture.c", lni_picture_sql, &lni_picture_sql_count },
	{ "prompt.c", lni_prompt_sql, &lni_prompt_sql_count },
	{ "project.c", lni_project_sql, &lni_project_sql_count },
	{ "search.c", lni_search_sql, &lni_search_sql_count },
	{ "session.c", lni_session_sql, &lni_session_sql_count },
	{ "setting.c", lni_setting_sql, &lni_setting_sql_count },
	{ "stats.c", lni_stats_sql, &lni_stats_sql_count },
	{ "tag.c", lni_tag_sql, &lni_tag_sql_count },
	{ "token.c", lni_token_sql, &lni_token_sql_count },
	{ "tool_run.c", lni_tool_run_sql, &lni_tool_run_sql_count },
	{ "tool.c", lni_tool_sql, &lni_tool_sql_count },
	{ "user.c", lni_user_sql, &lni_user_sql_count },
	{ "user_put.c", lni_user_put_sql, &lni_user_put_sql_count },
	{ "vector.c", lni_vector_sql, &lni_vector_sql_count },
	{ "user_change.c", lni_user_change_sql, &lni_user_change_sql_count },
};

static void
every_statement_can_be_prepared(void **state)
{
	struct place *p = *state;
	sqlite3 *db = lni_store_db(p->store);
	sqlite3_stmt *q;
	const char *tail;
	size_t i, n;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_true(*files[i].count > 0);
		for (n = 0; n < *files[i].count; n++) {
			if (sqlite3_prepare_v2(db, files[i].sql[n], -1, &q,
			    &tail) != SQLITE_OK)
				fail_msg("%s: %s: %s", files[i].file,
				    files[i].sql[n], sqlite3_errmsg(db));
			assert_int_equal(*tail, '\0');
			sqlite3_finalize(q);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    every_statement_can_be_prepared, place_setup, place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
