#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <ln/config.h>
#include <ln/log.h>
#include <ln/secret.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))
#define KEY32 "9J3sTz7mQpLwXvKc2RdYhBnG5fUeAi8o"

static char folder[] = "/tmp/ln-config-XXXXXX";

static void
write_file(const char *name, const char *text, mode_t mode)
{
	int fd;

	(void)unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static struct ln_config *
load(const char *env_file)
{
	struct ln_config *cfg;

	assert_int_equal(ln_config_load(env_file, &cfg, NULL), LN_OK);
	assert_non_null(cfg);
	return cfg;
}

static void
the_table_has_each_name_once_and_says_what_it_is(void **state)
{
	const struct ln_config_key *keys = ln_config_keys();
	size_t i, k;

	(void)state;
	for (i = 0; keys[i].name != NULL; i++) {
		assert_true(strlen(keys[i].help) > 5);
		assert_false(keys[i].is_secret && keys[i].fallback != NULL);
		assert_false(keys[i].is_secret && keys[i].is_path);
		for (k = 0; k < i; k++)
			assert_string_not_equal(keys[i].name, keys[k].name);
	}
	assert_true(i > 20);
}

static void
a_flag_beats_the_environment_beats_the_file_beats_the_default(void **state)
{
	static const char name[] = "LOCALNEURAL_LISTEN";
	struct ln_config *cfg;

	(void)state;
	write_file(".env", "", 0644);
	cfg = load(NULL);
	assert_string_equal(ln_config_get(cfg, name), "localhost:59869");
	assert_int_equal(ln_config_origin(cfg, name), LN_CONFIG_DEFAULT);
	ln_config_free(cfg);

	write_file(".env", "LOCALNEURAL_LISTEN=file:1\n", 0644);
	cfg = load(NULL);
	assert_string_equal(ln_config_get(cfg, name), "file:1");
	assert_int_equal(ln_config_origin(cfg, name), LN_CONFIG_FILE);
	assert_string_equal(ln_config_path(cfg), ".env");
	ln_config_free(cfg);

	assert_int_equal(setenv(name, "env:2", 1), 0);
	cfg = load(NULL);
	assert_string_equal(ln_config_get(cfg, name), "env:2");
	assert_int_equal(ln_config_origin(cfg, name), LN_CONFIG_ENV);

	assert_int_equal(ln_config_set(cfg, name, "flag:3", NULL), LN_OK);
	assert_string_equal(ln_config_get(cfg, name), "flag:3");
	assert_int_equal(ln_config_origin(cfg, name), LN_CONFIG_FLAG);
	assert_int_equal(ln_config_set(cfg, name, NULL, NULL), LN_OK);
	assert_string_equal(ln_config_get(cfg, name), "env:2");
	ln_config_free(cfg);
	assert_int_equal(unsetenv(name), 0);
}

static void
an_empty_value_counts_as_none(void **state)
{
	struct ln_config *cfg;

	(void)state;
	write_file(".env", "LOCALNEURAL_DB=\nLOCALNEURAL_USER=ann\n", 0600);
	assert_int_equal(setenv("LOCALNEURAL_USER", "", 1), 0);
	assert_int_equal(setenv("LOCALNEURAL_MODEL", "", 1), 0);
	cfg = load(NULL);
	assert_string_equal(ln_config_get(cfg, "LOCALNEURAL_DB"),
	    ".data/neural_memory.db");
	assert_string_equal(ln_config_get(cfg, "LOCALNEURAL_USER"), "ann");
	assert_null(ln_config_get(cfg, "LOCALNEURAL_MODEL"));
	assert_int_equal(ln_config_set(cfg, "LOCALNEURAL_USER", "", NULL),
	    LN_OK);
	assert_string_equal(ln_config_get(cfg, "LOCALNEURAL_USER"), "ann");
	ln_config_free(cfg);
	assert_int_equal(unsetenv("LOCALNEURAL_USER"), 0);
	assert_int_equal(unsetenv("LOCALNEURAL_MODEL"), 0);
}

static void
of_a_name_given_twice_the_last_counts(void **state)
{
	struct ln_config *cfg;

	(void)state;
	write_file(".env", "LOCALNEURAL_USER=ann\nLOCALNEURAL_USER=bob\n",
	    0600);
	cfg = load(NULL);
	assert_string_equal(ln_config_get(cfg, "LOCALNEURAL_USER"), "bob");
	ln_config_free(cfg);
}

static void
unknown_names_are_left_out(void **state)
{
	struct ln_config *cfg;

	(void)state;
	write_file(".env", "FOREIGN=1\nLOCALNEURAL_DB_FILE=x\n"
	    "LOCALNEURAL_USER=ann\nlocalneural_user=bob\n", 0600);
	cfg = load(NULL);
	assert_string_equal(ln_config_get(cfg, "LOCALNEURAL_USER"), "ann");
	assert_null(ln_config_get(cfg, "FOREIGN"));
	assert_null(ln_config_get(cfg, "LOCALNEURAL_DB_FILE"));
	assert_null(ln_config_get(cfg, "HOME"));
	assert_null(ln_config_get(cfg, ""));
	assert_int_equal(ln_config_set(cfg, "FOREIGN", "1", NULL), LN_INVALID);
	ln_config_free(cfg);
}

static void
relative_paths_in_the_file_start_at_its_folder(void **state)
{
	static const struct {
		const char *file;
		const char *value;
		const char *want;
	} rows[] = {
		{ ".env", "a/b.db", "a/b.db" },
		{ "./.env", "a.db", "a.db" },
		{ "conf/x.env", "a.db", "conf/a.db" },
		{ "./conf/x.env", "../a.db", "./conf/../a.db" },
		{ "conf/x.env", "/var/a.db", "/var/a.db" },
	};
	char text[200];
	struct ln_config *cfg;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		(void)snprintf(text, sizeof(text), "LOCALNEURAL_DB=%s\n"
		    "LOCALNEURAL_TLS_KEY=%s\nSECRET_KEY_FILE=%s\n"
		    "LOCALNEURAL_USER=%s\n", rows[i].value, rows[i].value,
		    rows[i].value, rows[i].value);
		write_file(rows[i].file, text, 0644);
		cfg = load(rows[i].file);
		assert_string_equal(ln_config_get(cfg, "LOCALNEURAL_DB"),
		    rows[i].want);
		assert_string_equal(ln_config_get(cfg, "LOCALNEURAL_TLS_KEY"),
		    rows[i].want);
		assert_string_equal(ln_config_get(cfg, "SECRET_KEY_FILE"),
		    rows[i].want);
		/* What is no path stays as it is. */
		assert_string_equal(ln_config_get(cfg, "LOCALNEURAL_USER"),
		    rows[i].value);
		ln_config_free(cfg);
	}
	/* Elsewhere they are relative to where we are. */
	assert_int_equal(setenv("LOCALNEURAL_DB", "env.db", 1), 0);
	cfg = load("conf/x.env");
	assert_string_equal(ln_config_get(cfg, "LOCALNEURAL_DB"), "env.db");
	ln_config_free(cfg);
	assert_int_equal(unsetenv("LOCALNEURAL_DB"), 0);
}

