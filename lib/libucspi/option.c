/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Option letters as the classic programs take them: clusters, an argument
 * attached or in the next word, and nothing of getopt(3)'s later additions,
 * so that the same command line means the same on every system.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ucspi.h"

void
ucspi_option_init(struct ucspi_option *o, char **argv, const char *letters)
{
	const char	*slash;

	o->name = argv[0] == NULL ? "" : argv[0];
	if ((slash = strrchr(o->name, '/')) != NULL)
		o->name = slash + 1;
	o->arg = NULL;
	o->ind = argv[0] == NULL ? 0 : 1;
	o->argv = argv;
	o->letters = letters;
	o->cluster = NULL;
}

static int
option_complain(const struct ucspi_option *o, const char *what, int letter)
{
	(void)dprintf(STDERR_FILENO, "%s: %s -- %c\n", o->name, what, letter);
	return ('?');
}

/*
 * Makes the next word the current cluster.  A word that begins with two
 * dashes ends the options and is swallowed whatever follows, as in 0.88.
 */
static int
option_word_next(struct ucspi_option *o)
{
	const char	*word;

	word = o->argv[o->ind];
	if (word == NULL || word[0] != '-' || word[1] == '\0')
		return (-1);
	o->ind++;
	if (word[1] == '-')
		return (-1);
	o->cluster = word + 1;
	return (0);
}

static int
option_argument_take(struct ucspi_option *o, int letter)
{
	if (*o->cluster != '\0')
		o->arg = o->cluster;
	else if ((o->arg = o->argv[o->ind]) != NULL)
		o->ind++;
	else
		return (option_complain(o, "option requires an argument",
		    letter));
	o->cluster = NULL;
	return (letter);
}

int
ucspi_option_next(struct ucspi_option *o)
{
	const char	*known;
	int		 letter;

	o->arg = NULL;
	if (o->cluster == NULL || *o->cluster == '\0') {
		o->cluster = NULL;
		if (option_word_next(o) == -1)
			return (-1);
	}
	letter = (unsigned char)*o->cluster++;
	known = letter == ':' ? NULL : strchr(o->letters, letter);
	if (known == NULL)
		return (option_complain(o, "illegal option", letter));
	if (known[1] == ':')
		return (option_argument_take(o, letter));
	return (letter);
}
