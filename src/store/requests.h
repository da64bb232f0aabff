/* SPDX-License-Identifier: ISC */
/*
 * What clients asked for under ids of their own, so that the same id again gets the same answer.
 * Kept as long as the ids of messages that were removed.
 */
#pragma once

#include "store/messages.h"

enum { REQUEST_DIGEST_SIZE = 16 };

/* One request that was accepted. Its messages have seqs one after the other. */
struct request_row {
    uint32_t uid; /* of the client */
    const char *client_id;
    bool compared; /* the digest is known: not so of requests that an older version took */
    uint8_t digest[REQUEST_DIGEST_SIZE]; /* of all that was asked for */
    int64_t first;                       /* seq of its first message */
    uint32_t count;
    uint64_t time_ms;
};

/* 0, DB_EXISTS, DB_FULL or -EIO. */
int requests_add(struct db *db, const struct request_row *row);

/*
 * Forgets those from before a time, in steps: there is no index by time, which would be one more
 * page of each commit. Looks at no more than `limit` rows, behind those that the last step looked
 * at. *removed of them went; *over: it came to the end, and the next step begins anew. 0, DB_FULL
 * or -EIO.
 */
int requests_forget(struct db *db, uint64_t before_ms, unsigned limit, unsigned *removed,
                    bool *over);

/* Finds the request that row->uid made under row->client_id. 0, DB_NOT_FOUND or -EIO. */
int requests_find(struct db *db, struct request_row *row);
