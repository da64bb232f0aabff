/* SPDX-License-Identifier: ISC */
/*
 * Transfers of files: what an offer in the log stands for, and how it ended.
 *
 * A transfer has the seq of its offer and goes with it. What is said of it to people (its name)
 * stands in the offer's body, which is sealed.
 */
#pragma once

#include "store/messages.h"

enum { TRANSFER_SPOOL_SIZE = 16, TRANSFER_ROOT_SIZE = 32 };

/* The ends are those of the wire (enum file_end_state). */
enum transfer_state {
    TRANSFER_OPEN = 0,
    TRANSFER_DONE = 1,
    TRANSFER_REFUSED = 2,
    TRANSFER_CANCELLED = 3,
    TRANSFER_FAILED = 4,
    TRANSFER_EXPIRED = 5,
};

struct transfer_row {
    int64_t seq;  /* of its offer */
    int64_t peer; /* this and the next five are the offer's: read only */
    char peer_name[PEER_NAME_MAX];
    enum message_direction direction;
    struct uuid id;
    uint64_t time_ms;
    uint32_t uid; /* who sent it */
    enum transfer_state state;
    char reason[32]; /* a word, "" for none */
    bool spooled;    /* out: its bytes wait in this spool file */
    uint8_t spool[TRANSFER_SPOOL_SIZE];
    uint64_t data_size;
    uint64_t manifest_size;
    uint32_t entries;
    uint8_t chunk_log2;
    uint8_t root[TRANSFER_ROOT_SIZE];
};

/* Adds the transfer of an offer that was just stored. 0, DB_EXISTS, DB_FULL or -EIO. */
int transfers_add(struct db *db, const struct transfer_row *row);

/*
 * Notes how an open one ended; its spool file is not its own any more. 0, DB_NOT_FOUND (it has
 * ended or never was), DB_FULL or -EIO.
 */
int transfers_end(struct db *db, int64_t seq, enum transfer_state state, const char *reason,
                  uint64_t now_ms);

/*
 * The transfer of an offer by its id, of this peer (0: of any) and direction. 0, DB_NOT_FOUND or
 * -EIO.
 */
int transfers_find(struct db *db, const struct uuid *id, int64_t peer,
                   enum message_direction direction, struct transfer_row *row);

/* The one with this seq. The same. */
int transfers_at(struct db *db, int64_t seq, struct transfer_row *row);

/* Calls back for each, oldest first; < 0 ends the walk and is passed on. 0 or -errno. */
typedef int transfers_visit(void *context, const struct transfer_row *row);
int transfers_each(struct db *db, bool ended, transfers_visit *visit, void *context);

/* How many open transfers have this spool file. 0 or -EIO. */
int transfers_of_spool(struct db *db, const uint8_t spool[static TRANSFER_SPOOL_SIZE],
                       unsigned *count);

/* What waits in the spool for one peer (0: for all; then a file is counted once), and how many
 * transfers of one direction are open with it. 0 or -EIO. */
int transfers_spooled(struct db *db, int64_t peer, uint64_t *bytes);
int transfers_open(struct db *db, int64_t peer, enum message_direction direction, unsigned *count);
