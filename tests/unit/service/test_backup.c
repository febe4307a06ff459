/* Backups: whole or not there, opened by who may, and no damage unseen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <ln/backup.h>
#include <ln/secret.h>

#include "place.h"
#include "service/backup.h"
#include "transfer/kit.h"

#define PASSPHRASE "twelve or more"

static struct ln_backup
make(struct place *p, const char *public_key, const char *passphrase,
    enum ln_backup_check how)
{
	const struct ln_backup_opts opts = { .size = sizeof(opts),
		.folder = p->folder, .public_key = public_key,
		.passphrase = passphrase, .how = how };
	struct ln_backup b;

	assert_int_equal(ln_backup_create(p->store, &opts, &b, NULL), LN_OK);
	return b;
}

static enum ln_status
verify(struct ln_store *st, const char *path, enum ln_backup_check how,
    const char *secret_key, const char *passphrase)
{
	const struct ln_backup_unlock unlock = { .size = sizeof(unlock),
		.secret_key = secret_key, .passphrase = passphrase };
	struct ln_backup b;
	enum ln_status s;

	s = ln_backup_verify(st, path, how, &unlock, &b, NULL);
	if (s == LN_OK)
		ln_backup_clear(&b);
	return s;
}

static void
write_file(const char *path, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

static void
every_way_to_check_finds_a_new_one_sound(void **state)
{
	static const enum ln_backup_check hows[] = { LN_BACKUP_UNCHECKED,
		LN_BACKUP_QUICK, LN_BACKUP_FULL, LN_BACKUP_DRILL };
	struct place *p = *state;
	struct ln_backup b;
	size_t i;

	kit_boss(p);
	for (i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
		b = make(p, NULL, NULL, hows[i]);
		assert_int_equal(b.verified_how, hows[i]);
		assert_int_equal(b.user_count, 1);
		assert_false(b.is_encrypted);
		assert_int_equal(verify(p->store, b.path, LN_BACKUP_QUICK,
		    NULL, NULL), LN_OK);
		assert_int_equal(verify(NULL, b.path, LN_BACKUP_FULL, NULL,
		    NULL), LN_OK);
		assert_int_equal(verify(NULL, b.path, LN_BACKUP_DRILL, NULL,
		    NULL), LN_OK);
		ln_backup_clear(&b);
	}
	/* Nothing but backups, the lock and the database. */
	assert_int_equal(kit_entries(p, ".localneural.backup"), 0);
}

static void
only_the_right_secret_opens_it(void **state)
{
	struct place *p = *state;
	char *public_key, *secret_key, *other_public, *other_secret;
	struct ln_backup b;

	kit_boss(p);
	assert_int_equal(ln_backup_keygen(&public_key, &secret_key, NULL),
	    LN_OK);
	assert_int_equal(ln_backup_keygen(&other_public, &other_secret, NULL),
	    LN_OK);
	b = make(p, public_key, NULL, LN_BACKUP_DRILL);
	assert_true(b.is_encrypted);
	assert_int_equal(verify(NULL, b.path, LN_BACKUP_DRILL, secret_key,
	    NULL), LN_OK);
	assert_int_equal(verify(NULL, b.path, LN_BACKUP_FULL, other_secret,
	    NULL), LN_BAD_KEY);
	assert_int_equal(verify(NULL, b.path, LN_BACKUP_FULL, "lnsec1.x",
	    NULL), LN_BAD_KEY);
	assert_int_equal(verify(NULL, b.path, LN_BACKUP_FULL, NULL,
	    PASSPHRASE), LN_BAD_KEY);
	assert_int_equal(verify(NULL, b.path, LN_BACKUP_FULL, NULL, NULL),
	    LN_BAD_KEY);
	/* The host that makes them holds no secret, and can look all the
	 * same: its receipt knows the bytes. */
	assert_int_equal(verify(p->store, b.path, LN_BACKUP_QUICK, NULL,
	    NULL), LN_OK);
	ln_backup_clear(&b);

	b = make(p, NULL, PASSPHRASE, LN_BACKUP_FULL);
	assert_int_equal(verify(NULL, b.path, LN_BACKUP_FULL, NULL,
	    PASSPHRASE), LN_OK);
	assert_int_equal(verify(NULL, b.path, LN_BACKUP_FULL, NULL,
	    PASSPHRASE "!"), LN_BAD_KEY);
	ln_backup_clear(&b);
	ln_free(public_key);
	ln_free(other_public);
	ln_wipe_free(secret_key);
	ln_wipe_free(other_secret);
}

