/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * mail.autoturn: the delivery agent that a mail system runs to queue a
 * message for a customer of autoturnd(8): on standard input the message, in
 * the arguments for whom.  It writes the envelope on top as head.h reads it
 * and autoturnd strips it, and tells the daemon that there is mail.
 *
 * It runs as the owner of the Maildir.  Message and addresses are a
 * stranger's.  All trouble but that of the message itself is temporary: mail
 * that waits can be delivered once a mistake is mended, mail that was
 * returned can't.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "delivery.h"
#include "head.h"
#include "mailautoturn.h"
#include "spool.h"
#include "ucspi.h"
#include "ucspi_stream.h"

#define LETTERS		"d:f:l:m:p:qs:"
#define USAGE	\
	"usage: mail.autoturn [-q] [-d state] [-f sender] [-l bytes] " \
	"[-m maildir]\n" \
	"                     [-p prefix] [-s spool] customer " \
	"[recipient ...]\n"
#define SPOOL_DEFAULT	"/var/spool/autoturn"
#define BYTES_MAX	(1LL << 30)	/* of what autoturnd sends */
#define ADDRESS_SIZE	(HEAD_ADDRESS_BYTES_MAX + 1)
#define PREFIX_SIZE	256		/* as in autoturnd.h */
#define NAME_BYTES_MAX	255
#define QUOTED_SIZE	(2 * (ADDRESS_SIZE + PREFIX_SIZE) + 3)
#define HEAD_SIZE	(2 * QUOTED_SIZE + 64)
#define LINE_SIZE	1024

struct options {
	const char	*state;
	const char	*sender;
	const char	*spool;
	const char	*customer;
	const char	*maildir;
	const char	*prefix;	/* NULL: autoturn-CUSTOMER- */
	long long	 bytes_max;
	int		 prefixed;	/* recipients have it already */
};

static struct shape	shape;
static size_t		first;		/* letter that the message goes to */

static void
say(const char *format, va_list ap, const char *why)
{
	char	line[LINE_SIZE], *p;

	(void)vsnprintf(line, sizeof(line), format, ap);
	for (p = line; *p != '\0'; p++)
		*p = delivery_printable(*p);
	(void)dprintf(STDERR_FILENO, "mail.autoturn: %s%s%s\n", line,
	    why == NULL ? "" : ": ", why == NULL ? "" : why);
}

void
defer(const char *format, ...)
{
	va_list	ap;

	letters_remove();
	va_start(ap, format);
	say(format, ap, NULL);
	_exit(EX_TEMPFAIL);
}

void
defer_errno(const char *format, ...)
{
	const char	*why = ucspi_strerror(errno);
	va_list		 ap;

	letters_remove();
	va_start(ap, format);
	say(format, ap, why);
	_exit(EX_TEMPFAIL);
}

void
reject(const char *format, ...)
{
	va_list	ap;

	letters_remove();
	va_start(ap, format);
	say(format, ap, NULL);
	_exit(EX_DATAERR);
}

static void
interrupted(int signo)
{
	letters_remove();
	_exit(EX_TEMPFAIL);
}

static void
signals_init(void)
{
	static const int	ends[] = { SIGHUP, SIGINT, SIGTERM, SIGALRM };
	struct sigaction	sa;
	size_t			i;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = interrupted;
	sigfillset(&sa.sa_mask);
	for (i = 0; i < nitems(ends); i++)
		(void)sigaction(ends[i], &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);	/* write(2) says EFBIG then */
}

static __dead void
usage(void)
{
	(void)dprintf(STDERR_FILENO, USAGE);
	_exit(EX_TEMPFAIL);
}

/*
 * Options
 */

static long long
bytes_read(const char *text)
{
	char		*end;
	long long	 n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 ||
	    n < 1 || n > BYTES_MAX)
		defer("-l %s: not a number from 1 to %lld", text, BYTES_MAX);
	return (n);
}

