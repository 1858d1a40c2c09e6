/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Mailboxes, raw and quoted.  What is raw is compared and stored; what is
 * quoted goes over the wire.
 */
#include <sys/types.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "head.h"

/* RFC 5322 3.2.3, and RFC 6531 3.3 for what is not ASCII. */
static int
mailbox_is_atext(unsigned char c)
{
	if (c >= 0x80)
		return (1);
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9'))
		return (1);
	return (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* A dot neither first, last nor doubled. */
static int
mailbox_is_dot_string(const char *s, size_t len)
{
	size_t	i;
	int	dot = 1;

	for (i = 0; i < len; i++) {
		if (s[i] == '.' && dot)
			return (0);
		dot = s[i] == '.';
		if (!dot && !mailbox_is_atext((unsigned char)s[i]))
			return (0);
	}
	return (!dot);
}

/* The end of the local part of a raw mailbox: its last @, or its end. */
static size_t
mailbox_local_len(const char *s, size_t len)
{
	size_t	i;

	for (i = len; i > 0; i--) {
		if (s[i - 1] == '@')
			return (i - 1);
	}
	return (len);
}

/*
 * Nothing in a domain can end the path it stands in, or begin another
 * argument of the command: it is never quoted.
 */
int
mailbox_valid(const char *s, size_t len)
{
	size_t		i, local;
	unsigned char	c;

	local = mailbox_local_len(s, len);
	for (i = 0; i < len; i++) {
		c = (unsigned char)s[i];
		if (c < 0x20 || c == 0x7f)
			return (0);
		if (i > local && strchr(" <>()\"\\,;", c) != NULL)
			return (0);
	}
	return (1);
}

ssize_t
mailbox_quote(char *out, size_t size, const char *mailbox)
{
	size_t	i, len, local, n = 0;

	len = strlen(mailbox);
	local = mailbox_local_len(mailbox, len);
	if (size < 2 * len + 3) {
		errno = ERANGE;
		return (-1);
	}
	if (len == 0 || mailbox_is_dot_string(mailbox, local)) {
		memcpy(out, mailbox, len + 1);
		return ((ssize_t)len);
	}
	out[n++] = '"';
	for (i = 0; i < local; i++) {
		if (mailbox[i] == '"' || mailbox[i] == '\\')
			out[n++] = '\\';
		out[n++] = mailbox[i];
	}
	out[n++] = '"';
	memcpy(out + n, mailbox + local, len - local + 1);
	return ((ssize_t)(n + len - local));
}

/* What follows a source route, which RFC 5321 C says to ignore. */
static size_t
mailbox_route_len(const char *s, size_t len)
{
	const char	*colon;

	if (len == 0 || s[0] != '@' || (colon = memchr(s, ':', len)) == NULL)
		return (0);
	return ((size_t)(colon - s) + 1);
}

ssize_t
mailbox_unquote(char *out, const char *s, size_t len)
{
	size_t	i, n = 0;
	int	quoted = 0;

	for (i = mailbox_route_len(s, len); i < len; i++) {
		if (s[i] == '"') {
			quoted = !quoted;
			continue;
		}
		if (s[i] == '\\' && ++i == len)
			return (-1);
		out[n++] = s[i];
	}
	out[n] = '\0';
	if (quoted || !mailbox_valid(out, n))
		return (-1);
	return ((ssize_t)n);
}