static void
a_bad_line_is_named_by_its_number(void **state)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_config *cfg;

	(void)state;
	write_file("bad.env", "# one\nSECRET_KEY=" KEY32 "\nplanted\n", 0600);
	assert_int_equal(ln_config_load("bad.env", &cfg, &err), LN_INVALID);
	assert_null(cfg);
	assert_int_equal(ln_config_error_line(), 3);
	assert_non_null(strstr(err.detail, "bad.env, line 3"));
	assert_null(strstr(err.detail, "planted"));
	ln_config_free(load(".env"));
	assert_int_equal(ln_config_error_line(), 0);
}

static void
only_a_file_that_was_named_must_exist(void **state)
{
	struct ln_config *cfg;

	(void)state;
	(void)unlink(".env");
	assert_int_equal(ln_config_load("missing.env", &cfg, NULL),
	    LN_NOT_FOUND);
	assert_null(cfg);
	/* Where a server is installed, that one's file would be read. */
	if (access("/etc/localneural", F_OK) == 0)
		return;
	cfg = load(NULL);
	assert_null(ln_config_path(cfg));
	ln_config_free(cfg);
}

static void
what_is_no_small_regular_file_is_refused(void **state)
{
	static char text[64 * 1024 + 2];
	struct ln_config *cfg;

	(void)state;
	assert_int_equal(ln_config_load(".", &cfg, NULL), LN_FORBIDDEN);
	assert_int_equal(ln_config_load("/dev/null", &cfg, NULL),
	    LN_FORBIDDEN);
	memset(text, '\n', sizeof(text) - 1);
	write_file("large.env", text, 0600);
	assert_int_equal(ln_config_load("large.env", &cfg, NULL),
	    LN_TOO_LARGE);
	write_file("large.env", text + 1, 0600);
	ln_config_free(load("large.env"));
}

