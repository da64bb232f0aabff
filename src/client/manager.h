/* SPDX-License-Identifier: ISC */
/*
 * What this machine has to start a daemon with, to be root, and to be let in.
 */
#pragma once

#include <stdbool.h>

#include "base/hint.h"

/* Whether systemd runs, and has p2pchatd as a unit: of the machine's, or of the users' managers. */
bool manager_has_unit(bool user);

bool manager_is_root(void);

/*
 * The command as it has to be typed so that root runs it: as it is by root, else by sudo or, where
 * there is none, by su. In new memory, or NULL without.
 */
char *manager_as_root(const char *command);

/* For whom commands in texts are, when `option` names the socket or is NULL; valid as long as that.
 */
struct hint_reader manager_reader(const char *option);

/* How this user stands to the group that may use a control socket. */
enum standing {
    STANDING_OUTSIDE, /* not in it */
    STANDING_STALE,   /* in it, but not when this session began */
    STANDING_INSIDE,  /* in it, so something else is in the way */
};

struct membership {
    enum standing standing;
    char group[64]; /* "p2pchat" where the socket can't be seen */
    char user[64];
};

struct membership manager_membership(const char *socket);
