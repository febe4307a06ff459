/* Who gets a mail, how often, and what becomes of one that cannot go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <ln/auth.h>
#include <ln/mail.h>
#include <ln/secret.h>
#include <ln/time.h>

#include "model/user.h"
#include "people.h"
#include "store/tx.h"

#define MINUTE INT64_C(60000)
#define ALICE "alice@x.test"

/* --- a mail server that takes every mail ----------------------------------- */

struct taker {
	int fd, port;
	pthread_t thread;
	const char *rcpt_reply;
	atomic_int mails;
	char last[16384];	/* read once ${mails} says so */
};

static void
say(FILE *f, const char *s)
{
	(void)fprintf(f, "%s\r\n", s);
	(void)fflush(f);
}

static void
talk(struct taker *t, FILE *f)
{
	char line[2048];
	size_t n = 0, len;
	bool in_mail = false;

	say(f, "220 tiny.test");
	while (fgets(line, sizeof(line), f) != NULL) {
		len = strlen(line);
		if (in_mail && strcmp(line, ".\r\n") == 0) {
			in_mail = false;
			t->last[n] = '\0';
			n = 0;
			atomic_fetch_add(&t->mails, 1);
			say(f, "250 taken");
		} else if (in_mail) {
			if (len < sizeof(t->last) - n) {
				memcpy(t->last + n, line, len);
				n += len;
			}
		} else if (strncmp(line, "RCPT", 4) == 0) {
			say(f, t->rcpt_reply);
		} else if (strncmp(line, "DATA", 4) == 0) {
			in_mail = true;
			say(f, "354 go ahead");
		} else if (strncmp(line, "QUIT", 4) == 0) {
			say(f, "221 bye");
			break;
		} else {
			say(f, "250 yes");
		}
	}
}

static void *
taker_main(void *arg)
{
	struct taker *t = arg;
	FILE *f;
	int fd;

	while ((fd = accept(t->fd, NULL, NULL)) >= 0) {
		if ((f = fdopen(fd, "r+")) == NULL)
			break;
		(void)setvbuf(f, NULL, _IONBF, 0);
		talk(t, f);
		(void)fclose(f);
	}
	return NULL;
}

static struct taker *
taker_start(void)
{
	struct taker *t = calloc(1, sizeof(*t));
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t n = sizeof(in);

	assert_non_null(t);
	t->rcpt_reply = "250 yes";
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	t->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(t->fd >= 0);
	assert_int_equal(bind(t->fd, (struct sockaddr *)&in, n), 0);
	assert_int_equal(listen(t->fd, 8), 0);
	assert_int_equal(getsockname(t->fd, (struct sockaddr *)&in, &n), 0);
	t->port = ntohs(in.sin_port);
	assert_int_equal(pthread_create(&t->thread, NULL, taker_main, t), 0);
	return t;
}

static void
taker_stop(struct taker *t)
{
	(void)shutdown(t->fd, SHUT_RDWR);
	(void)pthread_join(t->thread, NULL);
	(void)close(t->fd);
	free(t);
}

/* --- helpers --------------------------------------------------------------- */

static int
setup(void **state)
{
	struct place *p;

	ln_password_small(true);
	if (place_setup(state) != 0)
		return -1;
	p = *state;
	people_add(p, "alice", ALICE, LN_USER_ROLE_USER, NULL);
	people_add(p, "bob", NULL, LN_USER_ROLE_USER, NULL);
	return 0;
}

