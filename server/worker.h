#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>

/**
 * worker_draining():
 * Whether this worker is finishing what runs before it ends.
 */
bool worker_draining(void);

#endif
