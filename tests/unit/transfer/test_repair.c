#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transfer/kit.h"

/*
 * Known faults of the legacy program's files, and what becomes of each: what
 * is changed, how often it is reported, and a fact about the result.
 */

#define S1 "39da72ec-4429-43b5-b0fb-d5b559ef1a8b"	/* alice's */
#define FORK "1c48cf2c-088c-4545-8a9c-18e081b46086"
#define BOBS "b1885faa-0932-4a7b-abce-a8844a362907"
#define G1 "4c92e189-077e-45c0-b256-16f718949157"
#define P1 "b6639e63-9b30-4a7b-bf05-2ab2575a74bc"	/* alice's */
#define ALICE "eb652b0b-83ac-4dba-8273-8bff9d50e54e"
#define BOB "4a91fb4f-dbdb-4ceb-b5a8-dab6bbf74650"
#define ADMIN "5a3c2865-e630-4dae-b7b2-5225dd43785c"

static const struct {
	const char *name;
	const char *sql;
	const char *code;	/* NULL: nothing to report */
	int64_t count;
	const char *fact;
	int64_t expected;
} cases[] = {
	/* Accounts. */
	{ "a role that is nearly admin", "UPDATE users SET role = 'Admin'"
	    " WHERE username = 'bob'", "unknown_role", 1,
	    "SELECT count(*) FROM user WHERE role = 'admin'", 1 },
	{ "no role", "UPDATE users SET role = NULL WHERE username = 'bob'",
	    NULL, 0, "SELECT count(*) FROM user WHERE username = 'bob' AND"
	    " role = 'user'", 1 },
	{ "blocked as 'True'", "UPDATE users SET blocked = 'True' WHERE"
	    " username = 'bob'", "blocked_value", 1,
	    "SELECT count(*) FROM user WHERE blocked_ms IS NOT NULL", 2 },
	{ "blocked as 'False' stays on the safe side", "UPDATE users SET"
	    " blocked = 'False' WHERE username = 'bob'", "blocked_value", 1,
	    "SELECT count(*) FROM user WHERE blocked_ms IS NOT NULL", 2 },
	{ "blocked as NULL", "UPDATE users SET blocked = NULL WHERE"
	    " username = 'bob'", NULL, 0,
	    "SELECT count(*) FROM user WHERE blocked_ms IS NOT NULL", 1 },
	{ "names that differ by case", "UPDATE users SET username = 'ALICE'"
	    " WHERE username = 'bob'", "duplicate_username", 1,
	    "SELECT count(*) FROM user WHERE username = 'ALICE-2' AND"
	    " username_key = 'alice-2' AND id = '" BOB "'", 1 },
	{ "names that differ by form", "UPDATE users SET username ="
	    " char(64257) || 'x' WHERE username = 'bob'; UPDATE users SET"
	    " username = 'FIX' WHERE username = 'carol'",
	    "duplicate_username", 1,
	    "SELECT count(*) FROM user WHERE username = 'FIX-2'", 1 },
	{ "a number that is taken", "UPDATE users SET username = 'ALICE'"
	    " WHERE username = 'bob'; UPDATE users SET username = 'alice-2'"
	    " WHERE username = 'carol'", "duplicate_username", 1,
	    "SELECT count(*) FROM user WHERE username IN ('alice',"
	    " 'ALICE-3', 'alice-2')", 3 },
	{ "an address used twice", "UPDATE users SET email ="
	    " 'ALICE@example.test' WHERE username = 'carol'",
	    "duplicate_email", 1,
	    "SELECT count(*) FROM user WHERE email IS NULL", 2 },
	{ "an address with a line break", "UPDATE users SET email ="
	    " 'a@b' || char(10) || 'Bcc: c@d' WHERE username = 'carol'",
	    "bad_email", 1,
	    "SELECT count(*) FROM user WHERE email IS NULL", 2 },
	{ "a hash of mad cost", "UPDATE users SET password_hash ="
	    " 'pbkdf2:sha256:2000000000$salt$00' WHERE username = 'bob'",
	    "password_disabled", 1,
	    "SELECT count(*) FROM user WHERE password_hash IS NULL", 1 },
	{ "a line break in a full name", "UPDATE users SET full_name ="
	    " 'A' || char(10) || 'B' WHERE username = 'bob'",
	    "control_characters", 1,
	    "SELECT count(*) FROM user WHERE full_name = 'A B'", 1 },
	/* Conversations. */
	{ "a fork of a fork", "UPDATE sessions SET forked_from = '" FORK "',"
	    " user_id = NULL WHERE id = '" BOBS "'", "unowned_fork", 2,
	    "SELECT count(*) FROM conversation WHERE user_id = '" ALICE "'",
	    6 },
	{ "forks in a circle go to the administrator", "UPDATE sessions SET"
	    " forked_from = '" BOBS "' WHERE id = '" FORK "'; UPDATE sessions"
	    " SET forked_from = '" FORK "', user_id = NULL WHERE id ="
	    " '" BOBS "'", "unowned_conversation", 2,
	    "SELECT count(*) FROM conversation WHERE user_id = '" ADMIN "'",
	    2 },
	{ "an owner who is gone", "UPDATE sessions SET user_id = 'nobody'"
	    " WHERE id = '" BOBS "'", "unowned_conversation", 1,
	    "SELECT count(*) FROM conversation WHERE user_id = '" ADMIN "'",
	    1 },
	{ "no title", "UPDATE sessions SET title = NULL WHERE id ="
	    " '" BOBS "'", "missing_title", 1,
	    "SELECT count(*) FROM conversation WHERE title = 'New chat'", 1 },
	{ "a time that is none", "UPDATE sessions SET timestamp = 'soon'"
	    " WHERE id = '" BOBS "'", "bad_time", 1,
	    "SELECT count(*) FROM conversation WHERE created_ms >"
	    " 1700000000000", 8 },
	{ "a negative count", "UPDATE sessions SET total_tokens = -5 WHERE"
	    " id = '" BOBS "'", "negative_count", 1,
	    "SELECT count(*) FROM conversation WHERE total_tokens = 0 AND"
	    " id = '" BOBS "'", 1 },
	{ "flags as words", "UPDATE sessions SET archived = 'True', pinned ="
	    " 'False' WHERE id = '" S1 "'", NULL, 0,
	    "SELECT count(*) FROM conversation WHERE id = '" S1 "' AND"
	    " archived_ms IS NOT NULL AND pinned_ms IS NULL", 1 },
	{ "a project that is gone", "UPDATE sessions SET project_id = 'gone'"
	    " WHERE id = '" S1 "'", "wrong_project", 1,
	    "SELECT count(*) FROM conversation WHERE project_id IS NOT NULL",
	    1 },
	{ "a project of somebody else", "UPDATE sessions SET project_id ="
	    " '" P1 "' WHERE id = '" BOBS "'", "wrong_project", 1,
	    "SELECT count(*) FROM conversation WHERE project_id IS NOT NULL",
	    1 },
	{ "a group that is gone", "UPDATE sessions SET group_id = 'gone'"
	    " WHERE id = '" BOBS "'", "wrong_group", 1,
	    "SELECT count(*) FROM conversation WHERE group_id IS NOT NULL",
	    1 },
	{ "a group that two people use", "UPDATE sessions SET group_id ="
	    " '" G1 "' WHERE id = '" BOBS "'", "group_copied", 1,
	    "SELECT count(*) FROM conversation c JOIN conversation_group g"
	    " ON g.id = c.group_id AND g.user_id = c.user_id AND"
	    " g.title = 'Group One'", 2 },
	{ "pictures of a conversation", "UPDATE sessions SET images ="
	    " '[\"YWJj\"]' WHERE id = '" BOBS "'", "conversation_images", 1,
	    "SELECT count(*) FROM message_image i JOIN message m ON"
	    " m.id = i.message_id WHERE m.id = 11 AND"
	    " i.images = '[\"YWJj\"]'", 1 },
	{ "pictures that a message has already", "UPDATE sessions SET images"
	    " = '[\"aGVsbG8gd29ybGQ=\"]' WHERE id ="
	    " '78ef8561-62f7-40cc-857b-86c2f8dd30f4'", NULL, 0,
	    "SELECT count(*) FROM message_image", 1 },
	{ "pictures of an empty conversation", "DELETE FROM messages WHERE"
	    " session_id = '" BOBS "'; UPDATE sessions SET images ="
	    " '[\"YWJj\"]' WHERE id = '" BOBS "'", "conversation_images", 1,
	    "SELECT count(*) FROM message_image i JOIN message m ON"
	    " m.id = i.message_id WHERE m.conversation_id = '" BOBS "'", 1 },
	/* Messages. */
	{ "messages of a deleted conversation", "DELETE FROM sessions WHERE"
	    " id = '" BOBS "'", "orphan_message", 4,
	    "SELECT count(*) FROM message m JOIN conversation c ON"
	    " c.id = m.conversation_id WHERE c.title ="
	    " 'Imported, unassigned' AND c.user_id = '" ADMIN "'", 4 },
	{ "a picture of a deleted conversation", "INSERT INTO messages"
	    " (session_id, role, content, images) VALUES ('gone', 'user', '',"
	    " '[\"YWJj\"]')", "orphan_message", 1,
	    "SELECT count(*) FROM message", 25 },
	{ "empty messages of a deleted conversation", "INSERT INTO messages"
	    " (session_id, role, content) VALUES ('gone', 'user', ' '),"
	    " ('gone', 'user', NULL)", "orphan_empty_message", 2,
	    "SELECT count(*) FROM message", 24 },
	{ "a message of no conversation", "INSERT INTO messages (session_id,"
	    " role, content) VALUES (NULL, 'user', 'where am I')",
	    "orphan_message", 1, "SELECT count(*) FROM message", 25 },
	{ "broken characters", "UPDATE messages SET content ="
	    " CAST(x'61ff62c3' AS TEXT) WHERE id = 1", "invalid_utf8", 1,
	    "SELECT count(*) FROM message WHERE id = 1 AND content ="
	    " 'a' || char(65533) || 'b' || char(65533)", 1 },
	{ "a NUL in a text", "UPDATE messages SET content ="
	    " CAST(x'610062' AS TEXT) WHERE id = 1", "invalid_utf8", 1,
	    "SELECT count(*) FROM message WHERE id = 1 AND content ="
	    " 'a' || char(65533) || 'b'", 1 },
	{ "an unknown role", "UPDATE messages SET role = 'robot' WHERE"
	    " id = 2", "message_role", 1,
	    "SELECT count(*) FROM message WHERE id = 2 AND role = 'user'",
	    1 },
	{ "pictures that are none", "UPDATE messages SET images ="
	    " '[\"no!\", 5, \"YWJj\", \"data:image/png;base64,YWJj\"]' WHERE"
	    " id = 1", "bad_images", 2,
	    "SELECT count(*) FROM message_image WHERE message_id = 1 AND"
	    " images = '[\"YWJj\",\"YWJj\"]'", 1 },
	{ "a picture list that is no list", "UPDATE messages SET images ="
	    " '{\"a\"' WHERE id = 1", "bad_images", 1,
	    "SELECT count(*) FROM message_image", 1 },
	{ "an empty picture list", "UPDATE messages SET images = '[]' WHERE"
	    " id = 1", NULL, 0, "SELECT count(*) FROM message_image", 1 },
	/* Tags. */
	{ "a tag of a deleted conversation", "INSERT INTO session_tags VALUES"
	    " ('gone', 'x')", "orphan_tag", 1,
	    "SELECT count(*) FROM conversation_tag", 4 },
	{ "a tag that becomes another one", "INSERT INTO session_tags VALUES"
	    " ('" S1 "', ' WORK ')", "tag_merged", 1,
	    "SELECT count(*) FROM conversation_tag", 4 },
	{ "a tag that is too long", "INSERT INTO session_tags VALUES"
	    " ('" S1 "', printf('%0100d', 7))", "tag_changed", 1,
	    "SELECT count(*) FROM conversation_tag WHERE length(tag) = 64",
	    1 },
	{ "a tag with a line break", "INSERT INTO session_tags VALUES"
	    " ('" S1 "', 'a' || char(10) || 'b')", "tag_changed", 1,
	    "SELECT count(*) FROM conversation_tag WHERE tag = 'a-b'", 1 },
	{ "an empty tag", "INSERT INTO session_tags VALUES ('" S1 "', ' ')",
	    "tag_merged", 1, "SELECT count(*) FROM conversation_tag", 4 },
	/* Projects and the library. */
	{ "a project without owner", "UPDATE projects SET user_id = NULL"
	    " WHERE id = '" P1 "'", "unowned_project", 1,
	    "SELECT count(*) FROM project WHERE id = '" P1 "' AND"
	    " user_id = '" ALICE "'", 1 },
	{ "a document of a deleted project", "UPDATE project_documents SET"
	    " project_id = 'gone' WHERE id = 1", "orphan_document", 1,
	    "SELECT count(*) FROM document d JOIN project p ON"
	    " p.id = d.project_id WHERE p.title = 'Imported, unassigned' AND"
	    " p.user_id = '" ADMIN "' AND d.filename = 'notes.md'", 1 },
	{ "a document without a name", "UPDATE project_documents SET filename"
	    " = NULL WHERE id = 2", "missing_title", 1,
	    "SELECT count(*) FROM document WHERE filename = 'document-2'",
	    1 },
	{ "embeddings", "INSERT INTO doc_embeddings (document_id,"
	    " chunk_index, embedding) VALUES (1, 0, '[1,2]'), (99, 0, '[]')",
	    "embeddings", 2, "SELECT count(*) FROM document", 3 },
	{ "a tool that shadows a built-in one", "UPDATE tools SET name ="
	    " 'read_file' WHERE name = 'get_weather'", "tool_disabled", 1,
	    "SELECT is_enabled FROM tool WHERE name = 'read_file'", 0 },
	{ "a tool without a sane definition", "UPDATE tools SET definition ="
	    " '{\"type\":\"function\"}' WHERE name = 'get_weather'",
	    "tool_disabled", 1,
	    "SELECT is_enabled FROM tool WHERE name = 'get_weather'", 0 },
	{ "a tool without owner", "UPDATE tools SET user_id = 'gone' WHERE"
	    " name = 'get_weather'", "unowned_tool", 1,
	    "SELECT count(*) FROM tool WHERE name = 'get_weather' AND"
	    " user_id = '" ADMIN "' AND is_enabled = 0", 1 },
	{ "two tools of one name", "CREATE TABLE t2(id TEXT, name TEXT,"
	    " description TEXT, definition TEXT, is_global INTEGER, user_id"
	    " TEXT, created_at DATETIME, enabled INTEGER); INSERT INTO t2"
	    " SELECT * FROM tools; INSERT INTO t2 SELECT 'other', name,"
	    " description, definition, is_global, user_id, created_at,"
	    " enabled FROM tools WHERE name = 'get_weather'; DROP TABLE"
	    " tools; ALTER TABLE t2 RENAME TO tools", "tool_renamed", 1,
	    "SELECT count(*) FROM tool WHERE name = 'get_weather_2' AND"
	    " id = 'other'", 1 },
	/* Settings. */
	{ "a setting of a deleted account", "INSERT INTO user_settings VALUES"
	    " ('gone', 'model', 'x')", "orphan_setting", 1,
	    "SELECT count(*) FROM user_setting", 8 },
	{ "an unknown setting", "INSERT INTO settings VALUES ('mood',"
	    " 'fine')", "unknown_setting", 1,
	    "SELECT count(*) FROM setting", 4 },
	{ "a file may not open doors", "INSERT INTO settings VALUES"
	    " ('allowed_endpoints', 'http://10.0.0.1')", "unknown_setting",
	    1, "SELECT count(*) FROM setting WHERE name ="
	    " 'allowed_endpoints'", 0 },
	{ "an address that is allowed", "UPDATE user_settings SET value ="
	    " 'http://localhost:11434' WHERE key = 'ollama_url' AND user_id ="
	    " '" BOB "'", "url_refused", 3,
	    "SELECT count(*) FROM user_setting WHERE name = 'base_url'", 1 },
	{ "an address of the cloud's inside", "INSERT INTO settings VALUES"
	    " ('global_ollama_url', 'http://169.254.169.254/')",
	    "url_refused", 5,
	    "SELECT count(*) FROM setting WHERE name = 'base_url'", 0 },
	{ "a temperature out of range", "UPDATE user_settings SET value ="
	    " '7' WHERE key = 'temperature'", "bad_setting", 1,
	    "SELECT count(*) FROM user_setting WHERE name = 'temperature'",
	    0 },
	{ "registration as another word", "UPDATE settings SET value ="
	    " 'False' WHERE key = 'allow_registration'", NULL, 0,
	    "SELECT count(*) FROM setting WHERE name = 'allow_registration'"
	    " AND value = 'false'", 1 },
	{ "a global key in plain text", "INSERT INTO settings VALUES"
	    " ('global_api_key', 'sk-global')", "plain_api_key", 2,
	    "SELECT count(*) FROM setting WHERE name = 'api_key' AND"
	    " is_sealed = 1 AND value NOT LIKE '%sk-global%'", 1 },
	/* Whole parts missing. */
	{ "no tools and no tags", "DROP TABLE tools; DROP TABLE"
	    " session_tags", "missing_table", 2,
	    "SELECT count(*) FROM message", 24 },
	{ "columns of later versions missing", "ALTER TABLE messages DROP"
	    " COLUMN pinned; ALTER TABLE sessions DROP COLUMN total_tokens;"
	    "ALTER TABLE tools DROP COLUMN enabled", "old_columns", 3,
	    "SELECT count(*) FROM tool WHERE is_enabled = 1", 3 },
};

