/* SPDX-License-Identifier: ISC */
/*
 * How a query gives a message, for those that join messages to something. Private to store/.
 */
#pragma once

#include "store/messages.h"
#include "store/sql.h"

/* The columns that message_read() takes, of a message `m` and its peer `p`. */
#define MESSAGE_COLUMNS                                                                         \
    "m.seq, m.peer, p.name, p.key, m.direction, m.id, m.previous, m.state, m.trust, m.time_ms," \
    " m.sent_ms, m.expires_ms, m.client_id, m.text_size, m.body"

/* Reads them from where the row's columns stand. Pointers live until the next row. */
void message_read(struct sql *query, struct message_row *row);
