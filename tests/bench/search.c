/*
 * Search in a million messages: `make bench-search`, with another number of
 * messages as an argument if one is wanted.  The database is the same every
 * time: words as natural language has them (a few everywhere, most hardly
 * ever), code, Chinese; four people, one of whom has written most of it.
 *
 * Prints one JSON object: for each kind of query the median and the 95th
 * percentile in ms, on the clock and of the processor, and how many times as
 * long a plain FTS5 query ranked by BM25 takes over everybody's rows; what
 * indexing costs a writer, as a multiple of a table without an index; and what
 * statistics cost.  Ends with 1 when a 95th percentile of the processor's time
 * is 20 ms or more.
 */
#define _XOPEN_SOURCE 700

#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <ln/search.h>
#include <ln/stats.h>
#include <ln/store.h>

#include "store/store.h"
#include "store/tx.h"

#define AIM_MS 20.0
#define WORDS 40000		/* of the language */
#define SIGNS 2500		/* of the other one */
#define RUNS 60			/* of each kind of query */
#define TALK 10			/* messages of a conversation */
#define WRITES 2000		/* messages, for the cost of indexing */
#define TEXT_MAX 2048

static struct ln_store *store;
static sqlite3 *db;		/* past libln, on the same file */
static struct ln_keys *keys;
static char folder[64], path[128], plain_path[128];
static char words[WORDS][16];
static uint64_t seed = 20261124;

static void die(const char *fmt, ...) LN_PRINTF(1, 2);

static void
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fputs("bench: ", stderr);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
	exit(2);
}

static int
remove_one(const char *file, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(file);
}

