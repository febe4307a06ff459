#include "extract.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Text leaves in large pieces. */
static struct {
	char bytes[64 * 1024];
	size_t count;
} out;

static void
write_all(const char *p, size_t n)
{
	ssize_t done;

	while (n > 0) {
		if ((done = write(1, p, n)) == -1) {
			if (errno == EINTR)
				continue;
			/* Nobody reads any more. */
			_exit(0);
		}
		p += done;
		n -= (size_t)done;
	}
}

void
emit_flush(void)
{
	write_all(out.bytes, out.count);
	out.count = 0;
}

void
emit(const char *p, size_t n)
{
	if (n > sizeof(out.bytes) - out.count)
		emit_flush();
	if (n > sizeof(out.bytes))
		write_all(p, n);
	else if (n > 0) {
		memcpy(out.bytes + out.count, p, n);
		out.count += n;
	}
}

void
emit_head(enum ln_extract_type t)
{
	struct ln_extract_wire_head head;

	memset(&head, 0, sizeof(head));
	head.magic = LN_EXTRACT_WIRE_MAGIC;
	head.type = (uint32_t)t;
	emit((const char *)&head, sizeof(head));
}
