#ifndef LNI_CHAT_TEXT_H
#define LNI_CHAT_TEXT_H

#include <ln/buf.h>
#include <ln/error.h>

/**
 * lni_chat_title(prompt, out, err):
 * A title from the first words of ${prompt}: one line, at most 60 code points,
 * cut between words.  Yours; NULL with LN_OK when there are no words.
 */
enum ln_status lni_chat_title(const char *prompt, char **out,
    struct ln_error *err) LN_USE;

/**
 * lni_chat_expand(template, user, now_ms, out):
 * Append ${template} with {date}, {time}, {datetime} (of this machine's time
 * zone) and {user} replaced, once: what is put in is not read again.
 */
void lni_chat_expand(const char *template, const char *user, int64_t now_ms,
    struct ln_buf *out);

/**
 * lni_chat_question(prompt, file_name, file_content, out, err):
 * The text of a question as it is stored and sent: the prompt, and the file
 * behind it, fenced so that nothing in it can end the quotation.  Yours.
 */
enum ln_status lni_chat_question(const char *prompt, const char *file_name,
    const char *file_content, char **out, struct ln_error *err) LN_USE;

/**
 * lni_chat_images(images, out, err):
 * The NULL-ended list of base64 strings as a JSON array.  Yours; NULL with
 * LN_OK for none.  LN_INVALID for what is not base64, LN_TOO_LARGE.
 */
enum ln_status lni_chat_images(const char *const *images, char **out,
    struct ln_error *err) LN_USE;

#endif
