/*
 * The configuration file: settings only; peers live in the store.
 */
#pragma once

#include <stdio.h>

#include "base/log.h"
#include "core/settings.h"
#include "daemon/options.h"

enum { CONFIG_COMPLAINT_MAX = 512, CONFIG_PATH_MAX = 4096 };

struct config {
    struct settings settings;
    char identity[CONFIG_PATH_MAX]; /* path of the private key; "" for the state directory's */
    unsigned identity_bits;         /* of a newly made identity */
    enum log_level log_level;
};

/*
 * Reads the file at `path` over the defaults, then the command line over both. A file that does not
 * exist counts as empty unless `required`. 0, or -EINVAL with a complaint ("file:line: message");
 * then the config is not to be used.
 */
int config_load(struct config *config, const char *path, bool required,
                const struct options *options, char complaint[static CONFIG_COMPLAINT_MAX]);

/* Prints the effective settings as a configuration file. */
void config_print(const struct config *config, FILE *out);
