/* SPDX-License-Identifier: ISC */
/*
 * The spool: sealed copies of what was sent, until each peer has it or it has ended otherwise.
 *
 * A file is written once from start to end under a random name and never opened for writing again;
 * each unit is sealed once, when it is full or its part is over. So no key and IV are used twice.
 *
 *     manifest | data | hashes        each in units of 64 KiB, the last of each part shorter:
 *
 *     AES-256-GCM(key, IV = part (4) || unit (8), unit) and tag (16)
 *     key = HKDF-Expand(store key, "p2pchat/1 spool" || 0 || name)
 */
#pragma once

#include "base/outcome.h"
#include "crypto/secret.h"
#include "proto/file_item.h"

enum {
    SPOOL_NAME_SIZE = 16,
    SPOOL_UNIT = 64 * 1024,
};

enum spool_outcome {
    SPOOL_DAMAGED = OUTCOME_SPOOL, /* not what was written */
};

/* What a unit belongs to; the numbers are part of the format. */
enum spool_part { SPOOL_HASHES = 0, SPOOL_DATA = 1, SPOOL_MANIFEST = 2 };

struct spool;

/* Uses a directory that exists. 0 or -errno. */
int spool_new(struct spool **spool, const char *directory, const struct secret *store_key);
void spool_free(struct spool *spool);

/* Removes a file; that it is not there is no error. */
void spool_remove(struct spool *spool, const uint8_t name[static SPOOL_NAME_SIZE]);

/* Removes the files that nobody wants. 0 or -errno, also of wanted(), which says 1 or 0. */
int spool_sweep(struct spool *spool,
                int (*wanted)(void *context, const uint8_t name[static SPOOL_NAME_SIZE]),
                void *context);

/* Bytes that the disk has free for us. 0 or -errno. */
int spool_space(const struct spool *spool, uint64_t *bytes);

/* --- writing ---------------------------------------------------------------------------------- */

struct spool_writer;

/* Begins a file for an offer, of which the sizes and chunk_log2 are known. 0 or -errno. */
int spool_writer_new(struct spool_writer **writer, struct spool *spool,
                     const struct file_offer *offer);

/* Ends it; a file that is not finished is removed. NULL is allowed. */
void spool_writer_free(struct spool_writer *writer);

/* Whether its file has this name. */
bool spool_writer_has(const struct spool_writer *writer, const uint8_t *name);

/* How much is still to come: of manifest and data together. */
uint64_t spool_writer_missing(const struct spool_writer *writer);

/*
 * Where the next bytes go, manifest first, then data; *room is at least 1 while some are missing.
 * After they were put there, spool_writer_add() takes them. 0 or -errno.
 */
uint8_t *spool_writer_place(struct spool_writer *writer, size_t *room);
int spool_writer_add(struct spool_writer *writer, size_t size);

/*
 * All has come: writes the hashes and makes the file durable. Gives its name and the root. 0 or
 * -errno.
 */
int spool_writer_finish(struct spool_writer *writer, uint8_t name[static SPOOL_NAME_SIZE],
                        uint8_t root[static FILE_HASH_SIZE]);

/* --- reading ---------------------------------------------------------------------------------- */

struct spool_reader;

/* Opens a file of an offer. 0, -ENOENT or another -errno. */
int spool_reader_new(struct spool_reader **reader, struct spool *spool,
                     const uint8_t name[static SPOOL_NAME_SIZE], const struct file_offer *offer);
void spool_reader_free(struct spool_reader *reader);

/* Reads a unit of a part into `out`, of SPOOL_UNIT bytes; *size is 0 behind the last. 0,
 * SPOOL_DAMAGED or -errno. */
int spool_reader_get(struct spool_reader *reader, enum spool_part part, uint64_t unit, uint8_t *out,
                     size_t *size);
