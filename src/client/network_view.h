/* SPDX-License-Identifier: ISC */
/*
 * How people see the network of the daemon's machine.
 */
#pragma once

#include "client/ctl.h"

enum { NETWORK_VIEW_MAX = 512 };

enum network_finding {
    NETWORK_OPEN,   /* others get in */
    NETWORK_SHUT,   /* they don't */
    NETWORK_ASKING, /* not yet known */
};

/* What came of one mapping (see p2pchat-control(7)), as a line without an end. */
enum network_finding network_view_mapping(const json_t *mapping,
                                          char text[static NETWORK_VIEW_MAX]);

/* Prints the reply to network.status. */
void network_view_print(struct ctl *ctl, const json_t *network);
