/* SPDX-License-Identifier: ISC */
/*
 * Where the daemon keeps its things: as root, as a user, under a service manager, as told.
 */
#include "daemon/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cmocka_all.h"

uid_t __wrap_geteuid(void);

static uid_t pretended_user;

uid_t __wrap_geteuid(void)
{
    return pretended_user;
}

static void drop_entry(const struct log_entry *entry)
{
    (void)entry;
}

static int set_up(void **state)
{
    (void)state;
    static const char *const variables[] = {
        "HOME",           "STATE_DIRECTORY", "RUNTIME_DIRECTORY",
        "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"};
    for (size_t i = 0; i < COUNT_OF(variables); i++)
        unsetenv(variables[i]);
    log_set_sink(drop_entry);
    pretended_user = 1000;
    return 0;
}

static void assert_paths(const struct options *options, const char *config, const char *state_dir,
                         const char *control)
{
    struct paths paths;
    assert_int_equal(paths_find(&paths, options), 0);
    assert_string_equal(paths.config, config);
    assert_string_equal(paths.state_dir, state_dir);
    assert_memory_equal(paths.store, state_dir, strlen(state_dir));
    assert_string_equal(paths.store + strlen(state_dir), "/p2pchat.db");
    assert_string_equal(paths.control, control);
    paths_deinit(&paths);
}

static void assert_no_paths(const struct options *options)
{
    struct paths paths;
    assert_int_equal(paths_find(&paths, options), -ENOENT);
    paths_deinit(&paths);
}

static void test_root_has_the_places_of_the_system(void **state)
{
    (void)state;
    pretended_user = 0;
    assert_paths(&(struct options){0}, SYSCONFDIR "/p2pchat/p2pchatd.conf",
                 LOCALSTATEDIR "/lib/p2pchat", RUNSTATEDIR "/p2pchat/control.sock");
}

static void test_a_user_has_places_of_his_own(void **state)
{
    (void)state;
    setenv("HOME", "/home/u", 1);
    setenv("XDG_RUNTIME_DIR", "/run/user/1000", 1);
    assert_paths(&(struct options){0}, "/home/u/.config/p2pchat/p2pchatd.conf",
                 "/home/u/.local/state/p2pchat", "/run/user/1000/p2pchat/control.sock");
    setenv("XDG_STATE_HOME", "/s", 1);
    setenv("XDG_CONFIG_HOME", "/c", 1);
    assert_paths(&(struct options){0}, "/c/p2pchat/p2pchatd.conf", "/s/p2pchat",
                 "/run/user/1000/p2pchat/control.sock");
}

static void assert_former(const struct options *options, const char *directory)
{
    struct paths paths;
    assert_int_equal(paths_find(&paths, options), 0);
    if (directory == NULL)
        assert_null(paths.former_state_dir);
    else
        assert_string_equal(paths.former_state_dir, directory);
    paths_deinit(&paths);
}

static void test_the_state_of_a_user_may_be_where_it_was_before(void **state)
{
    (void)state;
    setenv("HOME", "/home/u", 1);
    setenv("XDG_RUNTIME_DIR", "/run/user/1000", 1);
    assert_former(&(struct options){0}, "/home/u/.config/p2pchat");
    assert_former(&(struct options){.action = OPTIONS_PREPARE}, "/home/u/.config/p2pchat");
    assert_former(&(struct options){.state_dir = "/s"}, NULL);
    setenv("STATE_DIRECTORY", "/s", 1);
    assert_former(&(struct options){0}, NULL);
    unsetenv("STATE_DIRECTORY");
    pretended_user = 0;
    assert_former(&(struct options){0}, NULL);
}

static void test_the_command_line_decides(void **state)
{
    (void)state;
    assert_paths(&(struct options){.config = "c", .state_dir = "/s", .control = "k"}, "c", "/s",
                 "k");
}

static void test_the_state_has_a_place_that_everybody_understands(void **state)
{
    struct paths paths;
    const struct options options = {.config = "c", .state_dir = "s/t", .control = "k"};
    (void)state;
    assert_int_equal(chdir("/usr"), 0);
    assert_int_equal(paths_find(&paths, &options), 0);
    assert_string_equal(paths.state_dir, "/usr/s/t");
    paths_deinit(&paths);
}

static void test_a_user_without_runtime_directory_is_told(void **state)
{
    (void)state;
    setenv("HOME", "/home/u", 1);
    assert_no_paths(&(struct options){0});
}

static void test_a_configuration_can_be_tested_without_other_places(void **state)
{
    (void)state;
    struct paths paths;
    const enum options_action actions[] = {OPTIONS_TEST, OPTIONS_SHOW};
    for (size_t i = 0; i < COUNT_OF(actions); i++) {
        const struct options options = {.action = actions[i], .config = "c"};
        assert_int_equal(paths_find(&paths, &options), 0);
        assert_string_equal(paths.config, "c");
        paths_deinit(&paths);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_root_has_the_places_of_the_system, set_up),
        cmocka_unit_test_setup(test_a_user_has_places_of_his_own, set_up),
        cmocka_unit_test_setup(test_the_state_of_a_user_may_be_where_it_was_before, set_up),
        cmocka_unit_test_setup(test_the_command_line_decides, set_up),
        cmocka_unit_test_setup(test_the_state_has_a_place_that_everybody_understands, set_up),
        cmocka_unit_test_setup(test_a_user_without_runtime_directory_is_told, set_up),
        cmocka_unit_test_setup(test_a_configuration_can_be_tested_without_other_places, set_up),
    };
    return cmocka_run_group_tests_name("paths", tests, NULL, NULL);
}
