/* SPDX-License-Identifier: ISC */
/*
 * Where the daemon keeps its things: what the command line says, else what the service manager
 * says, else the usual place of a system daemon (as root) or of a user's.
 */
#pragma once

#include "daemon/options.h"

#define PATHS_STORE "p2pchat.db" /* its name */

struct paths {
    char *config;         /* configuration file */
    bool config_required; /* it was named, so it must exist */
    char *state_dir;
    char *store;            /* the database in it */
    char *former_state_dir; /* where a user's may be in its place: earlier versions had the service
                               manager of Debian 12 choose it; or NULL */
    char *control;          /* path of the control socket */
    bool system;            /* of the whole machine, not of one user */
};

/* 0, -ENOMEM, or -ENOENT when the environment does not tell (logged with the remedy). */
int paths_find(struct paths *paths, const struct options *options);
void paths_deinit(struct paths *paths);
