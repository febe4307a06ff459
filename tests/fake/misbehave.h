#ifndef MISBEHAVE_H
#define MISBEHAVE_H

#include <stddef.h>

/* Do what the document asks for; see misbehave.c. */
void misbehave(const char *p, size_t n);

#endif
