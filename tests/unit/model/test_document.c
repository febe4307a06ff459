/* Projects and documents as they are kept, found, held and given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ln/buf.h>
#include <ln/project.h>
#include <ln/text.h>

#include "model/chunk.h"
#include "model/document.h"
#include "people.h"
#include "store/tx.h"

static int
setup(void **state)
{
	struct place *p;

	if (place_setup(state) != 0)
		return -1;
	p = *state;
	place_add_user(p->store, "ann");
	place_add_user(p->store, "bob");
	place_exec(p->store, "INSERT INTO project VALUES"
	    " ('p1', 'ann', 'Garden', NULL, 1), ('p2', 'bob', 'Boat', NULL, 1)");
	return 0;
}

static struct ln_document *
add(struct place *p, const char *name, const void *bytes, size_t n)
{
	const struct ln_document_new d = { .size = sizeof(d),
		.filename = name, .bytes = bytes, .bytes_count = n };
	struct ln_error err = LN_ERROR_INIT;
	struct ln_document *doc;

	people_ok(ln_document_add(p->store, "ann", "p1", &d, &doc, &err),
	    &err);
	return doc;
}

/* --- projects ------------------------------------------------------------- */

static void
a_project_is_made_changed_listed_and_deleted(void **state)
{
	struct place *p = *state;
	struct ln_project_list list;
	struct ln_project *a, *b;

	assert_int_equal(ln_project_create(p->store, "ann", "  Bees ", "Hive",
	    &a, NULL), LN_OK);
	assert_string_equal(a->title, "Bees");
	assert_string_equal(a->description, "Hive");
	assert_int_equal(ln_project_update(p->store, "ann", a->id, NULL, "",
	    &b, NULL), LN_OK);
	assert_string_equal(b->title, "Bees");
	assert_null(b->description);
	ln_project_free(b);
	assert_int_equal(ln_project_list(p->store, "ann", &list, NULL),
	    LN_OK);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[0]->title, "Bees");
	assert_string_equal(list.items[1]->title, "Garden");
	ln_project_list_free(&list);
	assert_int_equal(ln_project_delete(p->store, "ann", a->id, NULL),
	    LN_OK);
	assert_int_equal(ln_project_delete(p->store, "ann", a->id, NULL),
	    LN_NOT_FOUND);
	ln_project_free(a);
}

static void
a_project_of_somebody_else_is_an_unknown_one(void **state)
{
	struct place *p = *state;
	const struct ln_document_new d = { .size = sizeof(d),
		.filename = "a", .bytes = "a", .bytes_count = 1 };
	struct ln_document *doc = add(p, "a.txt", "text", 4), *none;
	struct ln_document_list docs;
	struct ln_project *out;
	const char *const ids[] = { "p1", "nosuch" };
	size_t i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(ln_project_get(p->store, "bob", ids[i], &out,
		    NULL), LN_NOT_FOUND);
		assert_int_equal(ln_project_update(p->store, "bob", ids[i],
		    "Mine", NULL, &out, NULL), LN_NOT_FOUND);
		assert_int_equal(ln_project_delete(p->store, "bob", ids[i],
		    NULL), LN_NOT_FOUND);
		assert_int_equal(ln_document_list(p->store, "bob", ids[i],
		    &docs, NULL), LN_NOT_FOUND);
		assert_int_equal(ln_document_add(p->store, "bob", ids[i], &d,
		    &none, NULL), LN_NOT_FOUND);
		assert_int_equal(ln_document_get(p->store, "bob", ids[i],
		    doc->id, &none, NULL), LN_NOT_FOUND);
		assert_int_equal(ln_document_delete(p->store, "bob", ids[i],
		    doc->id, NULL), LN_NOT_FOUND);
	}
	/* Nor by way of a project that is one's own. */
	assert_int_equal(ln_document_get(p->store, "bob", "p2", doc->id,
	    &none, NULL), LN_NOT_FOUND);
	assert_int_equal(ln_document_delete(p->store, "bob", "p2", doc->id,
	    NULL), LN_NOT_FOUND);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM document"),
	    1);
	ln_document_free(doc);
}

