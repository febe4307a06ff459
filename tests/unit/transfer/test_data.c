/* What a person brings along: our own export and those of other programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/buf.h>

#include "people.h"
#include "service/data.h"
#include "transfer/kit.h"

static int
setup(void **state)
{
	const struct ln_actor shell = { .kind = "shell" };
	struct place *p;

	if (place_setup(state) != 0)
		return -1;
	p = *state;
	people_add(p, "ann", NULL, LN_USER_ROLE_USER, NULL);
	people_add(p, "bob", NULL, LN_USER_ROLE_USER, NULL);
	ln_store_actor_set(p->store, &shell);
	return 0;
}

static enum ln_status
bring_in(struct place *p, const char *user, const char *path, bool is_dry,
    struct ln_data_report **out, struct ln_error *err)
{
	const struct ln_data_opts opts = { .size = sizeof(opts),
		.is_dry_run = is_dry };
	struct ln_config *cfg;
	enum ln_status s;

	assert_int_equal(ln_config_load(NULL, &cfg, NULL), LN_OK);
	s = ln_data_import(p->store, cfg, user, path, &opts, out, err);
	ln_config_free(cfg);
	return s;
}

static struct ln_data_report *
bring(struct place *p, const char *user, const char *path)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_data_report *r;

	people_ok(bring_in(p, user, path, false, &r, &err), &err);
	return r;
}

static const char *
fixture(const char *name)
{
	static char path[512];
	const char *folder = getenv("LN_FIXTURES");

	(void)snprintf(path, sizeof(path), "%s/imports/%s",
	    folder != NULL ? folder : "tests/fixtures", name);
	return path;
}

static int64_t
noted(const struct ln_data_report *r, const char *reason)
{
	size_t i;

	for (i = 0; i < r->note_count; i++)
		if (strcmp(r->notes[i].reason, reason) == 0)
			return r->notes[i].count;
	return 0;
}

#define COUNT(r, kind) ((r)->counts[LNI_DATA_##kind])

static void
chatgpt_brings_the_branch_at_hand_and_forks(void **state)
{
	struct place *p = *state;
	struct ln_data_report *r;

	r = bring(p, "ann", fixture("chatgpt.json"));
	assert_string_equal(r->format, "chatgpt");
	assert_int_equal(COUNT(r, CONVERSATION).added, 3);
	assert_int_equal(COUNT(r, CONVERSATION).skipped, 1);
	assert_int_equal(noted(r, "It has no id or no messages"), 1);
	assert_int_equal(noted(r, "Another branch became a fork"), 1);
	assert_int_equal(noted(r, "A picture or file is not in the export"),
	    1);
	assert_int_equal(noted(r, "It is of a tool, or its role is unknown"),
	    1);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM message m"
	    " JOIN conversation c ON c.id = m.conversation_id WHERE"
	    " c.title = 'Bread' AND c.forked_from IS NULL AND c.archived_ms"
	    " AND m.content IN ('How do I bake bread?',"
	    " 'Knead,' || char(10) || 'then wait.')"), 2);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM message m"
	    " JOIN conversation c ON c.id = m.conversation_id"
	    " JOIN message q ON q.id = c.forked_at_message"
	    " JOIN conversation o ON o.id = c.forked_from"
	    " WHERE o.title = 'Bread' AND q.content LIKE 'How%' AND"
	    " m.content IN ('How do I bake bread?', 'Buy it.')"), 2);
	assert_int_equal(place_int(p->store, "SELECT created_ms FROM message"
	    " WHERE content = 'Buy it.'"), 1700000002000);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM message"
	    " WHERE model = 'gpt-3.5'"), 1);
	ln_free(r);
}

static void
open_webui_brings_tags_pins_and_pictures(void **state)
{
	struct place *p = *state;
	struct ln_data_report *r;

	r = bring(p, "ann", fixture("open_webui.json"));
	assert_string_equal(r->format, "open_webui");
	assert_int_equal(COUNT(r, CONVERSATION).added, 2);
	assert_int_equal(COUNT(r, MESSAGE).added, 4);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " conversation_tag WHERE tag = 'night-sky'"), 1);
	assert_int_equal(noted(r, "A tag that is none was left out"), 2);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " message_image WHERE images = '[\"iVBORw0KGgoAAAA=\"]'"), 2);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " conversation WHERE pinned_ms IS NOT NULL"), 1);
	ln_free(r);
}

static void
the_legacy_export_comes_in_any_order(void **state)
{
	struct place *p = *state;
	struct ln_data_report *r;

	r = bring(p, "ann", fixture("legacy.json"));
	assert_string_equal(r->format, "legacy");
	assert_int_equal(COUNT(r, CONVERSATION).added, 1);
	assert_int_equal(COUNT(r, CONVERSATION).skipped, 2);
	assert_int_equal(COUNT(r, MESSAGE).added, 2);
	assert_int_equal(noted(r, "Its role is unknown"), 1);
	assert_int_equal(noted(r, "It has no text"), 1);
	assert_int_equal(noted(r, "What it belongs to is not there"), 1);
	assert_int_equal(COUNT(r, PROMPT).added, 1);
	assert_int_equal(COUNT(r, DOCUMENT).added, 1);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " conversation c JOIN project p ON p.id = c.project_id JOIN"
	    " conversation_tag t ON t.conversation_id = c.id WHERE"
	    " c.title = 'Old talk' AND p.title = 'Plans' AND"
	    " t.tag = 'old-times' AND c.archived_ms IS NOT NULL"), 1);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " user_setting"), 0);
	ln_free(r);
}

static void
nothing_comes_twice(void **state)
{
	static const char *const files[] = { "chatgpt.json",
		"open_webui.json", "legacy.json" };
	struct place *p = *state;
	struct ln_data_report *r;
	int64_t before;
	size_t i, k;

	for (i = 0; i < 3; i++) {
		ln_free(bring(p, "ann", fixture(files[i])));
		before = place_int(p->store, "SELECT (SELECT count(*) FROM"
		    " conversation) + (SELECT count(*) FROM message)");
		r = bring(p, "ann", fixture(files[i]));
		for (k = 0; k < LN_DATA_KINDS; k++)
			assert_int_equal(r->counts[k].added, 0);
		assert_true(COUNT(r, CONVERSATION).present > 0);
		ln_free(r);
		assert_int_equal(place_int(p->store, "SELECT (SELECT count(*)"
		    " FROM conversation) + (SELECT count(*) FROM message)"),
		    before);
		/* Another account has its own. */
		r = bring(p, "bob", fixture(files[i]));
		assert_int_equal(COUNT(r, CONVERSATION).present, 0);
		assert_true(COUNT(r, CONVERSATION).added > 0);
		ln_free(r);
	}
}

