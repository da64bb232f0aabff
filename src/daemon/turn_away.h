/* SPDX-License-Identifier: ISC */
/*
 * Clients of a daemon that can't start. The service manager holds their connections; as long as
 * nobody takes these it starts the daemon again and again.
 */
#pragma once

#include "daemon/exit_status.h"

/*
 * After a start that failed and that another attempt can't mend: takes the clients that wait at a
 * socket of the service manager and tells each where it finds the reason. Waits for each at most
 * TURN_AWAY_PATIENCE_MS. Anything else is left to the next start.
 */
void turn_away_clients(enum exit_status status);

enum {
    TURN_AWAY_PATIENCE_MS = 200, /* for its request, so that it reads what we say */
    TURN_AWAY_MAX = 64,          /* clients */
};
