/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Started by the launcher's test: says what it inherited, as
 * "dumpable N no_new_privs N seccomp N euid N".  Linux only.
 */
#include <sys/prctl.h>

#include <stdio.h>
#include <unistd.h>

int
main(void)
{
	printf("dumpable %d no_new_privs %d seccomp %d euid %d\n",
	    prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L),
	    prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L),
	    prctl(PR_GET_SECCOMP, 0L, 0L, 0L, 0L), (int)geteuid());
	fflush(stdout);
	/* Not exit(3): a leak checker can't work in a set-uid program. */
	_exit(0);
}