static void
what_cannot_encrypt_makes_nothing(void **state)
{
	static const struct {
		const char *public_key, *passphrase, *field;
	} bad[] = {
		{ "lnpub1.short", NULL, "public_key" },
		{ "lnsec1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL,
		    "public_key" },
		/* A point of small order: anybody could open it. */
		{ "lnpub1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NULL,
		    "public_key" },
		{ NULL, "short", "passphrase" },
		{ "lnpub1.x", PASSPHRASE, "passphrase" },
	};
	struct place *p = *state;
	struct ln_error err = LN_ERROR_INIT;
	struct ln_backup b;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct ln_backup_opts opts = { .size = sizeof(opts),
			.folder = p->folder, .public_key = bad[i].public_key,
			.passphrase = bad[i].passphrase };

		assert_int_equal(ln_backup_create(p->store, &opts, &b, &err),
		    LN_INVALID);
		assert_string_equal(err.field, bad[i].field);
	}
	assert_int_equal(kit_entries(p, "localneural-"), 0);
	assert_int_equal(kit_entries(p, ".localneural.backup"), 0);
}

/* Bit by bit is a matter of the cipher; byte by byte is a matter of us. */
static void
every_changed_byte_of_an_encrypted_one_is_seen(void **state)
{
	struct place *p = *state;
	char *public_key, *secret_key, *bytes, copy[256];
	struct ln_backup b;
	enum ln_status s;
	size_t n, i;
	int fd;

	kit_boss(p);
	assert_int_equal(ln_backup_keygen(&public_key, &secret_key, NULL),
	    LN_OK);
	b = make(p, public_key, NULL, LN_BACKUP_QUICK);
	bytes = kit_read(b.path, &n);
	snprintf(copy, sizeof(copy), "%s/copy", p->folder);
	write_file(copy, bytes, n);
	fd = open(copy, O_WRONLY);
	assert_true(fd >= 0);
	for (i = 0; i < n; i++) {
		char wrong = (char)(bytes[i] ^ 0x20);

		assert_int_equal(pwrite(fd, &wrong, 1, (off_t)i), 1);
		s = verify(NULL, copy, LN_BACKUP_FULL, secret_key, NULL);
		if (s != LN_CORRUPT && s != LN_BAD_KEY && s != LN_TOO_NEW)
			fail_msg("byte %zu of %zu: status %d", i, n, (int)s);
		assert_int_equal(pwrite(fd, &bytes[i], 1, (off_t)i), 1);
	}
	assert_int_equal(verify(NULL, copy, LN_BACKUP_FULL, secret_key, NULL),
	    LN_OK);
	close(fd);
	free(bytes);
	ln_backup_clear(&b);
	ln_free(public_key);
	ln_wipe_free(secret_key);
}

static void
a_cut_or_lengthened_one_is_seen(void **state)
{
	struct place *p = *state;
	char *public_key, *secret_key, *bytes, copy[256];
	const char *key;
	struct ln_backup b;
	size_t n, i, kind;

	kit_boss(p);
	snprintf(copy, sizeof(copy), "%s/copy", p->folder);
	assert_int_equal(ln_backup_keygen(&public_key, &secret_key, NULL),
	    LN_OK);
	for (kind = 0; kind < 2; kind++) {
		key = kind == 1 ? secret_key : NULL;
		b = make(p, kind == 1 ? public_key : NULL, NULL,
		    LN_BACKUP_QUICK);
		bytes = kit_read(b.path, &n);
		for (i = 0; i < n; i += 1 + n / 300) {
			write_file(copy, bytes, i);
			assert_int_not_equal(verify(NULL, copy,
			    LN_BACKUP_FULL, key, NULL), LN_OK);
		}
		write_file(copy, bytes, n);
		assert_int_equal(verify(NULL, copy, LN_BACKUP_FULL, key,
		    NULL), LN_OK);
		i = (size_t)open(copy, O_WRONLY | O_APPEND);
		assert_int_equal(write((int)i, "x", 1), 1);
		close((int)i);
		assert_int_not_equal(verify(NULL, copy, LN_BACKUP_FULL, key,
		    NULL), LN_OK);
		free(bytes);
		ln_backup_clear(&b);
	}
	ln_free(public_key);
	ln_wipe_free(secret_key);
}

/* The receipt forgets that it was sound, so that pruning does not keep it for
 * the sake of that. */
