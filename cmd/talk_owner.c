#include "talk.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ln/secret.h>

/*
 * The name under which this process writes answers:
 * "lnctl:<pid namespace>:<pid>:<uuid>".  A killed one can then be told from a
 * slow one at once, by whoever sees the same processes; in another container
 * the number would mean somebody else.
 */
#define PREFIX "lnctl:"

/* 0: unknown. */
static unsigned long
pid_namespace(void)
{
	struct stat sb;

	return stat("/proc/self/ns/pid", &sb) == 0 ?
	    (unsigned long)sb.st_ino : 0;
}

void
talk_owner(char out[TALK_OWNER_SIZE])
{
	char id[LN_UUID_SIZE];

	ln_uuid(id);
	(void)snprintf(out, TALK_OWNER_SIZE, PREFIX "%lu:%ld:%s",
	    pid_namespace(), (long)getpid(), id);
}

static bool
is_gone(void *arg, const char *owner)
{
	unsigned long ours = pid_namespace(), theirs;
	char *end;
	long pid;

	(void)arg;
	theirs = strtoul(owner + strlen(PREFIX), &end, 10);
	if (ours == 0 || theirs != ours || *end != ':')
		return false;
	pid = strtol(end + 1, &end, 10);
	if (*end != ':' || pid <= 0 || (pid_t)pid != pid)
		return false;
	return kill((pid_t)pid, 0) == -1 && errno == ESRCH;
}

void
talk_recover(struct ctx *c)
{
	struct ln_error err = LN_ERROR_INIT;
	int64_t count;

	/* Not ours to fail for: the turn itself says what is wrong. */
	if (ln_chat_recover_gone(c->st, PREFIX, is_gone, NULL, &count,
	    &err) == LN_OK && count > 0)
		ctx_note(c, "An answer that a killed lnctl left unfinished was "
		    "closed; what came of it is kept");
}
