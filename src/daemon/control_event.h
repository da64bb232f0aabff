/* SPDX-License-Identifier: ISC */
/*
 * The kinds of events that followers are told of, by name.
 */
#pragma once

#include "daemon/control_call.h"
#include "store/events.h"

/* Those that are not stored as such come after those that are, which enum event_type has. */
enum {
    TYPE_ONLINE = EVENT_LAST + 1,
    TYPE_OFFLINE,
    TYPE_REQUEST,
    TYPE_STOPPING,
    TYPE_MESSAGE_REQUEST, /* stored as messages that were received or sent: … */
    TYPE_MESSAGE_RESULT,  /* … these by their kinds */
    TYPE_FILE_OFFERED,
    TYPE_FILE_STATE,
    TYPE_COUNT,
};

/* NULL: there is no such type. */
const char *control_event_name(unsigned type);

/* What followers know an event as; TYPE_COUNT for one that they are not told of. */
unsigned control_event_type(enum event_type type, enum message_kind kind);

/*
 * The parameter "types" as a bit set; all without it. False: call->kind and text say why not.
 */
bool control_event_types(struct control_call *call, unsigned *types);
