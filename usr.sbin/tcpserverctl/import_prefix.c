/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The programs that stand before tcpserver on its line, each of which changes
 * something and runs the rest: what it changes is what the daemon is to do.
 */
#include <sys/types.h>

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "import_local.h"

/* A command line on its way to tcpserver. */
struct prefix {
	struct import			*im;
	const struct import_words	*words;
	size_t				 next;
	struct import_service		*service;
	int				 found;	/* next is tcpserver's */
};

/* A program: its options as for getopt(3), what to do with each. */
struct program {
	const char	*name;
	const char	*letters;
	void		(*option)(struct prefix *, int,
			    const struct import_word *);
	/* after the options */
	void		(*operand)(struct prefix *);
};

static const struct import_word *
operand_take(struct prefix *p)
{
	if (p->next == p->words->len)
		return (NULL);
	p->im->line = p->words->list[p->next].line;
	return (&p->words->list[p->next++]);
}

/* "user", "user:group" */
static void
identity_set(struct prefix *p, const char *text)
{
	char	*user, *group;

	if ((user = strdup(text)) == NULL) {
		p->im->failed = 1;
		return;
	}
	if ((group = strchr(user, ':')) != NULL)
		*group++ = '\0';
	service_user(p->im, p->service, user);
	if (group != NULL)
		service_group(p->im, p->service, group);
	free(user);
}

/*
 * envdir
 */

/* The first line without its trailing blanks; an empty file takes away. */
static void
envdir_file(struct prefix *p, const char *dir, const char *name)
{
	char	path[PATH_MAX], *text;
	size_t	len;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (strchr(name, '=') != NULL || (text = import_read(path)) == NULL) {
		import_problem(p->im, "envdir %s: %s: can't be read", dir,
		    name);
		return;
	}
	if (text[0] == '\0')
		words_add(p->im, &p->service->env_unset, name, NULL);
	else {
		len = strcspn(text, "\n");
		while (len > 0 && strchr(" \t", text[len - 1]) != NULL)
			len--;
		text[len] = '\0';
		service_variable(p->im, p->service, name, text);
	}
	free(text);
}

static int
name_is_visible(const struct dirent *d)
{
	return (d->d_name[0] != '.');
}

