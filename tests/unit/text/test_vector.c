/* Vectors as they are kept, and two lists joined into one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text/vector.h"

static double
cosine(const float *a, const float *b, size_t n)
{
	unsigned char x[64], y[64];

	assert_true(n * LNI_VECTOR_NUMBER_BYTES <= sizeof(x));
	lni_vector_pack(a, n, x);
	lni_vector_pack(b, n, y);
	return lni_vector_cosine(x, y, n);
}

static void
the_angle_counts_and_the_length_does_not(void **state)
{
	static const float a[] = { 3.0F, 4.0F }, same[] = { 300.0F, 400.0F },
	    across[] = { -4.0F, 3.0F }, against[] = { -3.0F, -4.0F },
	    huge[] = { 3e38F, 3e38F }, tiny[] = { 1e-38F, 1e-38F };

	(void)state;
	assert_true(cosine(a, same, 2) > 0.999999);
	assert_true(cosine(a, across, 2) < 1e-6 && cosine(a, across, 2) > -1e-6);
	assert_true(cosine(a, against, 2) < -0.999999);
	assert_true(cosine(huge, tiny, 2) > 0.999999);
}

static void
numbers_are_kept_with_the_lowest_byte_first(void **state)
{
	static const float v[] = { 0.0F, -2.0F };
	static const unsigned char want[] = { 0, 0, 0, 0, 0, 0, 0x80, 0xbf };
	unsigned char packed[8];

	(void)state;
	lni_vector_pack(v, 2, packed);
	assert_memory_equal(packed, want, sizeof(want));
}

static void
what_has_no_direction_is_near_to_nothing(void **state)
{
	static const float zero[] = { 0.0F, 0.0F }, a[] = { 1.0F, 0.0F };
	unsigned char nan[8], packed[8];

	(void)state;
	assert_true(cosine(zero, a, 2) <= 0.0 && cosine(zero, a, 2) >= 0.0);
	/* As somebody else may have written into the file. */
	memset(nan, 0xff, sizeof(nan));
	lni_vector_pack(a, 2, packed);
	assert_true(lni_vector_cosine(nan, packed, 2) <= 0.0);
}

static void
the_nearest_are_kept_in_order_whatever_order_they_come_in(void **state)
{
	static const double scores[] = { 0.1, 0.9, 0.5, 0.9, 0.7, 0.2 };
	static const int64_t want[] = { 2, 4, 5 };
	struct lni_near near[3];
	size_t i, count = 0;

	(void)state;
	for (i = 0; i < 6; i++)
		lni_nearest_add(near, 3, &count, (int64_t)i + 1, scores[i]);
	assert_int_equal(count, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(near[i].id, want[i]);
	count = 0;
	lni_nearest_add(near, 0, &count, 1, 1.0);
	assert_int_equal(count, 0);
}

static void
what_both_lists_name_goes_before_what_one_has_at_its_top(void **state)
{
	static const int64_t words[] = { 10, 20, 30 }, meaning[] = { 40, 30 };
	static const int64_t want[] = { 30, 10, 40, 20 };
	struct lni_near out[5];
	size_t i;

	(void)state;
	assert_int_equal(lni_rank_fuse(words, 3, meaning, 2, out, 5), 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(out[i].id, want[i]);
	/* 1 / (60 + 3) + 1 / (60 + 2) */
	assert_true(out[0].score > 0.032001 && out[0].score < 0.032003);
	assert_true(out[1].score > 0.016393 && out[1].score < 0.016394);
	assert_int_equal(lni_rank_fuse(words, 3, meaning, 2, out, 2), 2);
	assert_int_equal(out[1].id, 10);
}

static void
one_list_alone_keeps_its_order(void **state)
{
	static const int64_t ids[] = { 3, 1, 2 };
	struct lni_near out[3];

	(void)state;
	assert_int_equal(lni_rank_fuse(ids, 3, NULL, 0, out, 3), 3);
	assert_int_equal(out[0].id, 3);
	assert_int_equal(out[2].id, 2);
	assert_int_equal(lni_rank_fuse(NULL, 0, ids, 3, out, 3), 3);
	assert_int_equal(out[0].id, 3);
	assert_int_equal(lni_rank_fuse(NULL, 0, NULL, 0, out, 3), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_angle_counts_and_the_length_does_not),
		cmocka_unit_test(numbers_are_kept_with_the_lowest_byte_first),
		cmocka_unit_test(what_has_no_direction_is_near_to_nothing),
		cmocka_unit_test(
		    the_nearest_are_kept_in_order_whatever_order_they_come_in),
		cmocka_unit_test(
		    what_both_lists_name_goes_before_what_one_has_at_its_top),
		cmocka_unit_test(one_list_alone_keeps_its_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
