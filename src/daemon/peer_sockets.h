/* SPDX-License-Identifier: ISC */
/*
 * The sockets on which peers come in: those that the service manager hands over, which stand for
 * all that `listen` says, or else those of `listen`.
 */
#pragma once

#include "core/node.h"
#include "daemon/config.h"

/*
 * Makes the node listen. Sockets that were handed over become the `listen` of `config`, and the log
 * says so if the configuration asks for others. `system`: of the machine, not of one user; it
 * decides on the command that the log names. 0 or -errno, which is logged.
 */
int peer_sockets_open(struct node *node, struct config *config, bool system);

/* Says in the log that the `listen` of `config` does not count, if it asks for other sockets. */
void peer_sockets_compare(const struct address_list *inherited, const struct config *config,
                          bool system);

/* What to say beside `listen` where a service manager runs that may overrule it; else NULL. */
const char *peer_sockets_note(bool system);
