/* SPDX-License-Identifier: ISC */
/*
 * A handler: answers requests by commands. What a command writes is the answer, and how it ends.
 *
 * Each is run at most once, whatever becomes of the daemon: a handler says which it has, and sends
 * an answer again until it is taken.
 */
#pragma once

#include <stdbool.h>

#include "base/list.h"
#include "client/client_id.h"
#include "client/ctl.h"

enum { HANDLER_INSTANCE_MAX = 33 }; /* with the NUL */

struct handler {
    struct ctl *ctl;
    struct list jobs;
    int poll; /* epoll, of the provider: what commands write */
    char instance[HANDLER_INSTANCE_MAX];
};

void handler_init(struct handler *handler, struct ctl *ctl, int poll);
void handler_deinit(struct handler *handler);

/* Adds which one we are, and what we have, to what service.add is told. */
void handler_introduce(const struct handler *handler, json_t *params);

/* A request came: runs the command for it. 0, CONNECTION_LOST or -errno. */
int handler_start(struct handler *handler, const char *command, const json_t *params);

/* A request is to be ended. */
void handler_stop(struct handler *handler, const char *id);

/* A child has ended. Whether it was one of ours. */
bool handler_reap(struct handler *handler, pid_t child, int status);

/* Whether a message is the reply to an answer; then it has been taken. */
bool handler_take(struct handler *handler, const json_t *message);

/* There is a new connection: what was said on the old one may be lost. */
void handler_come_back(struct handler *handler);

/* Reads what commands have written, and does what is due. As handler_start(). */
int handler_go_on(struct handler *handler);

/* When handler_go_on() is due, on the monotonic clock; CONNECTION_NEVER. */
uint64_t handler_deadline(const struct handler *handler);
