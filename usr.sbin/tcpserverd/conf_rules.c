/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Are a service's rules there and readable as what they are?
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "compat.h"
#include "conf_build.h"
#include "rules.h"

#define BAD_LINES_MAX	10	/* told of one by one */
#define BAD_LINE_SHOWN	80	/* bytes */

static int
record_ignore(void *arg, const uint8_t *key, size_t key_len,
    const uint8_t *data, size_t data_len)
{
	return (0);
}

static void
line_error(struct conf_build *b, const char *path, int line,
    const char *text, size_t len)
{
	struct conf_word	at;

	memset(&at, 0, sizeof(at));
	at.file = path;
	at.line = line;
	conf_word_error(b->lexer, &at, "rules: \"%.*s\": not a rule, see "
	    "tcprules(5)", (int)(len > BAD_LINE_SHOWN ? BAD_LINE_SHOWN : len),
	    text);
}

static void
text_check(struct conf_build *b, const struct conf_word *at, const char *path,
    FILE *f)
{
	struct rules	 rules;
	char		*line = NULL;
	size_t		 size = 0, len;
	ssize_t		 got;
	int		 number = 0, bad = 0;

	memset(&rules, 0, sizeof(rules));
	while ((got = getline(&line, &size, f)) != -1) {
		number++;
		len = rules_trim((uint8_t *)line, (size_t)got);
		if (rules_line(&rules, (uint8_t *)line, len, record_ignore,
		    NULL) == RULES_DONE)
			continue;
		if (bad++ < BAD_LINES_MAX)
			line_error(b, path, number, line, len);
	}
	if (ferror(f))
		conf_word_error(b->lexer, at, "rules \"%s\": %s", path,
		    strerror(errno));
	if (bad > BAD_LINES_MAX)
		conf_word_error(b->lexer, at, "rules \"%s\": %d more lines are "
		    "no rules", path, bad - BAD_LINES_MAX);
	free(line);
	rules_free(&rules);
}

static void
database_check(struct conf_build *b, const struct conf_word *at,
    const char *path, int fd)
{
	struct access	*access;

	if ((access = access_open(fd)) == NULL)
		conf_word_error(b->lexer, at, "rules \"%s\": %s", path, errno ==
		    EPROTO ? "not a database of tcprules(1)" : strerror(errno));
	access_close(access);
}

/* The text it was made from, by the names that people give it. */
static int
source_is_newer(const char *source, const struct stat *db)
{
	struct stat	st;

	return (stat(source, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mtim.tv_sec > db->st_mtim.tv_sec ||
	    (st.st_mtim.tv_sec == db->st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec > db->st_mtim.tv_nsec)));
}

static void
source_check(struct conf_build *b, const struct conf_word *at,
    const char *path, const struct stat *db)
{
	char	*source;
	size_t	 len = strlen(path) - strlen(".cdb");

	/* Room for ".txt" in the place of ".cdb". */
	if ((source = strdup(path)) == NULL)
		return;
	strlcpy(source + len, ".txt", strlen(".txt") + 1);
	if (!source_is_newer(source, db))
		source[len] = '\0';
	if (source[len] != '\0' || source_is_newer(source, db))
		conf_word_warning(b->lexer, at, "rules \"%s\": older than %s: "
		    "run tcprules(1)", path, source);
	free(source);
}

static void
file_check(struct conf_build *b, const struct conf_word *at, const char *path,
    FILE *f)
{
	struct stat	st;

	if (fstat(fileno(f), &st) == -1)
		conf_word_error(b->lexer, at, "rules \"%s\": %s", path,
		    strerror(errno));
	else if (!S_ISREG(st.st_mode))
		conf_word_error(b->lexer, at, "rules \"%s\": not a regular "
		    "file", path);
	else if (b->service->rules_kind == CONF_RULES_TEXT)
		text_check(b, at, path, f);
	else {
		database_check(b, at, path, fileno(f));
		source_check(b, at, path, &st);
	}
}

void
build_rules_check(struct conf_build *b, const struct conf_word *at)
{
	const struct conf_service	*s = b->service;
	FILE				*f = NULL;
	int				 fd;

	fd = open(s->rules, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT && (s->flags & SERVICE_RULES_OPTIONAL))
		return;
	if (fd == -1 || (f = fdopen(fd, "r")) == NULL) {
		conf_word_error(b->lexer, at, "rules \"%s\": %s", s->rules,
		    strerror(errno));
		if (fd != -1)
			close(fd);
		return;
	}
	file_check(b, at, s->rules, f);
	fclose(f);
}
