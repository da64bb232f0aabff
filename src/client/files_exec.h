/* SPDX-License-Identifier: ISC */
/*
 * A command for each transfer that was got.
 *
 * It is run before the transfer is done: one that fails, or is killed, is run again by the next
 * try. What was put in its place is noted in the staging directory until then.
 */
#pragma once

#include "client/unpack.h"

/* Something was put in its place under this name. 0 or -errno. */
int files_exec_note(const struct unpack *unpack, const char *name);

/*
 * Runs the command with the paths of all that was noted behind its own arguments; they lie in
 * `directory`. 0, or ctl->status after telling.
 */
int files_exec_run(const struct unpack *unpack, const char *command, const char *directory,
                   const json_t *transfer);