static void
a_file_with_a_secret_must_not_be_readable_by_others(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		mode_t mode;
		enum ln_status status;
	} rows[] = {
		{ "secret, ours alone", "SECRET_KEY=" KEY32, 0600, LN_OK },
		{ "secret, read-only", "SECRET_KEY=" KEY32, 0400, LN_OK },
		{ "secret, group", "SECRET_KEY=" KEY32, 0640, LN_FORBIDDEN },
		{ "secret, others", "OPENAI_API_KEY=k", 0604, LN_FORBIDDEN },
		{ "secret, group may write", "OPENAI_API_KEY=k", 0620,
		    LN_FORBIDDEN },
		{ "no secret", "LOCALNEURAL_USER=ann", 0644, LN_OK },
		{ "an empty secret is none", "SECRET_KEY=", 0644, LN_OK },
		{ "the name of a secret file is none", "SECRET_KEY_FILE=key",
		    0644, LN_OK },
		{ "in a comment it is none", "#SECRET_KEY=" KEY32, 0644,
		    LN_OK },
	};
	struct ln_config *cfg;
	struct ln_error err;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		err = (struct ln_error)LN_ERROR_INIT;
		write_file("mode.env", rows[i].text, rows[i].mode);
		if (ln_config_load("mode.env", &cfg, &err) != rows[i].status)
			fail_msg("%s", rows[i].name);
		assert_true((cfg != NULL) == (rows[i].status == LN_OK));
		if (rows[i].status != LN_OK)
			assert_string_equal(err.text, "The env file can be "
			    "read by others. Run chmod 600 on it");
		ln_config_free(cfg);
	}
}

static void
a_secret_comes_from_its_value_or_its_file(void **state)
{
	static const struct {
		const char *name;
		const char *file, *env, *env_twin, *flag_twin;
		enum ln_status status;
		const char *want;
	} rows[] = {
		{ "not set", "", NULL, NULL, NULL, LN_OK, NULL },
		{ "in the env file", "OPENAI_API_KEY=one", NULL, NULL, NULL,
		    LN_OK, "one" },
		{ "in the environment", "", "two", NULL, NULL, LN_OK, "two" },
		{ "in a file that the env file names",
		    "OPENAI_API_KEY_FILE=key", NULL, NULL, NULL, LN_OK,
		    "three" },
		{ "the environment's file beats the env file",
		    "OPENAI_API_KEY=one", NULL, "key", NULL, LN_OK, "three" },
		{ "the environment beats the env file's file",
		    "OPENAI_API_KEY_FILE=key", "two", NULL, NULL, LN_OK,
		    "two" },
		{ "in one place the value wins", "", "two", "key", NULL,
		    LN_OK, "two" },
		{ "a flag's file beats all", "OPENAI_API_KEY=one", "two",
		    NULL, "key", LN_OK, "three" },
		{ "an empty file is none", "", NULL, "empty", NULL, LN_OK,
		    NULL },
		{ "a missing file", "OPENAI_API_KEY=one", NULL, "missing",
		    NULL, LN_NOT_FOUND, NULL },
		{ "a file for all", "", NULL, "open", NULL, LN_FORBIDDEN,
		    NULL },
	};
	struct ln_config *cfg;
	char *secret;
	size_t i;

	(void)state;
	write_file("key", "three\n", 0600);
	write_file("empty", "\n", 0600);
	write_file("open", "three\n", 0644);
	for (i = 0; i < NITEMS(rows); i++) {
		write_file("s.env", rows[i].file, 0600);
		if (rows[i].env != NULL)
			assert_int_equal(setenv("OPENAI_API_KEY", rows[i].env,
			    1), 0);
		if (rows[i].env_twin != NULL)
			assert_int_equal(setenv("OPENAI_API_KEY_FILE",
			    rows[i].env_twin, 1), 0);
		cfg = load("s.env");
		assert_int_equal(ln_config_set(cfg, "OPENAI_API_KEY_FILE",
		    rows[i].flag_twin, NULL), LN_OK);
		if (ln_config_secret(cfg, "OPENAI_API_KEY", &secret, NULL) !=
		    rows[i].status)
			fail_msg("%s: status", rows[i].name);
		if (rows[i].want == NULL)
			assert_null(secret);
		else if (secret == NULL || strcmp(secret, rows[i].want) != 0)
			fail_msg("%s: value", rows[i].name);
		ln_wipe_free(secret);
		ln_config_free(cfg);
		assert_int_equal(unsetenv("OPENAI_API_KEY"), 0);
		assert_int_equal(unsetenv("OPENAI_API_KEY_FILE"), 0);
	}
	cfg = load("s.env");
	assert_int_equal(ln_config_secret(cfg, "LOCALNEURAL_USER", &secret,
	    NULL), LN_INVALID);
	assert_int_equal(ln_config_secret(cfg, "OPENAI_API_KEY_FILE", &secret,
	    NULL), LN_INVALID);
	assert_int_equal(ln_config_secret(cfg, "FOREIGN", &secret, NULL),
	    LN_INVALID);
	ln_config_free(cfg);
}

