/* SPDX-License-Identifier: ISC */
/*
 * Files: what was offered, by us and to us, and the bytes on their way.
 *
 *     sender:    upload -> spool, offer -> (the peer has it) -> served, again and again -> end
 *     receiver:  offer -> pulled by a client, again and again -> end
 *
 * No path of a person is known here: a client reads the files of the sender into a socket, and
 * another one writes those of the receiver out of a socket. Offers and ends are items, as durable
 * as messages; node.h makes them.
 */
#pragma once

#include "core/file_pull.h"
#include "core/file_serve.h"
#include "core/file_upload.h"
#include "core/file_words.h"
#include "core/files_outcome.h"
#include "core/housekeeping.h"
#include "core/streams.h"
#include "store/transfers.h"

enum { FILES_OPEN_MAX = 1000 }; /* offers of one peer; more are refused */

enum { FILES_CHECK_MS = 60 * 1000 }; /* how often it is looked for what has run out of time */

struct body_sealer;

struct files {
    struct runtime *runtime;
    struct roster *roster;
    struct streams *streams;
    struct housekeeping *housekeeping;
    struct spool *spool; /* NULL: this daemon does without */
    struct list uploads;
    struct list serves;
    struct list pulls;
    struct timer *timer;
    bool check_due;        /* something may have run out */
    struct bytes refusals; /* offers too many, to be refused: peer's id (8) || offer's id (16) */
};

/* `directory` of the spool; NULL for none. 0 or -errno. Deinit also of one that failed. */
int files_init(struct files *files, struct runtime *runtime, struct roster *roster,
               struct streams *streams, struct housekeeping *housekeeping, const char *directory,
               const struct secret *store_key);
void files_deinit(struct files *files);

/* Looks for what has run out, when what the present turn changed is on disk. */
void files_touch(struct files *files);

/* The turn was committed: removes what nobody waits for any more. */
void files_settled(struct files *files);

/* Whether peers are told that we can do it. */
bool files_on(const struct files *files);

/*
 * An offer or an end of this peer was stored: what it does to transfers. 0, DB_FULL or -errno.
 */
int files_take(struct files *files, const struct peer *peer, const struct session_item *item,
               int64_t seq);

/*
 * Notes how a transfer ended, and ends what is going on of it. 0, FILES_ENDED, DB_FULL or -EIO.
 */
int files_end(struct files *files, const struct transfer_row *row, enum transfer_state state,
              const char *reason);

/* Bytes of data that have moved just now, or 0. */
uint64_t files_moved(const struct files *files, int64_t seq);

/*
 * Begins an upload, of this user, for the offer's sizes: as file_upload_new(), or FILES_OFF,
 * FILES_BUSY, FILES_TOO_LARGE or FILES_DISK_FULL with `fd` closed.
 */
int files_upload(struct files *files, const struct file_offer *offer, uid_t uid, int fd,
                 file_upload_over *over, void *context, struct file_upload **upload);

/*
 * Begins to pull a transfer: as file_pull_new(), or FILES_ENDED, FILES_BUSY or an outcome of
 * streams_open().
 */
int files_pull(struct files *files, const struct transfer_row *row, uint64_t offset, int fd,
               file_pull_over *over, void *context, struct file_pull **pull);

/* Ends it, and the stream with it. */
void files_drop_pull(struct file_pull *pull);
