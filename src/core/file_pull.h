/* SPDX-License-Identifier: ISC */
/*
 * A transfer that we pull from a peer: whatever a client is given was compared with the root of the
 * signed offer before.
 *
 *     stream --> [ hashes | a chunk ] --> compared --> client: manifest, then data from its offset
 */
#pragma once

#include "base/list.h"
#include "net/loop.h"
#include "proto/file_item.h"

enum {
    FILE_PULLS_MAX = 16,
    FILE_PULLS_PER_PEER = 4,
    FILE_PULL_ANSWER_MS = 30 * 1000, /* for the peer to answer */
};

struct file_pull;
struct channel;

/* It is over: 0 when the client has everything, a files_outcome or -errno. Frees it. */
typedef void file_pull_over(void *context, struct file_pull *pull, int r);

enum file_pull_phase { PULL_ANSWER, PULL_HASHES, PULL_MANIFEST, PULL_DATA };

struct file_pull {
    struct list node; /* in files->pulls */
    struct loop *loop;
    struct timer *timer;
    struct channel *channel; /* NULL: it has ended */
    struct pipe *from;       /* the stream */
    struct pipe *to;         /* the client */
    file_pull_over *over;
    void *context;
    int64_t peer;
    int64_t seq;             /* of the transfer */
    struct file_offer offer; /* without a name */
    uint64_t offset;         /* where it began */
    uint64_t moved;          /* bytes of data that the client has, offset included */
    enum file_pull_phase phase;
    uint64_t done;   /* bytes of the part that were compared */
    uint8_t *hashes; /* all of them */
    uint8_t *buffer; /* what is read now … */
    size_t wanted, filled;
    size_t given; /* … and how much of it the client has taken */
    bool giving;
};

/*
 * Prepares to give the bytes of an offer to whoever is at the other end of `fd`, which is taken
 * over in any case; what comes of the peer is written to *other. 0, -ENOTSOCK or another -errno.
 */
int file_pull_new(struct file_pull **pull, struct loop *loop, const struct file_offer *offer,
                  uint64_t offset, int fd, file_pull_over *over, void *context, int *other);

/* Asks the peer. */
void file_pull_start(struct file_pull *pull, const struct uuid *id);
void file_pull_free(struct file_pull *pull);
