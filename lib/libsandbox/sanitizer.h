/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 */
#ifndef SANITIZER_H
#define SANITIZER_H

/*
 * sanitizer_prepare: before a process is confined: does nothing unless built
 * for -fsanitize, whose run-time then reads /proc while it still can, and
 * checks for no leaks at the end.  Linux only.
 */
void	sanitizer_prepare(void);

#endif
