#ifndef LN_SEARCH_H
#define LN_SEARCH_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/store.h>

/* The search index of messages and titles. */

/**
 * ln_search_rebuild(st, err):
 * Make the search index anew from the messages.  One transaction: nobody else
 * can write meanwhile (about a minute for a million messages).
 */
LN_API enum ln_status ln_search_rebuild(struct ln_store *st,
    struct ln_error *err) LN_USE;

#endif