/* Settings for a server on ${port}; 0: one that is not there. */
static struct ln_config *
settings(const struct place *p, int port)
{
	struct ln_config *cfg = NULL;
	char path[160], url[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/env", p->folder);
	assert_non_null(f = fopen(path, "w"));
	(void)fclose(f);
	assert_int_equal(ln_config_load(path, &cfg, NULL), LN_OK);
	snprintf(url, sizeof(url), "smtp://127.0.0.1:%d",
	    port != 0 ? port : 1);
	assert_int_equal(ln_config_set(cfg, "LOCALNEURAL_SMTP_URL", url, NULL),
	    LN_OK);
	assert_int_equal(ln_config_set(cfg, "LOCALNEURAL_MAIL_FROM",
	    "robot@x.test", NULL), LN_OK);
	assert_int_equal(ln_config_set(cfg, "LOCALNEURAL_PUBLIC_URL",
	    "https://ln.x.test/", NULL), LN_OK);
	return cfg;
}

static int64_t
send_due(struct place *p, int port)
{
	struct ln_config *cfg = settings(p, port);
	struct ln_error err = LN_ERROR_INIT;
	int64_t sent;

	people_ok(ln_mail_send_due(p->store, cfg, NULL, NULL, &sent, &err),
	    &err);
	ln_config_free(cfg);
	return sent;
}

static void
forgot(struct place *p, const char *email)
{
	struct ln_error err = LN_ERROR_INIT;

	people_ok(ln_mail_forgot(p->store, email, &err), &err);
}

static int64_t
waiting(struct place *p)
{
	return place_int(p->store, "SELECT count(*) FROM outbox"
	    " WHERE sent_ms IS NULL AND failed_ms IS NULL");
}

static bool
failed_as(struct place *p, const char *why)
{
	return people_number(p, "SELECT count(*) FROM outbox WHERE failed_ms"
	    " IS NOT NULL AND error = ?1", why) == 1;
}

/* --- who gets one ---------------------------------------------------------- */

static void
only_the_owner_of_an_address_gets_a_mail(void **state)
{
	static const struct {
		const char *email;
		int want;
	} rows[] = {
		{ "nobody@x.test", 0 },
		{ "alice", 0 },		/* a user name is no address */
		{ "", 0 },
		{ "@", 0 },
		{ "alice@x.test\nBcc: eve@x.test", 0 },
		{ " Alice@X.TEST\t", 1 },
	};
	struct place *p = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		forgot(p, rows[i].email);
		if (waiting(p) != rows[i].want)
			fail_msg("%s", rows[i].email);
	}
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM audit"
	    " WHERE action = 'auth.forgot'"), sizeof(rows) / sizeof(rows[0]));
}

static void
a_user_name_that_looks_like_an_address_is_not_one(void **state)
{
	struct place *p = *state;

	people_add(p, "eve@x.test", "mallory@x.test", LN_USER_ROLE_USER,
	    NULL);
	forgot(p, "eve@x.test");
	assert_int_equal(waiting(p), 0);
	people_add(p, "eve", "eve@x.test", LN_USER_ROLE_USER, NULL);
	forgot(p, "eve@x.test");
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM outbox"
	    " WHERE user_id = 'eve'"), 1);
	assert_int_equal(waiting(p), 1);
}

static void
neither_address_nor_text_nor_link_is_stored(void **state)
{
	struct place *p = *state;

	forgot(p, ALICE);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " pragma_table_info('outbox') WHERE name IN ('address', 'body',"
	    " 'subject', 'token', 'link')"), 0);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM outbox"
	    " WHERE address_hash = CAST('alice@x.test' AS BLOB)"), 0);
	/* The token is made when the mail is. */
	assert_int_equal(place_int(p->store,
	    "SELECT count(*) FROM reset_token"), 0);
}

static void
asking_again_while_one_waits_adds_nothing(void **state)
{
	struct place *p = *state;
	int i;

	for (i = 0; i < 10; i++)
		forgot(p, ALICE);
	assert_int_equal(waiting(p), 1);
}

/* --- how often ------------------------------------------------------------- */

static void
an_address_gets_three_an_hour(void **state)
{
	struct place *p = *state;
	struct taker *t = taker_start();
	int i;

	for (i = 0; i < 5; i++) {
		forgot(p, ALICE);
		assert_int_equal(send_due(p, t->port), i < 3 ? 1 : 0);
	}
	assert_int_equal(atomic_load(&t->mails), 3);
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM audit"
	    " WHERE outcome = 'rate_limited'"), 2);
	/* As the first of them grows old, there is room for one. */
	place_exec(p->store, "UPDATE mail_limit SET at_ms = at_ms - 3600001"
	    " WHERE id = (SELECT min(id) FROM mail_limit)");
	for (i = 0; i < 2; i++) {
		forgot(p, ALICE);
		(void)!send_due(p, t->port);
	}
	assert_int_equal(atomic_load(&t->mails), 4);
	taker_stop(t);
}

static void
the_count_outlives_the_account(void **state)
{
	struct place *p = *state;
	struct taker *t = taker_start();
	int i;

	for (i = 0; i < 3; i++) {
		forgot(p, ALICE);
		assert_int_equal(send_due(p, t->port), 1);
	}
	place_exec(p->store, "DELETE FROM user WHERE id = 'alice'");
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM outbox"),
	    0);
	people_add(p, "alice2", ALICE, LN_USER_ROLE_USER, NULL);
	forgot(p, ALICE);
	assert_int_equal(send_due(p, t->port), 0);
	taker_stop(t);
}

