/* SPDX-License-Identifier: ISC */
/*
 * Tests base/file in a directory of its own: content, modes, and what is left after a failure.
 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/cmocka_all.h"

enum { LIMIT = 100000 };

static char directory[] = "/tmp/test_file.XXXXXX";

/* Every test runs in an empty directory. */
static int setup(void **state)
{
    (void)state;
    memcpy(directory + sizeof(directory) - 7, "XXXXXX", 6);
    umask(022);
    return mkdtemp(directory) == NULL || chdir(directory) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return chdir("/") < 0 ? -1 : system(command);
}

static void make_file(const char *path, const char *content, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static void assert_content(const char *path, const void *expected, size_t size)
{
    struct bytes content = {0};
    assert_int_equal(file_read(path, LIMIT, &content), 0);
    assert_int_equal(content.size, size);
    assert_memory_equal(content.data, expected, size);
    bytes_deinit(&content);
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

static unsigned entries(void)
{
    DIR *opened = opendir(".");
    unsigned count = 0;
    assert_non_null(opened);
    while (readdir(opened) != NULL)
        count++;
    closedir(opened);
    return count - 2;
}

static void test_read_replaces_the_buffer(void **state)
{
    struct bytes content = {0};
    (void)state;
    make_file("f", "hello", 0644);
    assert_int_equal(bytes_append(&content, "before", 6), 0);
    assert_int_equal(file_read("f", LIMIT, &content), 0);
    assert_int_equal(content.size, 5);
    assert_memory_equal(content.data, "hello", 5);
    bytes_deinit(&content);
}

static void test_read_stops_at_the_limit(void **state)
{
    struct bytes content = {0};
    (void)state;
    make_file("f", "hello", 0644);
    assert_int_equal(file_read("f", 5, &content), 0);
    assert_int_equal(file_read("f", 4, &content), -EFBIG);
    assert_int_equal(content.size, 0);
    assert_int_equal(file_read("/dev/zero", LIMIT, &content), -EFBIG);
    assert_null(content.data);
}

static void test_read_tells_what_is_wrong(void **state)
{
    struct bytes content = {0};
    (void)state;
    assert_int_equal(file_read("missing", LIMIT, &content), -ENOENT);
    assert_int_equal(file_read(".", LIMIT, &content), -EISDIR);
    assert_null(content.data);
}

static void test_secret_file_is_private_whatever_the_umask(void **state)
{
    (void)state;
    umask(0);
    assert_int_equal(file_write_secret("s", SPAN("one", 3)), 0);
    assert_int_equal(mode_of("s"), 0600);
    umask(0777);
    assert_int_equal(file_write_secret("s", SPAN("two", 3)), 0);
    assert_int_equal(mode_of("s"), 0600);
    assert_content("s", "two", 3);
    assert_int_equal(entries(), 1);
}

static void test_secret_write_replaces_even_open_files(void **state)
{
    struct bytes content = {0};
    (void)state;
    make_file("s", "old and public", 0666);
    assert_int_equal(file_write_secret("./s", SPAN("new", 3)), 0);
    assert_int_equal(mode_of("s"), 0600);
    assert_int_equal(file_read_secret("s", LIMIT, &content), 0);
    assert_memory_equal(content.data, "new", 3);
    bytes_deinit(&content);
}

static void test_secret_write_does_not_follow_links(void **state)
{
    (void)state;
    make_file("victim", "untouched", 0644);
    assert_int_equal(symlink("victim", "s"), 0);
    assert_int_equal(file_write_secret("s", SPAN("secret", 6)), 0);
    assert_content("victim", "untouched", 9);
    assert_content("s", "secret", 6);
}

static void test_large_and_empty_secrets(void **state)
{
    static uint8_t large[LIMIT];
    (void)state;
    memset(large, 0x5a, sizeof(large));
    assert_int_equal(file_write_secret("s", SPAN(large, sizeof(large))), 0);
    assert_content("s", large, sizeof(large));
    assert_int_equal(file_write_secret("s", SPAN(NULL, 0)), 0);
    assert_content("s", "", 0);
}

static void test_failed_write_leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(file_write_secret("missing/s", SPAN("x", 1)), -ENOENT);
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(file_write_secret("d", SPAN("x", 1)), -EISDIR);
    assert_int_equal(entries(), 1);
}

static void test_secret_read_refuses_open_modes(void **state)
{
    static const mode_t refused[] = {0640, 0620, 0604, 0602, 0644, 0666};
    static const mode_t accepted[] = {0600, 0400, 0700};
    struct bytes content = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        make_file("s", "secret", refused[i]);
        assert_int_equal(file_read_secret("s", LIMIT, &content), -EPERM);
        assert_null(content.data);
    }
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        unlink("s");
        make_file("s", "secret", accepted[i]);
        assert_int_equal(file_read_secret("s", LIMIT, &content), 0);
        assert_int_equal(content.size, 6);
    }
    assert_int_equal(file_read_secret("s", 3, &content), -EFBIG);
    bytes_deinit(&content);
}

