#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <ln/error.h>
#include <ln/log.h>

static void
an_error_keeps_what_to_show_apart_from_what_to_log(void **state)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	(void)state;
	errno = ENOSPC;
	s = ln_fail_field(&err, LN_INVALID, "email", "The e-mail is too long",
	    "%d bytes in %s", 300, "/data/neural_memory.db");
	assert_int_equal(s, LN_INVALID);
	assert_int_equal(errno, ENOSPC);
	assert_string_equal(err.field, "email");
	assert_string_equal(ln_error_text(&err, s), "The e-mail is too long");
	assert_string_equal(err.detail, "300 bytes in /data/neural_memory.db");
}

static void
without_a_sentence_the_status_speaks(void **state)
{
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;

	(void)state;
	s = ln_fail(&err, LN_INTERNAL, "", "SELECT secret");
	assert_string_equal(ln_error_text(&err, s),
	    "An internal error occurred");
	assert_null(err.field);
	assert_string_equal(ln_error_text(NULL, LN_NOT_FOUND), "Not found");
	assert_string_equal(ln_status_token(LN_RATE_LIMITED), "rate_limited");
	assert_int_equal(ln_fail(NULL, LN_BUSY, "", "nobody listens"),
	    LN_BUSY);
}

static void
a_stale_error_does_not_speak_for_another_status(void **state)
{
	struct ln_error err = LN_ERROR_INIT;

	(void)state;
	assert_int_equal(ln_fail(&err, LN_INVALID, "The name is too short",
	    "x"), LN_INVALID);
	assert_string_equal(ln_error_text(&err, LN_CONFLICT),
	    "Already exists");
}

/* Capture what one call writes to standard error. */
static size_t
capture(const char *text, char *out, size_t outsize)
{
	int ends[2], saved;
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	saved = dup(STDERR_FILENO);
	assert_true(saved >= 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	ln_log(LN_LOG_WARN, "test.event", "value=%s", text);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	close(ends[1]);
	n = read(ends[0], out, outsize - 1);
	close(ends[0]);
	assert_true(n > 0);
	out[n] = '\0';
	return (size_t)n;
}

static void
a_log_line_cannot_be_forged(void **state)
{
	char out[8192];

	(void)state;
	capture("a\nts=1 level=info ev=login.ok\x1b[31m", out, sizeof(out));
	assert_non_null(strstr(out, "level=warn ev=test.event value=a\\x0ats="));
	assert_non_null(strstr(out, "\\x1b[31m\n"));
	assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
}

static void
a_long_log_line_is_cut_and_still_one_line(void **state)
{
	char text[6000], out[8192];
	size_t n;

	(void)state;
	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	n = capture(text, out, sizeof(out));
	assert_true(n <= 4096);
	assert_ptr_equal(strchr(out, '\n'), out + n - 1);
}

static void
quoting_escapes_and_fits(void **state)
{
	char out[16];

	(void)state;
	assert_string_equal(ln_log_quote("a\"b\\", out, sizeof(out)),
	    "\"a\\\"b\\\\\"");
	assert_string_equal(ln_log_quote(NULL, out, sizeof(out)), "-");
	assert_true(strlen(ln_log_quote("0123456789abcdef0123", out,
	    sizeof(out))) < sizeof(out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_error_keeps_what_to_show_apart_from_what_to_log),
		cmocka_unit_test(without_a_sentence_the_status_speaks),
		cmocka_unit_test(
		    a_stale_error_does_not_speak_for_another_status),
		cmocka_unit_test(a_log_line_cannot_be_forged),
		cmocka_unit_test(a_long_log_line_is_cut_and_still_one_line),
		cmocka_unit_test(quoting_escapes_and_fits),
	};

	return cmocka_run_group_tests_name("error and log", tests, NULL, NULL);
}
