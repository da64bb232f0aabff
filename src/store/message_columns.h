/* SPDX-License-Identifier: ISC */
/*
 * How a query gives a message. Private to store/.
 */
#pragma once

#include "store/message_row.h"
#include "store/sql.h"

/* The columns that message_read() takes, of a row of the log `m` and its peer `p`. */
#define MESSAGE_COLUMNS                                                          \
    "m.seq, m.type, m.peer, p.name, p.key, m.trust, m.time_ms, m.state, m.kind," \
    " m.needs, m.id, m.sent_ms, m.expires_ms, m.text_size, m.client_id, m.detail, m.body"

#define SELECT_MESSAGES "SELECT " MESSAGE_COLUMNS " FROM log m JOIN peer p ON p.id = m.peer "

/*
 * In extra.needs, above all features: the body could not be opened. So it waits, as for a feature
 * that no peer has.
 */
#define NEEDS_REPAIR (INT64_C(1) << 32)

/*
 * Reads them from where the row's columns stand, with the state that the message is in. Pointers
 * live until the next row. What can't be is in query->result.
 */
void message_read(struct sql *query, struct message_row *row);

/* Whether a number is that of a state. */
static inline bool message_state_exists(int state)
{
    return state <= MESSAGE_UNKNOWN || state == MESSAGE_PROCESSED;
}

/* Visits rows until `limit` of them count. *found: whether there was any. 0 or -errno. */
int message_walk(struct sql *query, unsigned limit, messages_visit *visit, void *context,
                 unsigned *counted);
