#ifndef LN_ROTATE_H
#define LN_ROTATE_H

#include <ln/base.h>
#include <ln/config.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * Replacing SECRET_KEY.  Two things have to change together that no single
 * write can change: the database, where API keys are sealed and the audit log
 * is signed, and the file that SECRET_KEY is read from (the env file, or the
 * one that SECRET_KEY_FILE names).  So it goes in steps, each on the disk
 * before the next begins:
 *
 *	1 the new key is written to FILE.rotate
 *	2 FILE is replaced by itself, which shows that it can be replaced
 *	3 one transaction moves the database to the new key
 *	4 FILE is replaced by one with the new key, all else as it was
 *	5 FILE.rotate is removed
 *
 * Whoever starts looks for FILE.rotate (ln_rotate_settle).  The head of the
 * audit log then says which of the two keys the database is under: the new one,
 * and steps 4 and 5 are done, or the old one, and FILE.rotate is removed.  So a
 * kill or a power cut at any moment leaves a pair that fits.
 *
 * The old key is remembered as over (a keyed hash of a constant): a program
 * that still holds it gets LN_BAD_KEY instead of writing what nobody can read.
 */

enum ln_rotate_step {
	LN_ROTATE_STAGED,	/* 1 is done */
	LN_ROTATE_REHEARSED,	/* 2 is done */
	LN_ROTATE_RESEALED,	/* 3 is done but for its commit */
	LN_ROTATE_COMMITTED,	/* 3 is done */
	LN_ROTATE_REPLACED,	/* 4 is done */
};

/**
 * struct ln_rotate_report:
 * What was changed.  A log that was broken before stays so, at the same row:
 * evidence is not signed away.
 */
struct ln_rotate_report {
	int64_t key_count;	/* API keys and tools' headers sealed anew */
	int64_t session_count;	/* sign-in sessions ended */
	int64_t token_count;	/* reset links ended */
	int64_t mail_count;	/* mails that waited, dropped */
	int64_t audit_count;	/* rows of the log, the new one among them */
	int64_t audit_first_bad;	/* where it was broken; 0: it was not */
};

/**
 * ln_rotate_secret(st, cfg, step, arg, out, err):
 * Replace the SECRET_KEY that ${cfg} was read with and ${st} was opened with by
 * a new random one.  ${step}, which may be NULL, is told of each step.  Ends
 * all sign-in sessions and reset links; mails that wait are dropped.  ${st} keeps the old keys: close it.
 * LN_FORBIDDEN while a server runs on the database, or when SECRET_KEY stands
 * in the environment, where it cannot be replaced; LN_BAD_KEY when nothing in
 * the database fits the present key or a stored API key does not; LN_INVALID;
 * LN_IO.  A failure changes nothing, unless its sentence says that the next
 * command will finish.
 */
LN_API enum ln_status ln_rotate_secret(struct ln_store *st,
    const struct ln_config *cfg, void (*step)(void *arg,
    enum ln_rotate_step step), void *arg, struct ln_rotate_report *out,
    struct ln_error *err) LN_USE;

/**
 * ln_rotate_settle(cfg, out_is_changed, err):
 * Finish or undo what a kill interrupted; when there is nothing, that is one
 * look for a file.  To be called before keys are derived.  When
 * ${out_is_changed}, SECRET_KEY is another one than in ${cfg}: load it again.
 * LN_BUSY while another program is replacing it.
 */
LN_API enum ln_status ln_rotate_settle(const struct ln_config *cfg,
    bool *out_is_changed, struct ln_error *err) LN_USE;

/**
 * ln_rotate_file(cfg, out, err):
 * The file that SECRET_KEY is read from.  Yours, release with ln_free.
 * LN_FORBIDDEN when it stands in the environment; LN_INVALID when it stands
 * nowhere; LN_NOT_FOUND.
 */
LN_API enum ln_status ln_rotate_file(const struct ln_config *cfg, char **out,
    struct ln_error *err) LN_USE;

#endif
