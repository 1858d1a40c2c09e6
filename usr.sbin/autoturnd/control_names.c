/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * Words that the queue and autoturnctl(8) share: JSON has them too, so they
 * stay what they are.
 */
#include "control.h"

/* In the order of enum reason. */
const char *const reason_names[CONTROL_REASONS] = {
	"none", "scan", "mail", "retry", "gap", "session", "operator"
};

const char *const control_why_names[WHY_MAX] = {
	[WHY_NOTHING] = "nothing waits",
	[WHY_RUNNING] = "running",
	[WHY_HELD] = "held",
	[WHY_PAUSED] = "paused",
	[WHY_STOPPING] = "the daemon ends",
	[WHY_LOCKED] = "locked by another program",
	[WHY_RELAY] = "no relay",
	[WHY_JOURNAL] = "the journal can't be written",
	[WHY_MAILDIR] = "the Maildir can't be read",
	[WHY_PLACE] = "no place",
	[WHY_INTERVAL] = "interval",
	[WHY_RETRY] = "retry back-off",
	[WHY_TRIGGER] = "until he shows up",
	[WHY_SOON] = "soon"
};

const char *const control_state_names[MESSAGE_STATE_MAX] = {
	[MESSAGE_WAITING] = "waiting",
	[MESSAGE_DEFERRED] = "deferred",
	[MESSAGE_SENT] = "sent",
	[MESSAGE_DOUBTFUL] = "possibly delivered",
	[MESSAGE_RETURNING] = "returning",
	[MESSAGE_QUARANTINED] = "quarantined"
};
