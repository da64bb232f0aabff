/* SPDX-License-Identifier: ISC */
/*
 * A command that is run for each message, again and again until it has succeeded.
 *
 * The body is its standard input; its environment tells the rest (environment.h). While a command
 * runs, SIGINT and SIGTERM wait for its end, so that what it did is also acknowledged.
 */
#pragma once

#include "client/ctl.h"

enum {
    EXEC_RETRY_MS = 1000, /* the first wait after a failure, doubling … */
    EXEC_RETRY_MAX_MS = 60 * 1000,
};

/* From here on SIGINT and SIGTERM end the program, but not amid a message. */
void exec_init(void);

/*
 * Runs the command for the message of an event until it exits with 0: then the message is to be
 * acknowledged, and exec_done() to be called. A command that runs is not ended by the deadline (on
 * the monotonic clock), but one that fails is not tried again after it. Whether the command has
 * succeeded.
 */
bool exec_run(const struct ctl *ctl, const char *command, const json_t *event,
              uint64_t deadline_ms);

/* The message is done with. Ends the program if a signal has asked for that. */
void exec_done(void);

/* A file that holds the body of a message, to be read from its beginning: a command need not read
 * it. Or -1 with errno. */
int exec_open_body(const json_t *message);
