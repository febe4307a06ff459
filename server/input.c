#include "input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <ln/text.h>

#include "reply.h"

bool
input_size_ok(struct rq *q, size_t n)
{
	if (n <= q->route->body_max || n == 0)
		return true;
	(void)reply_error(q, 413, "The request is too large");
	return false;
}

static bool
is_json_type(const char *s)
{
	static const char want[] = "application/json";
	size_t n = sizeof(want) - 1;

	if (s == NULL || strncasecmp(s, want, n) != 0)
		return false;
	s += n;
	s += strspn(s, " \t");
	return *s == '\0' || *s == ';';
}

bool
input_type_ok(struct rq *q, size_t n)
{
	unsigned flags = q->route->flags;

	if ((flags & R_JSON) == 0 && ((flags & R_JSON_OPTIONAL) == 0 ||
	    n == 0))
		return true;
	if (is_json_type(rq_header(q, "content-type")))
		return true;
	(void)reply_error(q, 415, "The body must be application/json");
	return false;
}

bool
input_check(struct rq *q)
{
	const struct kore_buf *b = q->req->http_body;
	struct ln_error err = LN_ERROR_INIT;
	enum ln_status s;
	size_t n;

	n = q->req->http_body_length;
	if (!input_size_ok(q, n) || !input_type_ok(q, n))
		return false;
	if ((q->route->flags & (R_JSON | R_JSON_OPTIONAL)) == 0 ||
	    (n == 0 && (q->route->flags & R_JSON_OPTIONAL) != 0))
		return true;
	s = LN_INVALID;
	/* Kore has rewound the buffer: its offset says nothing. */
	if (b != NULL && b->length >= n)
		s = ln_json_parse((const char *)b->data, n, NULL, &q->body,
		    &err);
	if (s == LN_NOMEM) {
		(void)reply_fail(q, s, &err);
		return false;
	}
	if (s != LN_OK || ln_json_type(q->body) != LN_JSON_OBJECT) {
		(void)reply_error(q, 400, "Invalid JSON body");
		return false;
	}
	return true;
}

int
input_bad(struct rq *q, const char *name)
{
	return reply_field(q, 400, name, "A field has the wrong type");
}

bool
input_string(struct rq *q, const char *name, size_t max, const char **out)
{
	const struct ln_json *n = ln_json_get(q->body, name);

	*out = NULL;
	if (n == NULL || ln_json_type(n) == LN_JSON_NULL)
		return true;
	if ((*out = ln_json_string(n)) == NULL) {
		(void)input_bad(q, name);
		return false;
	}
	if (strlen(*out) > max) {
		(void)reply_field(q, 400, name, "A field is too long");
		return false;
	}
	return true;
}

/* Present and not null? */
static const struct ln_json *
given(const struct rq *q, const char *name, bool *out_is_given)
{
	const struct ln_json *n = ln_json_get(q->body, name);

	*out_is_given = n != NULL && ln_json_type(n) != LN_JSON_NULL;
	return *out_is_given ? n : NULL;
}

bool
input_bool(struct rq *q, const char *name, bool *out, bool *out_is_given)
{
	const struct ln_json *n = given(q, name, out_is_given);

	if (n == NULL || ln_json_bool(n, out))
		return true;
	(void)input_bad(q, name);
	return false;
}

bool
input_number(struct rq *q, const char *name, double *out, bool *out_is_given)
{
	const struct ln_json *n = given(q, name, out_is_given);

	if (n == NULL || ln_json_number(n, out))
		return true;
	(void)input_bad(q, name);
	return false;
}

bool
input_int(struct rq *q, const char *name, int64_t *out, bool *out_is_given)
{
	const struct ln_json *n = given(q, name, out_is_given);

	if (n == NULL || ln_json_int(n, out))
		return true;
	(void)input_bad(q, name);
	return false;
}

bool
input_query_int(struct rq *q, const char *name, int64_t min, int64_t max,
    int64_t *out)
{
	char text[32], *end;
	long long n;

	if (!rq_query(q, name, text, sizeof(text)))
		return true;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || n < min || n > max) {
		(void)reply_field(q, 400, name, "A number is out of range");
		return false;
	}
	*out = n;
	return true;
}

bool
input_id(const char *s, int64_t *out)
{
	size_t n = strspn(s, "0123456789");

	*out = 0;
	/* 18 digits fit into 63 bits whatever they are. */
	if (n == 0 || n > 18 || s[n] != '\0' || s[0] == '0')
		return false;
	*out = (int64_t)strtoll(s, NULL, 10);
	return true;
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
input_percent(const char *s, size_t n, bool is_form, char *out, size_t outsize)
{
	size_t i, len;
	int hi, lo;
	char c;

	len = 0;
	for (i = 0; i < n; i++) {
		c = is_form && s[i] == '+' ? ' ' : s[i];
		if (c == '%') {
			if (n - i < 3)
				return false;
			hi = hex(s[i + 1]);
			lo = hex(s[i + 2]);
			if (hi < 0 || lo < 0)
				return false;
			c = (char)(unsigned char)(hi * 16 + lo);
			i += 2;
		}
		if (len + 1 >= outsize || c == '\0')
			return false;
		out[len++] = c;
	}
	out[len] = '\0';
	return ln_utf8_valid(out, len) && !ln_text_has_control(out);
}
