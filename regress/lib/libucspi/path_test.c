/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The classic path search, with real files and a real execve(2).
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "ucspi.h"

static void
candidates_check(const char *prog, const char *path, const char *wanted)
{
	char	**list, out[512];
	size_t	  i, len = 0;

	out[0] = '\0';
	ATF_REQUIRE((list = ucspi_path_candidates(prog, path)) != NULL);
	for (i = 0; list[i] != NULL; i++)
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%s",
		    i == 0 ? "" : " ", list[i]);
	ATF_CHECK_STREQ_MSG(wanted, out, "%s in %s: \"%s\", not \"%s\"",
	    prog, path == NULL ? "(unset)" : path, out, wanted);
	free(list);
}

ATF_TC_WITHOUT_HEAD(candidates);
ATF_TC_BODY(candidates, tc)
{
	candidates_check("p", "/a:/b/c", "/a/p /b/c/p");
	candidates_check("p", NULL, "/bin/p /usr/bin/p");
	candidates_check("p", "", "./p");
	candidates_check("p", ":", "./p ./p");
	candidates_check("p", ":/a::/b:", "./p /a/p ./p /b/p ./p");
	candidates_check("./p", "/a", "./p");
	candidates_check("d/p", "/a", "d/p");
	candidates_check("", "/a:", "/a/ ./");
}

/* What running prog along path gives: an exit code, or -errno. */
static int
run(const char *prog, const char *path)
{
	char	*argv[] = { NULL, NULL }, *envp[] = { NULL };
	char	 name[] = "p", **list;
	pid_t	 pid;
	int	 error = 0, pipes[2], status;

	argv[0] = name;
	ATF_REQUIRE((list = ucspi_path_candidates(prog, path)) != NULL);
	ATF_REQUIRE(pipe2(pipes, O_CLOEXEC) == 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		error = ucspi_path_exec(list, argv, envp);
		if (write(pipes[1], &error, sizeof(error)) == -1)
			_exit(126);
		_exit(127);
	}
	(void)close(pipes[1]);
	if (read(pipes[0], &error, sizeof(error)) == 0)
		error = 0;
	(void)close(pipes[0]);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	free(list);
	return (error != 0 ? -error : WEXITSTATUS(status));
}

static void
script_make(const char *path, const char *text, mode_t mode)
{
	FILE	*f;

	ATF_REQUIRE((f = fopen(path, "w")) != NULL);
	ATF_REQUIRE(fputs(text, f) >= 0);
	ATF_REQUIRE(fclose(f) == 0);
	ATF_REQUIRE(chmod(path, mode) == 0);
}

static void
tree_make(void)
{
	ATF_REQUIRE(mkdir("empty", 0755) == 0);
	ATF_REQUIRE(mkdir("denied", 0755) == 0);
	ATF_REQUIRE(mkdir("good", 0755) == 0);
	ATF_REQUIRE(mkdir("bad", 0755) == 0);
	ATF_REQUIRE(mkdir("dir", 0755) == 0);
	ATF_REQUIRE(mkdir("dir/p", 0755) == 0);
	script_make("good/p", "#!/bin/sh\nexit 42\n", 0755);
	script_make("denied/p", "#!/bin/sh\nexit 41\n", 0644);
	script_make("bad/p", "exit 43\n", 0755);
	script_make("file", "", 0644);
}

ATF_TC_WITHOUT_HEAD(search);
ATF_TC_BODY(search, tc)
{
	tree_make();
	ATF_CHECK_EQ(42, run("p", "empty:good"));
	ATF_CHECK_EQ(42, run("good/p", "empty"));
	ATF_CHECK_EQ(-ENOENT, run("p", "empty:nowhere"));
	ATF_CHECK_EQ(-ENOENT, run("./p", "good"));
	/* Remembered and passed over. */
	ATF_CHECK_EQ(42, run("p", "denied:good"));
	ATF_CHECK_EQ(42, run("p", "dir:good"));
	ATF_CHECK_EQ(-EACCES, run("p", "denied:empty"));
	ATF_CHECK_EQ(-EACCES, run("p", "empty:denied:nowhere"));
	/* Anything else stops the search: no shell for unmarked files. */
	ATF_CHECK_EQ(-ENOEXEC, run("p", "bad:good"));
	ATF_CHECK_EQ(-ENOTDIR, run("p", "file:good"));
	ATF_CHECK_EQ(-ENOEXEC, run("p", "denied:bad:good"));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, candidates);
	ATF_TP_ADD_TC(tp, search);
	return (atf_no_error());
}
