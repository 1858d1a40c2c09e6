/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Giving back what tcpserverd.conf said.
 */
#include <sys/types.h>

#include <stdlib.h>

#include "compat.h"
#include "conf_build.h"

static void
list_free(char **list)
{
	size_t	i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

void
conf_listen_free(struct conf_listen *l)
{
	free(l->file);
	free(l->host);
	free(l->port_word);
	free(l->addrs);
	free(l);
}

static void
listens_free(struct conf_listens *listens)
{
	struct conf_listen	*l;

	while ((l = TAILQ_FIRST(listens)) != NULL) {
		TAILQ_REMOVE(listens, l, entry);
		conf_listen_free(l);
	}
}

static void
rlimits_free(struct conf_rlimits *rlimits)
{
	struct conf_rlimit	*r;

	while ((r = TAILQ_FIRST(rlimits)) != NULL) {
		TAILQ_REMOVE(rlimits, r, entry);
		free(r);
	}
}

static void
service_free(struct conf_service *s)
{
	listens_free(&s->listens);
	rlimits_free(&s->rlimits);
	list_free(s->argv);
	list_free(s->env_set);
	list_free(s->env_unset);
	free(s->file);
	free(s->rules);
	free(s->user);
	free(s->group);
	free(s->login_class);
	free(s->chroot_path);
	free(s->directory);
	free(s->banner);
	free(s->local_name);
	free(s);
}

void
daemon_conf_free(struct daemon_conf *c)
{
	struct conf_service	*s;

	if (c == NULL)
		return;
	while ((s = TAILQ_FIRST(&c->services)) != NULL) {
		TAILQ_REMOVE(&c->services, s, entry);
		service_free(s);
	}
	free(c->path);
	free(c->control_path);
	free(c->control_group);
	free(c->restricted_path);
	free(c->event_path);
	free(c->event_user);
	free(c);
}
