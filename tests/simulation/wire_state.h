/* SPDX-License-Identifier: ISC */
/*
 * The network from the inside: what stream.c (streams) and wire.c (machines, dials and faults)
 * share.
 */
#pragma once

#include "net/stream.h"
#include "simulation/wire.h"

/* Bytes on their way to a stream, or the end of them. */
struct segment {
    struct list node;
    uint64_t sent_ms;
    uint64_t at_ms;
    bool end;
    size_t size;
    size_t taken;
    uint8_t data[];
};

struct stream {
    struct source source;
    struct list node; /* in wire.streams */
    unsigned here;
    unsigned there;
    struct stream *partner; /* NULL: the other end knows nothing of the connection (any more) */
    struct list arriving;   /* segments, in order */
    size_t arriving_size;
    uint64_t sent_size; /* bytes that ever left for the other end */
    struct bytes input;
    struct bytes output;
    uint64_t lost_ms;  /* since when there is no partner or no way to it; NEVER */
    uint64_t stray_ms; /* when the first bytes left that nobody will acknowledge; NEVER */
    uint64_t reset_ms; /* when a reset arrives; NEVER */
    bool cut;
    const struct stream_events *events;
    void *context;
    bool paused;
    bool nudged;
    bool finished; /* our writing half is shut, or will be when the output is sent */
    bool end_sent; /* it is */
    bool got_end;  /* the partner's is */
    bool end_told;
    bool owed; /* output was dropped: there is room again */
    int error; /* what broke the connection, or 0 */
    struct origin origin;
};

/* Two ends of a new connection. 0 or -ENOMEM. */
int stream_pair(struct stream **from, struct loop *from_loop, struct stream **to,
                struct loop *to_loop);

/* The network loses the connection, seen from this end. */
void stream_orphan(struct stream *stream);

/* A reset is on its way to this end. */
void stream_reset(struct stream *stream);

/* Since when there is no way between two machines; NEVER when there is one. */
uint64_t wire_parted_since(unsigned one, unsigned other);
bool wire_powered(unsigned machine);
uint64_t wire_delay(void);
void wire_note_unsent(size_t size);
void wire_join(struct stream *stream);
