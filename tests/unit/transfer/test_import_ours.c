#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/foreign.h"
#include "store/ours.h"

#include "transfer/kit.h"

/* Files of our own are not trusted either: anybody can write our name. */

#define ALICE "eb652b0b-83ac-4dba-8273-8bff9d50e54e"

/* An export of the legacy content, changed by ${sql}. */
static const char *
ours(struct place *p, const char *sql)
{
	static char path[256];
	struct ln_error err = LN_ERROR_INIT;

	if (place_int(p->store, "SELECT count(*) FROM user") == 0)
		ln_report_free(kit_import(p, kit_legacy(p, SCRYPT, NULL),
		    NULL, LN_OK));
	snprintf(path, sizeof(path), "%s/ours.db", p->folder);
	remove(path);
	if (ln_export(p->store, path, NULL, NULL, &err) != LN_OK)
		fail_msg("export: %s", err.detail);
	if (sql != NULL)
		kit_sql(path, sql);
	return path;
}

static const struct {
	const char *name;
	const char *sql;
	const char *code;
} refused[] = {
	{ "one more table", "CREATE TABLE z(a)", "unknown_schema" },
	{ "one more index", "CREATE INDEX z ON user(role)",
	    "unknown_schema" },
	{ "one more trigger", "CREATE TRIGGER z AFTER INSERT ON user BEGIN"
	    " UPDATE user SET role = 'admin'; END", "unknown_schema" },
	{ "a view", "CREATE VIEW z AS SELECT * FROM user",
	    "unknown_schema" },
	{ "one trigger less", "DROP TRIGGER audit_no_delete",
	    "unknown_schema" },
	{ "one column more", "ALTER TABLE user ADD COLUMN z TEXT",
	    "unknown_schema" },
	{ "another text of a table", "PRAGMA writable_schema = ON; UPDATE"
	    " sqlite_schema SET sql = replace(sql, '''admin''', '''root''')"
	    " WHERE name = 'user'", "unknown_schema" },
	{ "schema number 0", "PRAGMA user_version = 0", "unknown_schema" },
	{ "a row without its parent", "PRAGMA foreign_keys = OFF; UPDATE"
	    " message SET conversation_id = 'gone' WHERE id = 1",
	    "orphan_rows" },
	{ "a value that the schema forbids", "PRAGMA"
	    " ignore_check_constraints = ON; UPDATE user SET role = 'root'"
	    " WHERE username = 'bob'", "out_of_range" },
	{ "a slash in an id", "PRAGMA foreign_keys = OFF; UPDATE prompt SET"
	    " user_id = NULL; INSERT INTO tool(id, name, definition,"
	    " created_ms) VALUES ('a/b', 'x', '{}', 1)", "bad_id" },
	{ "a row number at the end", "INSERT INTO prompt (id, title, content,"
	    " created_ms) VALUES (9223372036854775807, 'x', 'y', 1)",
	    "row_id" },
	{ "a time beyond JSON", "UPDATE user SET created_ms ="
	    " 9223372036854775807", "out_of_range" },
	{ "two accounts behind one name", "UPDATE user SET username = 'ALICE'"
	    " WHERE username = 'bob'", "duplicate_key" },
	{ "no administrator", "UPDATE user SET role = 'user'", "no_admin" },
};

static void
each_is_refused(void **state)
{
	struct place *p = *state;
	struct ln_report *r;
	const char *path;
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		path = ours(p, refused[i].sql);
		r = kit_validate(path, NULL);
		if (r->is_importable)
			fail_msg("%s passed", refused[i].name);
		if (kit_find(r, refused[i].code) == NULL)
			fail_msg("%s: %s, not %s", refused[i].name,
			    r->findings[0].code, refused[i].code);
		ln_report_free(r);
	}
}