static void
numbers_and_truths_are_checked(void **state)
{
	static const struct {
		const char *value;
		enum ln_status int_status;
		int64_t number;
		enum ln_status bool_status;
		bool truth;
	} rows[] = {
		{ NULL, LN_NOT_FOUND, 0, LN_NOT_FOUND, false },
		{ "1", LN_OK, 1, LN_OK, true },
		{ "0", LN_OK, 0, LN_OK, false },
		{ "-5", LN_OK, -5, LN_INVALID, false },
		{ "100", LN_OK, 100, LN_INVALID, false },
		{ "101", LN_INVALID, 0, LN_INVALID, false },
		{ "-6", LN_INVALID, 0, LN_INVALID, false },
		{ "99999999999999999999", LN_INVALID, 0, LN_INVALID, false },
		{ " 1", LN_INVALID, 0, LN_INVALID, false },
		{ "+1", LN_INVALID, 0, LN_INVALID, false },
		{ "1 ", LN_INVALID, 0, LN_INVALID, false },
		{ "1.0", LN_INVALID, 0, LN_INVALID, false },
		{ "0x1", LN_INVALID, 0, LN_INVALID, false },
		{ "-", LN_INVALID, 0, LN_INVALID, false },
		{ "- 1", LN_INVALID, 0, LN_INVALID, false },
		{ "true", LN_INVALID, 0, LN_OK, true },
		{ "Yes", LN_INVALID, 0, LN_OK, true },
		{ "ON", LN_INVALID, 0, LN_OK, true },
		{ "false", LN_INVALID, 0, LN_OK, false },
		{ "no", LN_INVALID, 0, LN_OK, false },
		{ "off", LN_INVALID, 0, LN_OK, false },
		{ "maybe", LN_INVALID, 0, LN_INVALID, false },
	};
	static const char name[] = "LOCALNEURAL_WORKERS";
	struct ln_config *cfg;
	int64_t number;
	bool truth;
	size_t i;

	(void)state;
	write_file(".env", "", 0644);
	cfg = load(NULL);
	for (i = 0; i < NITEMS(rows); i++) {
		assert_int_equal(ln_config_set(cfg, name, rows[i].value,
		    NULL), LN_OK);
		if (ln_config_int(cfg, name, -5, 100, &number, NULL) !=
		    rows[i].int_status || number != rows[i].number)
			fail_msg("\"%s\" as a number", rows[i].value);
		if (ln_config_bool(cfg, name, &truth, NULL) !=
		    rows[i].bool_status || truth != rows[i].truth)
			fail_msg("\"%s\" as a truth", rows[i].value);
	}
	assert_int_equal(ln_config_int(cfg, "LOCALNEURAL_STALL_TIMEOUT_MS", 1,
	    INT64_MAX, &number, NULL), LN_OK);
	assert_int_equal(number, 60000);
	ln_config_free(cfg);
	ln_config_free(NULL);
}

static int
enter_folder(void **state)
{
	const struct ln_config_key *key;
	char twin[128];

	(void)state;
	/* The unknown names of a test are no news. */
	ln_log_level_set(LN_LOG_ERROR);
	for (key = ln_config_keys(); key->name != NULL; key++) {
		(void)snprintf(twin, sizeof(twin), "%s_FILE", key->name);
		if (unsetenv(key->name) != 0 || unsetenv(twin) != 0)
			return -1;
	}
	return mkdtemp(folder) != NULL && chdir(folder) == 0 &&
	    mkdir("conf", 0700) == 0 ? 0 : -1;
}

static int
leave_folder(void **state)
{
	static const char *const names[] = { ".env", "conf/x.env", "bad.env",
		"large.env", "mode.env", "s.env", "key", "empty", "open" };
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(names); i++)
		(void)unlink(names[i]);
	return rmdir("conf") == 0 && chdir("/") == 0 && rmdir(folder) == 0 ?
	    0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_table_has_each_name_once_and_says_what_it_is),
		cmocka_unit_test(
		a_flag_beats_the_environment_beats_the_file_beats_the_default),
		cmocka_unit_test(an_empty_value_counts_as_none),
		cmocka_unit_test(of_a_name_given_twice_the_last_counts),
		cmocka_unit_test(unknown_names_are_left_out),
		cmocka_unit_test(
		    relative_paths_in_the_file_start_at_its_folder),
		cmocka_unit_test(a_bad_line_is_named_by_its_number),
		cmocka_unit_test(only_a_file_that_was_named_must_exist),
		cmocka_unit_test(what_is_no_small_regular_file_is_refused),
		cmocka_unit_test(
		    a_file_with_a_secret_must_not_be_readable_by_others),
		cmocka_unit_test(a_secret_comes_from_its_value_or_its_file),
		cmocka_unit_test(numbers_and_truths_are_checked),
	};

	return cmocka_run_group_tests_name("config", tests, enter_folder,
	    leave_folder);
}
