#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/time.h>

#include "transfer/kit.h"

/*
 * What a database may not hold.  Each row changes the legacy file and names
 * what validation must find; an import of it must be refused and change
 * nothing.
 */

static const struct {
	const char *name;
	const char *sql;
	const char *code;
	bool is_waivable;	/* by ignore_unknown */
} cases[] = {
	/* Objects of the schema. */
	{ "a trigger", "CREATE TRIGGER t AFTER INSERT ON users BEGIN"
	    " SELECT 1; END", "trigger", false },
	{ "a view", "CREATE VIEW v AS SELECT * FROM users", "view", false },
	{ "a view bomb", "CREATE VIEW v0 AS SELECT 1 AS a UNION ALL SELECT 2;"
	    "CREATE VIEW v1 AS SELECT x.a FROM v0 x, v0 y, v0 z, v0 w;"
	    "CREATE VIEW v2 AS SELECT x.a FROM v1 x, v1 y, v1 z, v1 w;"
	    "CREATE VIEW v3 AS SELECT x.a FROM v2 x, v2 y, v2 z, v2 w",
	    "view", false },
	{ "a virtual table", "CREATE VIRTUAL TABLE f USING fts5(a)",
	    "virtual_table", false },
	{ "a generated column", "ALTER TABLE users ADD COLUMN g TEXT"
	    " GENERATED ALWAYS AS (username || 'x') VIRTUAL",
	    "generated_column", false },
	{ "a short generated column", "ALTER TABLE users ADD COLUMN g TEXT"
	    " AS (username || 'x')", "generated_column", false },
	{ "a CHECK", "DROP TABLE prompts; CREATE TABLE prompts(id INTEGER"
	    " PRIMARY KEY, title TEXT, content TEXT /* x */ cHeCk"
	    "(length(content) > 0))", "check_constraint", false },
	{ "a CHECK in an unknown table", "CREATE TABLE z(a CHECK (a > 0))",
	    "check_constraint", false },
	{ "a foreign key", "DROP TABLE prompts; CREATE TABLE prompts(id"
	    " INTEGER PRIMARY KEY, title TEXT REFERENCES users(id),"
	    " content TEXT)", "foreign_key", false },
	{ "a partial index", "CREATE INDEX i ON users(role)"
	    " WHERE role = 'admin'", "partial_index", false },
	{ "an index over an expression", "CREATE INDEX i ON"
	    " users(lower(username))", "expression_index", false },
	{ "an index with a collation", "CREATE INDEX i ON users(username"
	    " COLLATE NOCASE)", "collation", false },
	{ "a column with a collation", "DROP TABLE prompts; CREATE TABLE"
	    " prompts(id INTEGER PRIMARY KEY, title TEXT COLLATE NOCASE,"
	    " content TEXT)", "collation", false },
	{ "a default that is computed", "DROP TABLE prompts; CREATE TABLE"
	    " prompts(id INTEGER PRIMARY KEY, title TEXT,"
	    " content TEXT DEFAULT (hex(randomblob(9))))",
	    "default_expression", false },
	{ "a default of two strings", "DROP TABLE prompts; CREATE TABLE"
	    " prompts(id INTEGER PRIMARY KEY, title TEXT,"
	    " content TEXT DEFAULT ('a' || 'b'))",
	    "default_expression", false },
	{ "an unknown table", "CREATE TABLE z(a)", "unknown_table", true },
	{ "an unknown column", "ALTER TABLE users ADD COLUMN shoe_size TEXT",
	    "unknown_column", true },
	{ "a column that hides the row number", "ALTER TABLE users ADD COLUMN"
	    " oid INTEGER", "unknown_column", false },
	{ "a needed column missing", "ALTER TABLE messages DROP COLUMN"
	    " content", "missing_column", false },
	{ "a column of another type", "DROP TABLE prompts; CREATE TABLE"
	    " prompts(id INTEGER PRIMARY KEY, title BLOB, content TEXT)",
	    "wrong_type", false },
	{ "a table without row numbers", "DROP TABLE prompts; CREATE TABLE"
	    " prompts(id INTEGER PRIMARY KEY, title TEXT, content TEXT)"
	    " WITHOUT ROWID", "unknown_schema", false },
	{ "another program", "PRAGMA application_id = 7",
	    "unknown_application_id", false },
	{ "a schema number", "PRAGMA user_version = 7", "unknown_schema",
	    false },
	{ "no known table", "DROP TABLE users; DROP TABLE sessions;"
	    "DROP TABLE messages; DROP TABLE prompts; DROP TABLE settings;"
	    "DROP TABLE projects; DROP TABLE project_documents;"
	    "DROP TABLE doc_embeddings; DROP TABLE \"groups\";"
	    "DROP TABLE session_tags; DROP TABLE tools;"
	    "DROP TABLE user_settings; DROP TABLE password_reset_tokens",
	    "unknown_schema", false },
	/* Values. */
	{ "a slash in an id", "UPDATE sessions SET id = '../etc' WHERE"
	    " archived = '1'", "bad_id", false },
	{ "an id of two dots", "UPDATE sessions SET id = '..' WHERE"
	    " archived = '1'", "bad_id", false },
	{ "an empty id", "UPDATE sessions SET id = '' WHERE archived = '1'",
	    "bad_id", false },
	{ "an id that is too long", "UPDATE sessions SET"
	    " id = printf('%0100d', 1) WHERE archived = '1'", "bad_id",
	    false },
	{ "a line break in an id", "UPDATE projects SET id = 'a' || char(10)"
	    " || id", "bad_id", false },
	{ "a NUL in an id", "UPDATE tools SET id = CAST(x'610062' AS TEXT)"
	    " WHERE name = 'global_calc'", "bad_id", false },
	{ "broken UTF-8 in a user name", "UPDATE users SET username ="
	    " CAST(x'ff6162' AS TEXT) WHERE username = 'bob'", "bad_name",
	    false },
	{ "a backslash in a user name", "UPDATE users SET username = 'a\\b'"
	    " WHERE username = 'bob'", "bad_name", false },
	{ "an invisible user name", "UPDATE users SET username ="
	    " char(8203) || char(8205) WHERE username = 'bob'", "bad_name",
	    false },
	{ "a path as a file name", "UPDATE project_documents SET"
	    " filename = '../../x' WHERE id = 1", "bad_name", false },
	{ "an escape sequence in a setting", "UPDATE settings SET"
	    " key = char(27) || '[2J' WHERE key = 'system_prompt'",
	    "bad_name", false },
	{ "no user name", "UPDATE users SET username = '' WHERE"
	    " username = 'bob'", "missing_value", false },
	{ "no id", "UPDATE users SET id = NULL WHERE username = 'bob'",
	    "missing_value", false },
	{ "a blob for a text", "UPDATE messages SET content = x'00' WHERE"
	    " id = 1", "wrong_type", false },
	{ "a number for a time", "UPDATE messages SET timestamp = 1.5 WHERE"
	    " id = 1", "wrong_type", false },
	{ "a text for a count", "UPDATE sessions SET total_tokens = 'many'"
	    " WHERE archived = '1'", "wrong_type", false },
	{ "a row number at the end", "INSERT INTO messages (id, session_id,"
	    " role, content) VALUES (9223372036854775807, 'x', 'user', 'y')",
	    "row_id", false },
	{ "a row number beyond JSON", "INSERT INTO prompts (id, title,"
	    " content) VALUES (9007199254740992, 'x', 'y')", "row_id",
	    false },
	{ "a negative row number", "UPDATE messages SET id = -1 WHERE id = 1",
	    "row_id", false },
	{ "a row number at the end of a table without ids",
	    "INSERT INTO session_tags (rowid, session_id, tag) VALUES"
	    " (9223372036854775807, 'x', 'y')", "row_id", false },
	{ "a count beyond JSON", "UPDATE sessions SET"
	    " total_tokens = 9007199254740993 WHERE archived = '1'",
	    "out_of_range", false },
	{ "a user name that is too long", "UPDATE users SET"
	    " username = printf('%0200d', 1) WHERE username = 'bob'",
	    "bad_name", false },
	{ "two rows of one key", "CREATE TABLE p2(id TEXT, title TEXT,"
	    " description TEXT, created_at DATETIME, user_id TEXT);"
	    "INSERT INTO p2 SELECT * FROM projects;"
	    "INSERT INTO p2 SELECT * FROM projects; DROP TABLE projects;"
	    "ALTER TABLE p2 RENAME TO projects", "duplicate_key", false },
	{ "a value of 17 MiB", "UPDATE messages SET content ="
	    " CAST(zeroblob(17825792) AS TEXT) WHERE id = 1",
	    "oversize_value", false },
};

