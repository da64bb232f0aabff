/* SPDX-License-Identifier: ISC */
/*
 * A provider: serves streams and requests of some services, by commands or connections, until it is
 * ended.
 *
 * It registers again with a daemon that was restarted. Streams that were cut off end their commands
 * with SIGHUP; requests go on.
 */
#pragma once

#include "base/list.h"
#include "client/ctl.h"
#include "client/responder.h"

/* What is served, and by what: a command, an address, or (neither) our own input and output. */
struct provision {
    struct list node;
    const char *name;
    const char *command;
    const char *address;
    json_t *params; /* of service.add */
};

struct provider {
    struct ctl *ctl;
    struct list provisions;
    struct list runs;           /* commands and connections of streams that are going on */
    struct responder responder; /* of requests */
    int poll;                   /* epoll: the ends of commands, and what becomes of connections */
    int signals;
};

/* 0 or ctl->status. */
int provider_init(struct provider *provider, struct ctl *ctl);
void provider_deinit(struct provider *provider);

/* Serves until it fails. The exit status. */
int provider_run(struct provider *provider);
