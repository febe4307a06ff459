/*
 * The parser of documents that a hostile one has taken over: linked into an
 * ln-extract of the tests only.  A document "!word" is an order, carried out
 * where parsing would begin.
 */

/* Anonymous mappings are in no standard. */
#define _DEFAULT_SOURCE

#include "misbehave.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "extract.h"

#define FDS_MAX 64

static void
open_socket(void)
{
	(void)socket(AF_INET, SOCK_STREAM, 0);
}

static void
open_file(void)
{
	(void)open("/etc/passwd", O_RDONLY);
}

static void
run_program(void)
{
	static char name[] = "sh";
	char *const argv[] = { name, NULL };

	(void)execv("/bin/sh", argv);
}

static void
multiply(void)
{
	(void)fork();
}

static void
shoot(void)
{
	(void)kill(getppid(), SIGKILL);
}

static void
load_code(void)
{
	(void)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
hang(void)
{
	for (;;)
		;
}

static void
crash(void)
{
	/* Others have handlers of the sanitizer. */
	(void)raise(SIGABRT);
}

/* Where nothing bounds address space, to take it all would hit others. */
static void
eat_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
	const size_t step = 16 * 1024 * 1024;
	char *p;

	while ((p = malloc(step)) != NULL)
		memset(p, 1, step);
#endif
	document_end(LN_EXTRACT_TOO_HUNGRY);
}

static void
flood(void)
{
	static char line[65536];

	memset(line, 'x', sizeof(line));
	emit_head(LN_EXTRACT_TEXT);
	for (;;)
		emit(line, sizeof(line));
}

/* Which descriptors are open, as text. */
static void
tell_fds(void)
{
	char word[2] = "";
	int fd;

	emit_head(LN_EXTRACT_TEXT);
	for (fd = 0; fd < FDS_MAX; fd++) {
		if (lseek(fd, 0, SEEK_CUR) == -1 && write(fd, "", 0) == -1)
			continue;
		word[0] = (char)('0' + fd);
		emit(word, 1);
	}
	document_end(LN_EXTRACT_READ);
}

/* Bytes that no honest child sends. */
static void
lie(void)
{
	static const char text[] = "a\0b\033[31mc\xff\xc3(\x7f\r\n"
	    "\xe2\x82\xac";

	emit_head(LN_EXTRACT_TEXT);
	emit(text, sizeof(text) - 1);
	document_end(LN_EXTRACT_READ);
}

static void
pretend(void)
{
	emit_head(LN_EXTRACT_TYPES);
	document_end(LN_EXTRACT_READ);
}

void
misbehave(const char *p, size_t n)
{
	static const struct {
		const char *order;
		void (*act)(void);
	} acts[] = {
		{ "!socket", open_socket },
		{ "!file", open_file },
		{ "!program", run_program },
		{ "!fork", multiply },
		{ "!kill", shoot },
		{ "!code", load_code },
		{ "!hang", hang },
		{ "!crash", crash },
		{ "!memory", eat_memory },
		{ "!flood", flood },
		{ "!fds", tell_fds },
		{ "!lie", lie },
		{ "!pretend", pretend },
	};
	size_t i, length;

	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		length = strlen(acts[i].order);
		if (n == length && memcmp(p, acts[i].order, length) == 0)
			acts[i].act();
	}
}
