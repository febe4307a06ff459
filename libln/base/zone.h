#ifndef LNI_ZONE_H
#define LNI_ZONE_H

#include <ln/error.h>

/*
 * Time zones without the process-wide state of tzset(3): each look-up reads
 * the zone's own file, so that threads can ask for different zones at once.
 */

#define LNI_ZONE_NAME_MAX 64		/* ours; the longest IANA name has 32 */
#define LNI_ZONE_ABBREVIATION_SIZE 16	/* and a NUL */

struct lni_zone {
	int offset_s;			/* east of UTC */
	char abbreviation[LNI_ZONE_ABBREVIATION_SIZE];	/* "CEST"; may be "" */
};

/**
 * lni_zone_at(name, unix_s, out, err):
 * What is in force in zone ${name} at ${unix_s} (Unix seconds): an IANA name
 * ("Europe/Berlin"), an offset ("+02:00", "-0930", "UTC+2"), "UTC" or "Z".
 * NULL is this machine's own zone, UTC when it has none.  Reads one file.
 * LN_INVALID with field "zone" when it is none or not installed here; LN_IO;
 * LN_NOMEM.
 */
enum ln_status lni_zone_at(const char *name, int64_t unix_s,
    struct lni_zone *out, struct ln_error *err) LN_USE;

/**
 * lni_zone_parse(bytes, n, unix_s, out):
 * The same from the content of a TZif file (RFC 8536).  False when the bytes
 * are not one.
 */
bool lni_zone_parse(const char *bytes, size_t n, int64_t unix_s,
    struct lni_zone *out);

#endif
