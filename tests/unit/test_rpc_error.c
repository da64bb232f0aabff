/* SPDX-License-Identifier: ISC */
/*
 * Tests rpc/rpc_error: names and exit statuses of the kinds, which scripts rely on.
 */
#include "rpc/rpc_error.h"

#include <string.h>

#include "unit/cmocka_all.h"

static void test_exit_statuses_are_those_of_sysexits(void **state)
{
    static const struct {
        enum rpc_kind kind;
        const char *name;
        int status;
        bool retryable;
    } CASES[] = {
        {RPC_KIND_usage, "usage", 64, false},
        {RPC_KIND_not_utf8, "not_utf8", 65, false},
        {RPC_KIND_no_such_peer, "no_such_peer", 67, false},
        {RPC_KIND_internal, "internal", 70, false},
        {RPC_KIND_disk_full, "disk_full", 73, true},
        {RPC_KIND_store_error, "store_error", 74, true},
        {RPC_KIND_damaged, "damaged", 74, false},
        {RPC_KIND_timeout, "timeout", 75, true},
        {RPC_KIND_expired, "expired", 75, false},
        {RPC_KIND_rejected, "rejected", 76, false},
        {RPC_KIND_key_changed, "key_changed", 77, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        assert_string_equal(rpc_kind_name(CASES[i].kind), CASES[i].name);
        assert_int_equal(rpc_kind_exit_status(CASES[i].kind), CASES[i].status);
        assert_int_equal(rpc_kind_retryable(CASES[i].kind), CASES[i].retryable);
    }
}

static void test_every_exit_status_is_a_documented_one(void **state)
{
    (void)state;
    for (int i = 0; i < RPC_KIND_COUNT; i++) {
        const int status = rpc_kind_exit_status((enum rpc_kind)i);
        assert_true(status >= 64 && status <= 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_statuses_are_those_of_sysexits),
        cmocka_unit_test(test_every_exit_status_is_a_documented_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
