/* SPDX-License-Identifier: ISC */
/*
 * Layout of the plaintexts of IDENT and KEY; neither keys nor signatures are judged here.
 */
#include "proto/ident.h"

#include <string.h>

enum { FEATURES_SIZE = 4 };

static uint8_t *put_bytes(uint8_t *at, const uint8_t *data, size_t size)
{
    if (data == NULL)
        memset(at, 0, size);
    else
        memcpy(at, data, size);
    return at + size;
}

static uint8_t *put_sized(uint8_t *at, struct span content)
{
    put_u16(at, (uint16_t)content.size);
    return put_bytes(at + 2, content.data, content.size);
}

size_t ident_encode(const struct ident *ident, uint8_t prefix[static IDENT_PREFIX_MAX])
{
    uint8_t *at = prefix;
    put_u32(at, ident->features);
    at = put_bytes(at + FEATURES_SIZE, ident->invite_id, INVITE_ID_SIZE);
    at = put_bytes(at, ident->invite_mac, INVITE_MAC_SIZE);
    at = put_sized(at, ident->spki);
    return (size_t)(at - prefix);
}

size_t key_message_encode(const struct key_message *key, uint8_t prefix[static KEY_PREFIX_MAX])
{
    uint8_t *at = prefix;
    put_u32(at, key->features);
    at = put_sized(at + FEATURES_SIZE, key->spki);
    at = put_sized(at, key->wrapped);
    return (size_t)(at - prefix);
}

/* A key of one of the legal lengths; its modulus size is left in *modulus_size, 0 if it is none. */
static struct span take_spki(struct reader *reader, size_t *modulus_size)
{
    size_t size = reader_u16(reader);
    *modulus_size = pubkey_modulus_size_of_spki(size);
    return SPAN(reader_take(reader, size), size);
}

/* The signature of everything before it, then nothing but zeros. */
static bool take_signature(struct reader *reader, struct span plaintext, size_t modulus_size,
                           struct span *prefix, struct span *signature)
{
    *prefix = SPAN(plaintext.data, plaintext.size - reader->left);
    *signature = SPAN(reader_take(reader, modulus_size), modulus_size);
    return modulus_size != 0 && !reader->failed && reader_zeros(reader, reader->left);
}

int ident_parse(struct span plaintext, struct ident *ident)
{
    struct reader reader = reader_of(plaintext);
    size_t modulus_size;
    ident->features = reader_u32(&reader);
    ident->invite_id = reader_take(&reader, INVITE_ID_SIZE);
    ident->invite_mac = reader_take(&reader, INVITE_MAC_SIZE);
    ident->spki = take_spki(&reader, &modulus_size);
    if (!take_signature(&reader, plaintext, modulus_size, &ident->prefix, &ident->signature))
        return IDENT_MALFORMED;
    return 0;
}

int key_message_parse(struct span plaintext, size_t wrapped_size, struct key_message *key)
{
    struct reader reader = reader_of(plaintext);
    size_t modulus_size;
    key->features = reader_u32(&reader);
    key->spki = take_spki(&reader, &modulus_size);
    if (reader_u16(&reader) != wrapped_size)
        return IDENT_MALFORMED;
    key->wrapped = SPAN(reader_take(&reader, wrapped_size), wrapped_size);
    if (!take_signature(&reader, plaintext, modulus_size, &key->prefix, &key->signature))
        return IDENT_MALFORMED;
    return 0;
}
