/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Configuration files: the input is cut at octets 0xfe into up to four
 * files, "0" (which is opened), "1", "2" and "3", that may include each
 * other, and the directory "d", which has the last two as "2.conf" and
 * "3.conf".  Every error must be one printable line; what is read without an
 * error must, written down again, be read as the same.
 *
 * covers: lib/libconf/conf.c
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "conf.h"

#define FILES		4
#define CUT		0xfe
#define TEXT_MAX	(1 << 20)
#define TOKENS_MAX	20000

enum { TOKEN_STRING = 258, TOKEN_NUMBER, TOKEN_ERROR, TOKEN_LISTEN,
    TOKEN_ON };

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct conf_keyword	keywords[] = {
	{ "listen", TOKEN_LISTEN }, { "on", TOKEN_ON }
};
static const struct conf_tokens		tokens = { TOKEN_STRING, TOKEN_NUMBER,
					    TOKEN_ERROR };
static unsigned int			reported;
/* A directory of our own, made once, with room for the name of a file. */
static char				place[40] = "conf_fuzz.XXXXXX";
static size_t				place_len;

static void
require(int truth)
{
	if (!truth)
		abort();
}

static void
report(const char *line, void *arg)
{
	reported++;
	require(line[0] != '\0');
	for (; *line != '\0'; line++)
		require(*line >= 32 && *line < 127);
}

/* The path of a file. */
static const char *
path_of(char name)
{
	(void)snprintf(place + place_len, sizeof(place) - place_len, "/%c",
	    name);
	return (place);
}

/* The same for what the directory has of it; NULL: nothing. */
static const char *
path_in_directory(char name)
{
	if (name < '2')
		return (NULL);
	(void)snprintf(place + place_len, sizeof(place) - place_len,
	    "/d/%c.conf", name);
	return (place);
}

static void
place_make(void)
{
	if (place_len != 0)
		return;
	require(mkdtemp(place) != NULL);
	place_len = strlen(place);
	require(mkdir(path_of('d'), 0700) == 0);
}

static void
place_clear(void)
{
	char	name;

	for (name = '0'; name < '0' + FILES; name++) {
		(void)unlink(path_of(name));
		if (path_in_directory(name) != NULL)
			(void)unlink(place);
	}
}

static void
path_write(const char *path, const void *data, size_t len)
{
	int	fd;

	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	require(fd != -1);
	require(write(fd, data, len) == (ssize_t)len);
	close(fd);
}

static void
file_write(char name, const void *data, size_t len)
{
	const char	*path;

	path_write(path_of(name), data, len);
	if ((path = path_in_directory(name)) != NULL)
		path_write(path, data, len);
}

static void
files_make(const uint8_t *data, size_t size)
{
	const uint8_t	*end;
	char		 name;
	size_t		 len;

	for (name = '0'; name < '0' + FILES; name++) {
		end = size == 0 ? NULL : memchr(data, CUT, size);
		len = end == NULL ? size : (size_t)(end - data);
		file_write(name, len == 0 ? (const uint8_t *)"" : data, len);
		data += len;
		size -= len;
		if (size == 0)
			break;
		data++;
		size--;
	}
}

/* Written so that it must be read as what it was. */
static size_t
token_write(char *text, size_t size, int token, const struct conf_value *v)
{
	const char	*s;
	size_t		 len = 0;

	if (size < CONF_WORD_MAX * 2 + 64)
		return (0);
	switch (token) {
	case TOKEN_STRING:
		text[len++] = '"';
		for (s = v->string; *s != '\0'; s++) {
			if (strchr("\"\\\n", *s) != NULL)
				text[len++] = '\\';
			text[len++] = *s == '\n' ? 'n' : *s;
		}
		text[len++] = '"';
		break;
	case TOKEN_NUMBER:
		len = (size_t)snprintf(text, size, "%lld",
		    (long long)v->number);
		break;
	case TOKEN_LISTEN:
	case TOKEN_ON:
		len = (size_t)snprintf(text, size, "%s",
		    keywords[token - TOKEN_LISTEN].word);
		break;
	default:
		text[len++] = (char)token;
		break;
	}
	text[len++] = '\n';
	return (len);
}

static void
token_check(const struct conf *c, int token, const struct conf_value *v,
    unsigned int errors)
{
	require((token == TOKEN_STRING) == (v->string != NULL));
	if (token == TOKEN_STRING)
		require(strlen(v->string) <= CONF_WORD_MAX);
	else if (token == TOKEN_NUMBER)
		require(v->number >= 0);
	else if (token == TOKEN_ERROR)
		require(conf_errors(c) == errors + 1);
	else
		require((token > 0 && token < 256) ||
		    token == TOKEN_LISTEN || token == TOKEN_ON);
	require(conf_file(c) != NULL && conf_line(c) > 0);
	require(strlen(conf_word(c)) <= CONF_WORD_MAX);
}

/* Reads it all; what it is written as goes to text.  -1: errors, too long. */
static ssize_t
read_all(struct conf *c, const char *name, char *text, size_t size)
{
	struct conf_value	 v;
	char			*macro = NULL;
	unsigned int		 errors;
	int			 token, n, before = 0, set = 0;
	size_t			 len = 0;

	if (conf_open(c, name, 0) == -1)
		return (-1);
	for (n = 0; n < TOKENS_MAX; n++) {
		errors = conf_errors(c);
		if ((token = conf_lex(c, &v)) == 0)
			break;
		token_check(c, token, &v, errors);
		len += token_write(text + len, size - len, token, &v);
		if (token == TOKEN_STRING && set && macro != NULL)
			(void)conf_macro_set(c, macro, v.string);
		set = token == '=' && before == TOKEN_STRING;
		if (token == TOKEN_STRING) {
			free(macro);
			macro = v.string;
		}
		before = token;
	}
	free(macro);
	return (conf_errors(c) > 0 || n == TOKENS_MAX ||
	    size - len < CONF_WORD_MAX * 2 + 64 ? -1 : (ssize_t)len);
}

static ssize_t
conf_run(const char *name, char *text, size_t size)
{
	struct conf	*c;
	ssize_t		 len;

	reported = 0;
	require((c = conf_new(keywords, nitems(keywords), &tokens, report,
	    NULL)) != NULL);
	require(conf_define(c, "given=listen \"on\" 5") == 0);
	len = read_all(c, name, text, size);
	require(conf_errors(c) == reported);
	conf_free(c);
	return (len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char	once[TEXT_MAX], twice[TEXT_MAX];
	ssize_t		len;

	place_make();
	files_make(data, size);
	if ((len = conf_run(path_of('0'), once, sizeof(once))) != -1) {
		file_write('0', once, (size_t)len);
		require(conf_run(path_of('0'), twice, sizeof(twice)) == len);
		require(memcmp(once, twice, (size_t)len) == 0);
	}
	place_clear();
	return (0);
}
