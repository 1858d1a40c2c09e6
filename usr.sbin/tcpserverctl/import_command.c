/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * One command of a script: what it leaves for those after it, a tcpserver,
 * or the program that a tcpserver's log goes to.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "import_local.h"
#include "../tcpserverd/conf_build.h"

#define FILES_MAX	32

const char *
word_base(const char *name)
{
	const char	*slash = strrchr(name, '/');

	if (slash != NULL)
		name = slash + 1;
	return (strncmp(name, "s6-", 3) == 0 ? name + 3 : name);
}

int
word_known(struct import *im, const struct import_word *w, const char *what)
{
	im->line = w->line;
	if (w->unknown == NULL)
		return (1);
	import_problem(im, "%s: %s: its value is not known here", what,
	    w->unknown);
	return (0);
}

/*
 * Options
 */

static int
option_argument(struct import_options *o)
{
	if (*o->cluster != '\0') {
		o->rest = o->words->list[o->next - 1];
		o->rest.text += strlen(o->rest.text) - strlen(o->cluster);
		o->arg = &o->rest;
	} else if (o->next < o->words->len)
		o->arg = &o->words->list[o->next++];
	else
		return (-1);
	o->cluster = NULL;
	return (0);
}

/* The next cluster of letters; -1: there is none. */
static int
option_cluster(struct import_options *o)
{
	const char	*text;

	if (o->next == o->words->len)
		return (-1);
	text = o->words->list[o->next].text;
	if (text[0] != '-' || text[1] == '\0')
		return (-1);
	o->next++;
	if (strcmp(text, "--") == 0)
		return (-1);
	o->cluster = text + 1;
	return (0);
}

int
option_next(struct import_options *o)
{
	const char	*letter;
	int		 ch;

	o->arg = NULL;
	if ((o->cluster == NULL || *o->cluster == '\0') &&
	    option_cluster(o) == -1)
		return (-1);
	ch = (unsigned char)*o->cluster++;
	if (ch == ':' || (letter = strchr(o->letters, ch)) == NULL)
		return ('?');
	if (letter[1] == ':' && option_argument(o) == -1)
		return ('?');
	return (ch);
}

/*
 * What commands leave behind
 */

/* The length of "NAME" in "NAME=VALUE"; 0: it is no assignment. */
static size_t
assignment_length(const char *word)
{
	size_t	n;

	for (n = 0; isalnum((unsigned char)word[n]) || word[n] == '_'; n++)
		continue;
	return (isdigit((unsigned char)word[0]) || word[n] != '=' ? 0 : n);
}

static void
assign(struct import *im, const struct import_word *w, int export)
{
	char	*name;
	size_t	 n = assignment_length(w->text);

	if ((name = strndup(w->text, n > 0 ? n : strlen(w->text))) == NULL) {
		im->failed = 1;
		return;
	}
	if (n > 0)
		variable_set(im, name, w->unknown == NULL ? w->text + n + 1 :
		    NULL);
	if (export)
		variable_export(im, name);
	free(name);
}

static void
words_assign(struct import *im, const struct import_words *words, size_t i,
    int export)
{
	for (; i < words->len; i++)
		if (words->list[i].text[0] != '-')
			assign(im, &words->list[i], export);
}

static void
directory_change(struct import *im, const struct import_word *w)
{
	struct stat	st;

	if (!word_known(im, w, "cd"))
		return;
	if (w->text[0] == '/' && stat(w->text, &st) == 0 &&
	    S_ISDIR(st.st_mode))
		string_set(im, &im->directory, w->text);
	else
		import_problem(im, "cd %s: no directory of this host",
		    w->text);
}

/* What it sets may be needed; if it is not here, that is told where it is. */
static void
file_include(struct import *im, const struct import_word *w)
{
	const char	*file = im->file;
	char		*text, *name;
	int		 line = im->line;

	if (w->unknown != NULL || im->files++ >= FILES_MAX ||
	    (text = import_read(w->text)) == NULL)
		return;
	/* Services keep the name of their file. */
	if ((name = strdup(w->text)) != NULL) {
		im->file = name;
		im->line = 1;
		shell_read(im, text);
		im->file = file;
		im->line = line;
	}
	free(name);
	free(text);
}

static void
limits_read(struct import *im, const struct import_words *words)
{
	struct import_options	o;
	int			ch;

	memset(&o, 0, sizeof(o));
	o.words = words;
	o.next = 1;
	o.letters = "HSc:d:f:l:m:n:s:t:u:v:";
	while ((ch = option_next(&o)) != -1) {
		if (ch == 'H' || ch == 'S')
			continue;
		if (ch == '?' || !word_known(im, o.arg, "ulimit")) {
			import_problem(im, "ulimit: not understood");
			return;
		}
		limit_ulimit(im, &im->limits, ch, o.arg->text);
	}
	if (o.next < words->len)
		limit_ulimit(im, &im->limits, 'f', words->list[o.next].text);
}

/* 1: it was such a command. */
static int
builtin_read(struct import *im, const struct import_words *words)
{
	const char	*name = words->list[0].text;

	if (strcmp(name, "export") == 0)
		words_assign(im, words, 1, 1);
	else if (strcmp(name, "readonly") == 0 || strcmp(name, "local") == 0)
		words_assign(im, words, 1, 0);
	else if (strcmp(name, "cd") == 0 && words->len == 2)
		directory_change(im, &words->list[1]);
	else if ((strcmp(name, ".") == 0 || strcmp(name, "source") == 0) &&
	    words->len >= 2)
		file_include(im, &words->list[1]);
	else if (strcmp(name, "ulimit") == 0)
		limits_read(im, words);
	else if (strcmp(name, "umask") == 0 && words->len == 2)
		import_problem(im, "umask %s: is the daemon's",
		    words->list[1].text);
	else
		return (0);
	return (1);
}

