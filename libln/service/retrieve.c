#include "service/retrieve.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <ln/time.h>

#include "model/search.h"
#include "service/passages.h"

#include "base/banned.h"

#define WORDS_MAX 24		/* of a question; more make it no clearer */
#define QUERY_MAX ((size_t)4096)
#define WORD_MAX ((size_t)64)	/* bytes; longer ones are no words */
#define PREFIX_MIN ((size_t)4)	/* letters: shorter ones must match whole */
#define DOCUMENT_LIMIT 4
#define MESSAGE_LIMIT 3
#define HANDBOOK_LIMIT 2
#define PASSAGE_MAX LN_CHUNK_MAX	/* bytes quoted of one passage */
#define DATE_LENGTH 10		/* of RFC 3339 */

/* Words that are in every text find every text. */
static const char *const common_words[] = {
	"a", "about", "an", "and", "are", "as", "at", "be", "but", "by", "can",
	"could", "did", "do", "does", "for", "from", "had", "has", "have",
	"how", "i", "if", "in", "into", "is", "it", "its", "just", "know",
	"like", "many", "me", "much", "my", "no", "not", "of", "on", "or",
	"our", "please", "say", "says", "should", "so", "some", "tell", "than",
	"that", "the", "their", "them", "then", "there", "these", "they",
	"this", "to", "up", "us", "was", "we", "were", "what", "when", "where",
	"which", "who", "why", "will", "with", "would", "yes", "you", "your",
	"hello", "hi", "hey", "thanks", "thank",
};

bool
lni_word_is_common(const char *word, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof(common_words) / sizeof(common_words[0]); i++) {
		if (strlen(common_words[i]) == n &&
		    strncasecmp(common_words[i], word, n) == 0)
			return true;
	}
	return false;
}

/* ASCII letters and digits, and all beyond ASCII: quotes, operators and
 * control characters of the query language cannot be part of a word. */
static bool
is_word_byte(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 0x80 || isalnum(u) != 0;
}

size_t
lni_word_length(const char *p)
{
	size_t n = 0;

	while (p[n] != '\0' && is_word_byte(p[n]))
		n++;
	return n;
}

static void
add_word(struct ln_buf *b, const char *word, size_t n)
{
	bool is_prefix = n >= PREFIX_MIN;

	/* "backups" finds "backup" as well. */
	if (n > PREFIX_MIN && tolower((unsigned char)word[n - 1]) == 's')
		n--;
	if (b->len > 0)
		ln_buf_puts(b, " OR ");
	ln_buf_putc(b, '"');
	ln_buf_put(b, word, n);
	ln_buf_puts(b, is_prefix ? "\" *" : "\"");
}

enum ln_status
lni_retrieve_query(const char *text, char **out, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(QUERY_MAX);
	enum ln_status s;
	size_t n, count = 0;

	*out = NULL;
	while (*text != '\0' && count < WORDS_MAX) {
		if ((n = lni_word_length(text)) == 0) {
			text++;
			continue;
		}
		if (n > 1 && n <= WORD_MAX && !lni_word_is_common(text, n)) {
			add_word(&b, text, n);
			count++;
		}
		text += n;
	}
	s = ln_buf_status(&b);
	if (s == LN_OK && (*out = ln_buf_steal(&b)) == NULL)
		s = LN_NOMEM;
	ln_buf_free(&b);
	if (s != LN_OK)
		return ln_fail(err, s, "", "search query");
	return LN_OK;
}

/* Text inside a line of Markdown, read as text. */
static void
put_escaped(struct ln_buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (strchr("\\`*_[]<>#|", *s) != NULL)
			ln_buf_putc(b, '\\');
		ln_buf_putc(b, *s == '\n' || *s == '\r' ? ' ' : *s);
	}
}

/* A block quote, so that nothing in it can end it. */
static void
put_quote(struct ln_buf *b, const char *s)
{
	size_t n, left = PASSAGE_MAX;

	while (*s != '\0' && left > 0) {
		n = strcspn(s, "\r\n");
		if (n > left) {
			for (n = left; n > 0 &&
			    ((unsigned char)s[n] & 0xc0) == 0x80; n--)
				continue;
			left = n;
		}
		ln_buf_puts(b, "> ");
		ln_buf_put(b, s, n);
		s += n;
		left -= n;
		ln_buf_puts(b, left == 0 && *s != '\0' ? " \u2026\n" : "\n");
		s += strspn(s, "\r\n");
	}
	ln_buf_putc(b, '\n');
}

struct writer {
	struct ln_buf *out;
	int count;
};

