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
    VERSION_TEXT = 1,
    VERSION_HEADERS = 2,
    VERSION_FILE_OFFER = 3,
    VERSION_FILE_STATE = 4,
    SALT_SIZE = 16,
    SALT_AT = 1,
    IV_AT = SALT_AT + SALT_SIZE,
    BODY_AT = IV_AT + AEAD_IV_SIZE,
    COUNTER_AT = IV_AT + AEAD_IV_SIZE - 8,
    BINDING_SIZE = 1 + 8 + 1 + UUID_SIZE,
    KNOWN_MAX = 4, /* keys kept for opening: bodies come in the order in which they were sealed */
};

struct subkey {
    uint8_t salt[SALT_SIZE];
    struct aead_key *key; /* NULL: there is none */
};

struct body_sealer {
    struct hkdf *store_key;
    struct subkey own; /* of this turn */
    uint64_t sealed;   /* bodies under it */
    struct subkey known[KNOWN_MAX];
    unsigned oldest; /* of them */
};

int body_sealer_new(struct body_sealer **body_sealer, const struct secret *store_key)
{
    struct body_sealer *made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    int r = hkdf_new(&made->store_key, store_key);
    if (r < 0) {
        body_sealer_free(made);
        return r;
    }
    *body_sealer = made;
    return 0;
}

void body_sealer_free(struct body_sealer *body_sealer)
{
    if (body_sealer == NULL)
        return;
    for (unsigned i = 0; i < KNOWN_MAX; i++)
        aead_key_free(body_sealer->known[i].key);
    aead_key_free(body_sealer->own.key);
    hkdf_free(body_sealer->store_key);
    free(body_sealer);
}

/* --- keys ------------------------------------------------------------------------------------- */

/* Makes the key that belongs to the salt. 0 or -errno. */
static int derive(struct body_sealer *body_sealer, struct subkey *subkey)
{
    static const char label[] = "p2pchat/1 body"; /* its NUL is part of it */
    const struct span info[] = {SPAN(label, sizeof label), SPAN(subkey->salt, SALT_SIZE)};
    CLEANUP(secret_cleanup) struct secret secret = {0};
    int r = hkdf_next(body_sealer->store_key, info, 2, &secret);
    return r == 0 ? aead_key_new(&subkey->key, &secret) : r;
}

/* Keeps a key for what is opened, in the place of the oldest one. */
static struct subkey *keep(struct body_sealer *body_sealer, const struct subkey *subkey)
{
    struct subkey *place = &body_sealer->known[body_sealer->oldest];
    body_sealer->oldest = (body_sealer->oldest + 1) % KNOWN_MAX;
    aead_key_free(place->key);
    *place = *subkey;
    return place;
}

static bool has_salt(const struct subkey *subkey, const uint8_t *salt)
{
    return subkey->key != NULL && memcmp(subkey->salt, salt, SALT_SIZE) == 0;
}

/* The key with which a body was sealed. 0 or -errno. */
static int find(struct body_sealer *body_sealer, const uint8_t *salt, struct aead_key **key)
{
    struct subkey made = {0};
    const struct subkey *found = has_salt(&body_sealer->own, salt) ? &body_sealer->own : NULL;
    for (unsigned i = 0; found == NULL && i < KNOWN_MAX; i++)
        if (has_salt(&body_sealer->known[i], salt))
            found = &body_sealer->known[i];
    if (found == NULL) {
        memcpy(made.salt, salt, SALT_SIZE);
        int r = derive(body_sealer, &made);
        if (r < 0)
            return r;
        found = keep(body_sealer, &made);
    }
    *key = found->key;
    return 0;
}

/* Makes sure that there is a key to seal with. 0 or -errno. */
static int renew(struct body_sealer *body_sealer)
{
    struct subkey *own = &body_sealer->own;
    if (own->key != NULL)
        return 0;
    body_sealer->sealed = 0;
    int r = random_bytes(own->salt, SALT_SIZE);
    return r == 0 ? derive(body_sealer, own) : r;
}

void body_sealer_turn(struct body_sealer *body_sealer)
{
    if (body_sealer->own.key != NULL)
        keep(body_sealer, &body_sealer->own);
    body_sealer->own.key = NULL;
}

/* --- bodies ----------------------------------------------------------------------------------- */

static uint8_t version_of(const struct message_row *row)
{
    switch (row->kind) {
    case MESSAGE_TEXT:
        return VERSION_TEXT;
    case MESSAGE_FILE_OFFER:
        return VERSION_FILE_OFFER;
    case MESSAGE_FILE_STATE:
        return VERSION_FILE_STATE;
    case MESSAGE_HEADERS:
    case MESSAGE_REQUEST:
    case MESSAGE_RESULT:
    case MESSAGE_CANCEL:
        break;
    }
    return VERSION_HEADERS;
}

