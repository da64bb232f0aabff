/* SPDX-License-Identifier: ISC */
/*
 * Runs verbs of p2pchatctl against a daemon that is a script. Stands in for client/connection.c.
 *
 * A script is a series of steps: the request that must come next, and what is answered to it.
 */
#pragma once

#include "client/ctl.h"
#include "client/manager.h"

/* Before and after each test: a fresh script, which must have been played to its end. */
int rig_setup(void **state);
int rig_teardown(void **state);

/*
 * The next request must have this method and these parameters (JSON; the order of members does not
 * count). `reply` is {"result":…} or {"error":…}; NULL leaves it without an answer.
 */
void rig_step(const char *method, const char *params, const char *reply);

/* After the reply of the last step also comes this message. */
void rig_push(const char *message);

/* After what the last step answers the connection is lost; so many connects fail then. */
void rig_lose(int refusals);

/* The next `count` connects fail with this errno. */
void rig_refuse(int count, int error);

/* What verbs find set in their struct ctl. */
struct rig_options {
    bool terminal;
    bool colour;
    const char *input; /* standard input; NULL: empty */
    size_t input_size; /* 0: strlen(input) */
    bool not_root, without_systemd, no_user_unit;
    enum standing standing; /* to the group of the socket */
};
extern struct rig_options rig_options;

/* Runs a verb with its arguments, the last of which is NULL. Its exit status. */
int rig_run(const char *verb, ...) __attribute__((sentinel));

/* What the last run wrote. */
extern char *rig_out;
extern char *rig_err;
extern size_t rig_out_size;
