/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A script's variables, and what those few commands would print whose output
 * scripts put into them.
 */
#include <sys/types.h>

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "import_local.h"

static struct import_variable *
variable_find(struct import *im, const char *name)
{
	struct import_variable	*v;

	TAILQ_FOREACH(v, &im->variables, entry)
		if (strcmp(v->name, name) == 0)
			return (v);
	if ((v = calloc(1, sizeof(*v))) == NULL ||
	    (v->name = strdup(name)) == NULL) {
		free(v);
		im->failed = 1;
		return (NULL);
	}
	TAILQ_INSERT_TAIL(&im->variables, v, entry);
	return (v);
}

const char *
variable_value(struct import *im, const char *name)
{
	struct import_variable	*v = variable_find(im, name);

	return (v == NULL ? NULL : v->value);
}

void
variable_set(struct import *im, const char *name, const char *value)
{
	struct import_variable	*v;

	if ((v = variable_find(im, name)) == NULL)
		return;
	if (value != NULL)
		string_set(im, &v->value, value);
	else {
		free(v->value);
		v->value = NULL;
	}
}

void
variable_export(struct import *im, const char *name)
{
	struct import_variable	*v;

	if ((v = variable_find(im, name)) != NULL)
		v->exported = 1;
}

void
variables_free(struct import *im)
{
	struct import_variable	*v;

	while ((v = TAILQ_FIRST(&im->variables)) != NULL) {
		TAILQ_REMOVE(&im->variables, v, entry);
		free(v->name);
		free(v->value);
		free(v);
	}
}

/*
 * Commands
 */

/* A user is better known by his name than by today's number. */
static char *
output_id(const struct import_words *w)
{
	struct passwd	*pw;
	struct group	*gr;
	const char	*option, *user;

	if (w->len != 3)
		return (NULL);
	option = w->list[1].text;
	user = w->list[2].text;
	if (strcmp(option, "-u") == 0 || strcmp(option, "-un") == 0)
		return (strdup(user));
	if (strncmp(option, "-g", 2) != 0 || (pw = getpwnam(user)) == NULL ||
	    (gr = getgrgid(pw->pw_gid)) == NULL)
		return (NULL);
	return (strdup(gr->gr_name));
}

/* What the shell would make of it: without line feeds at its end. */
static char *
output_file(const char *path, int first_line)
{
	char	*text;
	size_t	 len;

	if ((text = import_read(path)) == NULL)
		return (NULL);
	len = first_line ? strcspn(text, "\n") : strlen(text);
	while (len > 0 && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return (text);
}

static char *
output_head(const struct import_words *w)
{
	const struct import_word	*l = w->list;

	if (w->len == 3 && (strcmp(l[1].text, "-1") == 0 ||
	    strcmp(l[1].text, "-n1") == 0))
		return (output_file(l[2].text, 1));
	if (w->len == 4 && strcmp(l[1].text, "-n") == 0 &&
	    strcmp(l[2].text, "1") == 0)
		return (output_file(l[3].text, 1));
	return (NULL);
}

static char *
output_echo(struct import *im, const struct import_words *w)
{
	struct import_text	t;
	size_t			i;

	memset(&t, 0, sizeof(t));
	text_string(im, &t, "");
	for (i = 1; i < w->len; i++) {
		if (i > 1)
			text_add(im, &t, ' ');
		text_string(im, &t, w->list[i].text);
	}
	return (t.base == NULL ? strdup("") : t.base);
}

static char *
output_of(struct import *im, const struct import_words *w)
{
	const char	*name;
	size_t		 i;

	for (i = 0; i < w->len; i++)
		if (w->list[i].unknown != NULL)
			return (NULL);
	if (w->len == 0)
		return (NULL);
	name = word_base(w->list[0].text);
	if (strcmp(name, "id") == 0)
		return (output_id(w));
	if (strcmp(name, "cat") == 0 && w->len == 2)
		return (output_file(w->list[1].text, 0));
	if (strcmp(name, "head") == 0)
		return (output_head(w));
	if (strcmp(name, "echo") == 0)
		return (output_echo(im, w));
	if (strcmp(name, "which") == 0 && w->len == 2)
		return (strdup(w->list[1].text));
	if (strcmp(name, "command") == 0 && w->len == 3 &&
	    strcmp(w->list[1].text, "-v") == 0)
		return (strdup(w->list[2].text));
	return (NULL);
}

char *
variable_substitute(struct import *im, const char *command)
{
	struct import_words	 words;
	char			*output = NULL;

	if (shell_split(im, command, &words) == 0)
		output = output_of(im, &words);
	words_free(&words);
	return (output);
}