static const struct {
	const char *name;
	const char *sql;
	const char *code;
	int64_t count;
	const char *fact;
	int64_t expected;
} repaired[] = {
	{ "the search form of a name is not believed", "UPDATE user SET"
	    " username_key = 'hidden' WHERE username = 'bob'", "name_key", 1,
	    "SELECT count(*) FROM user WHERE username_key = 'bob'", 1 },
	{ "nor that of an address", "UPDATE user SET email_key = 'x@y' WHERE"
	    " username = 'alice'", "name_key", 1,
	    "SELECT count(*) FROM user WHERE email_key ="
	    " 'alice@example.test'", 1 },
	{ "a hash of mad cost", "UPDATE user SET password_hash ="
	    " '$argon2id$v=19$m=1073741824,t=3,p=1$c2FsdHNhbHQ$aGFzaA' WHERE"
	    " username = 'bob'", "password_disabled", 1,
	    "SELECT count(*) FROM user WHERE password_hash IS NULL", 1 },
	{ "an answer still being written", "UPDATE message SET state ="
	    " 'streaming' WHERE id = 2", "interrupted_answer", 1,
	    "SELECT count(*) FROM message WHERE state = 'interrupted'", 1 },
	{ "a tool still running", "INSERT INTO tool_run(message_id, round,"
	    " name, arguments, state, created_ms) VALUES (2, 1, 'x', '{}',"
	    " 'running', 7), (2, 1, 'x', '{}', 'asking', 7)",
	    "interrupted_call", 2, "SELECT count(*) FROM tool_run WHERE"
	    " state = 'failed' AND ended_ms = 7", 2 },
	{ "a running answer's mark", "INSERT INTO generation SELECT id,"
	    " conversation_id, 'me', 0, 1 FROM message WHERE id = 2",
	    "generations", 1, "SELECT count(*) FROM generation", 0 },
	{ "a smuggled session", "INSERT INTO session VALUES (zeroblob(32),"
	    " '" ALICE "', '', '', 1, 9000000000000)", "sign_in_sessions", 1,
	    "SELECT count(*) FROM session", 0 },
	{ "a smuggled reset token", "INSERT INTO reset_token VALUES"
	    " (zeroblob(32), '" ALICE "', 1, 9000000000000, NULL)",
	    "reset_tokens", 1, "SELECT count(*) FROM reset_token", 0 },
	{ "a key in plain text", "INSERT INTO user_setting VALUES"
	    " ('" ALICE "', 'api_key', 'sk-plain', 0)", "plain_api_key", 1,
	    "SELECT count(*) FROM user_setting WHERE is_sealed = 1 AND"
	    " value NOT LIKE '%sk-plain%'", 1 },
	{ "a key sealed for another row", "INSERT INTO user_setting VALUES"
	    " ('" ALICE "', 'api_key', 's1.AAAA', 1)", "foreign_seal", 1,
	    "SELECT count(*) FROM user_setting WHERE is_sealed = 1", 0 },
	{ "an address of the inside", "INSERT INTO user_setting VALUES"
	    " ('" ALICE "', 'base_url', 'http://10.0.0.1/', 0)",
	    "url_refused", 1, "SELECT count(*) FROM user_setting WHERE"
	    " name = 'base_url'", 0 },
	{ "a list of open doors is pointed out", "INSERT INTO setting VALUES"
	    " ('allowed_endpoints', 'http://10.0.0.1', 0); INSERT INTO"
	    " user_setting VALUES ('" ALICE "', 'base_url',"
	    " 'http://10.0.0.1/', 0)", "allowed_endpoints", 1,
	    "SELECT count(*) FROM user_setting WHERE name = 'base_url'", 1 },
	{ "a picture of a kind that runs", "INSERT INTO user_picture VALUES"
	    " ('" ALICE "', 'image/svg+xml', x'3c737667')",
	    "picture_missing", 1, "SELECT count(*) FROM user_picture", 0 },
	{ "a tag that is not one of ours", "INSERT INTO conversation_tag"
	    " SELECT conversation_id, 'WORK' FROM conversation_tag WHERE"
	    " tag = 'work'", "tag_changed", 2,
	    "SELECT count(*) FROM conversation_tag", 4 },
	{ "a tool that shadows a built-in one", "UPDATE tool SET name ="
	    " 'web_search' WHERE name = 'global_calc'", "tool_disabled", 1,
	    "SELECT is_enabled FROM tool WHERE name = 'web_search'", 0 },
	{ "headers of a tool, sealed for another", "UPDATE tool SET"
	    " sealed_headers = 's1.AAAA' WHERE name = 'global_calc'",
	    "foreign_seal", 1, "SELECT count(*) FROM tool WHERE"
	    " sealed_headers IS NOT NULL", 0 },
	{ "a project of somebody else", "UPDATE conversation SET project_id ="
	    " (SELECT id FROM project WHERE title = 'P alice')",
	    "wrong_project", 3, "SELECT count(*) FROM conversation WHERE"
	    " project_id IS NOT NULL", 5 },
	{ "broken characters", "UPDATE message SET content ="
	    " CAST(x'ff' AS TEXT) WHERE id = 1", "invalid_utf8", 1,
	    "SELECT count(*) FROM message WHERE content = char(65533)", 1 },
};