static void
options_read(struct options *o, struct ucspi_option *option)
{
	int	c;

	while ((c = ucspi_option_next(option)) != -1) {
		switch (c) {
		case 'd':
			o->state = option->arg;
			break;
		case 'f':
			o->sender = option->arg;
			break;
		case 'l':
			o->bytes_max = bytes_read(option->arg);
			break;
		case 'm':
			o->maildir = option->arg;
			break;
		case 'p':
			o->prefix = option->arg;
			break;
		case 'q':
			o->prefixed = 1;
			break;
		case 's':
			o->spool = option->arg;
			break;
		default:
			usage();
		}
	}
}

/* What begins with a dot could be anywhere, and is no Maildir. */
static int
is_name(const char *name, size_t len)
{
	return (len > 0 && *name != '.' && memchr(name, '/', len) == NULL);
}

static void
customer_check(const char *name)
{
	if (!is_name(name, strlen(name)) || strlen(name) > NAME_BYTES_MAX)
		defer("customer %s: not a name", name);
}

/* Below the spool, in a directory there if need be. */
static void
maildir_check(const char *name)
{
	const char	*p = name;
	size_t		 len;

	if (strlen(name) > NAME_BYTES_MAX)
		defer("Maildir %s: not a name", name);
	for (;; p += len + 1) {
		len = strcspn(p, "/");
		if (!is_name(p, len))
			defer("Maildir %s: not a name", name);
		if (p[len] == '\0')
			break;
	}
}

static void
options_complete(struct options *o)
{
	static char	prefix[NAME_BYTES_MAX + 16];

	customer_check(o->customer);
	if (o->maildir == NULL)
		o->maildir = o->customer;
	maildir_check(o->maildir);
	if (o->prefix == NULL) {
		(void)snprintf(prefix, sizeof(prefix), "autoturn-%s-",
		    o->customer);
		o->prefix = prefix;
	}
	if (strlen(o->prefix) >= PREFIX_SIZE || !mailbox_valid(o->prefix,
	    strlen(o->prefix)) || strchr(o->prefix, '@') != NULL)
		defer("prefix %s: can't begin an address", o->prefix);
	if (o->sender == NULL && (o->sender = getenv("SENDER")) == NULL)
		defer("no sender: there is neither -f nor SENDER in the "
		    "environment");
}

/*
 * Addresses
 */

/* Whether the local part is one quoted string, and a domain follows. */
static int
is_quoted(const char *s, size_t len)
{
	size_t	i;

	if (len == 0 || s[0] != '"')
		return (0);
	for (i = 1; i < len && s[i] != '"'; i++)
		if (s[i] == '\\')
			i++;
	return (i + 1 < len && s[i + 1] == '@');
}

/* As a mail system gives it, quoted or not, in brackets or not: raw. */
static void
address_read(char *out, const char *what, const char *s)
{
	size_t	len = strlen(s);

	if (len >= 2 && s[0] == '<' && s[len - 1] == '>') {
		s++;
		len -= 2;
	}
	if (len > HEAD_ADDRESS_BYTES_MAX)
		reject("%s %.100s: longer than %d", what, s,
		    HEAD_ADDRESS_BYTES_MAX);
	if (is_quoted(s, len)) {
		if (mailbox_unquote(out, s, len) == -1)
			reject("%s %s: not an address", what, s);
		return;
	}
	if (!mailbox_valid(s, len))
		reject("%s %s: not an address", what, s);
	memcpy(out, s, len);
	out[len] = '\0';
}

/* With the prefix, once. */
static void
recipient_read(char *out, const struct options *o, const char *s)
{
	char	raw[ADDRESS_SIZE];
	size_t	len = strlen(o->prefix);
	char	*at;

	address_read(raw, "recipient", s);
	at = strrchr(raw, '@');
	if (at == NULL || at == raw || at[1] == '\0')
		reject("recipient %s: not an address", s);
	if (!o->prefixed)
		(void)snprintf(out, ADDRESS_SIZE + PREFIX_SIZE, "%s%s",
		    o->prefix, raw);
	else if (strncmp(raw, o->prefix, len) != 0)
		defer("recipient %s: does not begin with %s", s, o->prefix);
	else if (raw[len] == '@' || raw[len] == '\0')
		reject("recipient %s: nothing is left of it without %s", s,
		    o->prefix);
	else
		(void)snprintf(out, ADDRESS_SIZE + PREFIX_SIZE, "%s", raw);
}

