/* SPDX-License-Identifier: ISC */
/*
 * X25519 with ephemeral keys. Does not hash the shared secret: that is the key schedule's.
 */
#include "crypto/keyx.h"

#include <openssl/err.h>

#include "base/bytes.h"
#include "crypto/openssl.h"
#include "crypto/random.h"

static EVP_PKEY *keyx_load_private(const struct keyx *keyx)
{
    return EVP_PKEY_new_raw_private_key_ex(openssl()->context, "X25519", NULL,
                                           keyx->private_key.bytes, KEYX_SIZE);
}

int keyx_generate(struct keyx *keyx)
{
    CLEANUP(pkey_cleanup) EVP_PKEY *key = NULL;
    size_t size = KEYX_SIZE;
    int r = random_bytes(keyx->private_key.bytes, SECRET_SIZE);
    if (r < 0)
        return r;
    key = keyx_load_private(keyx);
    if (key == NULL || EVP_PKEY_get_raw_public_key(key, keyx->public_key, &size) != 1 ||
        size != KEYX_SIZE) {
        keyx_wipe(keyx);
        return openssl_failed("making an X25519 key");
    }
    return 0;
}

int keyx_derive(const struct keyx *keyx, const uint8_t other[static KEYX_SIZE],
                struct secret *shared)
{
    CLEANUP(pkey_cleanup) EVP_PKEY *mine = keyx_load_private(keyx);
    CLEANUP(pkey_cleanup)
    EVP_PKEY *theirs =
        EVP_PKEY_new_raw_public_key_ex(openssl()->context, "X25519", NULL, other, KEYX_SIZE);
    CLEANUP(pkey_ctx_cleanup) EVP_PKEY_CTX *context = NULL;
    size_t size = SECRET_SIZE;
    if (mine != NULL)
        context = EVP_PKEY_CTX_new_from_pkey(openssl()->context, mine, NULL);
    if (theirs == NULL || context == NULL || EVP_PKEY_derive_init(context) != 1 ||
        EVP_PKEY_derive_set_peer(context, theirs) != 1)
        return openssl_failed("X25519");
    /* Every 32 bytes are a public key; what can fail is the result, by being zero. */
    if (EVP_PKEY_derive(context, shared->bytes, &size) != 1 || size != SECRET_SIZE ||
        bytes_all_zero(shared->bytes, SECRET_SIZE)) {
        ERR_clear_error();
        secret_cleanup(shared);
        return KEYX_DEGENERATE;
    }
    return 0;
}

void keyx_wipe(struct keyx *keyx)
{
    secret_wipe(keyx, sizeof *keyx);
}
