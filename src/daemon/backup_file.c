/* SPDX-License-Identifier: ISC */
/*
 * Sealing and opening of backup files. What is in them is backup.c's business.
 */
#include "daemon/backup_file.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/kdf.h"
#include "crypto/random.h"

enum { FORM = 1, LOG2_N = 17, SCRYPT_R = 8, SCRYPT_P = 1, FIXED_SIZE = 19, SALT_SIZE = 16 };

/* What all of them begin with; the salt follows. */
static const uint8_t beginning[FIXED_SIZE + 1] = "p2pchat backup\n\x01\x11\x08\x01";

static_assert(FIXED_SIZE + SALT_SIZE == BACKUP_HEAD_SIZE, "the head is what is authenticated");

static int start(struct backup_file *file, int fd, const char *passphrase)
{
    file->fd = fd;
    file->chunk = malloc(BACKUP_CHUNK_SIZE + AEAD_TAG_SIZE);
    if (file->chunk == NULL)
        return -ENOMEM;
    return scrypt(passphrase, SPAN(file->head + FIXED_SIZE, SALT_SIZE), LOG2_N, &file->key);
}

static void make_iv(const struct backup_file *file, bool last, uint8_t iv[static AEAD_IV_SIZE])
{
    put_u32(iv, last ? 1 : 0);
    put_u64(iv + 4, file->number);
}

/* 0, BACKUP_FORGED if the file is shorter, or -errno. */
static int read_all(int fd, uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t count = read(fd, data, size);
        if (count < 0 && errno != EINTR)
            return -errno;
        if (count == 0)
            return BACKUP_FORGED;
        if (count > 0) {
            data += count;
            size -= (size_t)count;
        }
    }
    return 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

int backup_file_create(struct backup_file *file, int fd, const char *passphrase)
{
    *file = (struct backup_file){0};
    memcpy(file->head, beginning, FIXED_SIZE);
    int r = random_bytes(file->head + FIXED_SIZE, SALT_SIZE);
    if (r == 0)
        r = start(file, fd, passphrase);
    return r == 0 ? file_write_all(fd, SPAN(file->head, sizeof file->head)) : r;
}

static int write_chunk(struct backup_file *file, bool last)
{
    uint8_t size[4], iv[AEAD_IV_SIZE];
    put_u32(size, (uint32_t)file->size);
    make_iv(file, last, iv);
    int r = aead_seal(&file->key, iv, SPAN(file->head, sizeof file->head),
                      SPAN(file->chunk, file->size), file->chunk);
    if (r == 0)
        r = file_write_all(file->fd, SPAN(size, sizeof size));
    if (r == 0)
        r = file_write_all(file->fd, SPAN(file->chunk, file->size + AEAD_TAG_SIZE));
    file->number++;
    file->size = 0;
    return r;
}

int backup_file_write(struct backup_file *file, struct span data)
{
    int r = 0;
    while (r == 0 && data.size > 0) {
        const size_t room = BACKUP_CHUNK_SIZE - file->size;
        const size_t part = data.size < room ? data.size : room;
        memcpy(file->chunk + file->size, data.data, part);
        file->size += part;
        data = SPAN(data.data + part, data.size - part);
        if (file->size == BACKUP_CHUNK_SIZE)
            r = write_chunk(file, false);
    }
    return r;
}

int backup_file_finish(struct backup_file *file)
{
    return write_chunk(file, true);
}

/* --- reading ---------------------------------------------------------------------------------- */

int backup_file_open(struct backup_file *file, int fd, const char *passphrase)
{
    *file = (struct backup_file){0};
    int r = read_all(fd, file->head, sizeof file->head);
    if (r == BACKUP_FORGED || (r == 0 && memcmp(file->head, beginning, FIXED_SIZE) != 0))
        return BACKUP_ALIEN;
    return r == 0 ? start(file, fd, passphrase) : r;
}

/* Opens what is in `chunk` as the last one or not. */
static int open_chunk(struct backup_file *file, size_t size, bool last)
{
    uint8_t iv[AEAD_IV_SIZE];
    make_iv(file, last, iv);
    return aead_open(&file->key, iv, SPAN(file->head, sizeof file->head),
                     SPAN(file->chunk, size + AEAD_TAG_SIZE), file->chunk);
}

static int read_chunk(struct backup_file *file)
{
    uint8_t head[4];
    if (file->last)
        return BACKUP_FORGED;
    int r = read_all(file->fd, head, sizeof head);
    const size_t size = r == 0 ? get_u32(head) : 0;
    if (r != 0 || size > BACKUP_CHUNK_SIZE)
        return r < 0 ? r : BACKUP_FORGED;
    r = read_all(file->fd, file->chunk, size + AEAD_TAG_SIZE);
    if (r != 0)
        return r;
    /* Only a full chunk is followed by another. */
    file->last = size < BACKUP_CHUNK_SIZE;
    r = open_chunk(file, size, file->last);
    if (r != 0)
        return r == AEAD_FORGED ? BACKUP_FORGED : r;
    file->number++;
    file->size = size;
    file->taken = 0;
    return 0;
}

int backup_file_read(struct backup_file *file, void *out, size_t size)
{
    uint8_t *to = out;
    while (size > 0) {
        const size_t there = file->size - file->taken;
        const size_t part = size < there ? size : there;
        memcpy(to, file->chunk + file->taken, part);
        file->taken += part;
        to += part;
        size -= part;
        int r = size > 0 ? read_chunk(file) : 0;
        if (r != 0)
            return r;
    }
    return 0;
}

int backup_file_end(struct backup_file *file)
{
    uint8_t byte;
    int r = 0;
    while (r == 0 && file->taken == file->size && !file->last)
        r = read_chunk(file);
    if (r != 0)
        return r;
    if (file->taken < file->size)
        return BACKUP_FORGED;
    r = read_all(file->fd, &byte, 1);
    return r == BACKUP_FORGED ? 0 : r == 0 ? BACKUP_FORGED : r;
}

void backup_file_deinit(struct backup_file *file)
{
    secret_wipe(&file->key, sizeof file->key);
    if (file->chunk != NULL)
        secret_wipe(file->chunk, BACKUP_CHUNK_SIZE);
    free(file->chunk);
    file->chunk = NULL;
}
