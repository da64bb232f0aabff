/* SPDX-License-Identifier: ISC */
/*
 * All streams with one peer: their ids, and how they go on over one lane after another.
 *
 * On a new lane each side says HELLO, a RESUME for each of its streams and READY; nothing else is
 * sent until the other's READY has come. Then what the other side does not have is sent again.
 * This takes records and gives records; the lane itself is in trunk.h.
 */
#pragma once

#include "base/bucket.h"
#include "base/outcome.h"
#include "core/channel.h"

enum {
    CHANNELS_BUCKETS = 64,
    CHANNELS_UNANSWERED_MAX = 64, /* OPENs of one side that wait for an answer */
    CHANNELS_OPENS_PER_S = 200,
    CHANNELS_OPENS_BURST = 400,
    CHANNELS_WELL_MAX = 4096, /* streams that ended well, remembered so long … */
    CHANNELS_WELL_MS = 180 * 1000,
};

enum channels_outcome {
    CHANNELS_BUSY = OUTCOME_CHANNELS, /* too many OPENs wait for an answer */
};

/* How a stream ended. */
struct channel_end {
    bool well;    /* each side has everything of the other */
    bool by_peer; /* else: the peer said so … */
    uint8_t code; /* … for this reason, enum lane_reset_code */
};

/* What whoever made the set is told. Streams live on until the end of the turn. */
struct channels_events {
    void (*incoming)(void *context, struct channel *channel); /* ASKED: accept or refuse it */
    void (*opened)(void *context, struct channel *channel);   /* the peer accepted */
    void (*ended)(void *context, struct channel *channel, const struct channel_end *end);
    void (*attached)(void *context); /* READY both ways: streams flow */
    void (*detached)(void *context); /* they wait for a lane */
    void (*touched)(void *context);  /* there may be something for a frame */
};

/* An answer about a stream that is none here (any more). */
struct channels_answer {
    uint32_t id;
    uint8_t type; /* LANE_RESET or LANE_DONE */
    uint8_t code;
};

struct channels_well {
    uint32_t id;
    uint64_t time_ms;
};

struct channels {
    struct loop *loop;
    const struct channels_events *events;
    void *context;
    struct credit_share sending;
    struct credit_share receiving;
    bool odd; /* which ids are ours */
    uint32_t next_id;
    uint32_t highest_seen;  /* of the peer's ids */
    unsigned ready_resumes; /* taken on this lane */
    unsigned streams_max;   /* what we tell the peer */
    unsigned count;
    bool timed; /* a stream may have a deadline */

    uint8_t instance[LANE_INSTANCE_SIZE];
    uint8_t peer_instance[LANE_INSTANCE_SIZE];
    bool peer_met; /* peer_instance is valid */

    struct list all;
    struct list buckets[CHANNELS_BUCKETS];
    struct list owing;
    struct list flowing;
    struct list dead; /* ended in this turn */
    struct bucket opens;

    /* The lane. */
    bool attached;
    bool hello_sent;
    bool ready_sent;
    bool hello_in;
    bool ready_in;
    bool ready; /* both */
    uint64_t detached_ms;
    bool echo_due; /* an ECHO is to be answered */
    uint8_t echo[LANE_ECHO_SIZE];

    struct channels_answer *answers;
    size_t answer_count;
    size_t answer_capacity;
    struct channels_well *well; /* the latest, a ring; made with the first */
    size_t well_next;
    const char *complaint; /* static text, after LANE_FAULT */
};

/* What a set is made of. */
struct channels_parts {
    struct loop *loop;
    const struct channels_events *events;
    void *context;
    struct credit_pool *sending;
    struct credit_pool *receiving;
    bool odd; /* our fingerprint is the smaller one */
    unsigned streams_max;
};

/* 0 or -EIO. */
int channels_init(struct channels *channels, const struct channels_parts *parts);

/* Frees all streams without telling. */
void channels_deinit(struct channels *channels);

/*
 * Opens a stream to a service, over `fd`, which is taken over in any case. 0, CHANNELS_BUSY, or as
 * pipe_new(). The stream waits for a lane if there is none.
 */
int channels_open(struct channels *channels, const char *service, bool resumes, int fd,
                  struct channel **channel);

/* Answers an incoming stream. 0, or as pipe_new() with nothing changed. */
int channels_accept(struct channel *channel, int fd, bool exits);

/* Ends a stream at once, telling the peer `code`; it is the no to an incoming one, too. */
void channels_reset(struct channel *channel, uint8_t code);

/* A new lane; or the old one is gone: streams that don't survive that end. */
void channels_attach(struct channels *channels);
void channels_detach(struct channels *channels);

/* Ends all streams with this code, without a word to the peer. */
void channels_end_all(struct channels *channels, uint8_t code);

/* Takes a record of the lane. 0, LANE_FAULT with channels->complaint, or -errno. */
int channels_take(struct channels *channels, const struct lane_record *record);

/* Whether channels_fill() might have something. */
bool channels_have_output(const struct channels *channels);

/*
 * Appends to a frame what is to be said, in at most `room` bytes of records. 0 or -ENOMEM; whether
 * something was appended shows in its size.
 */
int channels_fill(struct channels *channels, struct bytes *frame, size_t room);

/* When channels_tick() wants to be called; UINT64_MAX for never. */
uint64_t channels_deadline(struct channels *channels);
void channels_tick(struct channels *channels);

/* Frees what has ended. Not inside a call back. */
void channels_reap(struct channels *channels);

/* --- for channel.c ---------------------------------------------------------------------------- */

uint64_t channels_now(const struct channels *channels);
void channels_set_deadline(struct channel *channel, uint64_t wait_ms);
void channels_touch(struct channel *channel);
void channels_tell_opened(struct channel *channel);
void channels_end(struct channel *channel, const struct channel_end *end);
