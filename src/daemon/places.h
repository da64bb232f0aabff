/*
 * Where the daemon keeps its things: what the command line says, else what the service manager
 * says, else the usual place of a system daemon (as root) or of a user's.
 */
#pragma once

#include "daemon/options.h"

struct places {
    char *config;         /* configuration file */
    bool config_required; /* it was named, so it must exist */
    char *state_dir;
    char *control; /* path of the control socket */
    bool system;   /* of the whole machine, not of one user */
};

/* 0, -ENOMEM, or -ENOENT when the environment does not tell (logged with the remedy). */
int places_find(struct places *places, const struct options *options);
void places_deinit(struct places *places);
