/* SPDX-License-Identifier: ISC */
/*
 * Handing over the messages of one peer to another.
 */
#pragma once

#include "store/messages.h"

/* Appends what takes the place of the row's body. 0 or -errno. */
typedef int handover_reseal(void *context, const struct message_row *row, struct bytes *body);

/*
 * Gives all messages of one peer to another, with what was told of them and the ids of those that
 * were removed. The other must have none of these ids. 0, DB_FULL or -errno.
 */
int handover_messages(struct db *db, int64_t from, int64_t to, handover_reseal *reseal,
                      void *context);
