/* SPDX-License-Identifier: ISC */
/*
 * Tests crypto/aead by the vectors of the GCM specification and by breaking every bit.
 */
#include "crypto/aead.h"

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

struct message {
    struct secret key;
    uint8_t iv[AEAD_IV_SIZE];
    uint8_t aad[32];
    uint8_t plain[64];
    uint8_t sealed[64 + AEAD_TAG_SIZE];
    size_t aad_size;
    size_t size;
};

/* Test cases 13, 14 and 16 of "The Galois/Counter Mode of Operation". */
static const struct {
    const char *key;
    const char *iv;
    const char *aad;
    const char *plain;
    const char *sealed;
} ANSWERS[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static struct message message_of(size_t i)
{
    struct message message = {0};
    unhex(ANSWERS[i].key, message.key.bytes);
    unhex(ANSWERS[i].iv, message.iv);
    message.aad_size = unhex(ANSWERS[i].aad, message.aad);
    message.size = unhex(ANSWERS[i].plain, message.plain);
    unhex(ANSWERS[i].sealed, message.sealed);
    return message;
}

static int message_open(const struct message *message, uint8_t *out)
{
    return aead_open(&message->key, message->iv, SPAN(message->aad, message->aad_size),
                     SPAN(message->sealed, message->size + AEAD_TAG_SIZE), out);
}

static void test_known_answers_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ANSWERS); i++) {
        struct message message = message_of(i);
        uint8_t out[sizeof(message.sealed)];
        assert_int_equal(aead_seal(&message.key, message.iv, SPAN(message.aad, message.aad_size),
                                   SPAN(message.plain, message.size), out),
                         0);
        assert_memory_equal(out, message.sealed, message.size + AEAD_TAG_SIZE);
        assert_int_equal(message_open(&message, out), 0);
        assert_memory_equal(out, message.plain, message.size);
    }
}

/* One after the other with the same key: nothing of a message is in the next one. */
static void test_a_kept_key_gives_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ANSWERS); i++) {
        struct message message = message_of(i);
        const struct span aad = SPAN(message.aad, message.aad_size);
        const struct span sealed = SPAN(message.sealed, message.size + AEAD_TAG_SIZE);
        uint8_t out[sizeof(message.sealed)];
        struct aead_key *key;
        assert_int_equal(aead_key_new(&key, &message.key), 0);
        for (unsigned times = 0; times < 3; times++) {
            const uint8_t elsewhere[AEAD_IV_SIZE] = {0xee, (uint8_t)times};
            assert_int_equal(
                aead_key_seal(key, message.iv, aad, SPAN(message.plain, message.size), out), 0);
            assert_memory_equal(out, sealed.data, sealed.size);
            assert_int_equal(aead_key_open(key, elsewhere, aad, sealed, out), AEAD_FORGED);
            assert_int_equal(aead_key_open(key, message.iv, aad, sealed, out), 0);
            assert_memory_equal(out, message.plain, message.size);
        }
        aead_key_free(key);
    }
}

static void test_both_work_in_place(void **state)
{
    struct message message = message_of(2);
    uint8_t buffer[sizeof(message.sealed)];
    (void)state;
    memcpy(buffer, message.plain, message.size);
    assert_int_equal(aead_seal(&message.key, message.iv, SPAN(message.aad, message.aad_size),
                               SPAN(buffer, message.size), buffer),
                     0);
    assert_memory_equal(buffer, message.sealed, message.size + AEAD_TAG_SIZE);
    assert_int_equal(aead_open(&message.key, message.iv, SPAN(message.aad, message.aad_size),
                               SPAN(buffer, message.size + AEAD_TAG_SIZE), buffer),
                     0);
    assert_memory_equal(buffer, message.plain, message.size);
}

static void test_open_rejects_every_flipped_bit(void **state)
{
    struct message message = message_of(2);
    struct {
        uint8_t *data;
        size_t size;
    } fields[] = {
        {message.sealed, message.size + AEAD_TAG_SIZE},
        {message.aad, message.aad_size},
        {message.iv, AEAD_IV_SIZE},
        {message.key.bytes, SECRET_SIZE},
    };
    uint8_t out[sizeof(message.sealed)];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        for (size_t bit = 0; bit < 8 * fields[i].size; bit++) {
            fields[i].data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(message_open(&message, out), AEAD_FORGED);
            fields[i].data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    assert_int_equal(message_open(&message, out), 0);
}

static void test_forged_plaintext_is_wiped(void **state)
{
    struct message message = message_of(2);
    uint8_t out[sizeof(message.sealed)];
    (void)state;
    memset(out, 0xee, sizeof(out));
    message.sealed[message.size] ^= 1;
    assert_int_equal(message_open(&message, out), AEAD_FORGED);
    assert_true(bytes_all_zero(out, message.size));
    assert_int_equal(out[message.size], 0xee);
}

static void test_open_rejects_other_lengths(void **state)
{
    struct message message = message_of(2);
    uint8_t out[sizeof(message.sealed)];
    (void)state;
    message.size--;
    assert_int_equal(message_open(&message, out), AEAD_FORGED);
    message.size += 2;
    assert_int_equal(message_open(&message, out), AEAD_FORGED);
    message.size--;
    message.aad_size--;
    assert_int_equal(message_open(&message, out), AEAD_FORGED);
}

static void test_a_bare_forged_tag_is_rejected(void **state)
{
    struct message message = message_of(0);
    uint8_t out[1];
    (void)state;
    message.sealed[0] ^= 0x80;
    assert_int_equal(message_open(&message, out), AEAD_FORGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers_both_ways),
        cmocka_unit_test(test_a_kept_key_gives_the_same),
        cmocka_unit_test(test_both_work_in_place),
        cmocka_unit_test(test_open_rejects_every_flipped_bit),
        cmocka_unit_test(test_forged_plaintext_is_wiped),
        cmocka_unit_test(test_open_rejects_other_lengths),
        cmocka_unit_test(test_a_bare_forged_tag_is_rejected),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