static void
what_waited_too_long_to_be_counted_then_is_counted_now(void **state)
{
	struct place *p = *state;
	struct taker *t = taker_start();

	/* Asked for in time, and meanwhile the address got its three. */
	forgot(p, ALICE);
	place_exec(p->store, "INSERT INTO mail_limit(kind, address_hash,"
	    " at_ms) SELECT kind, address_hash, created_ms FROM outbox, "
	    " (VALUES (1), (2), (3))");
	assert_int_equal(send_due(p, t->port), 0);
	assert_int_equal(waiting(p), 1);
	assert_true(place_int(p->store, "SELECT next_try_ms - created_ms"
	    " FROM outbox") > 59 * MINUTE);
	assert_int_equal(place_int(p->store, "SELECT tries FROM outbox"), 0);
	taker_stop(t);
}

static void
a_duplicate_registration_is_told_once_a_day_to_the_owner(void **state)
{
	const struct ln_user_new again = { .size = sizeof(again),
		.username = "alice2", .email = "ALICE@x.test",
		.password = "long enough 1" };
	const struct ln_user_new name_only = { .size = sizeof(name_only),
		.username = "bob", .email = "new@x.test",
		.password = "long enough 1" };
	struct place *p = *state;
	struct taker *t = taker_start();
	struct ln_error err = LN_ERROR_INIT;
	char id[LN_UUID_SIZE];
	int i;

	place_exec(p->store, "INSERT INTO setting(name, value) VALUES"
	    " ('allow_registration', 'true')");
	people_ok(ln_auth_register(p->store, &name_only, id, &err), &err);
	assert_int_equal(waiting(p), 0);
	for (i = 0; i < 3; i++) {
		people_ok(ln_auth_register(p->store, &again, id, &err), &err);
		(void)!send_due(p, t->port);
	}
	assert_int_equal(atomic_load(&t->mails), 1);
	assert_non_null(strstr(t->last, "To: <" ALICE ">"));
	assert_null(strstr(t->last, "alice2"));
	place_exec(p->store, "UPDATE mail_limit SET at_ms = at_ms - 86400001");
	people_ok(ln_auth_register(p->store, &again, id, &err), &err);
	assert_int_equal(send_due(p, t->port), 1);
	taker_stop(t);
}

/* --- what is sent ---------------------------------------------------------- */

static void
the_link_works_and_is_of_the_public_url(void **state)
{
	static const char begin[] = "https://ln.x.test/reset-password/";
	struct place *p = *state;
	struct taker *t = taker_start();
	char token[LN_RESET_TOKEN_SIZE];
	const char *at;
	size_t n = 0;

	forgot(p, ALICE);
	assert_int_equal(send_due(p, t->port), 1);
	assert_non_null(at = strstr(t->last, begin));
	/* Quoted-printable breaks lines with "=" at their ends. */
	for (at += strlen(begin); n < sizeof(token) - 1 && *at != '\0'; at++) {
		if (strncmp(at, "=\r\n", 3) == 0)
			at += 2;
		else
			token[n++] = *at;
	}
	token[n] = '\0';
	assert_int_equal(ln_auth_reset_peek(p->store, token, NULL), LN_OK);
	assert_int_equal(place_int(p->store, "SELECT expires_ms - created_ms"
	    " FROM reset_token"), 60 * MINUTE);
	taker_stop(t);
}

static void
it_goes_nowhere_when_the_address_has_changed(void **state)
{
	struct place *p = *state;
	struct taker *t = taker_start();
	struct ln_error err = LN_ERROR_INIT;

	forgot(p, ALICE);
	people_ok(ln_auth_profile_set(p->store, "alice", NULL, "a2@x.test",
	    NULL, &err), &err);
	assert_int_equal(send_due(p, t->port), 0);
	assert_true(failed_as(p, "address"));
	assert_int_equal(atomic_load(&t->mails), 0);
	taker_stop(t);
}

/* --- what cannot go -------------------------------------------------------- */