static void
damage_on_the_disk_is_noted(void **state)
{
	struct place *p = *state;
	struct ln_backup b, last;
	int fd;

	kit_boss(p);
	b = make(p, NULL, NULL, LN_BACKUP_FULL);
	assert_int_equal(ln_backup_last(p->store, &last, NULL), LN_OK);
	assert_string_equal(last.path, b.path);
	ln_backup_clear(&last);
	fd = open(b.path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "\xff", 1, (off_t)(b.bytes / 2)), 1);
	close(fd);
	assert_int_equal(verify(p->store, b.path, LN_BACKUP_QUICK, NULL,
	    NULL), LN_CORRUPT);
	assert_int_equal(ln_backup_last(p->store, &last, NULL), LN_NOT_FOUND);
	ln_backup_clear(&b);
}

static void
a_restored_database_holds_what_the_backup_held(void **state)
{
	struct place *p = *state;
	struct ln_backup b, r;
	char *before, *after, *snapshot = NULL, to[256];

	kit_boss(p);
	place_add_user(p->store, "ann");
	b = make(p, NULL, NULL, LN_BACKUP_FULL);
	before = kit_dump(p->path);
	place_add_user(p->store, "late");
	assert_int_equal(ln_backup_restore(p->store, b.path, NULL, &snapshot,
	    &r, NULL), LN_OK);
	ln_backup_clear(&r);
	after = kit_dump(p->path);
	assert_string_equal(before, after);
	assert_int_equal(kit_int(snapshot, "SELECT count(*) FROM user"), 3);
	/* What was made before is still known. */
	assert_int_equal(ln_backup_last(p->store, &r, NULL), LN_OK);
	assert_string_equal(r.path, b.path);
	ln_backup_clear(&r);
	free(after);

	snprintf(to, sizeof(to), "%s/new.db", p->folder);
	assert_int_equal(ln_backup_extract(b.path, NULL, to, &r, NULL),
	    LN_OK);
	ln_backup_clear(&r);
	after = kit_dump(to);
	assert_string_equal(before, after);
	/* It never writes over a database. */
	assert_int_equal(ln_backup_extract(b.path, NULL, to, &r, NULL),
	    LN_CONFLICT);
	free(before);
	free(after);
	ln_free(snapshot);
	ln_backup_clear(&b);
}

static void
a_damaged_one_changes_nothing(void **state)
{
	struct place *p = *state;
	char *bytes, *before, *after, *snapshot, copy[256];
	struct ln_backup b, r;
	size_t n;

	kit_boss(p);
	b = make(p, NULL, NULL, LN_BACKUP_QUICK);
	bytes = kit_read(b.path, &n);
	snprintf(copy, sizeof(copy), "%s/copy", p->folder);
	write_file(copy, bytes, n / 2);
	before = kit_dump(p->path);
	assert_int_equal(ln_backup_restore(p->store, copy, NULL, &snapshot,
	    &r, NULL), LN_CORRUPT);
	assert_null(snapshot);
	write_file(copy, "no backup at all", 16);
	assert_int_equal(ln_backup_restore(p->store, copy, NULL, &snapshot,
	    &r, NULL), LN_CORRUPT);
	after = kit_dump(p->path);
	assert_string_equal(before, after);
	assert_int_equal(kit_entries(p, "live.db.restore"), 0);
	free(before);
	free(after);
	free(bytes);
	ln_backup_clear(&b);
}

static void
two_at_once_do_not_meet(void **state)
{
	struct place *p = *state;
	const struct ln_backup_opts opts = { .size = sizeof(opts),
		.folder = p->folder };
	struct ln_backup b;
	int lock;

	assert_int_equal(lni_backup_lock(p->folder, &lock, NULL), LN_OK);
	assert_int_equal(ln_backup_create(p->store, &opts, &b, NULL),
	    LN_CONFLICT);
	close(lock);
	b = make(p, NULL, NULL, LN_BACKUP_QUICK);
	ln_backup_clear(&b);
}

