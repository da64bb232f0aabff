/* SPDX-License-Identifier: ISC */
/*
 * Names for requests to send, by which the daemon knows one that it has answered already.
 *
 * All of one run begin alike, and no two runs do.
 */
#pragma once

#include <stdint.h>

enum { CLIENT_ID_TEXT_MAX = 64 };

struct client_id {
    uint8_t run[16];
    uint64_t count;
};

void client_id_init(struct client_id *id);

/* The next one, as text. */
void client_id_next(struct client_id *id, char text[static CLIENT_ID_TEXT_MAX]);