static void
a_bad_title_is_refused(void **state)
{
	struct place *p = *state;
	char long_title[LN_PROJECT_TITLE_MAX + 2];
	struct ln_project *out;
	const char *const rows[] = { NULL, "", "  ", "a\nb", "a\x1b[31m",
		"\xff", long_title };
	size_t i;

	memset(long_title, 'x', sizeof(long_title) - 1);
	long_title[sizeof(long_title) - 1] = '\0';
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ln_project_create(p->store, "ann", rows[i],
		    NULL, &out, NULL), LN_INVALID);
		assert_null(out);
	}
}

static void
a_project_is_found_by_its_title(void **state)
{
	struct place *p = *state;
	struct ln_project *out;

	assert_int_equal(ln_project_find(p->store, "ann", "gARDEN", &out,
	    NULL), LN_OK);
	assert_string_equal(out->id, "p1");
	ln_project_free(out);
	assert_int_equal(ln_project_find(p->store, "bob", "Garden", &out,
	    NULL), LN_NOT_FOUND);
	place_exec(p->store, "INSERT INTO project VALUES"
	    " ('p3', 'ann', 'garden', NULL, 1)");
	assert_int_equal(ln_project_find(p->store, "ann", "Garden", &out,
	    NULL), LN_CONFLICT);
	assert_null(out);
	assert_int_equal(ln_project_find(p->store, "ann", "p3", &out, NULL),
	    LN_OK);
	ln_project_free(out);
}

static void
there_is_a_limit_on_projects(void **state)
{
	struct place *p = *state;
	struct ln_project *out;

	place_exec(p->store, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
	    " SELECT i + 1 FROM n WHERE i < 499) INSERT INTO project"
	    " SELECT 'n' || i, 'ann', 'N', NULL, 1 FROM n");
	assert_int_equal(ln_project_create(p->store, "ann", "one more", NULL,
	    &out, NULL), LN_TOO_LARGE);
	assert_int_equal(ln_project_create(p->store, "bob", "bobs", NULL, NULL,
	    NULL), LN_OK);
}

/* --- adding --------------------------------------------------------------- */

static void
a_name_is_made_harmless(void **state)
{
	static const char *const rows[][2] = {
		{ "report.pdf", "report.pdf" },
		{ "../../etc/passwd", "passwd" },
		{ "C:\\Users\\ann\\cv.docx", "cv.docx" },
		{ "a\r\nb\x1b[2J.txt", "a b[2J.txt" },
		{ "\xe2\x80\xaegnp.exe", "gnp.exe" },
		{ "/", "document" }, { "", "document" }, { "..", "document" },
		{ "  ", "document" },
	};
	struct place *p = *state;
	struct ln_document *d;
	char name[301];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		d = add(p, rows[i][0], "x", 1);
		assert_string_equal(d->filename, rows[i][1]);
		ln_document_free(d);
	}
	memset(name, 'n', 300);
	memcpy(name + 296, ".csv", 5);
	d = add(p, name, "x", 1);
	assert_int_equal(ln_utf8_count(d->filename), LN_DOCUMENT_NAME_MAX);
	assert_string_equal(d->filename + LN_DOCUMENT_NAME_MAX - 4, ".csv");
	ln_document_free(d);
	d = add(p, NULL, "x", 1);
	assert_string_equal(d->filename, "document");
	ln_document_free(d);
}

