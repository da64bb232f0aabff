/* SPDX-License-Identifier: ISC */
/*
 * The configuration file: settings only; peers live in the store.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "daemon/keys.h"
#include "daemon/options.h"
#include "daemon/paths.h"
#include "daemon/setting.h"

enum { CONFIG_COMPLAINT_MAX = 512 };

/*
 * Reads the file at `path` over the defaults, then the command line over both. A file that does not
 * exist counts as empty unless `required`. 0, or -EINVAL with a complaint ("file:line: message");
 * then the config is not to be used.
 */
int config_load(struct config *config, const char *path, bool required,
                const struct options *options, char complaint[static CONFIG_COMPLAINT_MAX]);

/* Where the secrets are by these settings; the strings are those of the parameters. */
struct keys_source config_keys(const struct config *config, const struct paths *paths);

/* The settings as an object whose members are those of the file; NULL without memory. */
json_t *config_view(const struct config *config);

/*
 * Prints the effective settings as a configuration file, with `listen_note` as a comment on
 * `listen` if it is not NULL. 0 or -ENOMEM.
 */
int config_print(const struct config *config, const char *listen_note, FILE *out);
