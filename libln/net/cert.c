#define _DEFAULT_SOURCE	/* timegm */

#include <ln/cert.h>

#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/error.h"
#include "base/file.h"
#include "base/lazy.h"

#include "base/banned.h"

/* libcrypto, loaded for the first certificate. */
static BIO *(*bio_new_mem_buf)(const void *, int);
static int (*bio_free)(BIO *);
static X509 *(*pem_read_bio_x509)(BIO *, X509 **, pem_password_cb *, void *);
static const ASN1_TIME *(*x509_get0_not_after)(const X509 *);
static int (*asn1_time_to_tm)(const ASN1_TIME *, struct tm *);
static void (*x509_free)(X509 *);
static void (*err_clear_error)(void);

static const struct lni_lazy_symbol libcrypto[] = {
	{ "BIO_new_mem_buf", &bio_new_mem_buf },
	{ "BIO_free", &bio_free },
	{ "PEM_read_bio_X509", &pem_read_bio_x509 },
	{ "X509_get0_notAfter", &x509_get0_not_after },
	{ "ASN1_TIME_to_tm", &asn1_time_to_tm },
	{ "X509_free", &x509_free },
	{ "ERR_clear_error", &err_clear_error },
};

enum ln_status
ln_cert_end(const char *path, int64_t *out_ms, struct ln_error *err)
{
	struct lni_file file = { NULL, 0, 0 };
	BIO *bio = NULL;
	X509 *cert = NULL;
	struct tm tm;
	enum ln_status s;

	s = lni_lazy_load("libcrypto.so.3", libcrypto,
	    sizeof(libcrypto) / sizeof(libcrypto[0]), err);
	if (s != LN_OK)
		return s;
	if ((s = lni_file_read(path, 0, LN_CERT_FILE_MAX, &file, err)) != LN_OK)
		return s;
	if ((bio = bio_new_mem_buf(file.bytes, (int)file.length)) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "%s", path);
		goto out;
	}
	/* The time is UTC whatever its spelling: tm has no zone. */
	cert = pem_read_bio_x509(bio, NULL, NULL, NULL);
	if (cert == NULL ||
	    asn1_time_to_tm(x509_get0_not_after(cert), &tm) != 1) {
		err_clear_error();
		s = ln_fail(err, LN_INVALID, "It holds no PEM certificate",
		    "%s", path);
		goto out;
	}
	*out_ms = (int64_t)timegm(&tm) * 1000;
out:
	x509_free(cert);
	if (bio != NULL)
		(void)bio_free(bio);
	lni_file_wipe(&file);
	return s;
}
