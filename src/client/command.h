/* SPDX-License-Identifier: ISC */
/*
 * Commands that are run for peers.
 */
#pragma once

#include "client/ctl.h"

/*
 * Runs `command` by sh, with these as its standard input and output, in a process group of its own,
 * which gets SIGHUP if we die. Of variables for commands it has those that `set` puts there from
 * `params`, and no others. Its pid, or -1.
 */
pid_t command_start(const struct ctl *ctl, const char *command, int in, int out,
                    void (*set)(const json_t *params), const json_t *params);
