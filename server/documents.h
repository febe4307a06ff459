#ifndef DOCUMENTS_H
#define DOCUMENTS_H

#include <stdint.h>

#include <ln/json.h>
#include <ln/project.h>

/**
 * documents_tick(now_ms) / documents_soon():
 * Documents that wait are read by a thread: it looks every few seconds / at
 * the next tick.  Monotonic time.
 */
void documents_tick(int64_t now_ms);
void documents_soon(void);

/**
 * document_json(w, name, d):
 * As the list shows it.
 */
void document_json(struct ln_jw *w, const char *name,
    const struct ln_document *d);

#endif
