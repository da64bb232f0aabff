/* SPDX-License-Identifier: ISC */
/*
 * Shares and secrets of the key exchange. Which suite is chosen is decided in the handshake.
 */
#include "proto/exchange.h"

#include <string.h>

#include "base/cleanup.h"

unsigned exchange_suites(void)
{
    return SUITE_BIT(SUITE_CLASSIC) | (kem_available() ? SUITE_BIT(SUITE_HYBRID) : 0);
}

int exchange_offer(struct exchange *exchange, enum suite suite, uint8_t *offer)
{
    int r = keyx_generate(&exchange->keyx);
    if (r == 0 && suite == SUITE_HYBRID)
        r = kem_generate(&exchange->kem, offer + KEYX_SIZE);
    if (r == 0)
        memcpy(offer, exchange->keyx.public_key, KEYX_SIZE);
    return r;
}

/* The X25519 part of the secret, behind what is there already. */
static int add_keyx(const struct keyx *keyx, const uint8_t *other, struct exchange_secret *secret)
{
    CLEANUP(secret_cleanup) struct secret shared;
    int r = keyx_derive(keyx, other, &shared);
    if (r != 0)
        return r > 0 ? EXCHANGE_DEGENERATE : r;
    memcpy(secret->bytes + secret->size, shared.bytes, SECRET_SIZE);
    secret->size += SECRET_SIZE;
    return 0;
}

static void add_kem(const struct secret *shared, struct exchange_secret *secret)
{
    memcpy(secret->bytes + secret->size, shared->bytes, SECRET_SIZE);
    secret->size += SECRET_SIZE;
}

static int answer_kem(const uint8_t *key, uint8_t *ciphertext, struct exchange_secret *secret)
{
    CLEANUP(secret_cleanup) struct secret shared;
    int r = kem_encapsulate(key, ciphertext, &shared);
    if (r != 0)
        return r > 0 ? EXCHANGE_DEGENERATE : r;
    add_kem(&shared, secret);
    return 0;
}

static int finish_kem(const struct kem *kem, const uint8_t *ciphertext,
                      struct exchange_secret *secret)
{
    CLEANUP(secret_cleanup) struct secret shared;
    int r = kem_decapsulate(kem, ciphertext, &shared);
    if (r == 0)
        add_kem(&shared, secret);
    return r;
}

int exchange_answer(enum suite suite, const uint8_t *offer, uint8_t *answer,
                    struct exchange_secret *secret)
{
    struct keyx keyx;
    int r = keyx_generate(&keyx);
    secret->size = 0;
    if (r == 0 && suite == SUITE_HYBRID)
        r = answer_kem(offer + KEYX_SIZE, answer + KEYX_SIZE, secret);
    if (r == 0)
        r = add_keyx(&keyx, offer, secret);
    if (r == 0)
        memcpy(answer, keyx.public_key, KEYX_SIZE);
    keyx_wipe(&keyx);
    return r;
}

int exchange_finish(const struct exchange *exchange, enum suite suite, const uint8_t *answer,
                    struct exchange_secret *secret)
{
    int r = 0;
    secret->size = 0;
    if (suite == SUITE_HYBRID)
        r = finish_kem(&exchange->kem, answer + KEYX_SIZE, secret);
    return r == 0 ? add_keyx(&exchange->keyx, answer, secret) : r;
}

struct span exchange_secret_span(const struct exchange_secret *secret)
{
    return SPAN(secret->bytes, secret->size);
}

void exchange_secret_cleanup(struct exchange_secret *secret)
{
    secret_wipe(secret, sizeof *secret);
}

void exchange_wipe(struct exchange *exchange)
{
    secret_wipe(exchange, sizeof *exchange);
}
