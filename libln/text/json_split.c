#include "text/json_split.h"

#include <string.h>

#include "base/banned.h"

void
lni_json_split_init(struct lni_json_split *p, size_t element_max,
    lni_json_part_fn *fn, void *arg)
{
	memset(p, 0, sizeof(*p));
	p->at = LNI_SPLIT_START;
	p->element = (struct ln_buf)LN_BUF_INIT(element_max);
	p->fn = fn;
	p->arg = arg;
}

void
lni_json_split_free(struct lni_json_split *p)
{
	ln_buf_free(&p->element);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
begin_element(struct lni_json_split *p)
{
	p->at = LNI_SPLIT_IN_ELEMENT;
	p->depth = 0;
	p->is_text = p->is_escaped = p->is_over = false;
	ln_buf_clear(&p->element);
}

static enum ln_status
hand_over(struct lni_json_split *p)
{
	struct lni_json_part part = {
		.member = p->is_object ? p->name : NULL,
		.is_listed = p->is_listed,
	};

	if (!p->is_over) {
		part.text = ln_buf_str(&p->element);
		part.n = p->element.len;
	}
	return p->fn(p->arg, &part);
}

/* How many of the ${n} bytes at ${s} still belong to the element. */
static size_t
measure(struct lni_json_split *p, const char *s, size_t n)
{
	size_t i;
	char c;

	for (i = 0; i < n; i++) {
		c = s[i];
		if (p->is_escaped)
			p->is_escaped = false;
		else if (p->is_text) {
			p->is_escaped = c == '\\';
			p->is_text = c != '"';
		} else if (c == '"')
			p->is_text = true;
		else if (c == '[' || c == '{')
			p->depth++;
		else if (c == ']' || c == '}') {
			if (p->depth == 0)
				break;
			p->depth--;
		} else if (c == ',' && p->depth == 0)
			break;
	}
	return i;
}

static enum ln_status
take_element(struct lni_json_split *p, const char *s, size_t n, size_t *used)
{
	*used = measure(p, s, n);
	if (!p->is_over) {
		ln_buf_put(&p->element, s, *used);
		if (ln_buf_status(&p->element) == LN_NOMEM)
			return LN_NOMEM;
		if (ln_buf_status(&p->element) != LN_OK) {
			p->is_over = true;
			ln_buf_clear(&p->element);
		}
	}
	return LN_OK;
}

/* What stands behind an element: ${c} is a comma or closes something. */
static enum ln_status
end_element(struct lni_json_split *p, char c)
{
	bool is_in_array = p->is_listed || !p->is_object;
	enum ln_status s;

	if ((s = hand_over(p)) != LN_OK)
		return s;
	if (c == ',')
		p->at = is_in_array ? LNI_SPLIT_ELEMENT : LNI_SPLIT_NAME;
	else if (c != (is_in_array ? ']' : '}'))
		return LN_INVALID;
	else
		p->at = p->is_listed && p->is_object ? LNI_SPLIT_BEHIND_LIST :
		    LNI_SPLIT_END;
	return LN_OK;
}

/* A name that is longer than any we look for is cut. */
static void
take_name(struct lni_json_split *p, char c)
{
	if (!p->is_escaped && c == '"') {
		p->name[p->name_length] = '\0';
		p->at = LNI_SPLIT_COLON;
		return;
	}
	p->is_escaped = !p->is_escaped && c == '\\';
	if (p->name_length < LNI_JSON_SPLIT_NAME_MAX)
		p->name[p->name_length++] = c;
}

static enum ln_status
take_start(struct lni_json_split *p, char c)
{
	p->is_object = c == '{';
	p->is_listed = c == '[';
	p->at = p->is_object ? LNI_SPLIT_FIRST_NAME : LNI_SPLIT_FIRST_ELEMENT;
	return c == '{' || c == '[' ? LN_OK : LN_INVALID;
}

static enum ln_status
expect_name(struct lni_json_split *p, char c)
{
	if (c == '}' && p->at == LNI_SPLIT_FIRST_NAME) {
		p->at = LNI_SPLIT_END;
		return LN_OK;
	}
	p->at = LNI_SPLIT_IN_NAME;
	p->name_length = 0;
	p->is_escaped = false;
	return c == '"' ? LN_OK : LN_INVALID;
}

/* One byte between elements; ${is_element} tells that it begins one. */
static enum ln_status
take_between(struct lni_json_split *p, char c, bool *is_element)
{
	switch (p->at) {
	case LNI_SPLIT_START:
		return take_start(p, c);
	case LNI_SPLIT_FIRST_NAME:
	case LNI_SPLIT_NAME:
		return expect_name(p, c);
	case LNI_SPLIT_COLON:
		p->at = LNI_SPLIT_VALUE;
		return c == ':' ? LN_OK : LN_INVALID;
	case LNI_SPLIT_VALUE:
		p->is_listed = c == '[';
		if (p->is_listed)
			p->at = LNI_SPLIT_FIRST_ELEMENT;
		else
			*is_element = true;
		return c != ',' && c != '}' && c != ']' ? LN_OK : LN_INVALID;
	case LNI_SPLIT_FIRST_ELEMENT:
		if (c == ']') {
			p->at = p->is_object ? LNI_SPLIT_BEHIND_LIST :
			    LNI_SPLIT_END;
			return LN_OK;
		}
		*is_element = true;
		return c != ',' && c != '}' ? LN_OK : LN_INVALID;
	case LNI_SPLIT_ELEMENT:
		*is_element = true;
		return c != ',' && c != ']' && c != '}' ? LN_OK : LN_INVALID;
	case LNI_SPLIT_BEHIND_LIST:
		p->at = c == ',' ? LNI_SPLIT_NAME : LNI_SPLIT_END;
		return c == ',' || c == '}' ? LN_OK : LN_INVALID;
	case LNI_SPLIT_IN_NAME:
	case LNI_SPLIT_IN_ELEMENT:
	case LNI_SPLIT_END:
		return LN_INVALID;
	}
	return LN_INVALID;
}

enum ln_status
lni_json_split_feed(struct lni_json_split *p, const char *s, size_t n)
{
	enum ln_status st = LN_OK;
	bool is_element;
	size_t i = 0, used;

	while (i < n && st == LN_OK) {
		if (p->at == LNI_SPLIT_IN_ELEMENT) {
			st = take_element(p, s + i, n - i, &used);
			i += used;
			if (st == LN_OK && i < n)
				st = end_element(p, s[i++]);
		} else if (p->at == LNI_SPLIT_IN_NAME)
			take_name(p, s[i++]);
		else if (is_space(s[i]))
			i++;
		else {
			is_element = false;
			st = take_between(p, s[i], &is_element);
			if (st == LN_OK && is_element)
				begin_element(p);
			else
				i++;
		}
	}
	return st;
}

enum ln_status
lni_json_split_end(const struct lni_json_split *p)
{
	return p->at == LNI_SPLIT_END ? LN_OK : LN_INVALID;
}