static void
a_failed_one_is_tried_again_later_and_later(void **state)
{
	static const int64_t pauses[] = { 1, 5, 30, 30, 30 };
	struct place *p = *state;
	int64_t pause;
	size_t i;

	forgot(p, ALICE);
	for (i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		assert_int_equal(send_due(p, 0), 0);
		assert_int_equal(send_due(p, 0), 0);	/* not due */
		assert_int_equal(place_int(p->store,
		    "SELECT tries FROM outbox"), (int64_t)i + 1);
		pause = place_int(p->store, "SELECT next_try_ms FROM outbox") -
		    ln_time_now_ms();
		assert_true(pause <= pauses[i] * MINUTE);
		assert_true(pause > pauses[i] * MINUTE - MINUTE / 2);
		place_exec(p->store, "UPDATE outbox SET next_try_ms = 1");
	}
	/* What never left is not held against the address. */
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM"
	    " mail_limit"), 0);
}

static void
after_a_day_it_is_given_up(void **state)
{
	struct place *p = *state;
	struct taker *t = taker_start();

	forgot(p, ALICE);
	place_exec(p->store, "UPDATE outbox SET created_ms = created_ms -"
	    " 86400000");
	assert_int_equal(send_due(p, t->port), 0);
	assert_true(failed_as(p, "expired"));
	assert_int_equal(atomic_load(&t->mails), 0);
	/* And a new one may be asked for. */
	forgot(p, ALICE);
	assert_int_equal(send_due(p, t->port), 1);
	taker_stop(t);
}

static void
what_a_server_will_never_take_is_given_up_at_once(void **state)
{
	struct place *p = *state;
	struct taker *t = taker_start();

	t->rcpt_reply = "550 no such user";
	forgot(p, ALICE);
	assert_int_equal(send_due(p, t->port), 0);
	assert_true(failed_as(p, "refused"));
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM audit WHERE"
	    " action = 'mail.reset' AND outcome <> 'ok'"), 1);
	taker_stop(t);
}

static void
one_refused_mail_does_not_hold_up_the_next(void **state)
{
	struct place *p = *state;
	struct taker *t = taker_start();

	people_add(p, "carol", "carol@x.test", LN_USER_ROLE_USER, NULL);
	forgot(p, ALICE);
	forgot(p, "carol@x.test");
	t->rcpt_reply = "550 no such user";
	assert_int_equal(send_due(p, t->port), 0);
	assert_int_equal(waiting(p), 0);
	taker_stop(t);
}

static void
a_mail_in_somebody_s_hands_is_left_to_him(void **state)
{
	struct place *p = *state;
	struct taker *t = taker_start();

	forgot(p, ALICE);
	/* As another process has it between taking and settling. */
	people_tamper(p, "UPDATE outbox SET tries = 1, next_try_ms ="
	    " next_try_ms + 120000");
	assert_int_equal(send_due(p, t->port), 0);
	/* He died: two minutes later it is anybody's. */
	people_tamper(p, "UPDATE outbox SET next_try_ms = 1");
	assert_int_equal(send_due(p, t->port), 1);
	taker_stop(t);
}

static bool
never(void *arg)
{
	(void)arg;
	return false;
}

static void
stopping_keeps_the_mail(void **state)
{
	struct place *p = *state;
	struct taker *t = taker_start();
	struct ln_config *cfg = settings(p, t->port);

	forgot(p, ALICE);
	assert_int_equal(ln_mail_send_due(p->store, cfg, never, NULL, NULL,
	    NULL), LN_CANCELLED);
	assert_int_equal(waiting(p), 1);
	assert_int_equal(atomic_load(&t->mails), 0);
	ln_config_free(cfg);
	taker_stop(t);
}

static void
old_rows_go(void **state)
{
	struct place *p = *state;
	struct taker *t = taker_start();

	forgot(p, ALICE);
	assert_int_equal(send_due(p, t->port), 1);
	place_exec(p->store, "UPDATE outbox SET sent_ms = sent_ms - 8 *"
	    " 86400000");
	place_exec(p->store, "UPDATE mail_limit SET at_ms = at_ms - 8 *"
	    " 86400000");
	assert_int_equal(send_due(p, t->port), 0);
	assert_int_equal(place_int(p->store, "SELECT (SELECT count(*) FROM"
	    " outbox) + (SELECT count(*) FROM mail_limit)"), 0);
	taker_stop(t);
}

/* --- settings -------------------------------------------------------------- */

