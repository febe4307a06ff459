#include "service/mail.h"

#include <string.h>

#include <ln/audit.h>
#include <ln/auth.h>
#include <ln/log.h>
#include <ln/time.h>
#include <ln/user.h>

#include "store/tx.h"

#include "base/banned.h"

#define MINUTE_MS (INT64_C(60) * 1000)
/* Longer than a try can take: then whoever tried is gone. */
#define LEASE_MS (2 * MINUTE_MS)
#define KEEP_MS (INT64_C(7) * 24 * 60 * MINUTE_MS) /* ours: to look at */
#define BODY_MAX ((size_t)16 * 1024)

_Static_assert(LEASE_MS > LNI_SMTP_TOTAL_MS + MINUTE_MS / 2,
    "a mail must not be taken while it is being sent");

/* One mail in our hands. */
struct task {
	struct lni_outbox_row row;
	int64_t limit_id;	/* its place in the count of the address */
	char to[LN_EMAIL_MAX + 1];
};

static int64_t
pause_after(int64_t tries)
{
	static const int64_t minutes[] = { 1, 5, 30 };
	const int64_t last = sizeof(minutes) / sizeof(minutes[0]) - 1;

	return minutes[tries - 1 < last ? tries - 1 : last] * MINUTE_MS;
}

static void
log_outcome(const struct lni_outbox_row *row, enum ln_log_level level,
    const char *event, const char *why)
{
	ln_log(level, event, "kind=%s user=%s tries=%lld why=%s",
	    lni_mail_kind_name(row->kind), row->user_id,
	    (long long)row->tries, why);
}

/* Nobody will try this one again. */
static enum ln_status
give_up(struct ln_store *st, const struct lni_outbox_row *row, int64_t now_ms,
    const char *why, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_outbox_failed(st, row, now_ms, why, err)) != LN_OK)
		return s;
	log_outcome(row, LN_LOG_WARN, "mail.failed", why);
	return ln_audit_add(st, row->kind == LNI_MAIL_RESET ? "mail.reset" :
	    "mail.duplicate", row->user_id, LN_UPSTREAM, why, err);
}

/* The address of the account, if it is the one the mail was asked for; else
 * "". */
static enum ln_status
find_address(struct ln_store *st, const struct lni_outbox_row *row,
    char out[LN_EMAIL_MAX + 1], struct ln_error *err)
{
	unsigned char hash[LN_KEY_BYTES];
	struct ln_user *u = NULL;
	enum ln_status s;

	out[0] = '\0';
	if ((s = ln_user_get(st, row->user_id, &u, err)) != LN_OK)
		return s;
	if (u->email != NULL && lni_mail_address_is_safe(u->email)) {
		s = lni_mail_address_hash(st, u->email, hash, err);
		if (s == LN_OK && memcmp(hash, row->address_hash,
		    sizeof(hash)) == 0)
			memcpy(out, u->email, strlen(u->email) + 1);
	}
	ln_user_free(u);
	return s;
}

/* The next mail, taken for LEASE_MS and counted as one that the address gets.
 * Those that cannot go are settled on the way.  LN_NOT_FOUND. */
static enum ln_status
take_tx(struct ln_store *st, struct task *t, struct ln_error *err)
{
	int64_t now_ms = ln_time_now_ms(), count, first_ms;
	struct lni_mail_rule rule;
	enum ln_status s;

	if ((s = lni_outbox_purge(st, now_ms - KEEP_MS, err)) != LN_OK)
		return s;
	while ((s = lni_outbox_due(st, now_ms, &t->row, err)) == LN_OK) {
		rule = lni_mail_rule(t->row.kind);
		if ((s = find_address(st, &t->row, t->to, err)) != LN_OK ||
		    (s = lni_mail_limit_count(st, t->row.kind,
		    t->row.address_hash, now_ms - rule.window_ms, &count,
		    &first_ms, err)) != LN_OK)
			return s;
		if (t->row.created_ms + LN_MAIL_GIVE_UP_MS <= now_ms)
			s = give_up(st, &t->row, now_ms, "expired", err);
		else if (t->to[0] == '\0')
			s = give_up(st, &t->row, now_ms, "address", err);
		else if (count >= rule.max)
			s = lni_outbox_later(st, &t->row,
			    first_ms + rule.window_ms + 1, "limit", err);
		else
			break;
		if (s != LN_OK)
			return s;
	}
	if (s == LN_OK)
		s = lni_mail_limit_add(st, t->row.kind, t->row.address_hash,
		    now_ms, &t->limit_id, err);
	if (s == LN_OK)
		s = lni_outbox_lease(st, &t->row, now_ms + LEASE_MS, err);
	return s;
}

