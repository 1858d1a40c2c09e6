/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Classic option parsing: each case is a command line and the transcript
 * of what the parser says, as "letter" or "letter=argument", then the index
 * of the first operand.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "ucspi.h"

#define LETTERS		"dDvqQhHrR1UXx:t:u:g:l:b:B:c:pPoO"
#define WORDS_MAX	16

static void
transcript(char *line, char *out, size_t size)
{
	struct ucspi_option	 o;
	char			*argv[WORDS_MAX + 1];
	size_t			 len = 0;
	int			 c, n = 0;

	for (argv[n] = strsep(&line, "|"); argv[n] != NULL && n < WORDS_MAX;
	    argv[++n] = strsep(&line, "|"))
		continue;
	argv[n] = NULL;

	out[0] = '\0';
	ucspi_option_init(&o, argv, LETTERS);
	while ((c = ucspi_option_next(&o)) != -1) {
		len += (size_t)snprintf(out + len, size - len, "%c%s%s ", c,
		    o.arg == NULL ? "" : "=", o.arg == NULL ? "" : o.arg);
		if (c == '?')
			return;
	}
	(void)snprintf(out + len, size - len, "@%d", o.ind);
}

static void
check(const char *command, const char *wanted)
{
	char	*line, out[256];

	ATF_REQUIRE((line = strdup(command)) != NULL);
	transcript(line, out, sizeof(out));
	ATF_CHECK_STREQ_MSG(wanted, out, "%s: \"%s\", not \"%s\"", command,
	    out, wanted);
	free(line);
}

/* Runs f with standard error in a file and returns what was written. */
static char *
complaint(const char *command, char *buf, size_t size)
{
	char	*line, out[256];
	ssize_t	 n;
	int	 fd, saved;

	ATF_REQUIRE((line = strdup(command)) != NULL);
	ATF_REQUIRE((fd = open("stderr", O_RDWR | O_CREAT | O_TRUNC,
	    0600)) != -1);
	ATF_REQUIRE((saved = dup(STDERR_FILENO)) != -1);
	ATF_REQUIRE(dup2(fd, STDERR_FILENO) != -1);
	transcript(line, out, sizeof(out));
	ATF_REQUIRE(dup2(saved, STDERR_FILENO) != -1);
	ATF_REQUIRE((n = pread(fd, buf, size - 1, 0)) != -1);
	buf[n] = '\0';
	ATF_REQUIRE(close(fd) == 0 && close(saved) == 0);
	free(line);
	return (buf);
}

ATF_TC_WITHOUT_HEAD(words);
ATF_TC_BODY(words, tc)
{
	check("x", "@1");
	check("x|a|b", "@1");
	check("x|-v|a", "v @2");
	check("x|-vRHl0|a", "v R H l=0 @2");
	check("x|-vRHl|0|a", "v R H l=0 @3");
	check("x|-t5|-t|6|a", "t=5 t=6 @4");
	check("x|-l||a", "l= @3");
	check("x|-l|-v|a", "l=-v @3");
	check("x|-x-|a", "x=- @2");
	check("x|a|-v", "@1");
}

ATF_TC_WITHOUT_HEAD(ends);
ATF_TC_BODY(ends, tc)
{
	check("x|-v|-|-v", "v @2");
	check("x|-v|--|-v", "v @3");
	check("x|--", "@2");
	check("x|--xyz|0|0", "@2");
	check("x|-l|--|a", "l=-- @3");
	check("x||-v", "@1");
}

ATF_TC_WITHOUT_HEAD(complaints);
ATF_TC_BODY(complaints, tc)
{
	char	buf[256];

	check("x|-z", "? ");
	check("x|-v-|a", "v ? ");
	check("x|-:|a", "? ");
	check("x|-vt", "v ? ");
	ATF_CHECK_STREQ("tcpserver: illegal option -- z\n",
	    complaint("/a/b/tcpserver|-vz|0", buf, sizeof(buf)));
	ATF_CHECK_STREQ("tcpserver: option requires an argument -- t\n",
	    complaint("tcpserver|-vt", buf, sizeof(buf)));
	ATF_CHECK_STREQ("t: illegal option -- ?\n",
	    complaint("t|-?", buf, sizeof(buf)));
	ATF_CHECK_STREQ(": illegal option -- z\n",
	    complaint("a/b/|-z", buf, sizeof(buf)));
	ATF_CHECK_STREQ("", complaint("x|-v|a", buf, sizeof(buf)));
}

ATF_TC_WITHOUT_HEAD(no_argv0);
ATF_TC_BODY(no_argv0, tc)
{
	struct ucspi_option	 o;
	char			*argv[] = { NULL };

	ucspi_option_init(&o, argv, LETTERS);
	ATF_CHECK_STREQ("", o.name);
	ATF_CHECK_EQ(-1, ucspi_option_next(&o));
	ATF_CHECK_EQ(0, o.ind);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, words);
	ATF_TP_ADD_TC(tp, ends);
	ATF_TP_ADD_TC(tp, complaints);
	ATF_TP_ADD_TC(tp, no_argv0);
	return (atf_no_error());
}
