#ifndef TELL_H
#define TELL_H

#include <ln/project.h>

#include "api.h"

/*
 * What one tab of a person changed, for the others.  Best effort: a tab that
 * hears nothing sees it when it reads the list again.
 */

/**
 * tell_history(q, conversation_id):
 * "history_changed": the list is to be read again.  ${conversation_id} is the
 * one that changed or went, NULL when they are several.
 */
void tell_history(const struct rq *q, const char *conversation_id);

/**
 * tell_title(q, conversation_id, title):
 * "title_updated", as when a model gives one.
 */
void tell_title(const struct rq *q, const char *conversation_id,
    const char *title);

/**
 * tell_document(user_id, d) / tell_document_later(user_id, d) /
 * tell_document_gone(user_id, project_id, id):
 * "document": it is new, or its state has changed / the same from a thread / it
 * was deleted.
 */
void tell_document(const char *user_id, const struct ln_document *d);
void tell_document_later(const char *user_id, const struct ln_document *d);
void tell_document_gone(const char *user_id, const char *project_id,
    int64_t id);

#endif
