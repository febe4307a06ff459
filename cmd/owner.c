#define _DEFAULT_SOURCE		/* setgroups, initgroups */

#include "cmd.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Root on a database that belongs to somebody else acts as that user, for
 * good, before the file is opened: its side files, snapshots and exports would
 * otherwise belong to root and lock the owner out.
 */

static int
become(const struct stat *sb)
{
	const struct passwd *pw = getpwuid(sb->st_uid);

	if (pw != NULL ? initgroups(pw->pw_name, sb->st_gid) != 0 :
	    setgroups(1, &sb->st_gid) != 0)
		return errno;
	if (setgid(sb->st_gid) != 0 || setuid(sb->st_uid) != 0)
		return errno;
	/* State files of the shell go to the new user's home as well. */
	(void)unsetenv("XDG_STATE_HOME");
	if (pw != NULL ? setenv("HOME", pw->pw_dir, 1) != 0 :
	    unsetenv("HOME") != 0)
		return errno;
	return 0;
}

int
ctx_act_as_owner(struct ctx *c)
{
	const char *path = ln_config_get(c->cfg, "LOCALNEURAL_DB");
	char folder[4096];
	struct stat sb;
	int e;

	if (geteuid() != 0 || path == NULL)
		return EX_OK;
	if (stat(path, &sb) != 0) {
		file_dir(path, folder, sizeof(folder));
		if (stat(folder, &sb) != 0)
			return EX_OK;
	}
	if (sb.st_uid == 0)
		return EX_OK;
	if ((e = become(&sb)) != 0)
		return ctx_refuse(c, EX_REFUSED, "forbidden", strerror(e), "",
		    "%s: acting as its owner, user %ld", path,
		    (long)sb.st_uid);
	return EX_OK;
}
