#include "service/mail.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <ln/audit.h>
#include <ln/text.h>
#include <ln/time.h>

#include "model/user.h"
#include "store/tx.h"

#include "base/banned.h"

#define PUBLIC_URL_MAX 512
/* Keeps the hash apart from what else the limiter's key is used for. */
#define HASH_LABEL "mail\n"

/* --- settings -------------------------------------------------------------- */

const char *
ln_mail_missing(const struct ln_config *cfg)
{
	static const char *const needed[] = { "LOCALNEURAL_SMTP_URL",
		"LOCALNEURAL_MAIL_FROM", "LOCALNEURAL_PUBLIC_URL" };
	size_t i;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (ln_config_get(cfg, needed[i]) == NULL)
			return needed[i];
	}
	return NULL;
}

/* Only what needs no escaping in a mail, and nothing after the path. */
static bool
is_public_url(const char *url)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/[]%";
	size_t begin;

	if (strncmp(url, "https://", 8) == 0)
		begin = 8;
	else if (strncmp(url, "http://", 7) == 0)
		begin = 7;
	else
		return false;
	return url[begin] != '\0' && url[begin] != '/' &&
	    strlen(url) <= PUBLIC_URL_MAX &&
	    strspn(url, allowed) == strlen(url);
}

static enum ln_status
read_base_url(const char *url, char **out, struct ln_error *err)
{
	size_t n = strlen(url);

	if (!is_public_url(url))
		return ln_fail_field(err, LN_INVALID, "LOCALNEURAL_PUBLIC_URL",
		    "LOCALNEURAL_PUBLIC_URL cannot be used for links in mails",
		    "%s", url);
	while (n > 0 && url[n - 1] == '/')
		n--;
	if ((*out = strndup(url, n)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "read_base_url");
	return LN_OK;
}

enum ln_status
lni_mailer_read(const struct ln_config *cfg, struct lni_mailer *out,
    struct ln_error *err)
{
	const char *missing = ln_mail_missing(cfg);
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if (missing != NULL)
		return ln_fail(err, LN_NOT_FOUND,
		    "Mail is not set up on this server", "%s is not set",
		    missing);
	out->server.url = ln_config_get(cfg, "LOCALNEURAL_SMTP_URL");
	out->server.user = ln_config_get(cfg, "LOCALNEURAL_SMTP_USER");
	out->server.ca_file = ln_config_get(cfg, "LOCALNEURAL_SMTP_CA");
	out->from = ln_config_get(cfg, "LOCALNEURAL_MAIL_FROM");
	if (!lni_mail_address_is_safe(out->from))
		return ln_fail_field(err, LN_INVALID, "LOCALNEURAL_MAIL_FROM",
		    "LOCALNEURAL_MAIL_FROM must be a plain mail address", "%s",
		    out->from);
	if ((s = lni_smtp_check_url(out->server.url, err)) != LN_OK ||
	    (s = read_base_url(ln_config_get(cfg, "LOCALNEURAL_PUBLIC_URL"),
	    &out->base_url, err)) != LN_OK)
		goto out;
	if (out->server.user == NULL)
		goto out;
	if ((s = ln_config_secret(cfg, "LOCALNEURAL_SMTP_PASSWORD",
	    &out->password, err)) != LN_OK)
		goto out;
	if (out->password == NULL)
		s = ln_fail_field(err, LN_INVALID, "LOCALNEURAL_SMTP_PASSWORD",
		    "LOCALNEURAL_SMTP_USER is set, but "
		    "LOCALNEURAL_SMTP_PASSWORD is not", "no password");
	out->server.password = out->password;
out:
	if (s != LN_OK)
		lni_mailer_clear(out);
	return s;
}

void
lni_mailer_clear(struct lni_mailer *m)
{
	ln_wipe_free(m->password);
	free(m->base_url);
	memset(m, 0, sizeof(*m));
}

enum ln_status
ln_mail_check(const struct ln_config *cfg, struct ln_error *err)
{
	struct lni_mailer m;
	enum ln_status s;

	if ((s = lni_mailer_read(cfg, &m, err)) == LN_OK)
		lni_mailer_clear(&m);
	return s;
}

enum ln_status
ln_mail_probe(const struct ln_config *cfg, struct ln_error *err)
{
	struct lni_smtp_outcome outcome;
	struct lni_mailer m;
	enum ln_status s;

	if ((s = lni_mailer_read(cfg, &m, err)) != LN_OK)
		return s;
	s = lni_smtp_probe(&m.server, &outcome, err);
	lni_mailer_clear(&m);
	return s;
}

/* --- noting a mail --------------------------------------------------------- */

struct lni_mail_rule
lni_mail_rule(enum lni_mail_kind kind)
{
	static const struct lni_mail_rule rules[] = {
		[LNI_MAIL_RESET] = { LN_MAIL_RESET_MAX,
		    LN_MAIL_RESET_WINDOW_MS },
		[LNI_MAIL_DUPLICATE] = { LN_MAIL_DUPLICATE_MAX,
		    LN_MAIL_DUPLICATE_WINDOW_MS },
	};

	return rules[kind];
}

enum ln_status
lni_mail_address_hash(struct ln_store *st, const char *address,
    unsigned char out[LN_KEY_BYTES], struct ln_error *err)
{
	const struct ln_keys *keys = ln_store_keys(st);
	crypto_generichash_state state;
	enum ln_status s;
	char *key = NULL;

	memset(out, 0, LN_KEY_BYTES);
	if (keys == NULL)
		return ln_fail(err, LN_BAD_KEY, "SECRET_KEY is not set",
		    "mail limits need keys");
	if ((s = ln_text_key(address, &key, err)) != LN_OK)
		return s;
	if (crypto_generichash_init(&state, keys->limiter,
	    sizeof(keys->limiter), LN_KEY_BYTES) != 0 ||
	    crypto_generichash_update(&state,
	    (const unsigned char *)HASH_LABEL, strlen(HASH_LABEL)) != 0 ||
	    crypto_generichash_update(&state, (const unsigned char *)key,
	    strlen(key)) != 0 ||
	    crypto_generichash_final(&state, out, LN_KEY_BYTES) != 0)
		s = ln_fail(err, LN_INTERNAL, "", "crypto_generichash");
	ln_free(key);
	return s;
}

/* Whose e-mail it is; a user name that looks the same does not count.
 * LN_NOT_FOUND. */
static enum ln_status
find_owner(struct ln_store *st, const char *email, struct ln_user **out,
    struct ln_error *err)
{
	struct ln_user *found[LNI_USER_MATCH_MAX] = { NULL };
	unsigned char wanted[LN_KEY_BYTES], has[LN_KEY_BYTES];
	enum ln_status s;
	size_t i, n = 0;

	*out = NULL;
	if ((s = lni_mail_address_hash(st, email, wanted, err)) != LN_OK ||
	    (s = lni_user_match(st, email, found, &n, err)) != LN_OK)
		return s;
	for (i = 0; i < n && s == LN_OK; i++) {
		if (*out != NULL || found[i]->email == NULL)
			continue;
		s = lni_mail_address_hash(st, found[i]->email, has, err);
		if (s == LN_OK && memcmp(wanted, has, sizeof(has)) == 0) {
			*out = found[i];
			found[i] = NULL;
		}
	}
	for (i = 0; i < n; i++)
		ln_user_free(found[i]);
	if (s == LN_OK && *out == NULL)
		s = ln_fail(err, LN_NOT_FOUND, "", "nobody's address");
	return s;
}

/*
 * LN_INVALID for an address that mail does not go to, LN_CONFLICT when one
 * waits already, LN_RATE_LIMITED.
 */
static enum ln_status
note(struct ln_store *st, enum lni_mail_kind kind, const struct ln_user *u,
    struct ln_error *err)
{
	const struct lni_mail_rule rule = lni_mail_rule(kind);
	unsigned char hash[LN_KEY_BYTES];
	int64_t now_ms = ln_time_now_ms(), count, first_ms;
	enum ln_status s;

	if (!lni_mail_address_is_safe(u->email))
		return ln_fail(err, LN_INVALID, "", "an unsafe mail address");
	if ((s = lni_mail_address_hash(st, u->email, hash, err)) != LN_OK)
		return s;
	if ((s = lni_mail_limit_count(st, kind, hash, now_ms - rule.window_ms,
	    &count, &first_ms, err)) != LN_OK)
		return s;
	if (count >= rule.max)
		return ln_fail(err, LN_RATE_LIMITED, "", "%lld mails lately",
		    (long long)count);
	return lni_outbox_add(st, kind, u->id, hash, now_ms, err);
}

static bool
is_no_mail(enum ln_status s)
{
	return s == LN_NOT_FOUND || s == LN_INVALID || s == LN_CONFLICT ||
	    s == LN_RATE_LIMITED;
}

enum ln_status
lni_mail_duplicate(struct ln_store *st, const char *email,
    struct ln_error *err)
{
	struct ln_user *u = NULL;
	enum ln_status s;

	s = find_owner(st, email, &u, err);
	if (s == LN_OK)
		s = note(st, LNI_MAIL_DUPLICATE, u, err);
	ln_user_free(u);
	return is_no_mail(s) ? LN_OK : s;
}

/* Every way through writes one row to the audit log and commits. */
static enum ln_status
forgot_tx(struct ln_store *st, const char *email, struct ln_error *err)
{
	struct ln_user *u = NULL;
	enum ln_status s;

	s = find_owner(st, email, &u, err);
	if (s == LN_OK)
		s = note(st, LNI_MAIL_RESET, u, err);
	if (s == LN_OK || is_no_mail(s))
		s = ln_audit_add(st, "auth.forgot", u != NULL ? u->id : NULL,
		    s, NULL, err);
	ln_user_free(u);
	return s;
}

enum ln_status
ln_mail_forgot(struct ln_store *st, const char *email, struct ln_error *err)
{
	char *trimmed = NULL;
	enum ln_status s;

	if ((s = ln_text_trim(email, &trimmed, err)) != LN_OK)
		return s;
	if ((s = lni_tx_begin(st, err)) == LN_OK)
		s = lni_tx_end(st, forgot_tx(st, trimmed, err), err);
	ln_free(trimmed);
	return s;
}
