#include "service/mail.h"

#include "base/banned.h"

/* What a mail says: plain sentences, one link, and no data of anybody. */
struct words {
	const char *subject;
	const char *before;
	const char *path;	/* of the link */
	const char *after;
};

static const struct words words[] = {
	[LNI_MAIL_RESET] = {
	    "Choose a new password for LocalNeural",
	    "Somebody, probably you, asked for a new password for the "
	    "LocalNeural account with this e-mail address. Open this link to "
	    "choose one:",
	    "/reset-password/",
	    "The link works once and for one hour. If you did not ask for it, "
	    "ignore this mail: nothing has changed." },
	[LNI_MAIL_DUPLICATE] = {
	    "There is a LocalNeural account with your e-mail address",
	    "Somebody, perhaps you, tried to make a LocalNeural account with "
	    "this e-mail address. There is one already, so nothing was made "
	    "and nothing has changed. If it was you, sign in here; if you have "
	    "forgotten your password, ask there for a new one:",
	    "/login",
	    "If it was not you, ignore this mail." },
};

static void
put_escaped(struct ln_buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '&')
			ln_buf_puts(b, "&amp;");
		else if (*s == '<')
			ln_buf_puts(b, "&lt;");
		else if (*s == '>')
			ln_buf_puts(b, "&gt;");
		else if (*s == '"')
			ln_buf_puts(b, "&quot;");
		else
			ln_buf_putc(b, *s);
	}
}

static void
put_link(struct ln_buf *b, const char *base_url, const struct words *w,
    const char *token, void (*put)(struct ln_buf *, const char *))
{
	put(b, base_url);
	put(b, w->path);
	if (token != NULL)
		put(b, token);
}

void
lni_mail_compose(enum lni_mail_kind kind, const char *base_url,
    const char *token, const char **out_subject, struct ln_buf *text,
    struct ln_buf *html)
{
	const struct words *w = &words[kind];

	*out_subject = w->subject;
	ln_buf_printf(text, "%s\n\n", w->before);
	put_link(text, base_url, w, token, ln_buf_puts);
	ln_buf_printf(text, "\n\n%s\n", w->after);

	ln_buf_puts(html, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>"
	    "<meta charset=\"utf-8\"><title>");
	put_escaped(html, w->subject);
	ln_buf_puts(html, "</title></head>\n<body>\n<p>");
	put_escaped(html, w->before);
	ln_buf_puts(html, "</p>\n<p><a href=\"");
	put_link(html, base_url, w, token, put_escaped);
	ln_buf_puts(html, "\" rel=\"noreferrer\">");
	put_link(html, base_url, w, token, put_escaped);
	ln_buf_puts(html, "</a></p>\n<p>");
	put_escaped(html, w->after);
	ln_buf_puts(html, "</p>\n</body>\n</html>\n");
}
