/* SPDX-License-Identifier: ISC */
/*
 * One stream: a local socket on one side, records of a lane on the other, and what lies between.
 *
 *     opener:    WAITING (no lane) -> OPENING (OPEN sent) -> OPEN -> ENDED
 *     acceptor:  ASKED (a provider was told)              -> OPEN -> ENDED
 *
 *     local end --> out [ taken by the peer | sent | read ] --> DATA        each direction flows,
 *     local end <-- in  [ received, not yet given ]         <-- DATA        then FIN, then DONE
 *
 * What was sent is kept until the peer says that its local end took it, so that a new lane goes on
 * where the old one broke. Nothing is read that has no place: credit is a promise of memory.
 *
 * A stream belongs to its set (channels.h), which carries its records and frees it.
 */
#pragma once

#include "base/blocks.h"
#include "base/list.h"
#include "core/credit.h"
#include "net/pipe.h"
#include "proto/lane.h"
#include "proto/service_name.h"

enum {
    CHANNEL_OPEN_TIMEOUT_MS = 15000,   /* for OPENED, from OPEN on */
    CHANNEL_ACCEPT_TIMEOUT_MS = 10000, /* for the provider */
    CHANNEL_DETACHED_MAX_MS = 60000,   /* without a lane */
    CHANNEL_SLICE = 16 * 1024,         /* bytes of one stream before the next has its turn */
};

struct channels;

enum channel_state {
    CHANNEL_WAITING,
    CHANNEL_OPENING,
    CHANNEL_ASKED,
    CHANNEL_OPEN,
    CHANNEL_ENDED, /* to be freed at the end of the turn */
};

/* What it has to say when the next frame is built. */
enum channel_due {
    CHANNEL_DUE_RESUME = 0x01,
    CHANNEL_DUE_OPEN = 0x02,
    CHANNEL_DUE_OPENED = 0x04,
    CHANNEL_DUE_WINDOW = 0x08,
    CHANNEL_DUE_EXIT = 0x10,
    CHANNEL_DUE_STOP = 0x20,
    CHANNEL_DUE_FIN = 0x40,
    CHANNEL_DUE_DONE = 0x80,
};

/* How the program behind a service ended, as EXIT says it. */
struct channel_exit {
    bool known;
    uint8_t kind; /* enum lane_exit_kind */
    uint32_t value;
};

struct channel {
    struct list node;    /* in channels->all, by id */
    struct list bucket;  /* in one of channels->buckets */
    struct list owing;   /* in channels->owing while something is due */
    struct list flowing; /* in channels->flowing while bytes may be ready */
    struct channels *channels;
    struct pipe *pipe; /* the local end; NULL until there is one */
    uint32_t id;
    enum channel_state state;
    bool opener;  /* we opened it */
    bool resumes; /* it survives the loss of its lane */
    bool unix_end;
    unsigned due;         /* enum channel_due */
    uint64_t deadline_ms; /* of the state; UINT64_MAX for none */
    char service[SERVICE_NAME_MAX + 1];

    struct blocks out;
    size_t out_credit;  /* how much of it we may keep */
    uint64_t out_base;  /* taken by the peer: where `out` begins */
    uint64_t out_grown; /* that when out_credit was last looked at */
    uint64_t out_sent;  /* up to here */
    uint64_t out_limit; /* what the peer has room for */
    bool readable;      /* the local end has something, or its end */
    bool read_ended;    /* nothing more is read from it */
    bool fin_sent;
    bool done_in; /* the peer has everything */

    struct blocks in;
    size_t in_credit;  /* the window */
    uint64_t in_taken; /* given to the local end, or dropped */
    uint64_t in_told;  /* what the peer knows of that */
    uint64_t in_limit; /* what it was told to have room for */
    uint64_t in_grown; /* in_taken when the window was last looked at */
    bool fin_in;       /* the peer has said all */
    bool dropping;     /* nobody reads any more: STOP was said */
    bool given_end;    /* the local end was told that nothing more comes */
    bool done_sent;    /* we have everything */
    bool stop_in;      /* the peer reads no more */

    bool exits; /* an EXIT will come, from the acceptor */
    struct channel_exit exit;
    void *owner;  /* of whoever is told about it; not touched here … */
    bool counted; /* … and neither is this: as a stream of its service */
};

/* Received in order, whether or not it has been given on. */
static inline uint64_t channel_received(const struct channel *channel)
{
    return channel->in_taken + channel->in.size;
}

/* Sent or not, it was read from the local end. */
static inline uint64_t channel_read(const struct channel *channel)
{
    return channel->out_base + channel->out.size;
}

/* A stream without a local end, in no list. 0 or -ENOMEM. */
int channel_new(struct channel **channel, struct channels *channels, enum channel_state state);
void channel_free(struct channel *channel);

/* Gives it its local end, a descriptor that it takes over in any case. 0 or as pipe_new(). */
int channel_connect(struct channel *channel, int fd);

/* Takes a record of the peer about it. 0, LANE_FAULT or -ENOMEM. */
int channel_take(struct channel *channel, const struct lane_record *record);

/* A new lane: goes back to what the peer says it has. 0 or LANE_FAULT. */
int channel_rewind(struct channel *channel, const struct lane_record *resume);

/* The next record that is due, besides DATA. False when there is none. */
bool channel_next_record(struct channel *channel, struct lane_record *record);

/*
 * Appends one DATA of at most `room` bytes with its head, from what was read or is there to be
 * read now. *size says how many bytes of the stream. 0 or -errno of the local end or the memory.
 */
int channel_append_data(struct channel *channel, struct bytes *frame, size_t room, size_t *size);

/* Takes back the last bytes of the DATA just appended: they go into the next frame. */
void channel_unsend(struct channel *channel, size_t size);

/* Whether it has bytes to send, or may have some when it is asked. */
bool channel_flows(const struct channel *channel);

/* Looks at what has changed: what is due, what is watched, and whether it is over. */
void channel_settle(struct channel *channel);

/* How the program ended: told to the peer, who may still be reading what it wrote. */
void channel_set_exit(struct channel *channel, uint8_t kind, uint32_t value);
