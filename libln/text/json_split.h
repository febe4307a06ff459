#ifndef LNI_JSON_SPLIT_H
#define LNI_JSON_SPLIT_H

#include <ln/base.h>
#include <ln/buf.h>
#include <ln/error.h>

/*
 * A large JSON text taken apart while it comes in: the elements of an array at
 * the top, or the members of an object there, where those of a member that is
 * an array come one by one.  An element is handed over as text; its reader is
 * ln/json.h, which is also who checks it.  Memory is bounded by the largest
 * element that is wanted.
 */

#define LNI_JSON_SPLIT_NAME_MAX 64

/**
 * struct lni_json_part:
 * ${member} is the name as it is written, NULL in an array at the top;
 * ${is_listed} tells an element from the whole value of a member.  ${text} is
 * NULL for an element past the maximum.  Borrowed for the call.
 */
struct lni_json_part {
	const char *member;
	bool is_listed;
	const char *text;
	size_t n;
};

/* Anything but LN_OK ends it and is what lni_json_split_feed returns. */
typedef enum ln_status lni_json_part_fn(void *arg,
    const struct lni_json_part *part);

enum lni_json_split_at {
	LNI_SPLIT_START, LNI_SPLIT_FIRST_NAME, LNI_SPLIT_NAME,
	LNI_SPLIT_IN_NAME, LNI_SPLIT_COLON, LNI_SPLIT_VALUE,
	LNI_SPLIT_FIRST_ELEMENT, LNI_SPLIT_ELEMENT, LNI_SPLIT_IN_ELEMENT,
	LNI_SPLIT_BEHIND_LIST, LNI_SPLIT_END,
};

struct lni_json_split {
	enum lni_json_split_at at;
	bool is_object;		/* the top is one */
	bool is_listed;
	bool is_text, is_escaped;	/* inside a string */
	bool is_over;
	size_t depth;
	size_t name_length;
	char name[LNI_JSON_SPLIT_NAME_MAX + 1];
	struct ln_buf element;
	lni_json_part_fn *fn;
	void *arg;
};

/**
 * lni_json_split_init(p, element_max, fn, arg) / _feed(p, s, n) / _end(p) /
 * _free(p):
 * LN_INVALID when the whole is no such text (at the end also when it ended
 * early); LN_NOMEM; or what ${fn} returned.
 */
void lni_json_split_init(struct lni_json_split *p, size_t element_max,
    lni_json_part_fn *fn, void *arg);
enum ln_status lni_json_split_feed(struct lni_json_split *p, const char *s,
    size_t n) LN_USE;
enum ln_status lni_json_split_end(const struct lni_json_split *p) LN_USE;
void lni_json_split_free(struct lni_json_split *p);

#endif
