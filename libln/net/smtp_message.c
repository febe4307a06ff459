#include "net/smtp_message.h"

#include <string.h>
#include <time.h>

#include <ln/buf.h>
#include <ln/secret.h>
#include <ln/text.h>
#include <ln/time.h>
#include <ln/user.h>

#include "net/curl.h"

#include "base/banned.h"

#define HEADER_MAX 998		/* RFC 5322: a line */
#define LOCAL_PART_MAX 64	/* RFC 5321 */

static const char alnum[] = "abcdefghijklmnopqrstuvwxyz"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* Words of ${chars}, joined by single dots. */
static bool
is_dotted(const char *s, size_t n, const char *chars)
{
	size_t i;

	if (n == 0 || s[0] == '.' || s[0] == '-' || s[n - 1] == '.' ||
	    s[n - 1] == '-')
		return false;
	for (i = 0; i < n; i++) {
		if (s[i] == '.' && s[i + 1] == '.')
			return false;
		if (s[i] != '.' && strchr(alnum, s[i]) == NULL &&
		    strchr(chars, s[i]) == NULL)
			return false;
	}
	return true;
}

bool
lni_mail_address_is_safe(const char *s)
{
	size_t len = strlen(s), local = strcspn(s, "@");

	return len <= LN_EMAIL_MAX && local <= LOCAL_PART_MAX &&
	    local < len && is_dotted(s, local, "_+-=~'&/#") &&
	    is_dotted(s + local + 1, len - local - 1, "-");
}

static enum ln_status
add_header(struct curl_slist **list, struct ln_error *err, const char *name,
    const char *value)
{
	struct ln_buf b = LN_BUF_INIT(HEADER_MAX);
	struct curl_slist *grown;
	enum ln_status s;

	/* A line break would begin a header, or a mail, of somebody else's. */
	if (ln_text_has_control(value))
		return ln_fail(err, LN_INVALID, "", "control in %s", name);
	ln_buf_printf(&b, "%s: %s", name, value);
	if ((s = ln_buf_status(&b)) != LN_OK) {
		ln_fail(err, s, "", "header %s", name);
	} else if ((grown = lni_curl.slist_append(*list, ln_buf_str(&b))) ==
	    NULL) {
		s = ln_fail(err, LN_NOMEM, "", "curl_slist_append");
	} else {
		*list = grown;
	}
	ln_buf_free(&b);
	return s;
}

/* RFC 5322, in the C locale whatever the program's is. */
static void
put_date(struct ln_buf *b, int64_t ms)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr",
		"May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL)
		return;
	ln_buf_printf(b, "%s, %02d %s %04d %02d:%02d:%02d +0000",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static enum ln_status
make_headers(const struct lni_smtp_mail *mail, struct curl_slist **out,
    struct ln_error *err)
{
	struct ln_buf date = LN_BUF_INIT(64), from = LN_BUF_INIT(HEADER_MAX);
	struct ln_buf to = LN_BUF_INIT(HEADER_MAX);
	struct ln_buf message_id = LN_BUF_INIT(HEADER_MAX);
	char id[LN_UUID_SIZE];
	enum ln_status s;

	ln_uuid(id);
	put_date(&date, ln_time_now_ms());
	ln_buf_printf(&from, "LocalNeural <%s>", mail->from);
	ln_buf_printf(&to, "<%s>", mail->to);
	ln_buf_printf(&message_id, "<%s%s>", id, strchr(mail->from, '@'));
	if ((s = add_header(out, err, "Date", ln_buf_str(&date))) == LN_OK &&
	    (s = add_header(out, err, "From", ln_buf_str(&from))) == LN_OK &&
	    (s = add_header(out, err, "To", ln_buf_str(&to))) == LN_OK &&
	    (s = add_header(out, err, "Message-ID", ln_buf_str(&message_id))) ==
	    LN_OK &&
	    (s = add_header(out, err, "Subject", mail->subject)) == LN_OK)
		/* RFC 3834: nobody's holiday notice should answer. */
		s = add_header(out, err, "Auto-Submitted", "auto-generated");
	ln_buf_free(&date);
	ln_buf_free(&from);
	ln_buf_free(&to);
	ln_buf_free(&message_id);
	return s;
}

static CURLcode
add_part(curl_mime *mime, const char *type, const char *text)
{
	const struct lni_curl *c = &lni_curl;
	curl_mimepart *part;
	CURLcode rc;

	if ((part = c->mime_addpart(mime)) == NULL)
		return CURLE_OUT_OF_MEMORY;
	if ((rc = c->mime_data(part, text, CURL_ZERO_TERMINATED)) == CURLE_OK &&
	    (rc = c->mime_type(part, type)) == CURLE_OK)
		rc = c->mime_encoder(part, "quoted-printable");
	return rc;
}

/* The plain one first: the last one that a client can show is shown. */
static enum ln_status
make_parts(CURL *easy, const struct lni_smtp_mail *mail, curl_mime **out,
    struct ln_error *err)
{
	const struct lni_curl *c = &lni_curl;
	CURLcode rc = CURLE_OUT_OF_MEMORY;
	curl_mime *both;
	curl_mimepart *part;

	both = c->mime_init(easy);
	if (both == NULL || (*out = c->mime_init(easy)) == NULL ||
	    (rc = add_part(both, "text/plain; charset=utf-8", mail->text)) !=
	    CURLE_OK ||
	    (rc = add_part(both, "text/html; charset=utf-8", mail->html)) !=
	    CURLE_OK)
		goto out;
	if ((part = c->mime_addpart(*out)) == NULL) {
		rc = CURLE_OUT_OF_MEMORY;
		goto out;
	}
	if ((rc = c->mime_subparts(part, both)) != CURLE_OK)
		goto out;
	both = NULL;	/* ${*out} has it now */
	rc = c->mime_type(part, "multipart/alternative");
out:
	c->mime_free(both);
	if (rc == CURLE_OK)
		return LN_OK;
	return ln_fail(err, rc == CURLE_OUT_OF_MEMORY ? LN_NOMEM :
	    LN_INTERNAL, "", "curl_mime: %s", c->easy_strerror(rc));
}

enum ln_status
lni_smtp_message_make(CURL *easy, const struct lni_smtp_mail *mail,
    struct lni_smtp_message *out, struct ln_error *err)
{
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if (!lni_mail_address_is_safe(mail->to) ||
	    !lni_mail_address_is_safe(mail->from))
		return ln_fail(err, LN_INVALID, "", "an unsafe mail address");
	if ((s = make_headers(mail, &out->headers, err)) == LN_OK)
		s = make_parts(easy, mail, &out->mime, err);
	if (s != LN_OK)
		lni_smtp_message_free(out);
	return s;
}

void
lni_smtp_message_free(struct lni_smtp_message *m)
{
	if (m->mime != NULL)
		lni_curl.mime_free(m->mime);
	if (m->headers != NULL)
		lni_curl.slist_free_all(m->headers);
	memset(m, 0, sizeof(*m));
}