static void
a_rehearsal_changes_nothing(void **state)
{
	struct place *p = *state;
	struct ln_data_report *r;

	assert_int_equal(bring_in(p, "ann", fixture("legacy.json"), true, &r,
	    NULL), LN_OK);
	assert_int_equal(COUNT(r, CONVERSATION).added, 1);
	ln_free(r);
	assert_int_equal(place_int(p->store, "SELECT (SELECT count(*) FROM"
	    " conversation) + (SELECT count(*) FROM prompt) + (SELECT"
	    " count(*) FROM audit WHERE action = 'user.import')"), 0);
}

/* Everything of ann, in a file. */
static const char *
take_home(struct place *p, const char *user)
{
	struct ln_buf b = LN_BUF_INIT(1 << 22);
	struct ln_error err = LN_ERROR_INIT;
	const char *path;

	people_ok(ln_export_user_json(p->store, user, &b, &err), &err);
	path = kit_file(p, b.data, b.len);
	ln_buf_free(&b);
	return path;
}

static const char life[] =
    "INSERT INTO user_picture VALUES ('ann', 'image/gif',"
    " x'47494638396101000100000000');"
    "INSERT INTO user_setting(user_id, name, value) VALUES"
    " ('ann', 'theme', 'dark'), ('ann', 'base_url', 'http://evil');"
    "INSERT INTO project(id, user_id, title, created_ms)"
    " VALUES ('p', 'ann', 'P', 1);"
    "INSERT INTO document(project_id, filename, content, created_ms)"
    " VALUES ('p', 'f', 'text', 1);"
    "INSERT INTO document(id, project_id, filename, content, state,"
    " created_ms) VALUES (77, 'p', 'read', '', 'ready', 1);"
    "INSERT INTO chunk(document_id, position, overlap, text)"
    " VALUES (77, 1, 2, 'ü second'), (77, 0, 0, 'first ü');"
    "INSERT INTO conversation_group VALUES ('g', 'ann', 'G', 0, 1);"
    "INSERT INTO conversation(id, user_id, title, temperature, project_id,"
    " group_id, pinned_ms, created_ms, updated_ms)"
    " VALUES ('c', 'ann', 'C', 0.5, 'p', 'g', 5, 1, 2);"
    "INSERT INTO conversation_tag VALUES ('c', 'tag');"
    "INSERT INTO message(id, conversation_id, role, content, created_ms,"
    " pinned_ms, tokens) VALUES (10, 'c', 'user', 'ask', 1, 7, 3);"
    "INSERT INTO message(id, conversation_id, role, state, content,"
    " thinking, error, created_ms) VALUES"
    " (11, 'c', 'assistant', 'streaming', 'half', 'hm', 'It broke', 1);"
    "INSERT INTO message_image VALUES (10, '[\"iVBORw0KGgoAAAA=\"]');"
    "INSERT INTO tool_run(message_id, round, name, arguments, state,"
    " result, created_ms, ended_ms)"
    " VALUES (11, 1, 'n', '{}', 'done', 'r', 1, 1);"
    "INSERT INTO conversation(id, user_id, title, forked_from,"
    " forked_at_message, created_ms, updated_ms)"
    " VALUES ('f', 'ann', 'F', 'c', 10, 1, 2);"
    "INSERT INTO message(conversation_id, role, content, created_ms)"
    " VALUES ('f', 'user', 'ask', 1);"
    "INSERT INTO prompt(user_id, title, content, created_ms)"
    " VALUES ('ann', 'T', 'text', 1);"
    "INSERT INTO tool(id, user_id, name, definition, sealed_headers,"
    " created_ms) VALUES ('t', 'ann', 'calc', '{\"type\":\"function\","
    "\"function\":{\"name\":\"calc\"}}', 'planted', 1);";

