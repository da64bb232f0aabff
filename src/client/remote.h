/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl on another machine, run through the user's own ssh.
 */
#pragma once

#include "base/bytes.h"
#include "client/ctl.h"

enum { REMOTE_OUTPUT_MAX = 65536, REMOTE_ARGUMENTS_MAX = 8 };

/*
 * Runs p2pchatctl with these arguments (the last is NULL) on the machine that ssh calls
 * `destination`, with `input` (or NULL) on its standard input, and appends its standard output to
 * `output`; its standard error is ours. The program is $P2PCHAT_SSH, else "ssh". 0 or ctl->status.
 */
int remote_run(struct ctl *ctl, const char *destination, const char *const *arguments,
               const char *input, struct bytes *output);
