/* SPDX-License-Identifier: ISC */
/*
 * Requests in the store: those that peers asked of services here, and what came of our own.
 *
 * A request is a message (MESSAGE_REQUEST) with a row of its own beside it. That it is claimed is
 * stored before it is given to a provider.
 */
#pragma once

#include "store/messages.h"

enum {
    CALL_SERVICE_MAX = 65, /* with the NUL */
    CALL_CLAIM_SIZE = 16,
};

enum call_state {
    CALL_WAITING = 0, /* for somebody who provides the service */
    CALL_CLAIMED = 1, /* it was, or is about to be, given to one */
    CALL_ENDED = 2,   /* answered, or nobody can be answered */
};

/* A request of a peer. */
struct call_row {
    int64_t seq; /* of its message */
    int64_t peer;
    struct uuid id; /* read only */
    char service[CALL_SERVICE_MAX];
    enum call_state state;
    uint64_t deadline_ms; /* wall clock */
    bool claimed; /* read only: `claim` is known. Not so of what was open in a copied store */
    uint8_t claim[CALL_CLAIM_SIZE]; /* CLAIMED: whose it is */
};

/* A request was stored: it waits from now on. 0, DB_FULL or -EIO. */
int calls_add(struct db *db, const struct call_row *row);

/* It is about to be given to the instance `claim`. 0, DB_FULL or -EIO. */
int calls_claim(struct db *db, int64_t seq, const uint8_t claim[static CALL_CLAIM_SIZE]);

/* It is over, with this outcome and status, each a byte. 0, DB_FULL or -EIO. */
int calls_end(struct db *db, int64_t seq, uint8_t outcome, uint8_t status);

/* Visits what waits or is claimed, oldest first; < 0 is passed on. 0 or -errno. */
typedef int calls_visit(void *context, const struct call_row *row);
int calls_each_open(struct db *db, calls_visit *visit, void *context);

/* Whether a request of any peer with this id ended so. 0, DB_NOT_FOUND or -EIO. */
int calls_ended_as(struct db *db, const struct uuid *id, uint8_t outcome, uint8_t status);

/* What came of a request of ours. */
struct call_result {
    uint8_t outcome, status;
    int64_t seq; /* of the message that says so */
};

/* The first result of a request is kept. 0, DB_EXISTS, DB_FULL or -EIO. */
int calls_set_result(struct db *db, const struct message_row *request,
                     const struct call_result *result);

/* 0, DB_NOT_FOUND (there is none yet) or -EIO. */
int calls_find_result(struct db *db, int64_t request, struct call_result *result);
