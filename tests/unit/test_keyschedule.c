/* SPDX-License-Identifier: ISC */
/*
 * The key schedule against the recorded conversation, stage by stage, and the ratchet.
 */
#include <string.h>

#include "crypto/crypto.h"
#include "proto/keyschedule.h"
#include "unit/cmocka_all.h"
#include "vectors/vectors.h"

static struct secret recorded(const char *name)
{
    struct secret secret;
    assert_int_equal(vector(name).size, SECRET_SIZE);
    memcpy(secret.bytes, vector(name).data, SECRET_SIZE);
    return secret;
}

static void assert_secret(const struct secret *secret, const char *name)
{
    assert_memory_equal(secret->bytes, vector(name).data, SECRET_SIZE);
}

static void test_handshake_secrets_are_the_recorded_ones(void **state)
{
    struct secret shared = recorded("x25519_ss"), transported = recorded("aes_key");
    struct handshake_secrets secrets;
    struct epoch_secrets epoch;
    (void)state;
    assert_int_equal(
        keyschedule_exchange(&secrets, vector("T2").data, SPAN(shared.bytes, SECRET_SIZE)), 0);
    assert_secret(&secrets.hs, "HS");
    assert_secret(&secrets.seal[SIDE_JOINER], "hs_joiner");
    assert_secret(&secrets.seal[SIDE_HOST], "hs_host");
    assert_int_equal(keyschedule_mix(&secrets, vector("T4").data, &transported), 0);
    assert_secret(&secrets.ms, "MS");
    assert_secret(&secrets.confirm[SIDE_JOINER], "confirm_joiner");
    assert_secret(&secrets.confirm[SIDE_HOST], "confirm_host");
    assert_int_equal(keyschedule_session(&secrets, vector("SID").data, &epoch), 0);
    assert_secret(&epoch.root, "root_0");
    assert_secret(&epoch.chain[SIDE_JOINER], "chain_joiner_0");
    assert_secret(&epoch.chain[SIDE_HOST], "chain_host_0");
}

static void test_ratchet_gives_the_recorded_packet_keys(void **state)
{
    struct secret joiner = recorded("chain_joiner_0"), host = recorded("chain_host_0"), key;
    (void)state;
    assert_int_equal(keyschedule_ratchet(&joiner, &key), 0);
    assert_secret(&key, "packet_J_e0_c0.key");
    assert_int_equal(keyschedule_ratchet(&joiner, &key), 0);
    assert_secret(&key, "packet_J_e0_c1_REKEY_RESP.key");
    assert_int_equal(keyschedule_ratchet(&host, &key), 0);
    assert_secret(&key, "packet_H_e0_c0.key");
    assert_int_equal(keyschedule_ratchet(&host, &key), 0);
    assert_secret(&key, "packet_H_e0_c1_REKEY_INIT.key");
    assert_int_equal(keyschedule_ratchet(&host, &key), 0);
    assert_secret(&key, "packet_H_e0_c2_REKEY_DONE.key");
}

static void test_rekey_is_bound_to_root_and_records(void **state)
{
    struct secret root = recorded("root_0"), shared = {{1}};
    uint8_t hash[SHA256_SIZE] = {2};
    struct epoch_secrets first, second;
    (void)state;
    assert_int_equal(keyschedule_rekey(&root, hash, SPAN(shared.bytes, SECRET_SIZE), &first), 0);
    hash[31] ^= 1;
    assert_int_equal(keyschedule_rekey(&root, hash, SPAN(shared.bytes, SECRET_SIZE), &second), 0);
    assert_memory_not_equal(&first, &second, sizeof(first));
    hash[31] ^= 1;
    root.bytes[0] ^= 1;
    assert_int_equal(keyschedule_rekey(&root, hash, SPAN(shared.bytes, SECRET_SIZE), &second), 0);
    assert_memory_not_equal(&first, &second, sizeof(first));
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
        cmocka_unit_test(test_handshake_secrets_are_the_recorded_ones),
        cmocka_unit_test(test_ratchet_gives_the_recorded_packet_keys),
        cmocka_unit_test(test_rekey_is_bound_to_root_and_records),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
