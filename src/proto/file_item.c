/* SPDX-License-Identifier: ISC */
/*
 * Layout of what is said about files.
 */
#include "proto/file_item.h"

#include <string.h>

#include "crypto/digest.h"

enum { LAYOUT = 1, ROOT_AT = 22, NAME_AT = 56 };

_Static_assert((int)FILE_HASH_SIZE == (int)SHA256_SIZE, "chunks are hashed with SHA-256");

bool file_name_valid(struct span name)
{
    const bool dots = (name.size == 1 && name.data[0] == '.') ||
                      (name.size == 2 && name.data[0] == '.' && name.data[1] == '.');
    return name.size >= 1 && name.size <= FILE_NAME_MAX && !dots &&
           memchr(name.data, '/', name.size) == NULL && memchr(name.data, '\0', name.size) == NULL;
}

uint64_t file_chunks(uint64_t size, uint8_t chunk_log2)
{
    return (size >> chunk_log2) + ((size & ((UINT64_C(1) << chunk_log2) - 1)) != 0);
}

static bool sizes_legal(uint64_t data_size, uint64_t manifest_size)
{
    return data_size <= FILE_DATA_MAX && manifest_size >= 1 && manifest_size <= FILE_MANIFEST_MAX;
}

uint8_t file_chunk_log2(uint64_t data_size, uint64_t manifest_size)
{
    if (!sizes_legal(data_size, manifest_size))
        return 0;
    for (uint8_t log2 = FILE_CHUNK_LOG2_MIN; log2 <= FILE_CHUNK_LOG2_MAX; log2++)
        if (file_chunks(data_size, log2) + file_chunks(manifest_size, log2) <= FILE_CHUNKS_MAX)
            return log2;
    return 0;
}

size_t file_hashes_size(const struct file_offer *offer)
{
    return (size_t)(file_chunks(offer->data_size, offer->chunk_log2) +
                    file_chunks(offer->manifest_size, offer->chunk_log2)) *
           FILE_HASH_SIZE;
}

int file_root(const struct file_offer *offer, struct span hashes,
              uint8_t root[static FILE_HASH_SIZE])
{
    static const char label[] = "p2pchat/1 files"; /* its NUL is part of it */
    uint8_t sizes[17] = {offer->chunk_log2};
    put_u64(sizes + 1, offer->data_size);
    put_u64(sizes + 9, offer->manifest_size);
    const struct span parts[] = {SPAN(label, sizeof label), SPAN(sizes, sizeof sizes), hashes};
    return sha256(parts, 3, root);
}

/* --- offers ----------------------------------------------------------------------------------- */

int file_offer_append(struct bytes *out, const struct file_offer *offer)
{
    uint8_t head[NAME_AT] = {LAYOUT, offer->chunk_log2};
    put_u64(head + 2, offer->data_size);
    put_u64(head + 10, offer->manifest_size);
    put_u32(head + 18, offer->entries);
    memcpy(head + ROOT_AT, offer->root, FILE_HASH_SIZE);
    put_u16(head + NAME_AT - 2, (uint16_t)offer->name.size);
    int r = bytes_reserve(out, sizeof head + offer->name.size + 2);
    if (r == 0)
        r = bytes_append(out, head, sizeof head);
    if (r == 0)
        r = bytes_append(out, offer->name.data, offer->name.size);
    return r == 0 ? bytes_append_u16(out, 0) : r;
}

int file_offer_parse(struct span content, struct file_offer *offer)
{
    struct reader reader = reader_of(content);
    const uint8_t version = reader_u8(&reader);
    offer->chunk_log2 = reader_u8(&reader);
    offer->data_size = reader_u64(&reader);
    offer->manifest_size = reader_u64(&reader);
    offer->entries = reader_u32(&reader);
    const uint8_t *root = reader_take(&reader, FILE_HASH_SIZE);
    const uint16_t name_size = reader_u16(&reader);
    offer->name = SPAN(reader_take(&reader, name_size), name_size);
    const uint16_t extra = reader_u16(&reader);
    reader_take(&reader, extra);
    if (reader.failed || reader.left > 0 || version != LAYOUT || extra > FILE_EXTRA_MAX ||
        !file_name_valid(offer->name) || offer->entries < 1 || offer->entries > FILE_ENTRIES_MAX ||
        offer->chunk_log2 == 0 ||
        offer->chunk_log2 != file_chunk_log2(offer->data_size, offer->manifest_size))
        return FILE_ITEM_MALFORMED;
    memcpy(offer->root, root, FILE_HASH_SIZE);
    return 0;
}

/* --- ends ------------------------------------------------------------------------------------- */

int file_end_append(struct bytes *out, const struct file_end *end)
{
    uint8_t content[FILE_STATE_SIZE];
    memcpy(content, end->offer.bytes, UUID_SIZE);
    content[UUID_SIZE] = end->state;
    content[UUID_SIZE + 1] = end->reason;
    return bytes_append(out, content, sizeof content);
}

int file_end_parse(struct span content, struct file_end *end)
{
    if (content.size != FILE_STATE_SIZE)
        return FILE_ITEM_MALFORMED;
    memcpy(end->offer.bytes, content.data, UUID_SIZE);
    end->state = content.data[UUID_SIZE];
    end->reason = content.data[UUID_SIZE + 1];
    return end->state >= FILE_DONE && end->state <= FILE_EXPIRED ? 0 : FILE_ITEM_MALFORMED;
}

/* --- requests --------------------------------------------------------------------------------- */

void file_request_put(uint8_t out[static FILE_REQUEST_SIZE], const struct file_request *request)
{
    out[0] = LAYOUT;
    memcpy(out + 1, request->offer.bytes, UUID_SIZE);
    put_u64(out + 17, request->offset);
}

int file_request_parse(struct span content, struct file_request *request)
{
    if (content.size != FILE_REQUEST_SIZE || content.data[0] != LAYOUT)
        return FILE_ITEM_MALFORMED;
    memcpy(request->offer.bytes, content.data + 1, UUID_SIZE);
    request->offset = get_u64(content.data + 17);
    return 0;
}