static void
each_is_found_by_validation(void **state)
{
	struct ln_report *r;
	const char *path;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		path = kit_legacy(*state, SCRYPT, cases[i].sql);
		r = kit_validate(path, NULL);
		if (r->is_importable)
			fail_msg("%s passed", cases[i].name);
		if (kit_find(r, cases[i].code) == NULL)
			fail_msg("%s: %s, not %s", cases[i].name,
			    r->finding_count > 0 ? r->findings[0].code :
			    "nothing", cases[i].code);
		assert_int_equal(kit_find(r, cases[i].code)->level,
		    LN_FINDING_ERROR);
		ln_report_free(r);
	}
}

static void
each_is_refused_by_import_and_changes_nothing(void **state)
{
	struct place *p = *state;
	struct ln_report *r;
	char *before, *after;
	size_t i;

	place_add_user(p->store, "before");
	before = kit_dump(p->path);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r = kit_import(p, kit_legacy(p, SCRYPT, cases[i].sql), NULL,
		    LN_INVALID);
		if (r == NULL || kit_find(r, cases[i].code) == NULL)
			fail_msg("%s: no report of it", cases[i].name);
		assert_null(r->snapshot_path);
		ln_report_free(r);
	}
	after = kit_dump(p->path);
	assert_string_equal(before, after);
	assert_int_equal(kit_entries(p, "test.db.import-"), 0);
	assert_int_equal(kit_entries(p, "test.db.before-import-"), 0);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM audit"
	    " WHERE action = 'db.import' AND outcome = 'invalid'"),
	    (int64_t)(sizeof(cases) / sizeof(cases[0])));
	free(before);
	free(after);
}

