#ifndef LNI_TEXT_VECTOR_H
#define LNI_TEXT_VECTOR_H

#include <ln/base.h>

/*
 * Vectors as they are kept, and lists of what is near.  Packed: the length is
 * 1, each number has 32 bits, the lowest byte first, on every machine.
 */

#define LNI_VECTOR_NUMBER_BYTES ((size_t)4)

/* ${out} has room for 4 * ${n} bytes.  A vector without length stays so. */
void lni_vector_pack(const float *v, size_t n, unsigned char *out);

/* The cosine of two packed vectors of ${n} numbers; 0 when one of them has no
 * length or is damaged. */
double lni_vector_cosine(const unsigned char *a, const unsigned char *b,
    size_t n);

/**
 * lni_nearest_add(near, max, count, id, score):
 * Keep the ${max} best of all that are offered, best first; of equal ones the
 * lower id is better.
 */
struct lni_near {
	int64_t id;
	double score;
};
void lni_nearest_add(struct lni_near *near, size_t max, size_t *count,
    int64_t id, double score);

/**
 * lni_rank_fuse(a, a_count, b, b_count, out, max):
 * Two lists of ids, best first, as one: reciprocal rank fusion, which looks at
 * places only, as scores of two kinds cannot be compared.  No id is twice in
 * one list.  Returns how many are in ${out}, at most ${max}.
 */
size_t lni_rank_fuse(const int64_t *a, size_t a_count, const int64_t *b,
    size_t b_count, struct lni_near *out, size_t max);

#endif
