/* SPDX-License-Identifier: ISC */
/*
 * Storing a message: no content reaches the store but sealed.
 */
#pragma once

#include "core/body_sealer.h"

struct db;

/*
 * Seals the content for the row and stores that; without content only that there was a message.
 * The row gets its seq and text_size; its body is empty again. 0, DB_EXISTS, DB_FULL or -errno.
 */
int sealed_message_add(struct db *db, struct body_sealer *body_sealer, struct message_row *row,
                       struct span content);