static void
each_is_digested_and_counted(void **state)
{
	struct place *p = *state;
	struct ln_report *r;
	const char *path;
	int64_t n;
	size_t i;

	for (i = 0; i < sizeof(repaired) / sizeof(repaired[0]); i++) {
		path = ours(p, repaired[i].sql);
		r = kit_import(p, path, NULL, LN_OK);
		if ((n = kit_count(r, repaired[i].code)) !=
		    repaired[i].count)
			fail_msg("%s: %s counted %lld", repaired[i].name,
			    repaired[i].code, (long long)n);
		ln_report_free(r);
		n = place_int(p->store, repaired[i].fact);
		if (n != repaired[i].expected)
			fail_msg("%s: %s gives %lld", repaired[i].name,
			    repaired[i].fact, (long long)n);
		assert_int_equal(ln_store_check(p->store, true, NULL, NULL,
		    NULL), LN_OK);
		/* Back to the start. */
		place_exec(p->store, "DELETE FROM user");
		place_exec(p->store, "DELETE FROM setting");
		place_exec(p->store, "DELETE FROM prompt");
		place_exec(p->store, "DELETE FROM tool");
	}
}

static void
the_search_index_of_the_file_is_never_read(void **state)
{
	struct place *p = *state;
	const char *path;

	path = ours(p, "PRAGMA writable_schema = ON; DELETE FROM"
	    " message_fts_data; INSERT INTO message_fts_data VALUES"
	    " (10, x'deadbeef'), (1, x'ff')");
	ln_report_free(kit_import(p, path, NULL, LN_OK));
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " message_fts WHERE message_fts MATCH 'archived'"), 1);
}

/* Whoever adds a table or a column decides here what an import does. */
static void
every_table_and_column_is_taken_or_named_as_left_out(void **state)
{
	static const char *const left_out[] = { "session", "reset_token",
		"generation", "audit", "audit_head", "retired_key", "backup",
		"outbox", "mail_limit", "search_queue", "chunk_queue",
		"document_file", "document_vector", "chunk_vector", "chunk_fts", "chunk_fts_data",
		"chunk_fts_idx", "chunk_fts_docsize", "chunk_fts_config",
		"search_owner", "search_doc", "message_fts_tri",
		"message_fts_tri_data", "message_fts_tri_idx",
		"message_fts_tri_docsize", "message_fts_tri_config",
		"message_fts", "message_fts_data", "message_fts_idx",
		"message_fts_docsize", "message_fts_config",
		"sqlite_sequence",
		/* Who has a document in hand is of this machine. */
		"document.holder", "document.beat_ms", "document.tries" };
	char both[128];
	const struct lni_table *t;
	struct place *p = *state;
	const char *table, *column;
	sqlite3_stmt *q;
	sqlite3 *db;
	size_t i;

	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT m.name, c.name FROM"
	    " sqlite_schema m, pragma_table_info(m.name) c WHERE"
	    " m.type = 'table'", -1, &q, NULL), SQLITE_OK);
	while (sqlite3_step(q) == SQLITE_ROW) {
		table = (const char *)sqlite3_column_text(q, 0);
		column = (const char *)sqlite3_column_text(q, 1);
		snprintf(both, sizeof(both), "%s.%s", table, column);
		for (i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
			if (strcmp(table, left_out[i]) == 0 ||
			    strcmp(both, left_out[i]) == 0)
				break;
		}
		if (i < sizeof(left_out) / sizeof(left_out[0]))
			continue;
		for (t = lni_our_tables; t->name != NULL; t++) {
			if (strcmp(t->name, table) == 0)
				break;
		}
		if (t->name == NULL)
			fail_msg("table %s", table);
		for (i = 0; i < t->col_count; i++) {
			if (strcmp(t->cols[i].name, column) == 0)
				break;
		}
		if (i == t->col_count)
			fail_msg("column %s.%s", table, column);
	}
	sqlite3_finalize(q);
	sqlite3_close(db);
}

#define T(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_is_refused),
		T(each_is_digested_and_counted),
		T(the_search_index_of_the_file_is_never_read),
		T(every_table_and_column_is_taken_or_named_as_left_out),
	};

	return cmocka_run_group_tests_name("import_ours", tests, NULL, NULL);
}
