/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * An environment under edit.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ucspi.h"

#define ENV_SPARE	16	/* entries of room beyond the first copy */

/* Room for n entries and the NULL behind them. */
static int
env_reserve(struct ucspi_env *env, size_t n)
{
	char	**list;

	if (n < env->size)
		return (0);
	list = reallocarray(env->list, n + ENV_SPARE, sizeof(*list));
	if (list == NULL)
		return (-1);
	env->list = list;
	env->size = n + ENV_SPARE;
	return (0);
}

static size_t
env_name_len(const char *entry)
{
	return (strcspn(entry, "="));
}

static int
env_entry_has_name(const char *entry, const char *name, size_t len)
{
	return (strncmp(entry, name, len) == 0 &&
	    (entry[len] == '=' || entry[len] == '\0'));
}

/* Removes the entries of a name from position at on. */
static void
env_remove(struct ucspi_env *env, size_t at, const char *name, size_t len)
{
	size_t	from, to;

	for (from = to = at; from < env->len; from++) {
		if (!env_entry_has_name(env->list[from], name, len))
			env->list[to++] = env->list[from];
	}
	env->len = to;
	env->list[to] = NULL;
}

int
ucspi_env_init(struct ucspi_env *env, char *const from[])
{
	size_t	n = 0;

	memset(env, 0, sizeof(*env));
	if (from != NULL) {
		while (from[n] != NULL)
			n++;
	}
	if (env_reserve(env, n) == -1)
		return (-1);
	if (n > 0)
		memcpy(env->list, from, n * sizeof(*from));
	env->list[n] = NULL;
	env->len = n;
	return (0);
}

int
ucspi_env_append(struct ucspi_env *env, char *entry)
{
	if (env_reserve(env, env->len + 1) == -1)
		return (-1);
	env->list[env->len++] = entry;
	env->list[env->len] = NULL;
	return (0);
}

int
ucspi_env_put(struct ucspi_env *env, char *entry)
{
	size_t	i, len;

	len = env_name_len(entry);
	for (i = 0; i < env->len; i++) {
		if (env_entry_has_name(env->list[i], entry, len)) {
			env->list[i] = entry;
			env_remove(env, i + 1, entry, len);
			return (0);
		}
	}
	return (ucspi_env_append(env, entry));
}

void
ucspi_env_unset(struct ucspi_env *env, const char *name)
{
	env_remove(env, 0, name, strlen(name));
}

int
ucspi_env_copy(struct ucspi_env *dst, const struct ucspi_env *src)
{
	if (env_reserve(dst, src->len) == -1)
		return (-1);
	memcpy(dst->list, src->list, (src->len + 1) * sizeof(*src->list));
	dst->len = src->len;
	return (0);
}

void
ucspi_env_free(struct ucspi_env *env)
{
	free(env->list);
	memset(env, 0, sizeof(*env));
}
