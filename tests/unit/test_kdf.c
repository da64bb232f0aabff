/* SPDX-License-Identifier: ISC */
/*
 * Tests crypto/kdf by the vectors of RFC 4231 and RFC 5869.
 */
#include "crypto/kdf.h"

#include "crypto/crypto.h"
#include "unit/cmocka_all.h"
#include "unit/hex.h"

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

static void test_hmac_known_answers(void **state)
{
    static const struct {
        const char *key;
        const char *data;
        const char *mac;
    } CASES[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"4a656665", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        const struct span data = SPAN(CASES[i].data, strlen(CASES[i].data));
        uint8_t key[64];
        uint8_t expected[HMAC_SIZE];
        uint8_t mac[HMAC_SIZE];
        size_t key_size = unhex(CASES[i].key, key);
        unhex(CASES[i].mac, expected);
        assert_int_equal(hmac_sha256(SPAN(key, key_size), &data, 1, mac), 0);
        assert_memory_equal(mac, expected, HMAC_SIZE);
    }
}

static void test_hmac_hashes_keys_longer_than_a_block(void **state)
{
    static const char message[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    const struct span parts[] = {SPAN(message, 10), SPAN(message + 10, sizeof(message) - 11)};
    uint8_t key[131];
    uint8_t expected[HMAC_SIZE];
    uint8_t mac[HMAC_SIZE];
    (void)state;
    memset(key, 0xaa, sizeof(key));
    unhex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", expected);
    assert_int_equal(hmac_sha256(SPAN(key, sizeof(key)), parts, COUNT_OF(parts), mac), 0);
    assert_memory_equal(mac, expected, HMAC_SIZE);
}

/* RFC 5869, appendix A.1; we want only the first block of its 42 bytes. */
static void test_hkdf_known_answer(void **state)
{
    uint8_t ikm[22];
    uint8_t salt[13];
    uint8_t info[10];
    const struct span info_parts[] = {SPAN(info, 3), SPAN(info + 3, 7)};
    struct secret expected;
    struct secret prk;
    struct secret okm;
    (void)state;
    memset(ikm, 0x0b, sizeof(ikm));
    unhex("000102030405060708090a0b0c", salt);
    unhex("f0f1f2f3f4f5f6f7f8f9", info);
    assert_int_equal(hkdf_extract(SPAN(salt, sizeof(salt)), SPAN(ikm, sizeof(ikm)), &prk), 0);
    unhex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5", expected.bytes);
    assert_memory_equal(prk.bytes, expected.bytes, SECRET_SIZE);
    assert_int_equal(hkdf_expand(&prk, info_parts, COUNT_OF(info_parts), &okm), 0);
    unhex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf", expected.bytes);
    assert_memory_equal(okm.bytes, expected.bytes, SECRET_SIZE);

    struct hkdf *hkdf;
    assert_int_equal(hkdf_new(&hkdf, &prk), 0);
    for (unsigned times = 0; times < 3; times++) {
        assert_int_equal(hkdf_next(hkdf, info_parts, COUNT_OF(info_parts), &okm), 0);
        assert_memory_equal(okm.bytes, expected.bytes, SECRET_SIZE);
        assert_int_equal(hkdf_next(hkdf, NULL, 0, &okm), 0);
        assert_memory_not_equal(okm.bytes, expected.bytes, SECRET_SIZE);
    }
    hkdf_free(hkdf);
}

static void test_hkdf_extract_without_salt(void **state)
{
    uint8_t ikm[22];
    struct secret expected;
    struct secret prk;
    (void)state;
    memset(ikm, 0x0b, sizeof(ikm));
    assert_int_equal(hkdf_extract(SPAN(NULL, 0), SPAN(ikm, sizeof(ikm)), &prk), 0);
    unhex("19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04", expected.bytes);
    assert_memory_equal(prk.bytes, expected.bytes, SECRET_SIZE);
}

static void test_scrypt_known_answer(void **state)
{
    struct secret expected, key;
    (void)state;
    /* RFC 7914, section 12: the first half of what it derives. */
    assert_int_equal(scrypt("pleaseletmein", SPAN("SodiumChloride", 14), 14, &key), 0);
    unhex("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2", expected.bytes);
    assert_memory_equal(key.bytes, expected.bytes, SECRET_SIZE);
}

static void test_expand_may_overwrite_its_key(void **state)
{
    struct secret chain = {{1, 2, 3}};
    struct secret next;
    (void)state;
    assert_int_equal(hkdf_expand(&chain, NULL, 0, &next), 0);
    assert_int_equal(hkdf_expand(&chain, NULL, 0, &chain), 0);
    assert_memory_equal(chain.bytes, next.bytes, SECRET_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hmac_known_answers),
        cmocka_unit_test(test_hmac_hashes_keys_longer_than_a_block),
        cmocka_unit_test(test_hkdf_known_answer),
        cmocka_unit_test(test_hkdf_extract_without_salt),
        cmocka_unit_test(test_scrypt_known_answer),
        cmocka_unit_test(test_expand_may_overwrite_its_key),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
