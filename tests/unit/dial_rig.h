/* SPDX-License-Identifier: ISC */
/*
 * A race to test with: ways that answer, refuse or say nothing, and a name server and a hosts file
 * of the test's own in the place of the machine's.
 */
#pragma once

#include <pthread.h>

#include "net/dialer.h"
#include "net/listener.h"
#include "unit/net_rig.h"

/* How the machine of the test resolves names. */
extern struct machine {
    char hosts[32];       /* path of the hosts file */
    char name_server[32]; /* "127.0.0.1:port", or "" for none */
} machine;

/*
 * Answers in a thread of its own: "here.test" is 127.0.0.1, "silent.test" gets no answer,
 * "broken.test" a failure, "long.test" one that is cut off, and any other name does not exist.
 */
struct name_server {
    int fd;
    pthread_t thread;
};

/* One race, what became of it, and something to dial. */
struct call {
    struct rig rig;
    struct name_server name_server;
    struct listener *listener;
    struct stream *accepted;
    unsigned accepts;
    uint16_t port;
    struct dialer *dialer;
    struct address ways[DIAL_WAYS_MAX];
    unsigned way_count;
    struct dial *dial;
    struct stream *stream;
    unsigned way; /* that connected last */
    bool choosy;  /* connections are not taken */
    char errors[DIAL_WAYS_MAX][160];
    unsigned failures;
    bool done; /* connected or over */
    bool over;
    unsigned count;
};

extern const struct dial_events dial_rig_events;

/* For cmocka; the state is a struct call. */
int dial_rig_setup(void **state);
int dial_rig_teardown(void **state);

void write_hosts(const char *text);

void add_way(struct call *call, const char *host, uint16_t port);

/* Ends what there was and begins anew. */
void forget(struct call *call);

/* Starts a race over the ways that were added. */
void start(struct call *call);

/* Waits for a connection, or the end of the race. */
void wait_for(struct call *call);

/* A race over one way; and its end. */
void dial(struct call *call, const char *host, uint16_t port);
void dial_and_wait(struct call *call, const char *host, uint16_t port);

/* A port on which nobody listens, and which nobody else gets while the socket is open. */
int dead_port(uint16_t *port);

/* Something at `host` that answers no SYN: a full queue that nobody accepts from. */
struct black_hole {
    int fds[8];
};

void black_hole_open(struct black_hole *hole, const char *host, uint16_t *port);
void black_hole_close(struct black_hole *hole);

/* The port of the test, at another address. */
struct listener *listen_at(struct call *call, const char *host);
