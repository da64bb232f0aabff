/* SPDX-License-Identifier: ISC */
/*
 * The file of a backup: a stream of bytes sealed with a passphrase, in chunks that can't be
 * changed, left out, repeated or cut off unnoticed.
 *
 *     0  15  "p2pchat backup\n"              18  1  scrypt: p = 1
 *    15   1  version of the form, 1          19 16  salt
 *    16   1  scrypt: log2 N = 17             35  .  chunks
 *    17   1  scrypt: r = 8
 *
 *     chunk:  u32 n || AES-256-GCM of n bytes (at most 64 KiB), tag 16
 *
 * IV = u32 last || u64 number of the chunk from 0, where last is 1 in the last chunk and else 0;
 * the first 35 bytes are authenticated with each chunk. The key is made of the passphrase by
 * scrypt.
 */
#pragma once

#include "base/outcome.h"
#include "crypto/aead.h"

enum { BACKUP_CHUNK_SIZE = 64 * 1024, BACKUP_HEAD_SIZE = 35 };

enum backup_outcome {
    BACKUP_ALIEN = OUTCOME_BACKUP, /* not a backup, or one of another version */
    BACKUP_FORGED,                 /* the passphrase is wrong, or the file was changed or cut off */
};

/* One that is written or read. Wiped by backup_file_deinit(), which leaves the descriptor open. */
struct backup_file {
    int fd;
    struct secret key;
    uint8_t head[BACKUP_HEAD_SIZE];
    uint64_t number; /* of the next chunk */
    uint8_t *chunk;  /* BACKUP_CHUNK_SIZE and the tag */
    size_t size;     /* of what is in it … */
    size_t taken;    /* … and of it was read */
    bool last;       /* reading: it is the last one */
};

/* Begins one on an empty file. 0 or -errno. */
int backup_file_create(struct backup_file *file, int fd, const char *passphrase);

/* Appends. 0 or -errno. */
int backup_file_write(struct backup_file *file, struct span data);

/* Writes out what is left; then it is complete. 0 or -errno. */
int backup_file_finish(struct backup_file *file);

/* Begins to read one. 0, BACKUP_ALIEN or -errno. */
int backup_file_open(struct backup_file *file, int fd, const char *passphrase);

/* Reads exactly `size` bytes. 0, BACKUP_FORGED (also when there are fewer) or -errno. */
int backup_file_read(struct backup_file *file, void *out, size_t size);

/* Whether all was read, to the end of the file. 0, BACKUP_FORGED or -errno. */
int backup_file_end(struct backup_file *file);

void backup_file_deinit(struct backup_file *file);
