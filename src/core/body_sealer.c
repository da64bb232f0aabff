/* SPDX-License-Identifier: ISC */
/*
 * Message bodies at rest.
 */
#include "core/body_sealer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "crypto/random.h"

enum {
    VERSION_1 = 1,
    SALT_SIZE = 16,
    SALT_AT = 1,
    IV_AT = SALT_AT + SALT_SIZE,
    BODY_AT = IV_AT + AEAD_IV_SIZE,
    BINDING_SIZE = 1 + 8 + 1 + UUID_SIZE,
};

struct body_sealer {
    struct secret key;
};

int body_sealer_new(struct body_sealer **body_sealer, const struct secret *store_key)
{
    *body_sealer = malloc(sizeof **body_sealer);
    if (*body_sealer == NULL)
        return -ENOMEM;
    (*body_sealer)->key = *store_key;
    return 0;
}

void body_sealer_free(struct body_sealer *body_sealer)
{
    if (body_sealer == NULL)
        return;
    secret_wipe(body_sealer, sizeof *body_sealer);
    free(body_sealer);
}

static int derive_subkey(const struct body_sealer *body_sealer, const uint8_t *salt,
                         struct secret *subkey)
{
    static const char label[] = "p2pchat/1 body"; /* its NUL is part of it */
    const struct span info[] = {SPAN(label, sizeof label), SPAN(salt, SALT_SIZE)};
    return hkdf_expand(&body_sealer->key, info, 2, subkey);
}

/* What a body is bound to. */
static void write_binding(uint8_t binding[static BINDING_SIZE], int64_t peer,
                          enum message_direction direction, const struct uuid *id)
{
    binding[0] = VERSION_1;
    put_u64(binding + 1, (uint64_t)peer);
    binding[9] = (uint8_t)direction;
    memcpy(binding + 10, id->bytes, UUID_SIZE);
}

int body_sealer_seal(const struct body_sealer *body_sealer, int64_t peer,
                     enum message_direction direction, const struct uuid *id, struct span text,
                     struct bytes *sealed)
{
    CLEANUP(secret_cleanup) struct secret subkey = {0};
    uint8_t head[BODY_AT] = {VERSION_1};
    uint8_t binding[BINDING_SIZE];
    int r = random_bytes(head + SALT_AT, SALT_SIZE + AEAD_IV_SIZE);
    if (r == 0)
        r = derive_subkey(body_sealer, head + SALT_AT, &subkey);
    if (r == 0)
        r = bytes_reserve(sealed, sizeof head + text.size + AEAD_TAG_SIZE);
    if (r < 0)
        return r;
    bytes_append(sealed, head, sizeof head);
    uint8_t *out = sealed->data + sealed->size;
    bytes_append_zeros(sealed, text.size + AEAD_TAG_SIZE);
    write_binding(binding, peer, direction, id);
    return aead_seal(&subkey, head + IV_AT, SPAN(binding, sizeof binding), text, out);
}

int body_sealer_open(const struct body_sealer *body_sealer, const struct message_row *row,
                     struct bytes *text)
{
    CLEANUP(secret_cleanup) struct secret subkey = {0};
    uint8_t binding[BINDING_SIZE];
    struct span sealed = row->body;
    if (sealed.size < BODY_AT + AEAD_TAG_SIZE || sealed.data[0] != VERSION_1)
        return BODY_SEALER_DAMAGED;
    int r = derive_subkey(body_sealer, sealed.data + SALT_AT, &subkey);
    size_t size = sealed.size - BODY_AT - AEAD_TAG_SIZE;
    if (r == 0)
        r = bytes_reserve(text, size);
    if (r < 0)
        return r;
    write_binding(binding, row->peer, row->direction, &row->id);
    uint8_t *out = text->data + text->size;
    bytes_append_zeros(text, size);
    r = aead_open(&subkey, sealed.data + IV_AT, SPAN(binding, sizeof binding),
                  SPAN(sealed.data + BODY_AT, sealed.size - BODY_AT), out);
    if (r != 0)
        text->size -= size;
    return r == AEAD_FORGED ? BODY_SEALER_DAMAGED : r;
}

int body_sealer_tag(const struct body_sealer *body_sealer, const char *label,
                    const struct span *parts, size_t count,
                    uint8_t tag[static BODY_SEALER_TAG_SIZE])
{
    struct span info[1 + BODY_SEALER_PARTS_MAX] = {SPAN(label, strlen(label) + 1)};
    CLEANUP(secret_cleanup) struct secret whole = {0};
    for (size_t i = 0; i < count; i++)
        info[1 + i] = parts[i];
    int r = hkdf_expand(&body_sealer->key, info, 1 + count, &whole);
    if (r == 0)
        memcpy(tag, whole.bytes, BODY_SEALER_TAG_SIZE);
    return r;
}