/* What a body is bound to. */
static void write_binding(uint8_t binding[static BINDING_SIZE], const struct message_row *row)
{
    binding[0] = version_of(row);
    put_u64(binding + 1, (uint64_t)row->peer);
    binding[9] = (uint8_t)row->direction;
    memcpy(binding + 10, row->id.bytes, UUID_SIZE);
}

int body_sealer_seal(struct body_sealer *body_sealer, const struct message_row *row,
                     struct span content, struct bytes *sealed)
{
    uint8_t head[BODY_AT] = {version_of(row)};
    uint8_t binding[BINDING_SIZE];
    int r = renew(body_sealer);
    if (r == 0)
        r = bytes_reserve(sealed, sizeof head + content.size + AEAD_TAG_SIZE);
    if (r < 0)
        return r;
    memcpy(head + SALT_AT, body_sealer->own.salt, SALT_SIZE);
    put_u64(head + COUNTER_AT, ++body_sealer->sealed);
    bytes_append(sealed, head, sizeof head);
    uint8_t *out = sealed->data + sealed->size;
    bytes_append_zeros(sealed, content.size + AEAD_TAG_SIZE);
    write_binding(binding, row);
    return aead_key_seal(body_sealer->own.key, head + IV_AT, SPAN(binding, sizeof binding), content,
                         out);
}

int body_sealer_open(struct body_sealer *body_sealer, const struct message_row *row,
                     struct bytes *content)
{
    struct aead_key *key;
    uint8_t binding[BINDING_SIZE];
    struct span sealed = row->body;
    if (sealed.size < BODY_AT + AEAD_TAG_SIZE || sealed.data[0] != version_of(row))
        return BODY_SEALER_DAMAGED;
    int r = find(body_sealer, sealed.data + SALT_AT, &key);
    size_t size = sealed.size - BODY_AT - AEAD_TAG_SIZE;
    if (r == 0)
        r = bytes_reserve(content, size);
    if (r < 0)
        return r;
    write_binding(binding, row);
    uint8_t *out = content->data + content->size;
    bytes_append_zeros(content, size);
    r = aead_key_open(key, sealed.data + IV_AT, SPAN(binding, sizeof binding),
                      SPAN(sealed.data + BODY_AT, sealed.size - BODY_AT), out);
    if (r != 0)
        content->size -= size;
    return r == AEAD_FORGED ? BODY_SEALER_DAMAGED : r;
}

int body_sealer_tag(struct body_sealer *body_sealer, const char *label, const struct span *parts,
                    size_t count, uint8_t tag[static BODY_SEALER_TAG_SIZE])
{
    struct span info[1 + BODY_SEALER_PARTS_MAX] = {SPAN(label, strlen(label) + 1)};
    CLEANUP(secret_cleanup) struct secret whole = {0};
    for (size_t i = 0; i < count; i++)
        info[1 + i] = parts[i];
    int r = hkdf_next(body_sealer->store_key, info, 1 + count, &whole);
    if (r == 0)
        memcpy(tag, whole.bytes, BODY_SEALER_TAG_SIZE);
    return r;
}

/* --- secrets of invites ----------------------------------------------------------------------- */

/* Each salt is used once, so the key is, and any IV will do. */
static const uint8_t secret_iv[AEAD_IV_SIZE];

static int derive_for_secret(struct body_sealer *body_sealer, const char *label,
                             const uint8_t *salt, struct secret *key)
{
    const struct span info[] = {SPAN(label, strlen(label) + 1), SPAN(salt, SALT_SIZE)};
    return hkdf_next(body_sealer->store_key, info, 2, key);
}

int body_sealer_seal_secret(struct body_sealer *body_sealer, const char *label, struct span owner,
                            const uint8_t secret[static BODY_SEALER_SECRET_SIZE],
                            uint8_t sealed[static BODY_SEALER_SEALED_SIZE])
{
    CLEANUP(secret_cleanup) struct secret key = {0};
    int r = random_bytes(sealed, SALT_SIZE);
    if (r == 0)
        r = derive_for_secret(body_sealer, label, sealed, &key);
    if (r == 0)
        r = aead_seal(&key, secret_iv, owner, SPAN(secret, BODY_SEALER_SECRET_SIZE),
                      sealed + SALT_SIZE);
    return r;
}

int body_sealer_open_secret(struct body_sealer *body_sealer, const char *label, struct span owner,
                            const uint8_t sealed[static BODY_SEALER_SEALED_SIZE],
                            uint8_t secret[static BODY_SEALER_SECRET_SIZE])
{
    CLEANUP(secret_cleanup) struct secret key = {0};
    int r = derive_for_secret(body_sealer, label, sealed, &key);
    if (r == 0)
        r = aead_open(&key, secret_iv, owner,
                      SPAN(sealed + SALT_SIZE, BODY_SEALER_SEALED_SIZE - SALT_SIZE), secret);
    return r == AEAD_FORGED ? BODY_SEALER_DAMAGED : r;
}