/*
 * The log
 */

/* splogger's facility is a number, as in syslog(3). */
static const char *
facility_name(const char *word)
{
	size_t	n = strlen(word);

	if (word[strspn(word, "0123456789")] == '\0' && n > 0 && n < 3)
		return (conf_facility_name(atoi(word) << 3));
	return (conf_facility_name(conf_facility_find(word)));
}

static void
facility_set(struct import *im, const char *word)
{
	const char	*name;
	char		*copy;

	if ((copy = strndup(word, strcspn(word, "."))) == NULL) {
		im->failed = 1;
		return;
	}
	if ((name = facility_name(copy)) != NULL)
		string_set(im, &im->piped->facility, name);
	else
		import_problem(im, "log facility %s: there is none", copy);
	free(copy);
}

static void
log_read(struct import *im, const struct import_words *words)
{
	struct import_options	o;
	const char		*name = word_base(words->list[0].text);
	int			ch;

	if (strcmp(name, "splogger") == 0) {
		facility_set(im, words->len > 2 ? words->list[2].text : "2");
		return;
	}
	if (strcmp(name, "logger") != 0) {
		import_problem(im, "| %s: the log goes to syslogd", name);
		return;
	}
	memset(&o, 0, sizeof(o));
	o.words = words;
	o.next = 1;
	o.letters = "46Aisndf:p:t:u:h:P:S:";
	while ((ch = option_next(&o)) != -1)
		if (ch == 'p')
			facility_set(im, o.arg->text);
}

/*
 * tcpserver
 */

static int
word_is_reserved(const char *word)
{
	static const char *const	reserved[] = {
		"!", "case", "do", "done", "elif", "else", "esac", "fi", "for",
		"function", "if", "in", "then", "time", "until", "while", "{",
		"}"
	};
	size_t				i;

	for (i = 0; i < nitems(reserved); i++)
		if (strcmp(reserved[i], word) == 0)
			return (1);
	return (0);
}

/* Where the word tcpserver stands; words->len: nowhere. */
static size_t
tcpserver_find(const struct import_words *words)
{
	size_t	i;

	for (i = 0; i < words->len; i++)
		if (strcmp(word_base(words->list[i].text), "tcpserver") == 0)
			break;
	return (i);
}

static void
redirects_check(struct import *im, const struct import_words *redirects)
{
	const char	*r;
	size_t		 i;

	for (i = 0; i < redirects->len; i++) {
		r = redirects->list[i].text;
		if (strcmp(r, "2>&1") == 0 || strncmp(r, "<", 1) == 0 ||
		    strncmp(r, "0<", 2) == 0 || strstr(r, "/dev/null") != NULL)
			continue;
		import_problem(im, "%s: the log goes to syslogd", r);
	}
}

static void
environment_add(struct import *im, struct import_service *s)
{
	struct import_variable	*v;

	TAILQ_FOREACH(v, &im->variables, entry) {
		if (!v->exported)
			continue;
		if (v->value != NULL)
			service_variable(im, s, v->name, v->value);
		else
			import_problem(im, "environment: $%s: its value is not "
			    "known here", v->name);
	}
}

static void
service_read(struct import *im, const struct import_words *words, size_t at,
    const struct import_words *redirects)
{
	struct import_service	*s;
	ssize_t			 next;
	size_t			 i;

	im->line = words->list[0].line;
	if ((s = service_new(im)) == NULL)
		return;
	environment_add(im, s);
	for (i = 0; i < im->limits.len; i++)
		words_add(im, &s->rlimits, im->limits.list[i].text, NULL);
	if (im->directory != NULL)
		string_set(im, &s->directory, im->directory);
	next = prefix_read(im, words, at, s);
	if (next == -1) {
		service_drop(im, s);
		return;
	}
	tcpserver_read(im, words, (size_t)next, s);
	im->line = words->list[0].line;
	redirects_check(im, redirects);
	service_finish(im, s);
	im->piped = s;
}

/* "sh -c COMMAND" */
static int
script_read(struct import *im, const struct import_words *words)
{
	const char	*name;
	size_t		 i = 0;

	if (words->len > 0 && strcmp(words->list[0].text, "exec") == 0)
		i++;
	if (words->len < i + 3 || words->list[i + 2].unknown != NULL)
		return (0);
	name = word_base(words->list[i].text);
	if ((strcmp(name, "sh") != 0 && strcmp(name, "bash") != 0 &&
	    strcmp(name, "ksh") != 0) ||
	    strcmp(words->list[i + 1].text, "-c") != 0)
		return (0);
	im->line = words->list[i + 2].line;
	shell_read(im, words->list[i + 2].text);
	return (1);
}

/* Only assignments. */
static int
assignments_read(struct import *im, const struct import_words *words)
{
	size_t	i;

	for (i = 0; i < words->len; i++)
		if (assignment_length(words->list[i].text) == 0)
			return (0);
	words_assign(im, words, 0, 0);
	return (1);
}

void
command_read(struct import *im, const struct import_words *all,
    const struct import_words *redirects)
{
	struct import_words	words = *all;
	size_t			at;

	while (words.len > 0 && words.list[0].unknown == NULL &&
	    word_is_reserved(words.list[0].text)) {
		words.list++;
		words.len--;
	}
	if (words.len == 0)
		return;
	im->line = words.list[0].line;
	if (im->piped != NULL) {
		log_read(im, &words);
		return;
	}
	if (assignments_read(im, &words) || builtin_read(im, &words) ||
	    script_read(im, &words))
		return;
	if ((at = tcpserver_find(&words)) < words.len)
		service_read(im, &words, at, redirects);
}