static void
each_fault_is_digested_and_counted(void **state)
{
	struct place *p = *state;
	struct ln_report *r;
	size_t i, usual;
	int64_t n;

	r = kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL, LN_OK);
	usual = r->finding_count;
	ln_report_free(r);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r = kit_import(p, kit_legacy(p, SCRYPT, cases[i].sql), NULL,
		    LN_OK);
		if (cases[i].code != NULL && (n = kit_count(r,
		    cases[i].code)) != cases[i].count)
			fail_msg("%s: %s counted %lld, not %lld",
			    cases[i].name, cases[i].code, (long long)n,
			    (long long)cases[i].count);
		if (cases[i].code == NULL && r->finding_count != usual)
			fail_msg("%s: reported", cases[i].name);
		n = place_int(p->store, cases[i].fact);
		if (n != cases[i].expected)
			fail_msg("%s: %s gives %lld, not %lld",
			    cases[i].name, cases[i].fact, (long long)n,
			    (long long)cases[i].expected);
		assert_int_equal(ln_store_check(p->store, true, NULL, NULL,
		    NULL), LN_OK);
		ln_report_free(r);
	}
}

static void
validation_foretells_every_repair(void **state)
{
	struct ln_report *r;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r = kit_validate(kit_legacy(*state, SCRYPT, cases[i].sql),
		    NULL);
		assert_true(r->is_importable);
		if (cases[i].code != NULL &&
		    kit_count(r, cases[i].code) != cases[i].count)
			fail_msg("%s: %s", cases[i].name, cases[i].code);
		ln_report_free(r);
	}
}

static void
the_live_list_of_local_endpoints_decides_and_stays(void **state)
{
	struct place *p = *state;
	struct ln_report *r;

	place_exec(p->store, "INSERT INTO setting (name, value) VALUES"
	    " ('allowed_endpoints', 'http://127.0.0.1:46697')");
	r = kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL, LN_OK);
	/* The live list decided, and it is still there. */
	assert_int_equal(kit_count(r, "url_refused"), 0);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " user_setting WHERE name = 'base_url'"), 4);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM setting"
	    " WHERE name = 'allowed_endpoints'"), 1);
	ln_report_free(r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_fault_is_digested_and_counted),
		T(validation_foretells_every_repair),
		T(the_live_list_of_local_endpoints_decides_and_stays),
	};

	return cmocka_run_group_tests_name("repair", tests, NULL, NULL);
}
