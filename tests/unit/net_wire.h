/* SPDX-License-Identifier: ISC */
/*
 * One stream, the raw socket at its other end, and a count of all that the stream's owner was told.
 */
#pragma once

#include "net/stream.h"
#include "unit/net_rig.h"

struct wire {
    struct rig rig;
    struct stream *stream;
    int peer;
    bool consumes;
    bool pauses;  /* itself, in readable */
    bool refills; /* the peer sends as fast as it is read from */
    unsigned readables;
    unsigned writables;
    unsigned ends;
    int error;
    bool ended;
    bool inside; /* a callback is running */
    size_t received;
    size_t seen_at_end;
    size_t most_unsent; /* seen in writable */
};

/* What the owner of a wire's stream listens with; the context is the wire. */
extern const struct stream_events WIRE_EVENTS;

/* For cmocka: *state is a wire of TCP or UNIX sockets, whose owner consumes all input. */
int wire_setup_tcp(void **state);
int wire_setup_unix(void **state);
int wire_teardown(void **state);

/* Starts to listen to the stream. */
void wire_attach(struct wire *wire);

/* Runs for a while and checks that the loop has rested. */
void wire_assert_idle(struct wire *wire);

/* Runs until the owner has so many bytes, or was told so often that there are some; or more. */
bool wire_has_received(struct wire *wire, size_t size);
bool wire_has_told(struct wire *wire, unsigned readables);

void peer_sends(const struct wire *wire, const char *text);

/* Sends until the kernel takes no more; how much it took. */
size_t peer_floods(const struct wire *wire);

/* Waits until the peer has something to take, be it the end. */
void peer_waits(const struct wire *wire);

/* Takes what has arrived; how much that was, and whether the stream has ended (unless NULL). */
size_t peer_drains(const struct wire *wire, bool *end);

void peer_closes(struct wire *wire);
void peer_resets(struct wire *wire);
