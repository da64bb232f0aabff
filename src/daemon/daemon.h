/* SPDX-License-Identifier: ISC */
/*
 * The daemon: one node, one control interface, one loop, from the first file opened to the last
 * word said.
 */
#pragma once

#include "daemon/config.h"
#include "daemon/exit_status.h"
#include "daemon/paths.h"

struct daemon;

/* Whether this machine can do what the settings ask for. 0, or -EINVAL with a complaint. */
int daemon_check(const struct config *config, char complaint[static CONFIG_COMPLAINT_MAX]);

/* Opens everything; what is passed outlives it. EXIT_STATUS_OK, or the status to exit with after
 * the reason was logged. */
enum exit_status daemon_new(struct daemon **daemon, const struct options *options,
                            const struct paths *paths, const struct config *config);

/* Runs until it is told to stop. The status to exit with. */
enum exit_status daemon_run(struct daemon *daemon);

void daemon_free(struct daemon *daemon);