static void
our_own_export_comes_back_whole(void **state)
{
	struct place *p = *state;
	struct ln_data_report *r;
	const char *path;
	size_t k;

	people_tamper(p, life);
	path = take_home(p, "ann");
	/* At home it is all there. */
	r = bring(p, "ann", path);
	for (k = 0; k < LN_DATA_KINDS; k++)
		assert_int_equal(r->counts[k].added, 0);
	ln_free(r);
	/* With somebody else, whose ids cannot be the same, it is new. */
	r = bring(p, "bob", path);
	for (k = 0; k < LN_DATA_KINDS; k++)
		if (r->counts[k].added == 0)
			fail_msg("%s", r->counts[k].what);
	assert_int_equal(COUNT(r, SETTING).skipped, 1);
	ln_free(r);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM document d"
	    " JOIN project p ON p.id = d.project_id WHERE p.user_id = 'bob'"
	    " AND d.content IN ('text', 'first ü second')"), 2);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " conversation c JOIN project p ON p.id = c.project_id AND"
	    " p.user_id = 'bob' JOIN conversation_group g ON"
	    " g.id = c.group_id AND g.user_id = 'bob' WHERE c.user_id = 'bob'"
	    " AND c.title = 'C' AND c.temperature = 0.5 AND c.pinned_ms = 5"),
	    1);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " conversation f JOIN conversation c ON c.id = f.forked_from"
	    " JOIN message m ON m.id = f.forked_at_message AND"
	    " m.conversation_id = c.id WHERE f.user_id = 'bob' AND"
	    " c.user_id = 'bob' AND m.content = 'ask' AND"
	    " f.fork_root = c.id"), 1);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM message m"
	    " JOIN conversation c ON c.id = m.conversation_id JOIN tool_run r"
	    " ON r.message_id = m.id WHERE c.user_id = 'bob' AND"
	    " m.state = 'interrupted' AND m.thinking = 'hm' AND"
	    " m.error = 'It broke'"), 1);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM tool WHERE"
	    " user_id = 'bob' AND is_enabled = 0 AND sealed_headers IS NULL"),
	    1);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " user_setting WHERE user_id = 'bob'"), 1);
	r = bring(p, "bob", path);
	for (k = 0; k < LN_DATA_KINDS; k++)
		assert_int_equal(r->counts[k].added, 0);
	ln_free(r);
}