static enum ln_status
write_message(void *arg, const struct lni_passage *p, struct ln_error *err)
{
	struct writer *w = arg;
	char at[LN_TIME_ISO_SIZE];

	(void)err;
	if (w->count++ == 0)
		ln_buf_puts(w->out, "### From your conversations\n\n");
	ln_buf_puts(w->out, "**");
	put_escaped(w->out, p->source);
	ln_buf_printf(w->out, "** \u00b7 %.*s \u00b7 %s\n\n", DATE_LENGTH,
	    ln_time_iso(p->at_ms, at), p->role == LN_MESSAGE_USER ?
	    "you wrote" : "an answer you got");
	put_quote(w->out, p->text);
	return LN_OK;
}

static enum ln_status
write_section(void *arg, const struct lni_passage *p, struct ln_error *err)
{
	struct writer *w = arg;

	(void)err;
	if (w->count++ == 0)
		ln_buf_puts(w->out, "### From the handbook\n\n");
	ln_buf_puts(w->out, "**");
	put_escaped(w->out, p->source);
	ln_buf_puts(w->out, "** \u203a ");
	put_escaped(w->out, p->heading);
	ln_buf_puts(w->out, "\n\n");
	put_quote(w->out, p->text);
	return LN_OK;
}

/* The documents of the project; none when it has just gone. */
static enum ln_status
write_documents(struct ln_store *st, const struct lni_retrieve *r,
    struct ln_buf *out, struct ln_error *err)
{
	const struct ln_project_query q = { .size = sizeof(q), .cfg = r->cfg,
		.user_id = r->user_id, .project_id = r->project_id,
		.question = r->question, .max = DOCUMENT_LIMIT,
		.is_stopped = r->is_stopped, .arg = r->arg };
	struct ln_buf source = LN_BUF_INIT(QUERY_MAX);
	struct ln_passage_list list;
	enum ln_status s;
	size_t i;

	s = ln_project_search(st, &q, &list, err);
	if (s != LN_OK)
		return s == LN_NOT_FOUND ? LN_OK : s;
	if (list.count > 0)
		ln_buf_puts(out, "### From your documents\n\n");
	for (i = 0; i < list.count; i++) {
		ln_buf_clear(&source);
		lni_passage_source(&list.items[i], &source);
		ln_buf_printf(out, "\\[%zu\\] **", i + 1);
		put_escaped(out, ln_buf_str(&source));
		ln_buf_puts(out, "**\n\n");
		put_quote(out, list.items[i].text);
	}
	if (list.count > 0)
		s = lni_passages_json(&list, list.count, r->out_sources, err);
	ln_buf_free(&source);
	ln_passage_list_free(&list);
	return s;
}

static const char found_text[] =
    "**No language model is connected.** Nobody wrote an answer to this "
    "question; these are the passages that match its words best.\n\n";

static const char nothing_text[] =
    "**No language model is connected**, so I cannot talk. I can search your "
    "own conversations and the handbook, and found nothing for these "
    "words.\n\n"
    "Ask with the words you expect in the text, for example: *how do I "
    "connect a model*, *where is my data*, *export a conversation*, *block a "
    "user*.\n\n";

static const char connect_text[] =
    "### To connect a model\n\n"
    "Install Ollama, pull a model (`ollama pull llama3.2`), then run "
    "`lnctl provider set ollama --global -m llama3.2`, or choose the "
    "provider on the settings page.\n";

enum ln_status
lni_retrieve_answer(struct ln_store *st, const struct lni_retrieve *r,
    struct ln_buf *out, struct ln_error *err)
{
	struct lni_search search = {
		.user_id = r->user_id,
		.skip_conversation_id = r->conversation_id,
		.skip_from_id = r->question_id,
		.skip_text = r->question,
		.skip_provider = "offline",
		.limit = MESSAGE_LIMIT,
	};
	struct ln_buf found = LN_BUF_INIT(out->max);
	struct writer messages = { .out = &found };
	struct writer sections = { .out = &found };
	char *query = NULL;
	enum ln_status s;

	if ((s = lni_retrieve_query(r->question, &query, err)) != LN_OK)
		return s;
	if (r->project_id != NULL)
		s = write_documents(st, r, &found, err);
	if (query[0] != '\0') {
		search.query = query;
		if (s == LN_OK)
			s = lni_search_messages(st, &search, write_message,
			    &messages, err);
		if (s == LN_OK)
			s = lni_search_handbook(st, query, HANDBOOK_LIMIT,
			    write_section, &sections, err);
	}
	if (s == LN_OK && (s = ln_buf_status(&found)) != LN_OK)
		(void)ln_fail(err, s, "", "offline answer");
	if (s == LN_OK) {
		ln_buf_puts(out, found.len > 0 ? found_text : nothing_text);
		ln_buf_put(out, ln_buf_str(&found), found.len);
		ln_buf_puts(out, connect_text);
		if ((s = ln_buf_status(out)) != LN_OK)
			(void)ln_fail(err, s, "", "offline answer");
	}
	ln_free(query);
	ln_buf_free(&found);
	return s;
}
