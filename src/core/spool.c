/* SPDX-License-Identifier: ISC */
/*
 * Files of the spool.
 */
#include "core/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/kdf.h"
#include "crypto/random.h"

enum {
    NAME_TEXT_MAX = 2 * SPOOL_NAME_SIZE + 1,
    SEALED_UNIT = SPOOL_UNIT + AEAD_TAG_SIZE,
};

struct spool {
    int directory;
    struct hkdf *store_key;
};

int spool_new(struct spool **spool, const char *directory, const struct secret *store_key)
{
    struct spool *made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    made->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = made->directory < 0 ? -errno : hkdf_new(&made->store_key, store_key);
    if (r < 0) {
        spool_free(made);
        return r;
    }
    *spool = made;
    return 0;
}

void spool_free(struct spool *spool)
{
    if (spool == NULL)
        return;
    if (spool->directory >= 0)
        close(spool->directory);
    hkdf_free(spool->store_key);
    free(spool);
}

static int derive(struct spool *spool, const uint8_t *name, struct aead_key **key)
{
    static const char label[] = "p2pchat/1 spool"; /* its NUL is part of it */
    const struct span info[] = {SPAN(label, sizeof label), SPAN(name, SPOOL_NAME_SIZE)};
    CLEANUP(secret_cleanup) struct secret secret = {0};
    int r = hkdf_next(spool->store_key, info, 2, &secret);
    return r == 0 ? aead_key_new(key, &secret) : r;
}

static void make_iv(uint8_t iv[static AEAD_IV_SIZE], enum spool_part part, uint64_t unit)
{
    put_u32(iv, (uint32_t)part);
    put_u64(iv + 4, unit);
}

/* Bytes on the disk of a part of this size. */
static uint64_t sealed_size(uint64_t size)
{
    return size + (size + SPOOL_UNIT - 1) / SPOOL_UNIT * AEAD_TAG_SIZE;
}

void spool_remove(struct spool *spool, const uint8_t name[static SPOOL_NAME_SIZE])
{
    char text[NAME_TEXT_MAX];
    hex_encode(name, SPOOL_NAME_SIZE, text);
    unlinkat(spool->directory, text, 0);
}

static int sweep_one(struct spool *spool, const char *text,
                     int (*wanted)(void *context, const uint8_t *name), void *context)
{
    uint8_t name[SPOOL_NAME_SIZE];
    int keep = 0;
    if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return 0;
    if (strlen(text) == NAME_TEXT_MAX - 1 && hex_decode(text, name, sizeof name) == 0)
        keep = wanted(context, name);
    if (keep == 0)
        unlinkat(spool->directory, text, 0);
    return keep < 0 ? keep : 0;
}

