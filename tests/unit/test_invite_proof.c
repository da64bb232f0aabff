/* SPDX-License-Identifier: ISC */
/*
 * The values of an invite: the recorded ones, bound to everything they must be bound to.
 */
#include <string.h>

#include "crypto/crypto.h"
#include "proto/invite_proof.h"
#include "unit/cmocka_all.h"
#include "vectors/vectors.h"

static void test_recorded_secret_gives_the_recorded_proof(void **state)
{
    uint8_t id[INVITE_ID_SIZE], mac[INVITE_MAC_SIZE];
    struct fingerprint joiner;
    (void)state;
    memcpy(joiner.bytes, vector("joiner_fp").data, FINGERPRINT_SIZE);
    assert_int_equal(invite_proof_id(vector("invite_secret").data, id), 0);
    assert_memory_equal(id, vector("invite_id").data, INVITE_ID_SIZE);
    assert_int_equal(
        invite_proof_mac(vector("invite_secret").data, vector("T2").data, &joiner, mac), 0);
    assert_memory_equal(mac, vector("invite_mac").data, INVITE_MAC_SIZE);
}

static void test_proof_is_bound_to_secret_connection_and_joiner(void **state)
{
    uint8_t secret[INVITE_SECRET_SIZE] = {1}, transcript[SHA256_SIZE] = {2};
    uint8_t mac[INVITE_MAC_SIZE], other[INVITE_MAC_SIZE];
    struct fingerprint joiner = {{3}};
    uint8_t *const parts[] = {secret, transcript, joiner.bytes};
    (void)state;
    assert_int_equal(invite_proof_mac(secret, transcript, &joiner, mac), 0);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        parts[i][15] ^= 0x80;
        assert_int_equal(invite_proof_mac(secret, transcript, &joiner, other), 0);
        assert_memory_not_equal(mac, other, INVITE_MAC_SIZE);
        parts[i][15] ^= 0x80;
    }
}

static int setup(void **state)
{
    (void)state;
    return crypto_init();
}

static int teardown(void **state)
{
    (void)state;
    crypto_deinit();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_secret_gives_the_recorded_proof),
        cmocka_unit_test(test_proof_is_bound_to_secret_connection_and_joiner),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