static void
a_name_says_when_and_whether_encrypted(void **state)
{
	static const struct {
		const char *name;
		bool is_one, is_encrypted;
	} names[] = {
		{ "localneural-20261124T030000Z.db.zst", true, false },
		{ "localneural-20261124T030000Z.db.zst.enc", true, true },
		{ "localneural-20261124T030000Z-2.db.zst", true, false },
		{ "localneural-20261124T030000Z.db.zst.part", false, false },
		{ "localneural-20261324T030000Z.db.zst", false, false },
		{ "localneural-2026.db.zst", false, false },
		{ "localneural-20261124T030000Z.db", false, false },
		{ "other-20261124T030000Z.db.zst", false, false },
		{ "", false, false },
	};
	char made[LNI_BACKUP_NAME_SIZE];
	int64_t ms;
	bool is_encrypted;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(lni_backup_name_parse(names[i].name, &ms,
		    &is_encrypted), names[i].is_one);
		if (names[i].is_one)
			assert_int_equal(is_encrypted, names[i].is_encrypted);
	}
	lni_backup_name(1795489200000, 1, true, made);
	assert_string_equal(made, "localneural-20261124T030000Z.db.zst.enc");
	assert_true(lni_backup_name_parse(made, &ms, &is_encrypted));
	assert_true(ms == 1795489200000);
}

/* One file a day at three o'clock, and which of them the rules keep. */
static void
retention_keeps_what_its_rules_say(void **state)
{
	struct place *p = *state;
	const struct ln_backup_keep keep = { .size = sizeof(keep), .last = 2,
		.daily = 3, .weekly = 2, .monthly = 2 };
	/* Tuesday the 24th: newest two, three days, the Sunday before that
	 * ends the week before, and the last of October. */
	static const char *const kept[] = { "20261124", "20261123",
		"20261122", "20261031" };
	struct ln_backup_list gone, left;
	char path[256], name[LNI_BACKUP_NAME_SIZE];
	size_t i;
	int day;

	for (day = 0; day < 60; day++) {
		lni_backup_name(1795489200000 - (int64_t)day * 86400000, 1,
		    false, name);
		snprintf(path, sizeof(path), "%s/%s", p->folder, name);
		write_file(path, "x", 1);
	}
	assert_int_equal(ln_backup_prune(p->store, p->folder, &keep, true,
	    &gone, NULL), LN_OK);
	assert_int_equal(gone.count, 56);
	ln_backup_list_free(&gone);
	assert_int_equal(ln_backup_prune(p->store, p->folder, &keep, false,
	    &gone, NULL), LN_OK);
	assert_int_equal(gone.count, 56);
	ln_backup_list_free(&gone);
	assert_int_equal(ln_backup_list(p->store, p->folder, &left, NULL),
	    LN_OK);
	assert_int_equal(left.count, sizeof(kept) / sizeof(kept[0]));
	for (i = 0; i < left.count; i++)
		assert_memory_equal(left.items[i].name + 12, kept[i], 8);
	ln_backup_list_free(&left);
}

static void
the_last_verified_one_is_never_pruned(void **state)
{
	struct place *p = *state;
	const struct ln_backup_keep keep = { .size = sizeof(keep), .last = 1 };
	struct ln_backup_list gone, left;
	struct ln_backup sound, newer;

	kit_boss(p);
	sound = make(p, NULL, NULL, LN_BACKUP_FULL);
	newer = make(p, NULL, NULL, LN_BACKUP_UNCHECKED);
	ln_backup_clear(&newer);
	newer = make(p, NULL, NULL, LN_BACKUP_UNCHECKED);
	assert_int_equal(ln_backup_prune(p->store, p->folder, &keep, false,
	    &gone, NULL), LN_OK);
	assert_int_equal(gone.count, 1);
	assert_int_equal(ln_backup_list(p->store, p->folder, &left, NULL),
	    LN_OK);
	assert_int_equal(left.count, 2);
	assert_string_equal(left.items[0].path, newer.path);
	assert_string_equal(left.items[1].path, sound.path);
	ln_backup_list_free(&gone);
	ln_backup_list_free(&left);
	ln_backup_clear(&sound);
	ln_backup_clear(&newer);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_way_to_check_finds_a_new_one_sound),
		TEST(only_the_right_secret_opens_it),
		TEST(what_cannot_encrypt_makes_nothing),
		TEST(every_changed_byte_of_an_encrypted_one_is_seen),
		TEST(a_cut_or_lengthened_one_is_seen),
		TEST(damage_on_the_disk_is_noted),
		TEST(a_restored_database_holds_what_the_backup_held),
		TEST(a_damaged_one_changes_nothing),
		TEST(two_at_once_do_not_meet),
		cmocka_unit_test(a_name_says_when_and_whether_encrypted),
		TEST(retention_keeps_what_its_rules_say),
		TEST(the_last_verified_one_is_never_pruned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