static void
envdir_read(struct prefix *p, const struct import_word *w)
{
	struct dirent	**names;
	int		  i, n;

	if (w == NULL || !word_known(p->im, w, "envdir"))
		return;
	if ((n = scandir(w->text, &names, name_is_visible, alphasort)) == -1) {
		import_problem(p->im, "envdir %s: can't be read", w->text);
		return;
	}
	for (i = 0; i < n; i++) {
		envdir_file(p, w->text, names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

static void
envdir_operand(struct prefix *p)
{
	envdir_read(p, operand_take(p));
}

/*
 * Other operands
 */

static void
setuidgid_operand(struct prefix *p)
{
	const struct import_word	*w = operand_take(p);

	if (w != NULL && word_known(p->im, w, "user"))
		identity_set(p, w->text);
}

static void
envuidgid_operand(struct prefix *p)
{
	const struct import_word	*w = operand_take(p);

	if (w != NULL && word_known(p->im, w, "envuidgid"))
		string_set(p->im, &p->service->env_user, w->text);
}

static void
setlock_operand(struct prefix *p)
{
	const struct import_word	*w = operand_take(p);

	if (w != NULL)
		import_problem(p->im, "setlock %s: the daemon locks its own "
		    "pid file", w->text);
}

/* "env NAME=VALUE ..." */
static void
env_operand(struct prefix *p)
{
	const struct import_word	*w;

	while (p->next < p->words->len &&
	    strchr(p->words->list[p->next].text, '=') != NULL) {
		w = operand_take(p);
		if (word_known(p->im, w, "environment"))
			words_add(p->im, &p->service->env_set, w->text, NULL);
	}
}

/*
 * Options
 */

static void
nothing_option(struct prefix *p, int ch, const struct import_word *arg)
{
}

static void
unknown_option(struct prefix *p, const char *name, int ch)
{
	import_problem(p->im, "%s -%c: not carried over", name, ch);
}

static void
env_option(struct prefix *p, int ch, const struct import_word *arg)
{
	if (ch == 'u')
		words_add(p->im, &p->service->env_unset, arg->text, NULL);
	else
		import_problem(p->im, "env -%s: programs have the daemon's "
		    "environment, less what \"environment unset\" takes away",
		    ch == 'i' ? "i" : "");
}

static void
nice_option(struct prefix *p, int ch, const struct import_word *arg)
{
	import_problem(p->im, "nice: the priority is the daemon's");
}

static void
user_option(struct prefix *p, int ch, const struct import_word *arg)
{
	if (ch == 'u' && word_known(p->im, arg, "user"))
		identity_set(p, arg->text);
}

static void
softlimit_option(struct prefix *p, int ch, const struct import_word *arg)
{
	if (word_known(p->im, arg, "softlimit"))
		limit_softlimit(p->im, &p->service->rlimits, ch, arg->text);
}

/* runit's: some of softlimit's letters, some of its own. */
static void
chpst_option(struct prefix *p, int ch, const struct import_word *arg)
{
	if (arg != NULL && !word_known(p->im, arg, "chpst"))
		return;
	switch (ch) {
	case 'u':
		identity_set(p, arg->text);
		break;
	case 'U':
		string_set(p->im, &p->service->env_user, arg->text);
		break;
	case 'e':
		envdir_read(p, arg);
		break;
	case '/':
		string_set(p->im, &p->service->chroot_path, arg->text);
		break;
	case 'm': case 'd': case 'o': case 'p': case 'f': case 'c':
		limit_softlimit(p->im, &p->service->rlimits, ch, arg->text);
		break;
	default:
		unknown_option(p, "chpst", ch);
	}
}

static const struct program	programs[] = {
	{ "builtin",	"",			nothing_option,	NULL },
	{ "chpst",	"vP0123456789u:U:b:e:/:n:l:L:m:d:o:p:f:c:C:",
						chpst_option,	NULL },
	{ "command",	"p",			nothing_option,	NULL },
	{ "daemon",	"cfrSHp:P:t:o:l:s:T:m:R:u:",
						user_option,	NULL },
	{ "doas",	"nsu:C:",		user_option,	NULL },
	{ "env",	"i0u:",			env_option,	env_operand },
	{ "envdir",	"In",			nothing_option,
						envdir_operand },
	{ "envuidgid",	"",			nothing_option,
						envuidgid_operand },
	{ "exec",	"cla:",			nothing_option,	NULL },
	{ "fghack",	"",			nothing_option,	NULL },
	{ "gosu",	"",			nothing_option,
						setuidgid_operand },
	{ "nice",	"0123456789n:",		nice_option,	NULL },
	{ "nohup",	"",			nothing_option,	NULL },
	{ "pgrphack",	"",			nothing_option,	NULL },
	{ "setlock",	"nNxXdD",		nothing_option,
						setlock_operand },
	{ "setsid",	"cfw",			nothing_option,	NULL },
	{ "setuidgid",	"s",			nothing_option,
						setuidgid_operand },
	{ "softlimit",	"a:c:d:f:l:m:o:p:r:s:t:",
						softlimit_option, NULL },
	{ "su-exec",	"",			nothing_option,
						setuidgid_operand },
	{ "sudo",	"nEHu:g:",		user_option,	NULL },
};

/* start-stop-daemon has long options and names the program in one. */
static void
ssd_option(struct prefix *p, const char *option,
    const struct import_word *arg)
{
	if (strcmp(option, "--chuid") == 0 || strcmp(option, "-c") == 0) {
		if (word_known(p->im, arg, "user"))
			identity_set(p, arg->text);
	} else if (strcmp(option, "--chdir") == 0 || strcmp(option, "-d") == 0)
		string_set(p->im, &p->service->directory, arg->text);
	else if (strcmp(option, "--chroot") == 0 || strcmp(option, "-r") == 0)
		string_set(p->im, &p->service->chroot_path, arg->text);
	else if (strcmp(option, "--nicelevel") == 0 ||
	    strcmp(option, "-N") == 0)
		nice_option(p, 'n', arg);
}

static void
ssd_read(struct prefix *p)
{
	const struct import_word	*w, *arg;

	while ((w = operand_take(p)) != NULL) {
		if (strcmp(w->text, "--") == 0) {
			p->found = 1;
			return;
		}
		arg = p->next < p->words->len ? &p->words->list[p->next] :
		    NULL;
		if (arg != NULL && w->text[0] == '-')
			ssd_option(p, w->text, arg);
	}
}

static const struct program *
program_find(const char *name)
{
	size_t	i;

	for (i = 0; i < nitems(programs); i++)
		if (strcmp(programs[i].name, name) == 0)
			return (&programs[i]);
	return (NULL);
}

static void
program_read(struct prefix *p, const struct program *program)
{
	struct import_options	o;
	int			ch;

	memset(&o, 0, sizeof(o));
	o.words = p->words;
	o.next = p->next;
	o.letters = program->letters;
	/* "env - ..." is env -i. */
	while ((ch = option_next(&o)) != -1) {
		p->im->line = p->words->list[o.next - 1].line;
		if (ch == '?')
			import_problem(p->im, "%s: option not understood",
			    program->name);
		else
			program->option(p, ch, o.arg);
	}
	p->next = o.next;
	if (program->option == env_option && p->next < p->words->len &&
	    strcmp(p->words->list[p->next].text, "-") == 0) {
		p->next++;
		program->option(p, 'i', NULL);
	}
	if (program->operand != NULL)
		program->operand(p);
}

static void
word_read(struct prefix *p, const struct import_word *w)
{
	const struct program	*program;
	const char		*name = word_base(w->text);

	if (strcmp(name, "tcpserver") == 0)
		p->found = 1;
	else if (strcmp(name, "start-stop-daemon") == 0)
		ssd_read(p);
	else if ((program = program_find(name)) != NULL)
		program_read(p, program);
	else if (strchr(w->text, '=') != NULL && w->unknown == NULL)
		words_add(p->im, &p->service->env_set, w->text, NULL);
	else if (w->unknown != NULL)
		import_problem(p->im, "%s before tcpserver: its value is not "
		    "known here", w->unknown);
	else
		import_problem(p->im, "\"%s\" before tcpserver: not known, not "
		    "carried over", w->text);
}

/*
 * "killall tcpserver" starts none, nor does "[ -x /usr/bin/tcpserver ]": a
 * host, a port and a program must follow.
 */
ssize_t
prefix_read(struct import *im, const struct import_words *words, size_t at,
    struct import_service *s)
{
	const struct import_word	*w;
	struct prefix			 p;

	if (words->len - at < 4)
		return (-1);
	memset(&p, 0, sizeof(p));
	p.im = im;
	p.words = words;
	p.service = s;
	while (!p.found && (w = operand_take(&p)) != NULL)
		word_read(&p, w);
	return (p.found ? (ssize_t)p.next : -1);
}