static void
unknown_things_alone_may_be_waived(void **state)
{
	const struct ln_transfer_opts opts = { .size = sizeof(opts),
		.ignore_unknown = true };
	struct ln_report *r;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r = kit_validate(kit_legacy(*state, SCRYPT, cases[i].sql),
		    &opts);
		if (r->is_importable != cases[i].is_waivable)
			fail_msg("%s", cases[i].name);
		ln_report_free(r);
	}
	r = kit_validate(kit_legacy(*state, SCRYPT, "CREATE TABLE z(a);"
	    "ALTER TABLE users ADD COLUMN shoe_size TEXT"), &opts);
	assert_non_null(kit_find(r, "ignored_table"));
	assert_string_equal(kit_find(r, "ignored_table")->subject, "z");
	assert_string_equal(kit_find(r, "ignored_column")->subject,
	    "shoe_size");
	assert_int_equal(r->counts.users, 5);
	ln_report_free(r);
}

static void
innocent_things_pass(void **state)
{
	static const char *const innocents[] = {
		"CREATE INDEX i ON messages(session_id, id DESC)",
		"CREATE UNIQUE INDEX i ON users(id)",
		"CREATE INDEX i ON messages(session_id); ANALYZE",
		/* Words in names, strings and comments are no constraints. */
		"DROP TABLE prompts; CREATE TABLE prompts(id INTEGER PRIMARY"
		    " KEY, -- check(this) references collate\n title TEXT"
		    " DEFAULT 'it''s a check', content TEXT"
		    " /* generated */)",
		"ALTER TABLE sessions DROP COLUMN forked_from;"
		    "ALTER TABLE users DROP COLUMN profile_pic;"
		    "DROP TABLE tools; DROP TABLE password_reset_tokens;"
		    "DROP TABLE doc_embeddings",
		"PRAGMA journal_mode = WAL",
		"VACUUM; PRAGMA page_size = 1024; VACUUM",
		"PRAGMA auto_vacuum = FULL; VACUUM",
		"UPDATE sqlite_sequence SET seq = 9223372036854775807",
		"INSERT INTO sqlite_sequence VALUES ('message', 99999)",
	};
	struct place *p = *state;
	struct ln_report *r;
	size_t i;

	for (i = 0; i < sizeof(innocents) / sizeof(innocents[0]); i++) {
		r = kit_import(p, kit_legacy(p, SCRYPT, innocents[i]), NULL,
		    LN_OK);
		if (!r->is_importable)
			fail_msg("%s: %s", innocents[i], r->findings[0].code);
		assert_int_equal(r->counts.messages, 24);
		assert_int_equal(place_int(p->store, "SELECT seq FROM"
		    " sqlite_sequence WHERE name = 'message'"), 24);
		ln_report_free(r);
	}
}

