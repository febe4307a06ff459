#include "tlscert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ln/log.h>
#include <ln/secret.h>

#define CERT_DAYS 825	/* the longest that clients accept of a private one */

static enum ln_status
load(const char *path, bool is_key, X509 **out_cert, EVP_PKEY **out_key,
    struct ln_error *err)
{
	FILE *fp;

	if ((fp = fopen(path, "re")) == NULL)
		return ln_fail(err, LN_NOT_FOUND, "Cannot read the TLS files",
		    "%s: errno %d", path, errno);
	if (is_key)
		*out_key = PEM_read_PrivateKey(fp, NULL, NULL, NULL);
	else
		*out_cert = PEM_read_X509(fp, NULL, NULL, NULL);
	(void)fclose(fp);
	if (is_key ? *out_key == NULL : *out_cert == NULL)
		return ln_fail(err, LN_INVALID,
		    "The TLS certificate or key is not a PEM file", "%s",
		    path);
	return LN_OK;
}

static enum ln_status
check(const char *cert, const char *key, bool *out_is_expired,
    struct ln_error *err)
{
	EVP_PKEY *k = NULL;
	X509 *c = NULL;
	enum ln_status s;
	int id;

	*out_is_expired = false;
	if ((s = load(cert, false, &c, NULL, err)) != LN_OK ||
	    (s = load(key, true, NULL, &k, err)) != LN_OK)
		goto out;
	id = EVP_PKEY_base_id(k);
	if (id != EVP_PKEY_RSA && id != EVP_PKEY_EC) {
		s = ln_fail(err, LN_INVALID,
		    "The TLS key must be RSA or EC", "type %d", id);
		goto out;
	}
	if (X509_check_private_key(c, k) != 1) {
		s = ln_fail(err, LN_INVALID,
		    "The TLS key does not belong to the certificate", "%s",
		    cert);
		goto out;
	}
	*out_is_expired = X509_cmp_current_time(X509_get0_notAfter(c)) <= 0;
out:
	X509_free(c);
	EVP_PKEY_free(k);
	return s;
}

enum ln_status
tlscert_check(const char *cert, const char *key, struct ln_error *err)
{
	enum ln_status s;
	bool is_expired;

	if ((s = check(cert, key, &is_expired, err)) != LN_OK)
		return s;
	if (is_expired)
		ln_log(LN_LOG_WARN, "tls.expired", "file=configured");
	return LN_OK;
}

static bool
add_extension(X509 *c, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	bool is_ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, c, c, NULL, NULL, 0);
	if ((ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value)) == NULL)
		return false;
	is_ok = X509_add_ext(c, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return is_ok;
}

/* Host names come from outside: only what a DNS label may hold. */
static bool
is_dns_name(const char *s)
{
	return *s != '\0' && strlen(s) < 254 &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-.") == strlen(s);
}

static X509 *
make_cert(EVP_PKEY *key)
{
	X509 *c;
	X509_NAME *name;
	char host[256], san[512];
	unsigned char serial[16];
	BIGNUM *bn = NULL;
	bool is_ok;

	if (gethostname(host, sizeof(host)) == -1)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	(void)snprintf(san, sizeof(san), "DNS:localhost,%s%s%sIP:127.0.0.1,"
	    "IP:::1", is_dns_name(host) ? "DNS:" : "",
	    is_dns_name(host) ? host : "", is_dns_name(host) ? "," : "");

	if ((c = X509_new()) == NULL)
		return NULL;
	ln_random(serial, sizeof(serial));
	serial[0] &= 0x7f;
	bn = BN_bin2bn(serial, sizeof(serial), NULL);
	name = X509_get_subject_name(c);
	is_ok = bn != NULL && X509_set_version(c, X509_VERSION_3) == 1 &&
	    BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(c)) != NULL &&
	    X509_gmtime_adj(X509_getm_notBefore(c), -24 * 3600L) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(c), CERT_DAYS - 1, 0,
	    NULL) != NULL &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"LocalNeural", -1, -1, 0) == 1 &&
	    X509_set_issuer_name(c, name) == 1 &&
	    X509_set_pubkey(c, key) == 1 &&
	    add_extension(c, NID_subject_alt_name, san) &&
	    add_extension(c, NID_basic_constraints, "critical,CA:FALSE") &&
	    add_extension(c, NID_key_usage, "critical,digitalSignature") &&
	    add_extension(c, NID_ext_key_usage, "serverAuth") &&
	    add_extension(c, NID_subject_key_identifier, "hash") &&
	    X509_sign(c, key, EVP_sha256()) != 0;
	BN_free(bn);
	if (!is_ok) {
		X509_free(c);
		return NULL;
	}
	return c;
}

static enum ln_status
write_pem(const char *path, X509 *c, EVP_PKEY *key, struct ln_error *err)
{
	FILE *fp = NULL;
	char *tmp = NULL;
	enum ln_status s;
	int fd = -1, rc;

	if (asprintf(&tmp, "%s.tmp", path) == -1)
		return ln_fail(err, LN_NOMEM, "", "asprintf");
	s = ln_fail(err, LN_IO, "Cannot write the TLS files", "%s", path);
	(void)unlink(tmp);	/* left by a crash; we hold the lock */
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1 || (fp = fdopen(fd, "w")) == NULL)
		goto out;
	rc = c != NULL ? PEM_write_X509(fp, c) :
	    PEM_write_PrivateKey(fp, key, NULL, NULL, 0, NULL, NULL);
	if (rc != 1 || fflush(fp) != 0 || fsync(fd) != 0)
		goto out;
	if (fclose(fp) != 0) {
		fp = NULL;
		fd = -1;
		goto out;
	}
	fp = NULL;
	fd = -1;
	if (rename(tmp, path) == 0)
		s = LN_OK;
out:
	if (fp != NULL)
		(void)fclose(fp);
	else if (fd != -1)
		(void)close(fd);
	if (s != LN_OK)
		(void)unlink(tmp);
	free(tmp);
	return s;
}

static enum ln_status
make(const char *cert, const char *key, struct ln_error *err)
{
	EVP_PKEY *k = NULL;
	X509 *c = NULL;
	enum ln_status s;

	if ((k = EVP_EC_gen("P-256")) == NULL || (c = make_cert(k)) == NULL) {
		s = ln_fail(err, LN_INTERNAL,
		    "Cannot make a TLS certificate", "openssl");
		goto out;
	}
	/* The key first: a certificate that does not fit is made again. */
	if ((s = write_pem(key, NULL, k, err)) == LN_OK)
		s = write_pem(cert, c, NULL, err);
out:
	X509_free(c);
	EVP_PKEY_free(k);
	return s;
}

enum ln_status
tlscert_ensure(const char *dir, char **out_cert, char **out_key,
    struct ln_error *err)
{
	enum ln_status s;
	struct ln_error why = LN_ERROR_INIT;
	bool is_expired;

	*out_cert = NULL;
	*out_key = NULL;
	if (asprintf(out_cert, "%s/tls.crt", dir) == -1 ||
	    asprintf(out_key, "%s/tls.key", dir) == -1)
		return ln_fail(err, LN_NOMEM, "", "asprintf");
	s = check(*out_cert, *out_key, &is_expired, &why);
	if (s == LN_OK && !is_expired)
		return LN_OK;
	ln_log(LN_LOG_INFO, "tls.make", "reason=%s days=%d",
	    s == LN_NOT_FOUND ? "missing" : s == LN_OK ? "expired" : "unfit",
	    CERT_DAYS);
	return make(*out_cert, *out_key, err);
}
