/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * NetBSD: has no sandbox, and so nothing to try.
 */
static const struct {
	const char	*name;
	int		 roles;
} system_permits[] = {
	{ "", 0 }
};

static int
system_confines(void)
{
	return (0);
}

static void
system_prepare(void)
{
}

static const struct attempt system_attempts[] = {
	{ "", NULL, 0, NEED_LUCK }
};
