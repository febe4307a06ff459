#include "text/vector.h"

#include <math.h>
#include <string.h>

#include "base/banned.h"

_Static_assert(sizeof(float) == LNI_VECTOR_NUMBER_BYTES, "32 bits a number");

/* G. V. Cormack, C. L. A. Clarke, S. Buettcher: Reciprocal Rank Fusion
 * outperforms Condorcet and individual Rank Learning Methods, SIGIR 2009. */
#define FUSION_K 60.0

static void
put_number(unsigned char *out, float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof(bits));
	out[0] = (unsigned char)(bits & 0xff);
	out[1] = (unsigned char)(bits >> 8 & 0xff);
	out[2] = (unsigned char)(bits >> 16 & 0xff);
	out[3] = (unsigned char)(bits >> 24);
}

static double
get_number(const unsigned char *p)
{
	uint32_t bits = (uint32_t)p[0] | (uint32_t)p[1] << 8 |
	    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	float v;

	memcpy(&v, &bits, sizeof(v));
	return (double)v;
}

void
lni_vector_pack(const float *v, size_t n, unsigned char *out)
{
	double sum = 0.0, length;
	size_t i;

	for (i = 0; i < n; i++)
		sum += (double)v[i] * (double)v[i];
	length = sqrt(sum);
	for (i = 0; i < n; i++)
		put_number(out + i * LNI_VECTOR_NUMBER_BYTES,
		    length > 0.0 ? (float)((double)v[i] / length) : 0.0F);
}

double
lni_vector_cosine(const unsigned char *a, const unsigned char *b, size_t n)
{
	double sum = 0.0;
	size_t i;

	for (i = 0; i < n * LNI_VECTOR_NUMBER_BYTES;
	    i += LNI_VECTOR_NUMBER_BYTES)
		sum += get_number(a + i) * get_number(b + i);
	return isfinite(sum) ? sum : 0.0;
}

static bool
is_better(const struct lni_near *a, const struct lni_near *b)
{
	if (a->score > b->score)
		return true;
	return !(a->score < b->score) && a->id < b->id;
}

void
lni_nearest_add(struct lni_near *near, size_t max, size_t *count, int64_t id,
    double score)
{
	const struct lni_near one = { id, score };
	size_t i;

	if (*count == max && (max == 0 || !is_better(&one, &near[max - 1])))
		return;
	if (*count < max)
		(*count)++;
	for (i = *count - 1; i > 0 && is_better(&one, &near[i - 1]); i--)
		near[i] = near[i - 1];
	near[i] = one;
}

/* What a list says for ${id}: the more, the nearer to its top. */
static double
vote(const int64_t *ids, size_t count, int64_t id)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (ids[i] == id)
			return 1.0 / (FUSION_K + (double)(i + 1));
	}
	return 0.0;
}

size_t
lni_rank_fuse(const int64_t *a, size_t a_count, const int64_t *b,
    size_t b_count, struct lni_near *out, size_t max)
{
	size_t i, count = 0;

	for (i = 0; i < a_count; i++)
		lni_nearest_add(out, max, &count, a[i],
		    1.0 / (FUSION_K + (double)(i + 1)) +
		    vote(b, b_count, a[i]));
	for (i = 0; i < b_count; i++) {
		if (vote(a, a_count, b[i]) > 0.0)
			continue;
		lni_nearest_add(out, max, &count, b[i],
		    1.0 / (FUSION_K + (double)(i + 1)));
	}
	return count;
}
