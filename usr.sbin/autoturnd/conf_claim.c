/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * What only one customer of a spool can have.  A file may have tens of
 * thousands of customers, so everything is looked for in a tree.
 */
#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "conf_build.h"

struct conf_claim {
	TAILQ_ENTRY(conf_claim)	 entry;
	RB_ENTRY(conf_claim)	 node;
	const struct conf_level	*level;
	enum conf_claim_kind	 kind;
	char			*text;
	struct conf_word	 at;
};

RB_HEAD(claim_tree, conf_claim);

static const char *const	kinds[] = {
	"name", "maildir", "address", "domain"
};

static int
claim_compare(const struct conf_claim *a, const struct conf_claim *b)
{
	if (a->level->spool != b->level->spool)
		return (a->level->spool < b->level->spool ? -1 : 1);
	if (a->kind != b->kind)
		return (a->kind < b->kind ? -1 : 1);
	return (strcmp(a->text, b->text));
}

RB_PROTOTYPE(claim_tree, conf_claim, node, claim_compare);
RB_GENERATE(claim_tree, conf_claim, node, claim_compare);

void
build_claim(struct conf_build *b, const struct conf_level *l,
    enum conf_claim_kind kind, const char *text, const struct conf_word *at)
{
	struct conf_claim	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (c->text = strdup(text)) == NULL)
		build_memory_out(b);
	c->level = l;
	c->kind = kind;
	c->at = *at;
	TAILQ_INSERT_TAIL(&b->claims, c, entry);
}

static void
claim_refuse(struct conf_build *b, const struct conf_claim *c,
    const struct conf_claim *other)
{
	if (c->kind == CLAIM_NAME)
		conf_word_error(b->lexer, &c->at, "customer %s: the name is "
		    "taken in %s:%d", c->text, other->at.file,
		    other->at.line);
	else if (c->level == other->level)
		conf_word_error(b->lexer, &c->at, "%s %s: given already in "
		    "%s:%d", kinds[c->kind], c->text, other->at.file,
		    other->at.line);
	else
		conf_word_error(b->lexer, &c->at, "customer %s: %s %s: "
		    "customer %s has it in %s:%d", c->level->name.text,
		    kinds[c->kind], c->text, other->level->name.text,
		    other->at.file, other->at.line);
}

/* A Maildir below another one's would be a part of it. */
static void
maildir_check(struct conf_build *b, struct claim_tree *tree,
    const struct conf_claim *c)
{
	struct conf_claim	 outer = *c, *found;
	char			*slash;

	if ((outer.text = strdup(c->text)) == NULL)
		build_memory_out(b);
	while ((slash = strrchr(outer.text, '/')) != NULL) {
		*slash = '\0';
		if ((found = RB_FIND(claim_tree, tree, &outer)) != NULL)
			conf_word_error(b->lexer, &c->at, "customer %s: "
			    "maildir %s: is within that of customer %s in "
			    "%s:%d", c->level->name.text, c->text,
			    found->level->name.text, found->at.file,
			    found->at.line);
	}
	free(outer.text);
}

void
build_claims_check(struct conf_build *b)
{
	struct claim_tree	 tree = RB_INITIALIZER(&tree);
	struct conf_claim	*c, *other;

	TAILQ_FOREACH(c, &b->claims, entry)
		if (c->level->spool != NULL &&
		    (other = RB_INSERT(claim_tree, &tree, c)) != NULL)
			claim_refuse(b, c, other);
	TAILQ_FOREACH(c, &b->claims, entry)
		if (c->level->spool != NULL && c->kind == CLAIM_MAILDIR)
			maildir_check(b, &tree, c);
}

void
build_claims_free(struct conf_build *b)
{
	struct conf_claim	*c;

	while ((c = TAILQ_FIRST(&b->claims)) != NULL) {
		TAILQ_REMOVE(&b->claims, c, entry);
		free(c->text);
		free(c);
	}
}
