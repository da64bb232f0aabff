/* SPDX-License-Identifier: ISC */
/*
 * The process keeps its memory to itself and gains no privileges, from the first moment on.
 */
#include "daemon/confine.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "unit/cmocka_all.h"

static void test_privileges_can_not_be_gained(void **state)
{
    (void)state;
    confine_process();
    assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}

static void test_no_core_file_is_written(void **state)
{
    struct rlimit limit;
    (void)state;
    confine_process();
    assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 0);
    assert_int_equal(limit.rlim_max, 0);
}

static void test_others_of_the_same_user_can_not_look_into_it(void **state)
{
    (void)state;
    confine_process();
    assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_privileges_can_not_be_gained),
        cmocka_unit_test(test_no_core_file_is_written),
        cmocka_unit_test(test_others_of_the_same_user_can_not_look_into_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
