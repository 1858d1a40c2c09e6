/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Pieces of OpenMetrics 1.0 text, to standard output.  All samples of one
 * family stand together; metrics_done ends the text.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdint.h>

/*
 * metrics_init: the daemon's name, before every other call; it and "_" are
 * what all names begin with.
 * metrics_family: name, type, unit (NULL: none), help: the head of a family.
 * metrics_name: a sample's name, with its suffix; labels follow in braces.
 * metrics_label: NAME="VALUE", the value as vis(3) has it.
 * metrics_simple: a family of one sample, with the suffix ("" or "_total").
 */
void	metrics_init(const char *);
void	metrics_family(const char *, const char *, const char *, const char *);
void	metrics_name(const char *);
void	metrics_label(const char *, const char *);
void	metrics_simple(const char *, const char *, const char *, const char *,
	    const char *, int64_t);
void	metrics_done(void);

#endif
