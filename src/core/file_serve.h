/* SPDX-License-Identifier: ISC */
/*
 * A transfer that a peer pulls from us: a request in, and what is in the spool out.
 */
#pragma once

#include "base/list.h"
#include "core/spool.h"
#include "net/loop.h"

enum {
    FILE_SERVES_MAX = 16,
    FILE_SERVES_PER_PEER = 4,
    FILE_SERVE_IDLE_MS = 60 * 1000, /* then it has to give way to another */
};

struct file_serve;

struct file_serve_events {
    /*
     * The peer asks: gives what is to be answered, and a reader if that is FILE_COMING, with the
     * offer and the seq of the transfer.
     */
    uint8_t (*asked)(void *context, struct file_serve *serve, const struct file_request *request);
    void (*over)(void *context, struct file_serve *serve); /* frees it */
};

struct file_serve {
    struct list node; /* in files->serves */
    struct loop *loop;
    struct pipe *pipe; /* to the stream */
    const struct file_serve_events *events;
    void *context;
    int64_t peer;
    int64_t seq; /* of the transfer; 0 before it is known */
    struct spool_reader *reader;
    struct file_offer offer; /* without a name */
    uint64_t offset;
    uint64_t moved;    /* bytes of data up to here have gone */
    uint64_t moved_ms; /* when some did */
    bool answered;
    enum spool_part part;
    uint64_t unit; /* the next one */
    size_t asked;  /* bytes of the request that have come */
    uint8_t request[FILE_REQUEST_SIZE];
    size_t filled, given; /* of the buffer */
    uint8_t buffer[SPOOL_UNIT];
};

/* Serves whoever is at the other end of a new connection, *other. 0 or -errno. */
int file_serve_new(struct file_serve **serve, struct loop *loop, int64_t peer,
                   const struct file_serve_events *events, void *context, int *other);
void file_serve_free(struct file_serve *serve);
