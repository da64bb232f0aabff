/* SPDX-License-Identifier: ISC */
/*
 * A responder: answers requests by commands. What a command writes is the answer, and how it ends.
 *
 * Each is run at most once, whatever becomes of the daemon: a responder says which it has, and
 * sends an answer again until it is taken.
 */
#pragma once

#include <stdbool.h>

#include "base/list.h"
#include "client/client_id.h"
#include "client/ctl.h"

enum { RESPONDER_INSTANCE_MAX = 33 }; /* with the NUL */

struct responder {
    struct ctl *ctl;
    struct list jobs;
    int poll; /* epoll, of the provider: what commands write */
    char instance[RESPONDER_INSTANCE_MAX];
};

void responder_init(struct responder *responder, struct ctl *ctl, int poll);
void responder_deinit(struct responder *responder);

/* Adds which one we are, and what we have, to what service.add is told. */
void responder_introduce(const struct responder *responder, json_t *params);

/* A request came: runs the command for it. 0, CONNECTION_LOST or -errno. */
int responder_start(struct responder *responder, const char *command, const json_t *params);

/* A request is to be ended. */
void responder_stop(struct responder *responder, const char *id);

/* A child has ended. Whether it was one of ours. */
bool responder_reap(struct responder *responder, pid_t child, int status);

/* Whether a message is the reply to an answer; then it has been taken. */
bool responder_take(struct responder *responder, const json_t *message);

/* There is a new connection: what was said on the old one may be lost. */
void responder_come_back(struct responder *responder);

/* Reads what commands have written, and does what is due. As responder_start(). */
int responder_go_on(struct responder *responder);

/* When responder_go_on() is due, on the monotonic clock; CONNECTION_NEVER. */
uint64_t responder_deadline(const struct responder *responder);
