/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * c-ares on the event loop.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include "ucspi_name.h"

/*
 * driver_open: makes the pool of DNS channels; to be called while files can
 * still be opened.  Fatal on failure.
 * driver_start: joins it to the event loop, after event_init(3) and before
 * the first question.
 */
struct name_pool	*driver_open(const struct name_config *);
void			 driver_start(void);

#endif
