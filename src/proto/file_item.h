/* SPDX-License-Identifier: ISC */
/*
 * What two sides say about files: offers and their ends, which are items, and what a stream of the
 * service ".file" begins with.
 *
 * A transfer is what one offer tells of: entries (files, directories, symlinks) in a manifest, and
 * their contents one after the other, which are its data. Both are cut into chunks, the last of
 * each is shorter, and the hashes of all chunks stand under one root in the offer. So each chunk
 * can be judged when it has come, and how far a transfer is, is one number.
 *
 *     offer    0   1  version, 1                     end   0  16  id of the offer
 *              1   1  log2 of a chunk's size, 20..24      16   1  enum file_end_state
 *              2   8  size of the data                    17   1  enum file_reason
 *             10   8  size of the manifest
 *             18   4  entries                        request   0   1  version, 1
 *             22  32  root                                     1  16  id of the offer
 *             54   2  size of the name                        17   8  offset of the data
 *             56   n  name
 *              .   2  size of what later versions add: 0..512, not looked at
 *
 *     h(i) = SHA-256(chunk i): those of the data, then those of the manifest
 *     root = SHA-256("p2pchat/1 files" || 0 || log2 || data size || manifest size || h(0) || …)
 *
 * A request is answered with an enum file_answer (1 byte). Behind FILE_COMING come all hashes, the
 * manifest, and the data from the offset on.
 */
#pragma once

#include "base/bytes.h"
#include "base/outcome.h"
#include "base/uuid.h"

#define FILE_SERVICE ".file"

enum {
    FILE_CHUNK_LOG2_MIN = 20,
    FILE_CHUNK_LOG2_MAX = 24,
    FILE_CHUNKS_MAX = 1 << 18,
    FILE_MANIFEST_MAX = 1 << 26,
    FILE_ENTRIES_MAX = 1 << 20,
    FILE_NAME_MAX = 255,
    FILE_HASH_SIZE = 32,
    FILE_EXTRA_MAX = 512,
    FILE_OFFER_SIZE_MIN = 59,
    FILE_OFFER_SIZE_MAX = 58 + FILE_NAME_MAX + FILE_EXTRA_MAX,
    FILE_STATE_SIZE = 18,
    FILE_REQUEST_SIZE = 25,
};

#define FILE_DATA_MAX (UINT64_C(1) << (FILE_CHUNK_LOG2_MAX + 18))

enum file_item_outcome {
    FILE_ITEM_MALFORMED = OUTCOME_FILE_ITEM,
};

enum file_end_state {
    FILE_DONE = 1,      /* the receiver has it under its name, synced */
    FILE_REFUSED = 2,   /* by the receiver */
    FILE_CANCELLED = 3, /* by either */
    FILE_FAILED = 4,    /* the receiver can't take it */
    FILE_EXPIRED = 5,   /* the sender gave up */
};

enum file_reason {
    FILE_NO_REASON = 0,
    FILE_BY_PERSON = 1,
    FILE_BY_POLICY = 2,
    FILE_TOO_LARGE = 3,
    FILE_GONE = 4, /* the sender does not know it any more */
    FILE_CHANGED = 5,
    FILE_DAMAGED = 6,
    FILE_TOO_MANY = 7, /* offers are open */
};

enum file_answer {
    FILE_COMING = 0,
    FILE_UNKNOWN = 1, /* no such offer to this peer, or it has ended: one answer */
    FILE_IO_ERROR = 4,
    FILE_BUSY = 5,
};

/* An offer. The name is borrowed. */
struct file_offer {
    uint8_t chunk_log2;
    uint64_t data_size;
    uint64_t manifest_size; /* at least 1 */
    uint32_t entries;       /* at least 1 */
    uint8_t root[FILE_HASH_SIZE];
    struct span name; /* one component of a path */
};

struct file_end {
    struct uuid offer;
    uint8_t state;  /* enum file_end_state */
    uint8_t reason; /* enum file_reason; others are of later versions */
};

struct file_request {
    struct uuid offer;
    uint64_t offset; /* a multiple of the chunk's size, or the size of the data */
};

/* Whether the bytes are one component of a path: not empty, ".", ".." or too long, no '/', no NUL.
 */
bool file_name_valid(struct span name);

/* The smallest chunks with which there are not too many; 0: the sizes are too large, or 0. */
uint8_t file_chunk_log2(uint64_t data_size, uint64_t manifest_size);

/* How many chunks so many bytes have. */
uint64_t file_chunks(uint64_t size, uint8_t chunk_log2);

/* The size of all hashes of an offer. */
size_t file_hashes_size(const struct file_offer *offer);

/* The root that belongs to these hashes; offer->root is not looked at. 0 or -EIO. */
int file_root(const struct file_offer *offer, struct span hashes,
              uint8_t root[static FILE_HASH_SIZE]);

/* Each appends and returns 0, or -ENOMEM with `out` unchanged. */
int file_offer_append(struct bytes *out, const struct file_offer *offer);
int file_end_append(struct bytes *out, const struct file_end *end);

/* Each reads all of `content`. 0 or FILE_ITEM_MALFORMED. */
int file_offer_parse(struct span content, struct file_offer *offer);
int file_end_parse(struct span content, struct file_end *end);
int file_request_parse(struct span content, struct file_request *request);

void file_request_put(uint8_t out[static FILE_REQUEST_SIZE], const struct file_request *request);
