#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/buf.h>
#include <ln/json.h>

#include "transfer/kit.h"

/* What people take home: one conversation, or all that is theirs. */

#define ALICE "eb652b0b-83ac-4dba-8273-8bff9d50e54e"
#define BOB "4a91fb4f-dbdb-4ceb-b5a8-dab6bbf74650"
#define ALICES "39da72ec-4429-43b5-b0fb-d5b559ef1a8b"
#define ALICES_IMAGE "78ef8561-62f7-40cc-857b-86c2f8dd30f4"
#define BOBS "b1885faa-0932-4a7b-abce-a8844a362907"

static int
setup(void **state)
{
	struct place *p;

	if (place_setup(state) != 0)
		return -1;
	p = *state;
	ln_report_free(kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL,
	    LN_OK));
	return 0;
}

static void
conversation(struct place *p, const char *user, const char *id,
    const char *format, struct ln_buf *b)
{
	struct ln_error err = LN_ERROR_INIT;

	if (ln_export_conversation(p->store, user, id, format, b, &err) !=
	    LN_OK)
		fail_msg("%s: %s", format, err.detail);
}

static void
html_is_escaped_and_runs_nothing(void **state)
{
	struct ln_buf b = LN_BUF_INIT(1 << 20);
	struct place *p = *state;

	place_exec(p->store, "UPDATE conversation SET title ="
	    " '</title><script>x</script>', model = '\"><img src=x"
	    " onerror=y>'");
	conversation(p, BOB, BOBS, "html", &b);
	assert_null(strstr(ln_buf_str(&b), "<script"));
	assert_null(strstr(ln_buf_str(&b), "<img"));
	assert_null(strstr(ln_buf_str(&b), "http://"));
	assert_null(strstr(ln_buf_str(&b), "https://"));
	assert_non_null(strstr(ln_buf_str(&b),
	    "Bob: &lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp;"));
	assert_non_null(strstr(ln_buf_str(&b), "default-src 'none'"));
	assert_non_null(strstr(ln_buf_str(&b), "pre-wrap"));
	ln_buf_free(&b);
}

static void
html_shows_pictures_only_of_known_kinds(void **state)
{
	struct ln_buf b = LN_BUF_INIT(1 << 20);
	struct place *p = *state;

	conversation(p, ALICE, ALICES_IMAGE, "html", &b);
	assert_null(strstr(ln_buf_str(&b), "<img"));
	assert_non_null(strstr(ln_buf_str(&b), "[picture]"));
	place_exec(p->store, "UPDATE message_image SET images ="
	    " '[\"iVBORw0KGgoAAAA=\"]'");
	ln_buf_clear(&b);
	conversation(p, ALICE, ALICES_IMAGE, "html", &b);
	assert_non_null(strstr(ln_buf_str(&b),
	    "<img alt=\"\" src=\"data:image/png;base64,iVBORw0KGgoAAAA=\">"));
	ln_buf_free(&b);
}

static void
markdown_has_every_turn_and_a_harmless_title(void **state)
{
	struct ln_buf b = LN_BUF_INIT(1 << 20);
	struct place *p = *state;

	place_exec(p->store, "UPDATE conversation SET title ="
	    " '[x](javascript:y) <b>'");
	place_exec(p->store, "UPDATE message SET state = 'stopped' WHERE"
	    " id = 2");
	conversation(p, ALICE, ALICES, "md", &b);
	assert_int_equal(strncmp(ln_buf_str(&b),
	    "# \\[x\\]\\(javascript:y\\) \\<b\\>\n", 30), 0);
	assert_non_null(strstr(ln_buf_str(&b), "## User (2026-11-24T"));
	assert_non_null(strstr(ln_buf_str(&b),
	    "Hello, what is a B-tree? 漢字 🙂\n"));
	assert_non_null(strstr(ln_buf_str(&b), "*(stopped)*"));
	ln_buf_free(&b);
}

static void
json_can_be_read_back(void **state)
{
	struct ln_buf b = LN_BUF_INIT(1 << 20);
	const struct ln_json *messages;
	struct place *p = *state;
	struct ln_json *root = NULL;

	conversation(p, ALICE, ALICES, "json", &b);
	assert_int_equal(ln_json_parse(b.data, b.len, NULL, &root, NULL),
	    LN_OK);
	assert_string_equal(ln_json_get_string(root, "title"),
	    "A Generated Title");
	assert_int_equal(ln_json_count(ln_json_get(root, "tags")), 3);
	messages = ln_json_get(root, "messages");
	assert_int_equal(ln_json_count(messages), 6);
	assert_string_equal(ln_json_get_string(ln_json_first(messages),
	    "role"), "user");
	ln_json_free(root);
	ln_buf_free(&b);
}

