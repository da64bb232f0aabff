/* SPDX-License-Identifier: ISC */
/*
 * The derivations of the key schedule, each one HKDF call; when they happen is decided by the
 * handshake, the packets and the rekey.
 */
#include "proto/keyschedule.h"

#include <string.h>

#include "base/cleanup.h"
#include "crypto/kdf.h"

int keyschedule_expand(const struct secret *secret, const char *label, const uint8_t *context,
                       struct secret *derived)
{
    static const char prefix[] = "p2pchat/1 ";
    const struct span info[] = {
        SPAN(prefix, sizeof prefix - 1),
        SPAN(label, strlen(label) + 1),
        SPAN(context, context == NULL ? 0 : SHA256_SIZE),
    };
    return hkdf_expand(secret, info, context == NULL ? 2 : 3, derived);
}

static int expand_epoch(const struct secret *secret, const uint8_t context[static SHA256_SIZE],
                        struct epoch_secrets *epoch)
{
    int r = keyschedule_expand(secret, "root", context, &epoch->root);
    if (r == 0)
        r = keyschedule_expand(secret, "chain joiner", context, &epoch->chain[SIDE_JOINER]);
    if (r == 0)
        r = keyschedule_expand(secret, "chain host", context, &epoch->chain[SIDE_HOST]);
    return r;
}

int keyschedule_exchange(struct handshake_secrets *secrets, const uint8_t t2[static SHA256_SIZE],
                         struct span shared)
{
    int r = hkdf_extract(SPAN(t2, SHA256_SIZE), shared, &secrets->hs);
    if (r == 0)
        r = keyschedule_expand(&secrets->hs, "hs joiner", NULL, &secrets->seal[SIDE_JOINER]);
    if (r == 0)
        r = keyschedule_expand(&secrets->hs, "hs host", NULL, &secrets->seal[SIDE_HOST]);
    if (r == 0)
        r = keyschedule_expand(&secrets->hs, "tag", NULL, &secrets->tag);
    return r;
}

int keyschedule_mix(struct handshake_secrets *secrets, const uint8_t t4[static SHA256_SIZE],
                    const struct secret *transported)
{
    CLEANUP(secret_cleanup) struct secret mix;
    int r = keyschedule_expand(&secrets->hs, "mix", t4, &mix);
    if (r == 0)
        r = hkdf_extract(SPAN(mix.bytes, SECRET_SIZE), SPAN(transported->bytes, SECRET_SIZE),
                         &secrets->ms);
    if (r == 0)
        r = keyschedule_expand(&secrets->ms, "confirm joiner", NULL,
                               &secrets->confirm[SIDE_JOINER]);
    if (r == 0)
        r = keyschedule_expand(&secrets->ms, "confirm host", NULL, &secrets->confirm[SIDE_HOST]);
    return r;
}

int keyschedule_session(const struct handshake_secrets *secrets,
                        const uint8_t sid[static SHA256_SIZE], struct epoch_secrets *epoch)
{
    return expand_epoch(&secrets->ms, sid, epoch);
}

int keyschedule_rekey(const struct secret *root, const uint8_t binding[static SHA256_SIZE],
                      struct span shared, struct epoch_secrets *epoch)
{
    CLEANUP(secret_cleanup) struct secret salt;
    CLEANUP(secret_cleanup) struct secret rs;
    int r = keyschedule_expand(root, "rekey", binding, &salt);
    if (r == 0)
        r = hkdf_extract(SPAN(salt.bytes, SECRET_SIZE), shared, &rs);
    if (r == 0)
        r = expand_epoch(&rs, binding, epoch);
    return r;
}

int keyschedule_ratchet(struct secret *chain, struct secret *packet_key)
{
    CLEANUP(secret_cleanup) struct secret next;
    int r = keyschedule_expand(chain, "packet", NULL, packet_key);
    if (r == 0)
        r = keyschedule_expand(chain, "next", NULL, &next);
    if (r == 0)
        *chain = next;
    return r;
}