/* What Delivered-To says of each. */
static char **
recipients_read(const struct options *o, char **words, size_t n)
{
	char	raw[ADDRESS_SIZE + PREFIX_SIZE], quoted[QUOTED_SIZE];
	char	**list;
	size_t	i;

	if ((list = calloc(n, sizeof(*list))) == NULL)
		defer_errno("%zu recipients", n);
	for (i = 0; i < n; i++) {
		recipient_read(raw, o, words[i]);
		if (mailbox_quote(quoted, sizeof(quoted), raw) == -1)
			reject("recipient %s: too long", words[i]);
		if ((list[i] = strdup(quoted)) == NULL)
			defer_errno("recipient %s", words[i]);
	}
	return (list);
}

/*
 * The message
 */

static size_t
head_format(char *out, const char *sender, const char *recipient)
{
	return ((size_t)snprintf(out, HEAD_SIZE,
	    "Return-Path: <%s>\nDelivered-To: %s\n", sender, recipient));
}

static void
message_put(const char *data, size_t len)
{
	letter_write(first, data, len);
}

static void
message_read(const struct options *o)
{
	static char	buf[STREAM_BLOCK_SIZE];
	long long	total = 0;
	ssize_t		n;

	while ((n = stream_read(STDIN_FILENO, buf, sizeof(buf))) > 0) {
		total += n;
		if (total > o->bytes_max)
			reject("the message is longer than %lld bytes",
			    o->bytes_max);
		shape_take(&shape, buf, (size_t)n, message_put);
	}
	if (n == -1)
		defer_errno("unable to read the message");
	shape_end(&shape, message_put);
}

static void
message_deliver(const struct options *o, char **recipients, size_t n)
{
	char	sender[QUOTED_SIZE] = "", raw[ADDRESS_SIZE];
	char	head[HEAD_SIZE];
	size_t	i, len;

	address_read(raw, "sender", o->sender);
	if (*raw != '\0' && mailbox_quote(sender, sizeof(sender), raw) == -1)
		reject("sender %s: too long", o->sender);
	len = head_format(head, sender, recipients[0]);
	first = letter_make(head);
	shape.loops = (const char *const *)recipients;
	shape.nloops = n;
	message_read(o);
	for (i = 1; i < n; i++) {
		(void)head_format(head, sender, recipients[i]);
		letter_copy(letter_make(head), first, (off_t)len);
	}
	letters_done();
}

/* Who is not told will find it by himself. */
static void
daemon_poke(const struct options *o)
{
	struct sockaddr_un	sun;
	char			spool[PATH_MAX];
	int			fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (realpath(o->spool, spool) == NULL ||
	    spool_poke_path(o->state, spool, sun.sun_path,
	    sizeof(sun.sun_path)) == -1 ||
	    (fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return;
	(void)sendto(fd, o->maildir, strlen(o->maildir), MSG_DONTWAIT,
	    (struct sockaddr *)&sun, sizeof(sun));
	close(fd);
}

int
main(int argc, char *argv[])
{
	struct ucspi_option	option;
	struct options		o;
	char			*one[2] = { NULL, NULL }, **words;
	size_t			 n;

	memset(&o, 0, sizeof(o));
	o.state = STATEDIR;
	o.spool = SPOOL_DEFAULT;
	o.bytes_max = BYTES_MAX;
	ucspi_option_init(&option, argv, LETTERS);
	options_read(&o, &option);
	words = argv + option.ind;
	if ((o.customer = *words) == NULL)
		usage();
	if (*++words == NULL && (*one = getenv("RECIPIENT")) != NULL)
		words = one;
	if (*words == NULL)
		defer("no recipient: there is none after the customer, nor "
		    "RECIPIENT in the environment");
	for (n = 0; words[n] != NULL; n++)
		continue;
	options_complete(&o);
	(void)umask(077);
	signals_init();
	letters_open(o.spool, o.maildir, n);
	message_deliver(&o, recipients_read(&o, words, n), n);
	daemon_poke(&o);
	return (EX_OK);
}
