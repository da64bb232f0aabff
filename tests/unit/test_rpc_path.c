/* SPDX-License-Identifier: ISC */
/*
 * Tests rpc/rpc_path: which of the places wins.
 */
#include "rpc/rpc_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/cmocka_all.h"

static const char system_path[] = RUNSTATEDIR "/p2pchat/control.sock";

static void expect(const char *option, const char *path)
{
    char *found = rpc_path_find(option);
    assert_non_null(found);
    assert_string_equal(found, path);
    free(found);
}

static void test_the_option_wins_over_the_environment(void **state)
{
    (void)state;
    setenv("P2PCHAT_SOCKET", "/from/environment", 1);
    expect("/from/option", "/from/option");
    expect(NULL, "/from/environment");
    unsetenv("P2PCHAT_SOCKET");
}

static void test_an_empty_variable_counts_as_unset(void **state)
{
    (void)state;
    setenv("P2PCHAT_SOCKET", "", 1);
    setenv("XDG_RUNTIME_DIR", "", 1);
    expect(NULL, system_path);
    unsetenv("P2PCHAT_SOCKET");
    unsetenv("XDG_RUNTIME_DIR");
    expect(NULL, system_path);
}

static void test_the_users_socket_is_taken_only_if_it_exists(void **state)
{
    char directory[] = "/tmp/test_rpc_path.XXXXXX";
    char folder[64], path[96];
    (void)state;
    assert_non_null(mkdtemp(directory));
    setenv("XDG_RUNTIME_DIR", directory, 1);
    expect(NULL, system_path);

    snprintf(folder, sizeof folder, "%s/p2pchat", directory);
    snprintf(path, sizeof path, "%s/control.sock", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    expect(NULL, system_path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    expect(NULL, path);

    unlink(path);
    rmdir(folder);
    rmdir(directory);
    unsetenv("XDG_RUNTIME_DIR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_option_wins_over_the_environment),
        cmocka_unit_test(test_an_empty_variable_counts_as_unset),
        cmocka_unit_test(test_the_users_socket_is_taken_only_if_it_exists),
    };
    unsetenv("P2PCHAT_SOCKET");
    unsetenv("XDG_RUNTIME_DIR");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
