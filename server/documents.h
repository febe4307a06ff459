#ifndef DOCUMENTS_H
#define DOCUMENTS_H

#include <stdint.h>

/**
 * documents_tick(now_ms) / documents_soon():
 * Documents that wait are read by a thread: it looks every few seconds / at
 * the next tick.  Monotonic time.
 */
void documents_tick(int64_t now_ms);
void documents_soon(void);

#endif
