/*
 * For the tests of the queue's files one by one: the others' functions do
 * nothing (stubs.c), unless the test has its own; the clock is the test's.
 */
#ifndef STUBS_H
#define STUBS_H

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "queue.h"

extern int64_t	test_ms;	/* clock_ms() */

#endif