static void
hostile_files_end_in_a_clear_refusal_and_change_nothing(void **state)
{
	static const struct {
		const char *text;
		enum ln_status s;
	} bad[] = {
		{ "", LN_INVALID },
		{ "[]", LN_INVALID },
		{ "{}", LN_INVALID },
		{ "12", LN_INVALID },
		{ "SQLite format 3", LN_INVALID },
		{ "[{\"mapping\":{}", LN_INVALID },
		{ "{\"sessions\":[{\"id\":\"a\",\"title\":\"t\"}],", LN_INVALID },
		{ "{\"sessions\":[{\"id\":\"a\"}]}x", LN_INVALID },
		{ "{\"format\":\"localneural-user\",\"version\":2}", LN_TOO_NEW },
		{ "{\"format\":\"other\",\"version\":1}", LN_INVALID },
	};
	struct ln_error err = LN_ERROR_INIT;
	struct place *p = *state;
	struct ln_data_report *r;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (bring_in(p, "ann", kit_file(p, bad[i].text,
		    strlen(bad[i].text)), false, &r, &err) != bad[i].s)
			fail_msg("%s: %s", bad[i].text, err.detail);
		assert_null(r);
	}
	assert_int_equal(bring_in(p, "ann", "/dev/null", false, &r, NULL),
	    LN_INVALID);
	assert_int_equal(bring_in(p, "ann", p->path, false, &r, NULL),
	    LN_INVALID);
	assert_int_equal(bring_in(p, "nobody", fixture("legacy.json"), false,
	    &r, NULL), LN_NOT_FOUND);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " conversation"), 0);
}

static void
a_bad_item_is_left_out_with_its_reason(void **state)
{
	struct ln_buf b = LN_BUF_INIT((size_t)64 * 1024 * 1024);
	struct place *p = *state;
	struct ln_data_report *r;
	size_t i;

	ln_buf_puts(&b, "[{\"id\":\"a\",\"messages\":[]},"
	    "{\"id\":\"b\",\"messages\":[],\"title\":\"\xff\"},"
	    "{\"id\":\"c\",\"messages\":");
	for (i = 0; i < 100000; i++)
		ln_buf_putc(&b, '[');
	for (i = 0; i < 100000; i++)
		ln_buf_putc(&b, ']');
	ln_buf_puts(&b, "},{\"id\":\"d\",\"title\":\"");
	for (i = 0; i < (size_t)33 * 1024; i++)
		ln_buf_printf(&b, "%01024d", 0);
	ln_buf_puts(&b, "\"},{\"id\":[],\"messages\":7},"
	    "{\"id\":\"e\",\"messages\":{},\"timestamp\":-1e300}]");
	assert_int_equal(ln_buf_status(&b), LN_OK);
	r = bring(p, "ann", kit_file(p, b.data, b.len));
	assert_int_equal(COUNT(r, CONVERSATION).added, 2);
	assert_int_equal(COUNT(r, CONVERSATION).skipped, 4);
	assert_int_equal(noted(r, "It is larger than 32 MiB"), 1);
	assert_int_equal(noted(r, "It is not valid JSON in UTF-8"), 1);
	assert_int_equal(noted(r,
	    "It is nested too deep or has too many values"), 1);
	assert_int_equal(noted(r, "It has no id"), 1);
	ln_free(r);
	ln_buf_free(&b);
}

static void
a_blocked_person_brings_nothing(void **state)
{
	const struct ln_actor actor = { .kind = "user", .user_id = "ann" };
	struct place *p = *state;
	struct ln_data_report *r;

	people_tamper(p, "UPDATE user SET blocked_ms = 1 WHERE id = 'ann'");
	ln_store_actor_set(p->store, &actor);
	assert_int_equal(bring_in(p, "ann", fixture("legacy.json"), false, &r,
	    NULL), LN_FORBIDDEN);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " conversation"), 0);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(chatgpt_brings_the_branch_at_hand_and_forks),
		IN_PLACE(open_webui_brings_tags_pins_and_pictures),
		IN_PLACE(the_legacy_export_comes_in_any_order),
		IN_PLACE(nothing_comes_twice),
		IN_PLACE(a_rehearsal_changes_nothing),
		IN_PLACE(our_own_export_comes_back_whole),
		IN_PLACE(hostile_files_end_in_a_clear_refusal_and_change_nothing),
		IN_PLACE(a_bad_item_is_left_out_with_its_reason),
		IN_PLACE(a_blocked_person_brings_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
