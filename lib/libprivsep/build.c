/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Names this build, so that a parent notices when the programs it
 * re-executes were replaced under it.
 */
#include "privsep.h"
#include "buildid.h"

const char privsep_build[] = BUILD_ID;