static void
a_hostile_check_never_runs(void **state)
{
	/* Would count to ten thousand million before it fails. */
	static const char bomb[] =
	    "CREATE TABLE z(a CHECK (a IN (1)));"
	    "INSERT INTO z VALUES (1); PRAGMA writable_schema = ON;"
	    "UPDATE sqlite_schema SET sql = 'CREATE TABLE z(a CHECK (1 <"
	    " (length(hex(zeroblob(100000000))) + length(replace(hex("
	    "zeroblob(100000000)), ''0'', ''12345''))))) ' WHERE name = 'z'";
	int64_t start = ln_time_mono_ms();
	struct ln_report *r;

	r = kit_validate(kit_legacy(*state, SCRYPT, bomb), NULL);
	assert_false(r->is_importable);
	assert_non_null(kit_find(r, "check_constraint"));
	assert_true(ln_time_mono_ms() - start < 3000);
	ln_report_free(r);
}

static void
a_deadline_ends_the_examination(void **state)
{
	const struct ln_transfer_opts opts = { .size = sizeof(opts),
		.deadline_ms = 1 };
	struct ln_report *r;
	const char *path;

	path = kit_legacy(*state, SCRYPT, "WITH RECURSIVE n(i) AS (SELECT 100"
	    " UNION ALL SELECT i + 1 FROM n WHERE i < 60000) INSERT INTO"
	    " messages (id, session_id, role, content) SELECT i,"
	    " '39da72ec-4429-43b5-b0fb-d5b559ef1a8b', 'user', 'x' FROM n");
	r = kit_validate(path, &opts);
	assert_false(r->is_importable);
	assert_non_null(kit_find(r, "too_slow"));
	ln_report_free(r);
}

static void
a_flood_of_tables_is_too_much(void **state)
{
	struct ln_report *r;
	const char *path = kit_legacy(*state, SCRYPT, NULL);
	char sql[64];
	char *all;
	size_t i, n = 0;

	all = malloc(700 * sizeof(sql));
	assert_non_null(all);
	for (i = 0; i < 600; i++)
		n += (size_t)snprintf(all + n, sizeof(sql),
		    "CREATE TABLE t%zu(a);", i);
	kit_sql(path, all);
	free(all);
	r = kit_validate(path, NULL);
	assert_false(r->is_importable);
	assert_non_null(kit_find(r, "schema_too_large"));
	ln_report_free(r);
}

static void
what_a_file_says_cannot_drive_a_terminal(void **state)
{
	struct ln_report *r;
	size_t i;

	r = kit_validate(kit_legacy(*state, SCRYPT,
	    "CREATE TABLE \"z\x1b[2J\xe2\x80\xae\"(a)"), NULL);
	assert_false(r->is_importable);
	for (i = 0; i < r->finding_count; i++) {
		assert_null(strchr(r->findings[i].subject != NULL ?
		    r->findings[i].subject : "", '\x1b'));
		assert_null(strchr(r->findings[i].text, '\x1b'));
	}
	ln_report_free(r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_is_found_by_validation),
		T(each_is_refused_by_import_and_changes_nothing),
		T(unknown_things_alone_may_be_waived),
		T(innocent_things_pass),
		T(a_hostile_check_never_runs),
		T(a_deadline_ends_the_examination),
		T(a_flood_of_tables_is_too_much),
		T(what_a_file_says_cannot_drive_a_terminal),
	};

	return cmocka_run_group_tests_name("reject", tests, NULL, NULL);
}