static void
nobody_exports_what_is_not_his(void **state)
{
	static const char *const formats[] = { "md", "json", "html" };
	struct ln_buf b = LN_BUF_INIT(1 << 20);
	struct place *p = *state;
	size_t i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(ln_export_conversation(p->store, BOB, ALICES,
		    formats[i], &b, NULL), LN_NOT_FOUND);
		assert_int_equal(ln_export_conversation(p->store, BOB,
		    "nothing", formats[i], &b, NULL), LN_NOT_FOUND);
	}
	assert_int_equal(ln_export_conversation(p->store, ALICE, ALICES,
	    "pdf", &b, NULL), LN_INVALID);
	assert_int_equal(ln_export_user_json(p->store, "nobody", &b, NULL),
	    LN_NOT_FOUND);
	assert_int_equal(b.len, 0);
}

static void
too_long_for_the_buffer_is_said(void **state)
{
	static const char *const formats[] = { "md", "json", "html" };
	struct ln_buf b = LN_BUF_INIT(100);
	struct place *p = *state;
	size_t i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(ln_export_conversation(p->store, ALICE,
		    ALICES, formats[i], &b, NULL), LN_TOO_LARGE);
		ln_buf_clear(&b);
	}
	assert_int_equal(ln_export_user_json(p->store, ALICE, &b, NULL),
	    LN_TOO_LARGE);
	ln_buf_free(&b);
}

static void
a_person_takes_all_that_is_his_and_nothing_else(void **state)
{
	static const struct {
		const char *list;
		size_t count;
	} lists[] = {
		{ "account", 1 },
		{ "picture", 1 },
		{ "settings", 4 },
		{ "groups", 1 },
		{ "projects", 1 },
		{ "documents", 1 },
		{ "conversations", 5 },
		{ "messages", 16 },
		{ "prompts", 0 },
		{ "tools", 1 },
	};
	struct ln_buf b = LN_BUF_INIT(1 << 20);
	struct place *p = *state;
	const struct ln_json *n;
	struct ln_json *root = NULL;
	size_t i;

	place_exec(p->store, "INSERT INTO user_picture VALUES ('" ALICE "',"
	    " 'image/gif', x'474946')");
	assert_int_equal(ln_export_user_json(p->store, ALICE, &b, NULL),
	    LN_OK);
	assert_null(strstr(ln_buf_str(&b), "scrypt:"));
	assert_null(strstr(ln_buf_str(&b), "Bob:"));
	assert_int_equal(ln_json_parse(b.data, b.len, NULL, &root, NULL),
	    LN_OK);
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (ln_json_count(ln_json_get(root, lists[i].list)) !=
		    lists[i].count)
			fail_msg("%s", lists[i].list);
	}
	n = ln_json_first(ln_json_get(root, "account"));
	assert_string_equal(ln_json_get_string(n, "username"), "alice");
	assert_string_equal(ln_json_get_string(n, "created"),
	    "2026-11-24T08:33:12.264Z");
	n = ln_json_first(ln_json_get(root, "conversations"));
	assert_int_equal(ln_json_count(ln_json_get(n, "tags")), 3);
	n = ln_json_first(ln_json_get(root, "picture"));
	assert_string_equal(ln_json_get_string(n, "bytes"), "R0lG");
	ln_json_free(root);
	ln_buf_clear(&b);
	/* A sealed key is of no use at home, and of use to a thief. */
	assert_int_equal(ln_export_user_json(p->store, BOB, &b, NULL),
	    LN_OK);
	assert_null(strstr(ln_buf_str(&b), "api_key"));
	assert_null(strstr(ln_buf_str(&b), "s1."));
	ln_buf_free(&b);
}

static void
a_report_is_json(void **state)
{
	struct ln_buf b = LN_BUF_INIT(1 << 20);
	struct ln_json *root = NULL;
	struct ln_report *r;
	struct ln_jw *w;

	r = kit_validate(kit_legacy(*state, SCRYPT, "CREATE TABLE z(a)"),
	    NULL);
	w = ln_jw_new();
	ln_jw_object(w, NULL);
	ln_report_json(r, w);
	assert_int_equal(ln_jw_print(w, false, &b), LN_OK);
	ln_jw_free(w);
	ln_report_free(r);
	assert_int_equal(ln_json_parse(b.data, b.len, NULL, &root, NULL),
	    LN_OK);
	assert_string_equal(ln_json_get_string(root, "kind"), "legacy");
	assert_string_equal(ln_json_get_string(ln_json_first(ln_json_get(root,
	    "findings")), "code"), "unknown_table");
	ln_json_free(root);
	ln_buf_free(&b);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(html_is_escaped_and_runs_nothing),
		T(html_shows_pictures_only_of_known_kinds),
		T(markdown_has_every_turn_and_a_harmless_title),
		T(json_can_be_read_back),
		T(nobody_exports_what_is_not_his),
		T(too_long_for_the_buffer_is_said),
		T(a_person_takes_all_that_is_his_and_nothing_else),
		T(a_report_is_json),
	};

	return cmocka_run_group_tests_name("export_people", tests, NULL,
	    NULL);
}
