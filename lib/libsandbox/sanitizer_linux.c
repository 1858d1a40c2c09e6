/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Linux: what the run-time of -fsanitize needs in a process that will be
 * confined; nothing, in a build without.
 */
#include "sanitizer.h"

#ifdef SANDBOX_SANITIZER
#include <sanitizer/common_interface_defs.h>

static int	sanitizer_confined;

/*
 * Asked by the leak checker at exit: it works with a process of its own
 * that traces this one, which no role may have.
 */
int	__lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return (sanitizer_confined);
}

/* Lets the run-time read /proc while it still can, for later reports. */
void
sanitizer_prepare(void)
{
	__sanitizer_sandbox_arguments	arguments = { 0 };

	__sanitizer_sandbox_on_notify(&arguments);
	sanitizer_confined = 1;
}
#else
void
sanitizer_prepare(void)
{
}
#endif
