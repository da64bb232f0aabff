/* SPDX-License-Identifier: ISC */
/*
 * Names for requests to send: random, and counted. Guessing one gains nothing, so the system's
 * randomness will do as it comes.
 */
#include "client/client_id.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/clock.h"

void client_id_init(struct client_id *id)
{
    *id = (struct client_id){0};
    /* A kernel too old for it has at least a clock. */
    if (getrandom(id->run, sizeof id->run, 0) != (ssize_t)sizeof id->run)
        put_u64(id->run, clock_wall_ms());
}

void client_id_next(struct client_id *id, char text[static CLIENT_ID_TEXT_MAX])
{
    char run[2 * sizeof id->run + 1];
    hex_encode(id->run, sizeof id->run, run);
    snprintf(text, CLIENT_ID_TEXT_MAX, "%s-%" PRIu64, run, ++id->count);
}