static void
clean_up(void)
{
	if (folder[0] != '\0')
		(void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- a language ----------------------------------------------------------- */

/* Xorshift: the same on every machine. */
static uint64_t
draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

/* Zipf: the k-th word is k times as rare as the first. */
static size_t
draw_rank(size_t count)
{
	double u = (double)draw(UINT64_C(1) << 40) / (double)(UINT64_C(1) << 40);
	size_t k = (size_t)exp(u * log((double)count));

	return k < count ? k : count - 1;
}

/* Each rank has one word, of syllables: rare ones are longer. */
static void
make_words(void)
{
	static const char *const syllables[] = { "ba", "con", "de", "fi", "ga",
		"lo", "mi", "no", "per", "ra", "si", "ta", "un", "ve", "wo",
		"zu" };
	size_t i, rest, n;

	for (i = 0; i < WORDS; i++) {
		for (rest = i + 16, n = 0; rest > 0; rest /= 16)
			n += (size_t)snprintf(words[i] + n, sizeof(words[i]) -
			    n, "%s", syllables[rest % 16]);
	}
}

static size_t
put_sign(char *out, size_t sign)
{
	unsigned int c = 0x4e00 + (unsigned int)sign * 7;

	out[0] = (char)(0xe0 | c >> 12);
	out[1] = (char)(0x80 | (c >> 6 & 0x3f));
	out[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

/* Of the ${i}-th message. */
static size_t
make_text(char *out, int64_t i)
{
	size_t count = 8 + draw(45), n = 0, k;
	uint64_t kind = draw(100);

	if (kind < 5) {
		for (k = 0; k < 2 * count; k++)
			n += put_sign(out + n, draw_rank(SIGNS));
	} else if (kind < 13) {
		for (k = 0; k < count / 3; k++)
			n += (size_t)snprintf(out + n, TEXT_MAX - n,
			    "%s_%s(%s)->%s[%d]; ", words[draw_rank(WORDS)],
			    words[draw_rank(WORDS)], words[draw_rank(WORDS)],
			    words[draw_rank(WORDS)], (int)draw(9));
	} else {
		for (k = 0; k < count; k++)
			n += (size_t)snprintf(out + n, TEXT_MAX - n, "%s ",
			    words[draw_rank(WORDS)]);
	}
	/* One of 20000, all of one person. */
	if (i % 20000 == 6507)
		n += (size_t)snprintf(out + n, TEXT_MAX - n, "quetzal");
	return n;
}

/* --- a database ----------------------------------------------------------- */

static void
exec(sqlite3 *on, const char *sql)
{
	if (sqlite3_exec(on, sql, NULL, NULL, NULL) != SQLITE_OK)
		die("%s: %s", sql, sqlite3_errmsg(on));
}

static sqlite3_stmt *
prepare(sqlite3 *on, const char *sql)
{
	sqlite3_stmt *q = NULL;

	if (sqlite3_prepare_v2(on, sql, -1, &q, NULL) != SQLITE_OK)
		die("%s: %s", sql, sqlite3_errmsg(on));
	return q;
}

static void
run_once(sqlite3_stmt *q)
{
	if (sqlite3_step(q) != SQLITE_DONE)
		die("%s", sqlite3_errmsg(sqlite3_db_handle(q)));
	(void)sqlite3_reset(q);
}

/* Of ten conversations of a hundred: who has them. */
static const char *
person_of(int64_t talk)
{
	int64_t at = talk % 1000;

	return at < 600 ? "dom" : at < 900 ? "ann" : at < 999 ? "cy" : "new";
}

static const char insert_message[] = "INSERT INTO message(conversation_id,"
    " role, model, content, tokens, created_ms)"
    " VALUES (?1, ?2, ?3, ?4, 50, ?5)";

static void
bind_message(sqlite3_stmt *q, int64_t i, const char *talk, const char *text,
    size_t n)
{
	bool is_answer = i % 2 != 0;

	(void)sqlite3_bind_text(q, 1, talk, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(q, 2, is_answer ? "assistant" : "user", -1,
	    SQLITE_STATIC);
	(void)sqlite3_bind_text(q, 3, !is_answer ? NULL : i % 3 == 0 ?
	    "llama3.2" : "qwen3", -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(q, 4, text, (int)n, SQLITE_STATIC);
	(void)sqlite3_bind_int64(q, 5, INT64_C(1600000000000) + i * 150000);
}

/* Without the triggers, which are for a person's pace; then the index as
 * `lnctl db reindex` makes it. */
static void
fill(int64_t count)
{
	sqlite3_stmt *q, *talks;
	char text[TEXT_MAX + 64], id[32], *sql;
	int64_t i;
	size_t n;

	exec(db, "BEGIN");
	q = prepare(db, "SELECT group_concat(sql, ';') FROM sqlite_schema"
	    " WHERE type = 'trigger' AND name LIKE '%_search_%'");
	if (sqlite3_step(q) != SQLITE_ROW)
		die("no triggers");
	sql = sqlite3_mprintf("%s", sqlite3_column_text(q, 0));
	sqlite3_finalize(q);
	exec(db, "DROP TRIGGER message_search_insert;"
	    "DROP TRIGGER message_search_delete;"
	    "DROP TRIGGER message_search_update;"
	    "DROP TRIGGER conversation_search_insert;"
	    "DROP TRIGGER conversation_search_delete;"
	    "DROP TRIGGER conversation_search_update;"
	    "DROP TRIGGER chunk_search_delete;"
	    "INSERT INTO user(id, username, username_key, created_ms) VALUES"
	    " ('dom', 'dom', 'dom', 1), ('ann', 'ann', 'ann', 2),"
	    " ('cy', 'cy', 'cy', 3), ('new', 'new', 'new', 4);"
	    "INSERT INTO project(id, user_id, title, created_ms)"
	    " VALUES ('p', 'ann', 'Project', 1)");
	talks = prepare(db, "INSERT INTO conversation(id, user_id, title,"
	    " project_id, created_ms, updated_ms) VALUES (?1, ?2, ?3, ?4,"
	    " ?5, ?5)");
	q = prepare(db, insert_message);
	for (i = 0; i < count; i++) {
		(void)snprintf(id, sizeof(id), "c%" PRId64, i / TALK);
		if (i % TALK == 0) {
			(void)sqlite3_bind_text(talks, 1, id, -1,
			    SQLITE_STATIC);
			(void)sqlite3_bind_text(talks, 2, person_of(i / TALK),
			    -1, SQLITE_STATIC);
			(void)sqlite3_bind_text(talks, 3,
			    words[draw_rank(WORDS)], -1, SQLITE_STATIC);
			(void)sqlite3_bind_text(talks, 4,
			    strcmp(person_of(i / TALK), "ann") == 0 &&
			    i / TALK % 20 == 0 ? "p" : NULL, -1,
			    SQLITE_STATIC);
			(void)sqlite3_bind_int64(talks, 5,
			    INT64_C(1600000000000) + i * 150000);
			run_once(talks);
		}
		n = make_text(text, i);
		if (strcmp(person_of(i / TALK), "dom") == 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "xylophone");
		else if (strcmp(person_of(i / TALK), "new") == 0 &&
		    i % 5 == 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "xylophone");
		bind_message(q, i, id, text, n);
		run_once(q);
	}
	sqlite3_finalize(q);
	sqlite3_finalize(talks);
	exec(db, "INSERT INTO conversation_tag SELECT id, 'blue' FROM"
	    " conversation WHERE rowid % 10 = 0");
	exec(db, sql);
	sqlite3_free(sql);
	exec(db, "COMMIT");
}

/* --- time ----------------------------------------------------------------- */

struct times {
	double clock[RUNS], cpu[RUNS];
	size_t count;
};

static double
now_ms(clockid_t which)
{
	struct timespec ts;

	if (clock_gettime(which, &ts) != 0)
		die("clock_gettime");
	return (double)ts.tv_sec * 1000.0 + (double)ts.tv_nsec / 1000000.0;
}

static int
by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Sorts it. */
static double
percentile(double *v, size_t n, size_t percent)
{
	qsort(v, n, sizeof(*v), by_size);
	return v[(n - 1) * percent / 100];
}

/* --- queries -------------------------------------------------------------- */

enum kind {
	K_WORD, K_TWO, K_COMMON_RARE, K_PHRASE, K_PREFIX, K_SIGNS, K_PART,
	K_CODE, K_EXCLUDED, K_FIXED,
};

static const struct {
	const char *name;
	const char *user;
	enum kind kind;
	size_t from, below;	/* ranks of the words */
	const char *more;	/* behind them; the whole of K_FIXED */
	const char *project_id;
} kinds[] = {
	{ "rare word", "ann", K_FIXED, 0, 0, "quetzal", NULL },
	{ "uncommon word", "ann", K_WORD, 2000, 20000, "", NULL },
	{ "common word", "ann", K_WORD, 0, 20, "", NULL },
	{ "two common words", "ann", K_TWO, 0, 40, "", NULL },
	{ "common and rare", "ann", K_COMMON_RARE, 0, 20, "", NULL },
	{ "phrase", "ann", K_PHRASE, 0, 30, "", NULL },
	{ "prefix", "ann", K_PREFIX, 300, 3000, "", NULL },
	{ "common prefix", "ann", K_PREFIX, 0, 20, "", NULL },
	{ "chinese", "ann", K_SIGNS, 0, 60, "", NULL },
	{ "part of a word", "ann", K_PART, 4000, 20000, "", NULL },
	{ "code", "ann", K_CODE, 0, 200, "", NULL },
	{ "one without another", "ann", K_EXCLUDED, 0, 20, "", NULL },
	{ "role and model", "ann", K_WORD, 0, 200,
	    " role:assistant model:qwen", NULL },
	{ "tag", "ann", K_WORD, 0, 200, " tag:blue", NULL },
	{ "early dates", "ann", K_WORD, 0, 200, " before:2020-10-01", NULL },
	{ "project", "ann", K_WORD, 0, 200, "", "p" },
	{ "nothing", "ann", K_FIXED, 0, 0, "qqqqqzzzz", NULL },
	{ "most is hers", "dom", K_WORD, 0, 20, "", NULL },
	{ "others have it", "new", K_FIXED, 0, 0, "xylophone", NULL },
	{ "others have it all", "cy", K_FIXED, 0, 0, "xylophone", NULL },
	{ "others have more", "new", K_WORD, 0, 20, "", NULL },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const char *
any_word(size_t k)
{
	return words[kinds[k].from + draw(kinds[k].below - kinds[k].from)];
}

static void
make_query(size_t k, char *out, size_t size)
{
	const char *more = kinds[k].more;
	size_t n, i;

	switch (kinds[k].kind) {
	case K_WORD:
		(void)snprintf(out, size, "%s%s", any_word(k), more);
		break;
	case K_TWO:
		(void)snprintf(out, size, "%s %s", any_word(k), any_word(k));
		break;
	case K_COMMON_RARE:
		(void)snprintf(out, size, "%s quetzal", any_word(k));
		break;
	case K_PHRASE:
		(void)snprintf(out, size, "\"%s %s\"", any_word(k),
		    any_word(k));
		break;
	case K_PREFIX:
		(void)snprintf(out, size, "%.4s*", any_word(k));
		break;
	case K_SIGNS:
		for (n = 0, i = 0; i < 2; i++)
			n += put_sign(out + n, kinds[k].from + draw(
			    kinds[k].below - kinds[k].from));
		out[n] = '\0';
		break;
	case K_PART:
		(void)snprintf(out, size, "%s", any_word(k) + 1);
		break;
	case K_CODE:
		(void)snprintf(out, size, "%s(", any_word(k));
		break;
	case K_EXCLUDED:
		(void)snprintf(out, size, "%s -%s", any_word(k), any_word(k));
		break;
	case K_FIXED:
		(void)snprintf(out, size, "%s", more);
		break;
	}
}

static void
put_times(const char *name, struct times *t)
{
	(void)printf("\"%s\": {\"p50\": %.2f, \"p95\": %.2f, \"cpu_p50\": %.2f,"
	    " \"cpu_p95\": %.2f", name, percentile(t->clock, t->count, 50),
	    percentile(t->clock, t->count, 95),
	    percentile(t->cpu, t->count, 50),
	    percentile(t->cpu, t->count, 95));
}

/* What FTS5 does by itself with a common word: everybody's rows, ranked. */
static double
measure_plain(void)
{
	sqlite3_stmt *q = prepare(db, "SELECT rowid FROM message_fts WHERE"
	    " message_fts MATCH ?1 ORDER BY rank LIMIT 20");
	struct times t = { .count = 0 };
	double cpu;
	int i;

	for (i = 0; i < 3; i++) {
		(void)sqlite3_bind_text(q, 1, words[i * 6], -1, SQLITE_STATIC);
		cpu = now_ms(CLOCK_THREAD_CPUTIME_ID);
		while (sqlite3_step(q) == SQLITE_ROW)
			continue;
		t.cpu[t.count++] = now_ms(CLOCK_THREAD_CPUTIME_ID) - cpu;
		(void)sqlite3_reset(q);
	}
	sqlite3_finalize(q);
	return percentile(t.cpu, t.count, 50);
}

/* Whether it is as fast as it has to be. */
static bool
measure_kind(size_t k, double plain_ms)
{
	struct ln_search_opts opts = { .size = sizeof(opts),
		.project_id = kinds[k].project_id,
		/* To see how long it takes, not that it gives up. */
		.budget_ms = 10000 };
	struct ln_error err = LN_ERROR_INIT;
	struct times t = { .count = 0 };
	struct ln_hit_list list;
	char query[256];
	size_t hits = 0, i;
	double at, cpu;

	for (i = 0; i < RUNS + 3; i++) {
		make_query(k, query, sizeof(query));
		at = now_ms(CLOCK_MONOTONIC);
		cpu = now_ms(CLOCK_THREAD_CPUTIME_ID);
		if (ln_search(store, kinds[k].user, query, &opts, &list,
		    &err) != LN_OK)
			die("%s: %s", query, err.text);
		/* The first ones read the pages from the disk. */
		if (i >= 3) {
			t.clock[t.count] = now_ms(CLOCK_MONOTONIC) - at;
			t.cpu[t.count++] = now_ms(CLOCK_THREAD_CPUTIME_ID) -
			    cpu;
			hits += list.count;
		}
		ln_hit_list_free(&list);
	}
	(void)printf("    ");
	put_times(kinds[k].name, &t);
	(void)printf(", \"plain_ratio\": %.3f, \"hits\": %zu, \"last\": \"",
	    percentile(t.cpu, t.count, 50) / plain_ms, hits);
	for (i = 0; query[i] != '\0'; i++)
		(void)printf(query[i] == '"' ? "\\\"" : "%c", query[i]);
	(void)printf("\"}%s\n", k + 1 < KINDS ? "," : "");
	(void)fflush(stdout);
	return percentile(t.cpu, t.count, 95) < AIM_MS;
}

/* --- writing -------------------------------------------------------------- */

/* Processor time in ms of WRITES messages, ${each} a transaction. */
static double
write_messages(sqlite3 *on, bool is_ours, int64_t each)
{
	sqlite3_stmt *q = prepare(on, insert_message);
	char text[TEXT_MAX + 64];
	double cpu = now_ms(CLOCK_THREAD_CPUTIME_ID);
	int64_t i;
	size_t n;

	for (i = 0; i < WRITES; i++) {
		if (i % each == 0 && !is_ours)
			exec(on, "BEGIN IMMEDIATE");
		else if (i % each == 0 && lni_tx_begin(store, NULL) != LN_OK)
			die("begin");
		n = make_text(text, i);
		bind_message(q, i, "c1", text, n);
		run_once(q);
		if ((i + 1) % each == 0 && !is_ours)
			exec(on, "COMMIT");
		else if ((i + 1) % each == 0 &&
		    lni_tx_end(store, LN_OK, NULL) != LN_OK)
			die("end");
	}
	sqlite3_finalize(q);
	return now_ms(CLOCK_THREAD_CPUTIME_ID) - cpu;
}

/* The same tables without an index to search in. */
static void
measure_writes(void)
{
	static const int64_t sizes[] = { 1, 100 };
	double with, without;
	sqlite3 *plain;
	size_t i;

	if (sqlite3_open(plain_path, &plain) != SQLITE_OK)
		die("%s", plain_path);
	exec(plain, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	    "CREATE TABLE message(id INTEGER PRIMARY KEY AUTOINCREMENT,"
	    " conversation_id TEXT NOT NULL, role TEXT NOT NULL, model TEXT,"
	    " content TEXT NOT NULL, tokens INTEGER, created_ms INTEGER);"
	    "CREATE INDEX message_conversation ON message(conversation_id,"
	    " id);"
	    "CREATE INDEX message_count ON message(conversation_id,"
	    " created_ms, role, model, tokens)");
	(void)printf("  \"writes\": {");
	for (i = 0; i < 2; i++) {
		without = write_messages(plain, false, sizes[i]);
		with = write_messages(store->db, true, sizes[i]);
		(void)printf("%s\"%d a transaction\": {\"cpu_us\": %.0f,"
		    " \"ratio\": %.2f}", i > 0 ? ", " : "", (int)sizes[i],
		    with * 1000 / WRITES, with / without);
	}
	(void)printf("},\n");
	(void)sqlite3_close(plain);
}

static void
measure_stats(void)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_stats *s = calloc(1, sizeof(*s));
	double cpu = now_ms(CLOCK_THREAD_CPUTIME_ID), ours, bare;
	sqlite3_stmt *q;

	if (s == NULL)
		die("memory");
	if (ln_stats_get(store, "cy", INT64_C(1750000000000), s, &err) !=
	    LN_OK)
		die("statistics: %s", err.text);
	ours = now_ms(CLOCK_THREAD_CPUTIME_ID) - cpu;
	q = prepare(db, "SELECT count(*), sum(m.tokens) FROM conversation c"
	    " JOIN message m ON m.conversation_id = c.id WHERE c.user_id ="
	    " 'cy'");
	cpu = now_ms(CLOCK_THREAD_CPUTIME_ID);
	if (sqlite3_step(q) != SQLITE_ROW)
		die("count");
	bare = now_ms(CLOCK_THREAD_CPUTIME_ID) - cpu;
	(void)printf("  \"statistics\": {\"messages\": %lld, \"cpu_ms\": %.1f,"
	    " \"ratio\": %.2f},\n", (long long)s->totals.message_count, ours,
	    ours / bare);
	sqlite3_finalize(q);
	ln_stats_clear(s);
	free(s);
}

/* --- the whole ------------------------------------------------------------ */

static void
open_all(void)
{
	struct ln_store_opts opts = { .size = sizeof(opts),
		.mode = LN_STORE_CREATE, .busy_ms = 10000 };
	struct ln_error err = LN_ERROR_INIT;

	(void)snprintf(folder, sizeof(folder), "/tmp/ln-bench-XXXXXX");
	if (ln_init(NULL) != LN_OK || mkdtemp(folder) == NULL)
		die("a folder");
	(void)atexit(clean_up);
	(void)snprintf(path, sizeof(path), "%s/bench.db", folder);
	(void)snprintf(plain_path, sizeof(plain_path), "%s/plain.db", folder);
	if (ln_keys_derive("a secret key that only the benchmark knows",
	    &keys, NULL) != LN_OK)
		die("keys");
	opts.path = path;
	opts.keys = keys;
	if (ln_store_open(&opts, &store, &err) != LN_OK)
		die("open: %s", err.text);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		die("%s", path);
	exec(db, "PRAGMA foreign_keys=ON; PRAGMA cache_size=-65536");
}

int
main(int argc, char **argv)
{
	int64_t count = argc > 1 ? strtoll(argv[1], NULL, 10) : 1000000;
	struct ln_error err = LN_ERROR_INIT;
	struct stat sb;
	bool is_fast = true;
	double at, index_s, plain_ms;
	size_t k;

	if (count < 20000)
		die("20000 messages at least");
	open_all();
	make_words();
	at = now_ms(CLOCK_MONOTONIC);
	fill(count);
	(void)fprintf(stderr, "%" PRId64 " messages in %.0f s\n", count,
	    (now_ms(CLOCK_MONOTONIC) - at) / 1000);
	at = now_ms(CLOCK_MONOTONIC);
	if (ln_search_rebuild(store, &err) != LN_OK)
		die("index: %s %s", err.text, err.detail);
	index_s = (now_ms(CLOCK_MONOTONIC) - at) / 1000;
	(void)sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE,
	    NULL, NULL);
	if (stat(path, &sb) != 0)
		die("stat");
	plain_ms = measure_plain();
	(void)printf("{\n  \"messages\": %" PRId64 ", \"file_mb\": %.0f,"
	    " \"reindex_s\": %.0f, \"plain_fts_ms\": %.1f,\n  \"search\": {\n",
	    count, (double)sb.st_size / 1e6, index_s, plain_ms);
	for (k = 0; k < KINDS; k++)
		is_fast = measure_kind(k, plain_ms) && is_fast;
	(void)printf("  },\n");
	measure_stats();
	measure_writes();
	(void)printf("  \"aim_ms\": %.0f, \"is_fast\": %s\n}\n", AIM_MS,
	    is_fast ? "true" : "false");
	(void)sqlite3_close(db);
	ln_store_close(store);
	ln_keys_free(keys);
	return is_fast ? 0 : 1;
}
