/* SPDX-License-Identifier: ISC */
/*
 * Messages on their way into the daemon, several at a time, and the wait for what becomes of them.
 *
 * A daemon that goes away is waited for: what it has answered is safe, and what it may or may not
 * have accepted is sent again under the same client_id.
 *
 * Ids are printed as the daemon answers. A failure is told and kept in ctl->status; the first of
 * them is the exit status.
 */
#pragma once

#include <poll.h>

#include "base/bytes.h"
#include "base/outcome.h"
#include "client/client_id.h"
#include "client/ctl.h"

enum {
    OUTBOX_WINDOW = 1024,           /* requests without an answer, before which nothing is sent */
    OUTBOX_PATIENCE_MS = 60 * 1000, /* for a daemon that has gone, without a deadline */
};

/* What all messages have in common. */
struct outbox_options {
    json_t *peers;         /* names, or NULL: the daemon knows who is meant */
    const char *client_id; /* of the only message; NULL: each has one of ours */
    json_int_t expires_s;  /* 0: as the daemon has it */
    json_t *headers;       /* or NULL */
    bool binary;           /* bytes, not text */
    const char *wait;      /* a state to wait for, or NULL */
    uint64_t deadline_ms;  /* for waiting, on the monotonic clock; CONNECTION_NEVER: no end */
};

struct outbox_request;

struct outbox {
    struct ctl *ctl;
    const struct outbox_options *options;
    struct client_id ids;
    struct outbox_request *requests; /* without an answer: `count` from `first` on */
    size_t first;
    size_t count;
    size_t capacity;
    uint64_t patience_ms; /* until when the daemon, which has gone, is waited for; 0: it is there */
    int status;           /* of the first failure */
    bool stop;            /* a message was not accepted: no more of them */
};

enum outbox_outcome {
    OUTBOX_INPUT = OUTCOME_OUTBOX, /* the other descriptor is ready */
};

/* The outbox uses `ctl` and `options` as long as it lives. */
void outbox_init(struct outbox *outbox, struct ctl *ctl, const struct outbox_options *options);
void outbox_deinit(struct outbox *outbox);

/* Whether another message may be sent now. */
bool outbox_ready(const struct outbox *outbox);

/*
 * Sends a message; unless options->binary its body is valid UTF-8 without NUL. A failure is in
 * outbox->status.
 */
void outbox_send(struct outbox *outbox, struct span body);

/*
 * Takes what the daemon answers next; waits for `other` too if it is not NULL. 0 or an
 * outbox_outcome. A failure is in outbox->status.
 */
int outbox_receive(struct outbox *outbox, struct pollfd *other);
