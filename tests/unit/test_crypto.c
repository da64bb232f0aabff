/* SPDX-License-Identifier: ISC */
/*
 * Tests crypto/crypto: what the machine's openssl.cnf says must not matter.
 */
#include "crypto/crypto.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "unit/cmocka_all.h"
#include "unit/hex.h"

/* A configuration under which the default context finds no algorithm at all. */
static const char hostile[] = "openssl_conf = init\n"
                              "[init]\n"
                              "alg_section = algorithms\n"
                              "[algorithms]\n"
                              "default_properties = fips=yes\n";

static char configuration[] = "/tmp/test_crypto.XXXXXX";

static int setup(void **state)
{
    int fd = mkstemp(configuration);
    (void)state;
    if (fd < 0 || write(fd, hostile, sizeof(hostile) - 1) != sizeof(hostile) - 1)
        return -1;
    close(fd);
    return setenv("OPENSSL_CONF", configuration, 1);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(configuration);
}

static void test_system_configuration_is_not_read(void **state)
{
    uint8_t expected[SHA256_SIZE];
    uint8_t hash[SHA256_SIZE];
    (void)state;
    assert_int_equal(crypto_init(), 0);
    assert_int_equal(sha256(NULL, 0, hash), 0);
    unhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", expected);
    assert_memory_equal(hash, expected, SHA256_SIZE);
    crypto_deinit();
}

static void test_default_context_is_not_configured_either(void **state)
{
    EVP_MD *hash;
    (void)state;
    assert_int_equal(crypto_init(), 0);
    hash = EVP_MD_fetch(NULL, "SHA256", NULL);
    assert_non_null(hash);
    EVP_MD_free(hash);
    crypto_deinit();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_system_configuration_is_not_read),
        cmocka_unit_test(test_default_context_is_not_configured_either),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