static enum ln_status
take(struct ln_store *st, struct task *t, struct ln_error *err)
{
	enum ln_status s;
	bool is_empty;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	/* What was settled on the way counts, also when nothing is left. */
	s = take_tx(st, t, err);
	is_empty = s == LN_NOT_FOUND;
	s = lni_tx_end(st, is_empty ? LN_OK : s, err);
	return s == LN_OK && is_empty ? LN_NOT_FOUND : s;
}

static enum ln_status
deliver(struct ln_store *st, const struct lni_mailer *m, const struct task *t,
    bool (*go_on)(void *arg), void *arg, struct lni_smtp_outcome *out,
    struct ln_error *err)
{
	struct ln_buf text = LN_BUF_INIT(BODY_MAX);
	struct ln_buf html = LN_BUF_INIT(BODY_MAX);
	struct lni_smtp_mail mail = { .from = m->from, .to = t->to };
	char token[LN_RESET_TOKEN_SIZE] = "";
	bool has_token = t->row.kind == LNI_MAIL_RESET;
	enum ln_status s;

	out->token = "internal";
	out->is_final = out->may_have_left = false;
	if (has_token && (s = ln_auth_reset_issue(st, t->row.user_id, 0, token,
	    err)) != LN_OK)
		goto out;
	lni_mail_compose(t->row.kind, m->base_url, has_token ? token : NULL,
	    &mail.subject, &text, &html);
	if ((s = ln_buf_status(&text)) != LN_OK ||
	    (s = ln_buf_status(&html)) != LN_OK) {
		ln_fail(err, s, "", "mail text");
		goto out;
	}
	mail.text = ln_buf_str(&text);
	mail.html = ln_buf_str(&html);
	s = lni_smtp_send(&m->server, &mail, go_on, arg, out, err);
out:
	ln_wipe(token, sizeof(token));
	ln_wipe(text.data, text.len);
	ln_wipe(html.data, html.len);
	ln_buf_free(&text);
	ln_buf_free(&html);
	return s;
}

static enum ln_status
settle_tx(struct ln_store *st, const struct task *t, enum ln_status outcome,
    const struct lni_smtp_outcome *o, struct ln_error *err)
{
	const struct lni_outbox_row *row = &t->row;
	int64_t now_ms = ln_time_now_ms();
	enum ln_status s;

	if (outcome != LN_OK && !o->may_have_left &&
	    (s = lni_mail_limit_remove(st, t->limit_id, err)) != LN_OK)
		return s;
	if (outcome == LN_OK) {
		if ((s = lni_outbox_sent(st, row, now_ms, err)) != LN_OK)
			return s;
		log_outcome(row, LN_LOG_INFO, "mail.sent", o->token);
		return ln_audit_add(st, row->kind == LNI_MAIL_RESET ?
		    "mail.reset" : "mail.duplicate", row->user_id, LN_OK,
		    NULL, err);
	}
	if (o->is_final)
		return give_up(st, row, now_ms, o->token, err);
	log_outcome(row, LN_LOG_WARN, "mail.later", o->token);
	return lni_outbox_later(st, row, now_ms + pause_after(row->tries),
	    o->token, err);
}

static enum ln_status
settle(struct ln_store *st, const struct task *t, enum ln_status outcome,
    const struct lni_smtp_outcome *o, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = lni_tx_end(st, settle_tx(st, t, outcome, o, err), err);
	/* The account was deleted while the mail went out. */
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
ln_mail_send_due(struct ln_store *st, const struct ln_config *cfg,
    bool (*go_on)(void *arg), void *arg, int64_t *out_sent,
    struct ln_error *err)
{
	struct lni_smtp_outcome o = { .token = "" };
	struct lni_mailer m;
	struct task t;
	enum ln_status s, outcome = LN_OK;
	int64_t sent = 0;

	if (out_sent != NULL)
		*out_sent = 0;
	if ((s = lni_mailer_read(cfg, &m, err)) != LN_OK)
		return s;
	while (outcome == LN_OK || o.is_final) {
		memset(&t, 0, sizeof(t));
		if ((s = take(st, &t, err)) != LN_OK)
			break;
		outcome = deliver(st, &m, &t, go_on, arg, &o, err);
		if ((s = settle(st, &t, outcome, &o, err)) != LN_OK)
			break;
		sent += outcome == LN_OK;
		if (outcome == LN_CANCELLED) {
			s = LN_CANCELLED;
			break;
		}
	}
	lni_mailer_clear(&m);
	if (out_sent != NULL)
		*out_sent = sent;
	return s == LN_NOT_FOUND ? LN_OK : s;
}