int spool_sweep(struct spool *spool,
                int (*wanted)(void *context, const uint8_t name[static SPOOL_NAME_SIZE]),
                void *context)
{
    int fd = openat(spool->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    int r = 0;
    if (list == NULL) {
        r = -errno;
        if (fd >= 0)
            close(fd);
        return r;
    }
    for (const struct dirent *entry; r == 0 && (entry = readdir(list)) != NULL;)
        r = sweep_one(spool, entry->d_name, wanted, context);
    closedir(list);
    return r;
}

int spool_space(const struct spool *spool, uint64_t *bytes)
{
    struct statvfs disk;
    if (fstatvfs(spool->directory, &disk) < 0)
        return -errno;
    *bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    return 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

struct spool_writer {
    struct spool *spool;
    struct file_offer offer;
    uint8_t name[SPOOL_NAME_SIZE];
    int fd;
    bool finished;
    struct aead_key *key;
    enum spool_part part;
    uint64_t written;           /* bytes of the part that are sealed */
    struct sha256_state *chunk; /* NULL: none has begun */
    struct bytes hashes[2];     /* of the manifest, of the data */
    size_t filled;              /* of the unit */
    uint8_t unit[SEALED_UNIT];  /* sealed in place */
};

static uint64_t part_size(const struct file_offer *offer, enum spool_part part)
{
    switch (part) {
    case SPOOL_HASHES:
        return file_hashes_size(offer);
    case SPOOL_DATA:
        return offer->data_size;
    default:
        return offer->manifest_size;
    }
}

int spool_writer_new(struct spool_writer **writer, struct spool *spool,
                     const struct file_offer *offer)
{
    struct spool_writer *made = calloc(1, sizeof *made);
    char text[NAME_TEXT_MAX];
    if (made == NULL)
        return -ENOMEM;
    made->spool = spool;
    made->offer = *offer;
    made->part = SPOOL_MANIFEST;
    made->fd = -1;
    int r = random_bytes(made->name, sizeof made->name);
    if (r == 0)
        r = derive(spool, made->name, &made->key);
    if (r == 0) {
        hex_encode(made->name, sizeof made->name, text);
        made->fd = openat(spool->directory, text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        r = made->fd < 0 ? -errno : 0;
    }
    if (r < 0) {
        spool_writer_free(made);
        return r;
    }
    *writer = made;
    return 0;
}

void spool_writer_free(struct spool_writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->fd >= 0) {
        close(writer->fd);
        if (!writer->finished)
            spool_remove(writer->spool, writer->name);
    }
    aead_key_free(writer->key);
    sha256_state_free(writer->chunk);
    bytes_deinit(&writer->hashes[0]);
    bytes_deinit(&writer->hashes[1]);
    secret_wipe(writer->unit, sizeof writer->unit);
    free(writer);
}

bool spool_writer_has(const struct spool_writer *writer, const uint8_t *name)
{
    return memcmp(writer->name, name, SPOOL_NAME_SIZE) == 0;
}

static uint64_t left_of_part(const struct spool_writer *writer)
{
    return part_size(&writer->offer, writer->part) - writer->written - writer->filled;
}

uint64_t spool_writer_missing(const struct spool_writer *writer)
{
    switch (writer->part) {
    case SPOOL_MANIFEST:
        return left_of_part(writer) + writer->offer.data_size;
    case SPOOL_DATA:
        return left_of_part(writer);
    default:
        return 0;
    }
}

uint8_t *spool_writer_place(struct spool_writer *writer, size_t *room)
{
    const uint64_t left = left_of_part(writer);
    *room = SPOOL_UNIT - writer->filled;
    if (left < *room)
        *room = (size_t)left;
    return writer->unit + writer->filled;
}

/* Adds the unit to the hash of its chunk, which may end with it. */
static int hash_unit(struct spool_writer *writer)
{
    const uint64_t end = writer->written + writer->filled;
    const uint64_t chunk = UINT64_C(1) << writer->offer.chunk_log2;
    uint8_t hash[SHA256_SIZE];
    int r = writer->chunk == NULL ? sha256_state_new(&writer->chunk) : 0;
    if (r == 0)
        r = sha256_state_add(writer->chunk, SPAN(writer->unit, writer->filled));
    if (r < 0 || (end % chunk != 0 && end != part_size(&writer->offer, writer->part)))
        return r;
    r = sha256_state_value(writer->chunk, hash);
    sha256_state_free(writer->chunk);
    writer->chunk = NULL;
    if (r < 0)
        return r;
    return bytes_append(&writer->hashes[writer->part == SPOOL_DATA], hash, sizeof hash);
}

static int seal_unit(struct spool_writer *writer)
{
    uint8_t iv[AEAD_IV_SIZE];
    make_iv(iv, writer->part, writer->written / SPOOL_UNIT);
    int r = aead_key_seal(writer->key, iv, SPAN(NULL, 0), SPAN(writer->unit, writer->filled),
                          writer->unit);
    if (r == 0)
        r = file_write_all(writer->fd, SPAN(writer->unit, writer->filled + AEAD_TAG_SIZE));
    writer->written += writer->filled;
    writer->filled = 0;
    return r;
}

static int flush_unit(struct spool_writer *writer)
{
    int r = writer->part == SPOOL_HASHES ? 0 : hash_unit(writer);
    return r == 0 ? seal_unit(writer) : r;
}

static void next_part(struct spool_writer *writer)
{
    const bool data_follows = writer->part == SPOOL_MANIFEST && writer->offer.data_size > 0;
    writer->part = data_follows ? SPOOL_DATA : SPOOL_HASHES;
    writer->written = 0;
}

int spool_writer_add(struct spool_writer *writer, size_t size)
{
    writer->filled += size;
    const bool over = left_of_part(writer) == 0;
    if (writer->filled < SPOOL_UNIT && !over)
        return 0;
    int r = flush_unit(writer);
    if (r == 0 && over)
        next_part(writer);
    return r;
}

static int write_hashes(struct spool_writer *writer)
{
    struct span left = bytes_span(&writer->hashes[1]);
    int r = 0;
    while (r == 0 && left.size > 0) {
        size_t size = left.size < SPOOL_UNIT ? left.size : SPOOL_UNIT;
        memcpy(writer->unit, left.data, size);
        writer->filled = size;
        r = flush_unit(writer);
        left = SPAN(left.data + size, left.size - size);
    }
    return r;
}

int spool_writer_finish(struct spool_writer *writer, uint8_t name[static SPOOL_NAME_SIZE],
                        uint8_t root[static FILE_HASH_SIZE])
{
    const struct span manifest = bytes_span(&writer->hashes[0]);
    int r = bytes_append(&writer->hashes[1], manifest.data, manifest.size);
    if (r == 0)
        r = file_root(&writer->offer, bytes_span(&writer->hashes[1]), root);
    if (r == 0)
        r = write_hashes(writer);
    if (r == 0 && (fdatasync(writer->fd) < 0 || fsync(writer->spool->directory) < 0))
        r = -errno;
    writer->finished = r == 0;
    memcpy(name, writer->name, SPOOL_NAME_SIZE);
    return r;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct spool_reader {
    struct file_offer offer;
    int fd;
    struct aead_key *key;
};

int spool_reader_new(struct spool_reader **reader, struct spool *spool,
                     const uint8_t name[static SPOOL_NAME_SIZE], const struct file_offer *offer)
{
    struct spool_reader *made = calloc(1, sizeof *made);
    char text[NAME_TEXT_MAX];
    if (made == NULL)
        return -ENOMEM;
    made->offer = *offer;
    hex_encode(name, SPOOL_NAME_SIZE, text);
    made->fd = openat(spool->directory, text, O_RDONLY | O_CLOEXEC);
    int r = made->fd < 0 ? -errno : derive(spool, name, &made->key);
    if (r < 0) {
        spool_reader_free(made);
        return r;
    }
    *reader = made;
    return 0;
}

void spool_reader_free(struct spool_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    aead_key_free(reader->key);
    free(reader);
}

static uint64_t part_start(const struct file_offer *offer, enum spool_part part)
{
    uint64_t start = 0;
    if (part != SPOOL_MANIFEST)
        start += sealed_size(offer->manifest_size);
    if (part == SPOOL_HASHES)
        start += sealed_size(offer->data_size);
    return start;
}

static int read_all(int fd, uint8_t *data, size_t size, uint64_t offset)
{
    while (size > 0) {
        const ssize_t done = pread(fd, data, size, (off_t)offset);
        if (done == 0)
            return SPOOL_DAMAGED;
        if (done < 0 && errno != EINTR)
            return -errno;
        if (done > 0) {
            data += done;
            size -= (size_t)done;
            offset += (uint64_t)done;
        }
    }
    return 0;
}

int spool_reader_get(struct spool_reader *reader, enum spool_part part, uint64_t unit, uint8_t *out,
                     size_t *size)
{
    static uint8_t sealed[SEALED_UNIT];
    const uint64_t whole = part_size(&reader->offer, part), start = unit * SPOOL_UNIT;
    uint8_t iv[AEAD_IV_SIZE];
    *size = 0;
    if (start >= whole)
        return 0;
    const size_t wanted = whole - start < SPOOL_UNIT ? (size_t)(whole - start) : SPOOL_UNIT;
    make_iv(iv, part, unit);
    int r = read_all(reader->fd, sealed, wanted + AEAD_TAG_SIZE,
                     part_start(&reader->offer, part) + unit * SEALED_UNIT);
    if (r == 0)
        r = aead_key_open(reader->key, iv, SPAN(NULL, 0), SPAN(sealed, wanted + AEAD_TAG_SIZE),
                          out);
    if (r == 0)
        *size = wanted;
    return r == AEAD_FORGED ? SPOOL_DAMAGED : r;
}