static void
a_file_arrives_as_it_was(void **state)
{
	struct place *p = *state;
	size_t n = (size_t)5 * 1024 * 1024 + 17, i;
	struct ln_buf b = LN_BUF_INIT(n + 1);
	struct ln_document *d, *taken;
	unsigned char *bytes;
	char *user_id;

	assert_non_null(bytes = malloc(n));
	for (i = 0; i < n; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 251);
	d = add(p, "big.bin", bytes, n);
	assert_int_equal(d->state, LN_DOCUMENT_QUEUED);
	assert_int_equal(d->bytes, n);
	assert_int_equal(lni_document_take(p->store, NULL, "h", &taken,
	    &user_id, NULL), LN_OK);
	assert_int_equal(taken->id, d->id);
	assert_string_equal(user_id, "ann");
	assert_int_equal(lni_document_file(p->store, d->id, &b, NULL), LN_OK);
	assert_int_equal(b.len, n);
	assert_memory_equal(b.data, bytes, n);
	ln_buf_free(&b);
	ln_free(user_id);
	ln_document_free(taken);
	ln_document_free(d);
	free(bytes);
}

static void
what_is_empty_or_too_much_is_refused(void **state)
{
	static const char some[] = "some";
	struct place *p = *state;
	struct ln_document_new d = { .size = sizeof(d), .filename = "a",
		.bytes = some, .bytes_count = 0 };
	struct ln_document *out;

	assert_int_equal(ln_document_add(p->store, "ann", "p1", &d, &out,
	    NULL), LN_INVALID);
	d.bytes_count = LN_DOCUMENT_FILE_MAX + 1;
	assert_int_equal(ln_document_add(p->store, "ann", "p1", &d, &out,
	    NULL), LN_TOO_LARGE);
	/* All bytes of a person, in whatever project. */
	place_exec(p->store, "INSERT INTO project VALUES"
	    " ('p3', 'ann', 'Full', NULL, 1);");
	place_exec(p->store, "INSERT INTO document(project_id, filename,"
	    " content, bytes, state, created_ms) VALUES"
	    " ('p3', 'a', '', 512 * 1024 * 1024 - 3, 'ready', 1)");
	d.bytes_count = 4;
	assert_int_equal(ln_document_add(p->store, "ann", "p1", &d, &out,
	    NULL), LN_TOO_LARGE);
	d.bytes_count = 3;
	assert_int_equal(ln_document_add(p->store, "ann", "p1", &d, NULL,
	    NULL), LN_OK);
	place_exec(p->store, "DELETE FROM document");
	place_exec(p->store, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
	    " SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO document"
	    "(project_id, filename, content, created_ms)"
	    " SELECT 'p1', 'n', '', 1 FROM n");
	assert_int_equal(ln_document_add(p->store, "ann", "p1", &d, &out,
	    NULL), LN_TOO_LARGE);
}

/* --- in hand -------------------------------------------------------------- */

static void
one_reader_takes_a_document_and_another_the_next(void **state)
{
	struct place *p = *state;
	struct ln_document *a = add(p, "a", "a", 1), *b = add(p, "b", "b", 1);
	struct ln_document *x, *y, *none;
	char *user;

	assert_int_equal(lni_document_take(p->store, "p2", "h1", &none, &user,
	    NULL), LN_NOT_FOUND);
	assert_int_equal(lni_document_take(p->store, "p1", "h1", &x, &user,
	    NULL), LN_OK);
	ln_free(user);
	assert_int_equal(lni_document_take(p->store, NULL, "h2", &y, &user,
	    NULL), LN_OK);
	ln_free(user);
	assert_int_equal(x->id, a->id);
	assert_int_equal(y->id, b->id);
	assert_int_equal(lni_document_take(p->store, NULL, "h3", &none, &user,
	    NULL), LN_NOT_FOUND);
	assert_null(none);
	assert_int_equal(lni_document_beat(p->store, a->id, "h1", NULL),
	    LN_OK);
	assert_int_equal(lni_document_beat(p->store, a->id, "h2", NULL),
	    LN_CANCELLED);
	assert_int_equal(lni_document_put_back(p->store, a->id, "h1", NULL),
	    LN_OK);
	assert_int_equal(lni_document_take(p->store, NULL, "h3", &none, &user,
	    NULL), LN_OK);
	ln_free(user);
	ln_document_free(none);
	ln_document_free(x);
	ln_document_free(y);
	ln_document_free(a);
	ln_document_free(b);
}

