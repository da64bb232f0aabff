/* SPDX-License-Identifier: ISC */
/*
 * The state directory of a user's daemon, and the one that an earlier version had.
 */
#include "daemon/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "cmocka_all.h"

static char home[] = "/tmp/p2pchat-state-XXXXXX";
static char text_of_log[4096];

static void keep_entry(const struct log_entry *entry)
{
    snprintf(text_of_log, sizeof text_of_log, "%s", entry->message);
}

static struct paths make_paths(void)
{
    struct paths paths = {.state_dir = path_join(home, "state/p2pchat"),
                          .former_state_dir = path_join(home, "config/p2pchat")};
    assert_int_equal(directory_make(paths.former_state_dir), 0);
    return paths;
}

static void free_paths(struct paths *paths)
{
    free(paths->state_dir);
    free(paths->former_state_dir);
}

static void put(const char *directory, const char *name, const char *text)
{
    char *path = path_join(directory, name);
    assert_int_equal(file_write_secret(path, SPAN(text, strlen(text))), 0);
    free(path);
}

/* NULL: it is not there. */
static void assert_file(const char *directory, const char *name, const char *text)
{
    char *path = path_join(directory, name);
    struct bytes content = {0};
    assert_int_equal(file_read(path, 100, &content), text != NULL ? 0 : -ENOENT);
    if (text != NULL)
        assert_memory_equal(content.data, text, strlen(text));
    bytes_deinit(&content);
    free(path);
}

static int set_up(void **state)
{
    (void)state;
    log_set_sink(keep_entry);
    text_of_log[0] = '\0';
    memcpy(home + sizeof home - 7, "XXXXXX", 6);
    return mkdtemp(home) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[sizeof home + 10];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", home);
    return system(command);
}

static void fill(const char *directory)
{
    put(directory, "identity.pem", "key");
    put(directory, "store.key", "seal");
    put(directory, "p2pchat.db-wal", "log");
    put(directory, "p2pchat.db", "store");
}

static void test_it_is_made_for_its_owner_alone(void **state)
{
    struct paths paths = make_paths();
    struct stat status;
    (void)state;
    assert_int_equal(state_prepare(&paths), EXIT_STATUS_OK);
    assert_int_equal(stat(paths.state_dir, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    free_paths(&paths);
}

static void test_one_that_others_can_write_is_refused(void **state)
{
    struct paths paths = make_paths();
    (void)state;
    assert_int_equal(state_prepare(&paths), EXIT_STATUS_OK);
    for (mode_t mode = 0720; mode <= 0722; mode += 2) {
        assert_int_equal(chmod(paths.state_dir, mode == 0722 ? 0702 : mode), 0);
        assert_int_equal(state_prepare(&paths), EXIT_STATUS_CONFIG);
        assert_non_null(strstr(text_of_log, "chmod go-w"));
    }
    free_paths(&paths);
}

static void test_the_former_one_moves_and_the_settings_stay(void **state)
{
    struct paths paths = make_paths();
    (void)state;
    fill(paths.former_state_dir);
    put(paths.former_state_dir, "p2pchatd.conf", "settings");
    assert_int_equal(state_prepare(&paths), EXIT_STATUS_OK);
    assert_non_null(strstr(text_of_log, "moved keys, peers and messages"));
    assert_file(paths.state_dir, "identity.pem", "key");
    assert_file(paths.state_dir, "store.key", "seal");
    assert_file(paths.state_dir, "p2pchat.db-wal", "log");
    assert_file(paths.state_dir, "p2pchat.db", "store");
    assert_file(paths.former_state_dir, "p2pchat.db", NULL);
    assert_file(paths.former_state_dir, "p2pchat.db-wal", NULL);
    assert_file(paths.former_state_dir, "p2pchatd.conf", "settings");
    free_paths(&paths);
}

/* As it is after a crash in the middle: part of it is there already. */
static void test_a_move_that_was_broken_off_is_finished(void **state)
{
    struct paths paths = make_paths();
    (void)state;
    assert_int_equal(directory_make(paths.state_dir), 0);
    put(paths.state_dir, "identity.pem", "key");
    put(paths.state_dir, "p2pchat.db-wal", "log");
    put(paths.former_state_dir, "p2pchat.db", "store");
    assert_int_equal(state_prepare(&paths), EXIT_STATUS_OK);
    assert_file(paths.state_dir, "p2pchat.db-wal", "log");
    assert_file(paths.state_dir, "p2pchat.db", "store");
    free_paths(&paths);
}

static void test_nothing_is_replaced(void **state)
{
    struct paths paths = make_paths();
    (void)state;
    fill(paths.former_state_dir);
    assert_int_equal(directory_make(paths.state_dir), 0);
    put(paths.state_dir, "store.key", "another");
    assert_int_equal(state_prepare(&paths), EXIT_STATUS_OS);
    assert_non_null(strstr(text_of_log, "by hand"));
    assert_file(paths.state_dir, "store.key", "another");
    assert_file(paths.former_state_dir, "store.key", "seal");
    assert_file(paths.former_state_dir, "p2pchat.db", "store");
    free_paths(&paths);
}

static void test_two_stores_stay_and_the_one_in_its_place_is_used(void **state)
{
    struct paths paths = make_paths();
    (void)state;
    fill(paths.former_state_dir);
    assert_int_equal(directory_make(paths.state_dir), 0);
    put(paths.state_dir, "p2pchat.db", "own");
    assert_int_equal(state_prepare(&paths), EXIT_STATUS_OK);
    assert_non_null(strstr(text_of_log, "is not used"));
    assert_file(paths.state_dir, "p2pchat.db", "own");
    assert_file(paths.former_state_dir, "p2pchat.db", "store");
    free_paths(&paths);
}

/* systemd 254 and later make such a link when they find the former directory. */
static void test_a_link_to_the_former_one_is_that(void **state)
{
    struct paths paths = make_paths();
    (void)state;
    fill(paths.former_state_dir);
    assert_int_equal(directory_make_parents(paths.state_dir), 0);
    assert_int_equal(symlink(paths.former_state_dir, paths.state_dir), 0);
    assert_int_equal(state_prepare(&paths), EXIT_STATUS_OK);
    assert_string_equal(text_of_log, "");
    assert_file(paths.former_state_dir, "p2pchat.db", "store");
    free_paths(&paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_is_made_for_its_owner_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_that_others_can_write_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_former_one_moves_and_the_settings_stay, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_move_that_was_broken_off_is_finished, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_stores_stay_and_the_one_in_its_place_is_used,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_link_to_the_former_one_is_that, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
