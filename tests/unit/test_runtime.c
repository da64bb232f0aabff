/* SPDX-License-Identifier: ISC */
/*
 * Tests core/runtime.
 */
#include "core/runtime.h"

#include <errno.h>

#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

const struct pubkey *identity_pubkey(const struct identity *identity)
{
    return (const struct pubkey *)(const void *)identity;
}

const struct fingerprint *pubkey_fingerprint(const struct pubkey *key)
{
    return (const struct fingerprint *)(const void *)key;
}

static void test_the_first_failure_counts(void **state)
{
    struct runtime runtime = {0};
    (void)state;
    fake_loop_start(0, 0);
    runtime_fail(&runtime, -EIO);
    runtime_fail(&runtime, -ENOSPC);
    assert_int_equal(runtime.failure, -EIO);
    assert_int_equal(fake_loop.woken, 1);
}

static void test_a_sign_of_a_clone_goes_on_for_a_day(void **state)
{
    const uint64_t sign_ms = 5000000;
    const struct runtime runtime = {0};
    (void)state;
    fake_loop_start(0, sign_ms);
    assert_false(runtime_cloned(&runtime, 0));
    assert_true(runtime_cloned(&runtime, sign_ms));
    assert_true(runtime_cloned(&runtime, sign_ms + 1)); /* the clock was set back */
    fake_loop_start(0, sign_ms + RUNTIME_CLONED_MS - 1);
    assert_true(runtime_cloned(&runtime, sign_ms));
    fake_loop_start(0, sign_ms + RUNTIME_CLONED_MS);
    assert_false(runtime_cloned(&runtime, sign_ms));
}

static void test_our_fingerprint_is_that_of_our_key(void **state)
{
    const struct fingerprint own = {{9}};
    const struct runtime runtime = {.self = (const struct identity *)(const void *)&own};
    (void)state;
    assert_ptr_equal(runtime_fingerprint(&runtime), &own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_failure_counts),
        cmocka_unit_test(test_a_sign_of_a_clone_goes_on_for_a_day),
        cmocka_unit_test(test_our_fingerprint_is_that_of_our_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