static void
a_document_that_is_deleted_ends_its_reader(void **state)
{
	struct place *p = *state;
	const struct lni_document_end end = { .chunk_count = 1 };
	struct ln_document *a = add(p, "a", "a", 1), *x;
	char *user;

	assert_int_equal(lni_document_take(p->store, NULL, "h", &x, &user,
	    NULL), LN_OK);
	assert_int_equal(ln_document_delete(p->store, "ann", "p1", a->id,
	    NULL), LN_OK);
	assert_int_equal(lni_document_beat(p->store, a->id, "h", NULL),
	    LN_CANCELLED);
	assert_int_equal(lni_document_end(p->store, a->id, "h", &end, NULL),
	    LN_CANCELLED);
	assert_int_equal(place_int(p->store,
	    "SELECT count(*) FROM document_file"), 0);
	ln_free(user);
	ln_document_free(x);
	ln_document_free(a);
}

static void
what_a_dead_process_left_is_taken_up_again(void **state)
{
	struct place *p = *state;
	struct ln_document *a = add(p, "a", "a", 1), *x;
	bool is_waiting;
	char *user;
	int i;

	for (i = 0; i < LN_DOCUMENT_TRIES; i++) {
		assert_int_equal(lni_document_take(p->store, NULL, "h", &x,
		    &user, NULL), LN_OK);
		ln_free(user);
		ln_document_free(x);
		assert_int_equal(ln_document_sweep(p->store, &is_waiting,
		    NULL), LN_OK);
		assert_false(is_waiting);	/* it is alive */
		place_exec(p->store, "UPDATE document SET beat_ms ="
		    " beat_ms - 30001");
		assert_int_equal(ln_document_sweep(p->store, &is_waiting,
		    NULL), LN_OK);
		assert_int_equal(is_waiting, i + 1 < LN_DOCUMENT_TRIES);
	}
	assert_int_equal(ln_document_get(p->store, "ann", "p1", a->id, &x,
	    NULL), LN_OK);
	assert_int_equal(x->state, LN_DOCUMENT_FAILED);
	assert_non_null(x->reason);
	assert_int_equal(place_int(p->store,
	    "SELECT count(*) FROM document_file"), 0);
	ln_document_free(x);
	ln_document_free(a);
}

static void
an_upload_that_was_cut_off_has_failed(void **state)
{
	struct place *p = *state;
	struct ln_document *a = add(p, "a", "whole", 5), *x;
	bool is_waiting;

	place_exec(p->store, "UPDATE document_file SET bytes = x'00'");
	place_exec(p->store, "UPDATE document SET holder = 'gone',"
	    " beat_ms = 1");
	assert_int_equal(ln_document_sweep(p->store, &is_waiting, NULL),
	    LN_OK);
	assert_false(is_waiting);
	assert_int_equal(ln_document_get(p->store, "ann", "p1", a->id, &x,
	    NULL), LN_OK);
	assert_int_equal(x->state, LN_DOCUMENT_FAILED);
	assert_non_null(strstr(x->reason, "Upload it again"));
	ln_document_free(x);
	ln_document_free(a);
}

/* --- chunks --------------------------------------------------------------- */

static void
add_chunk(struct place *p, int64_t id, int64_t position, const char *text)
{
	const struct lni_chunk c = { .text = text, .length = strlen(text),
		.page = (uint32_t)position + 1 };

	assert_int_equal(lni_tx_begin(p->store, NULL), LN_OK);
	assert_int_equal(lni_tx_end(p->store, lni_chunk_add(p->store, id,
	    position, &c, NULL), NULL), LN_OK);
}

static enum ln_status
on_hit(void *arg, const struct lni_chunk_hit *hit, struct ln_error *err)
{
	(void)err;
	ln_buf_printf(arg, "%s/%lld/%s|", hit->filename,
	    (long long)hit->page, hit->text);
	return LN_OK;
}

