/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * A daemon's way into the background.
 */
#ifndef BACKGROUND_H
#define BACKGROUND_H

/*
 * background_enter: returns in a child that leads a session of its own.  Who
 * started us waits in its parent until background_ready(), and leaves with
 * 0 then; or, if the child ends before, with its exit code (111 for none),
 * after one line on standard error: "NAME: not started, see the log".
 * Returns 0, or -1 with errno and what failed in *what.
 * background_ready: harmless in the foreground, and a second time.
 * background_path: a path that is found again later, from another
 * directory, malloc(3)ed; links stay as they are: one that leads elsewhere
 * by then is meant to.  NULL when there is no memory.
 */
int	 background_enter(const char *, const char **);
void	 background_ready(void);
char	*background_path(const char *);

#endif