static void
settings_that_are_missing_or_wrong_are_named(void **state)
{
	static const struct {
		const char *name, *value;
		enum ln_status want;
	} rows[] = {
		{ "LOCALNEURAL_SMTP_URL", NULL, LN_NOT_FOUND },
		{ "LOCALNEURAL_MAIL_FROM", NULL, LN_NOT_FOUND },
		{ "LOCALNEURAL_PUBLIC_URL", NULL, LN_NOT_FOUND },
		{ "LOCALNEURAL_SMTP_URL", "mail.x.test", LN_INVALID },
		{ "LOCALNEURAL_SMTP_URL", "ftp://mail.x.test", LN_INVALID },
		{ "LOCALNEURAL_SMTP_URL", "smtp://u:p@x.test", LN_INVALID },
		{ "LOCALNEURAL_SMTP_URL", "smtp://x.test/me", LN_INVALID },
		{ "LOCALNEURAL_SMTP_URL", "smtp://x.test?a", LN_INVALID },
		{ "LOCALNEURAL_SMTP_URL", "smtp://x.test:99999", LN_INVALID },
		{ "LOCALNEURAL_SMTP_URL", "smtps://x.test:465", LN_OK },
		{ "LOCALNEURAL_SMTP_URL", "smtp://[2001:db8::1]:587", LN_OK },
		{ "LOCALNEURAL_MAIL_FROM", "a@b@c", LN_INVALID },
		{ "LOCALNEURAL_MAIL_FROM", "Me <a@x.test>", LN_INVALID },
		{ "LOCALNEURAL_MAIL_FROM", "a@x.test\r\nBcc: b@x.test",
		    LN_INVALID },
		{ "LOCALNEURAL_PUBLIC_URL", "ln.x.test", LN_INVALID },
		{ "LOCALNEURAL_PUBLIC_URL", "https://", LN_INVALID },
		{ "LOCALNEURAL_PUBLIC_URL", "https:///x", LN_INVALID },
		{ "LOCALNEURAL_PUBLIC_URL", "https://x.test/\" onclick=\"",
		    LN_INVALID },
		{ "LOCALNEURAL_PUBLIC_URL", "https://u@x.test", LN_INVALID },
		{ "LOCALNEURAL_PUBLIC_URL", "https://x.test/#a", LN_INVALID },
		{ "LOCALNEURAL_PUBLIC_URL", "https://x.test:8443/ln/", LN_OK },
		{ "LOCALNEURAL_SMTP_USER", "me", LN_INVALID },
	};
	struct place *p = *state;
	struct ln_config *cfg;
	struct ln_error err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err = (struct ln_error)LN_ERROR_INIT;
		cfg = settings(p, 0);
		assert_int_equal(ln_config_set(cfg, rows[i].name,
		    rows[i].value, NULL), LN_OK);
		if (ln_mail_check(cfg, &err) != rows[i].want)
			fail_msg("%s=%s: %s", rows[i].name, rows[i].value,
			    err.detail);
		if (rows[i].want == LN_NOT_FOUND)
			assert_string_equal(ln_mail_missing(cfg),
			    rows[i].name);
		ln_config_free(cfg);
	}
}

static void
without_keys_there_is_no_mail(void **state)
{
	struct place *p = *state;
	struct place bare = *p;

	ln_store_close(p->store);
	bare.keys = NULL;
	p->store = place_open(&bare, 100);
	assert_int_equal(ln_mail_forgot(p->store, ALICE, NULL), LN_BAD_KEY);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(only_the_owner_of_an_address_gets_a_mail),
		T(a_user_name_that_looks_like_an_address_is_not_one),
		T(neither_address_nor_text_nor_link_is_stored),
		T(asking_again_while_one_waits_adds_nothing),
		T(an_address_gets_three_an_hour),
		T(the_count_outlives_the_account),
		T(what_waited_too_long_to_be_counted_then_is_counted_now),
		T(a_duplicate_registration_is_told_once_a_day_to_the_owner),
		T(the_link_works_and_is_of_the_public_url),
		T(it_goes_nowhere_when_the_address_has_changed),
		T(a_failed_one_is_tried_again_later_and_later),
		T(after_a_day_it_is_given_up),
		T(what_a_server_will_never_take_is_given_up_at_once),
		T(one_refused_mail_does_not_hold_up_the_next),
		T(a_mail_in_somebody_s_hands_is_left_to_him),
		T(stopping_keeps_the_mail),
		T(old_rows_go),
		T(settings_that_are_missing_or_wrong_are_named),
		T(without_keys_there_is_no_mail),
	};

	return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