static const char *
search(struct place *p, const char *user, const char *project,
    const char *query, struct ln_buf *b)
{
	ln_buf_clear(b);
	assert_int_equal(lni_chunk_search(p->store, user, project, query, 5,
	    on_hit, b, NULL), LN_OK);
	return ln_buf_str(b);
}

static void
chunks_are_found_only_by_their_owner_and_only_when_read(void **state)
{
	static const struct lni_document_end end = { .chunk_count = 2 };
	struct ln_buf b = LN_BUF_INIT(10000);
	struct place *p = *state;
	struct ln_document *a = add(p, "a.txt", "a", 1), *x;
	char *user;

	assert_int_equal(lni_document_take(p->store, NULL, "h", &x, &user,
	    NULL), LN_OK);
	add_chunk(p, a->id, 0, "roses and tulips");
	add_chunk(p, a->id, 1, "tulips, tulips");
	assert_string_equal(search(p, "ann", "p1", "tulips", &b), "");
	assert_int_equal(lni_document_end(p->store, a->id, "h", &end, NULL),
	    LN_OK);
	assert_string_equal(search(p, "ann", "p1", "tulips", &b),
	    "a.txt/2/tulips, tulips|a.txt/1/roses and tulips|");
	assert_string_equal(search(p, "bob", "p1", "tulips", &b), "");
	assert_string_equal(search(p, "bob", "p2", "tulips", &b), "");
	assert_string_equal(search(p, "ann", "p2", "tulips", &b), "");
	ln_free(user);
	ln_document_free(x);
	ln_document_free(a);
	ln_buf_free(&b);
}

static void
deleting_takes_chunks_out_of_the_index(void **state)
{
	static const char *const statements[] = {
		"DELETE FROM document", "DELETE FROM project WHERE id = 'p1'",
		"DELETE FROM user WHERE id = 'ann'",
	};
	static const char found[] = "SELECT count(*) FROM chunk_fts"
	    " WHERE chunk_fts MATCH 'tulips'";
	struct place *p = *state;
	struct ln_document *a;
	size_t i;

	for (i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		a = add(p, "a.txt", "a", 1);
		add_chunk(p, a->id, 0, "tulips");
		ln_document_free(a);
		assert_int_equal(place_int(p->store, found), 1);
		assert_int_equal(lni_tx_begin(p->store, NULL), LN_OK);
		place_exec(p->store, statements[i]);
		assert_int_equal(lni_tx_end(p->store, LN_OK, NULL), LN_OK);
		assert_int_equal(place_int(p->store, found), 0);
		assert_int_equal(place_int(p->store,
		    "SELECT count(*) FROM chunk"), 0);
		assert_int_equal(place_int(p->store,
		    "SELECT count(*) FROM chunk_queue"), 0);
		assert_int_equal(ln_store_check(p->store, true, NULL, NULL,
		    NULL), LN_OK);
		if (i == 1)
			place_exec(p->store, "INSERT INTO project VALUES"
			    " ('p1', 'ann', 'Garden', NULL, 1)");
	}
}

#define row(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		row(a_project_is_made_changed_listed_and_deleted),
		row(a_project_of_somebody_else_is_an_unknown_one),
		row(a_bad_title_is_refused),
		row(a_project_is_found_by_its_title),
		row(there_is_a_limit_on_projects),
		row(a_name_is_made_harmless),
		row(a_file_arrives_as_it_was),
		row(what_is_empty_or_too_much_is_refused),
		row(one_reader_takes_a_document_and_another_the_next),
		row(a_document_that_is_deleted_ends_its_reader),
		row(what_a_dead_process_left_is_taken_up_again),
		row(an_upload_that_was_cut_off_has_failed),
		row(chunks_are_found_only_by_their_owner_and_only_when_read),
		row(deleting_takes_chunks_out_of_the_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