static void test_secret_read_wants_a_regular_file(void **state)
{
    struct bytes content = {0};
    (void)state;
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(file_read_secret("pipe", LIMIT, &content), -EPERM);
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(file_read_secret("d", LIMIT, &content), -EPERM);
    assert_int_equal(file_read_secret("missing", LIMIT, &content), -ENOENT);
}

static void test_secret_read_refuses_other_owners(void **state)
{
    struct bytes content = {0};
    (void)state;
    make_file("s", "secret", 0600);
    if (chown("s", 12345, (gid_t)-1) < 0)
        skip();
    assert_int_equal(file_read_secret("s", LIMIT, &content), -EPERM);
}

static void test_directories_are_made_with_their_parents(void **state)
{
    (void)state;
    umask(0);
    assert_int_equal(directory_make("a/b//c/"), 0);
    assert_int_equal(mode_of("a"), 0700);
    assert_int_equal(mode_of("a/b/c"), 0700);
    assert_int_equal(chmod("a", 0755), 0);
    assert_int_equal(directory_make("a"), 0);
    assert_int_equal(mode_of("a"), 0755);
    assert_int_equal(directory_make("/"), 0);
    make_file("f", "", 0600);
    assert_int_equal(directory_make("f"), -ENOTDIR);
    assert_int_equal(directory_make("f/d"), -ENOTDIR);
    assert_int_equal(directory_make_parents("p/q/file"), 0);
    assert_int_equal(access("p/q", F_OK), 0);
    assert_int_equal(access("p/q/file", F_OK), -1);
    assert_int_equal(directory_make_parents("file"), 0);
    assert_int_equal(directory_make_parents("f/file"), -ENOTDIR);
    assert_int_equal(directory_make(""), -ENOENT);
}

static void test_a_directory_is_synced_by_what_is_in_it(void **state)
{
    (void)state;
    make_file("f", "", 0600);
    assert_int_equal(directory_sync_of("any"), 0);
    assert_int_equal(directory_sync_of("/any"), 0);
    assert_int_equal(directory_sync_of("./any"), 0);
    assert_int_equal(directory_sync_of("f/any"), -ENOTDIR);
    assert_int_equal(directory_sync_of("missing/any"), -ENOENT);
}

static void test_paths_join_with_one_slash(void **state)
{
    static const struct {
        const char *directory;
        const char *path;
    } CASES[] = {{"/var/lib", "/var/lib/name"}, {"/var/lib/", "/var/lib/name"}, {"/", "/name"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        char *path = path_join(CASES[i].directory, "name");
        assert_string_equal(path, CASES[i].path);
        free(path);
    }
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_read_replaces_the_buffer),
        IN_DIRECTORY(test_read_stops_at_the_limit),
        IN_DIRECTORY(test_read_tells_what_is_wrong),
        IN_DIRECTORY(test_secret_file_is_private_whatever_the_umask),
        IN_DIRECTORY(test_secret_write_replaces_even_open_files),
        IN_DIRECTORY(test_secret_write_does_not_follow_links),
        IN_DIRECTORY(test_large_and_empty_secrets),
        IN_DIRECTORY(test_failed_write_leaves_nothing),
        IN_DIRECTORY(test_secret_read_refuses_open_modes),
        IN_DIRECTORY(test_secret_read_wants_a_regular_file),
        IN_DIRECTORY(test_secret_read_refuses_other_owners),
        IN_DIRECTORY(test_directories_are_made_with_their_parents),
        IN_DIRECTORY(test_a_directory_is_synced_by_what_is_in_it),
        IN_DIRECTORY(test_paths_join_with_one_slash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
