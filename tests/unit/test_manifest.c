/* SPDX-License-Identifier: ISC */
/*
 * Tests the rules of manifests: one that another program made, and each rule broken.
 */
#include "client/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/hex.h"

static const char known[] =
    "00036469720101ed17979cfe362a0000000000000000000000076469722f6269670001a017979cfe71c4ca01000000"
    "000016e36000086469722f6c696e6b0201ff17979cfead5f940000000000000000000009736d616c6c2e747874000d"
    "6469722f736d616c6c2e7478740001a417979cfee8fa5e000000000000000007";

struct line {
    const char *path;
    enum manifest_type type;
    const char *target;
};

static const struct line end = {0};

static void add(struct bytes *out, const char *path, size_t size, enum manifest_type type,
                const char *target)
{
    const struct manifest_entry entry = {.path = SPAN(path, size),
                                         .type = type,
                                         .mode = 0644,
                                         .target =
                                             SPAN(target, target != NULL ? strlen(target) : 0)};
    assert_int_equal(manifest_append(out, &entry), 0);
}

/* What is said of a manifest of these lines; NULL when it is legal. */
static const char *flaw(const struct line *lines)
{
    struct bytes out = {0};
    const char *complaint = NULL;
    uint32_t entries = 0;
    for (; lines->path != NULL; lines++, entries++)
        add(&out, lines->path, strlen(lines->path), lines->type, lines->target);
    const int r = manifest_check(bytes_span(&out), entries, 0, &complaint);
    bytes_deinit(&out);
    assert_int_equal(r == 0, complaint == NULL);
    return complaint;
}

#define FLAW(...) flaw((const struct line[]){__VA_ARGS__, end})

static void test_a_known_manifest_is_read_and_written(void **state)
{
    uint8_t bytes[256];
    struct manifest_walk walk;
    struct manifest_entry entry;
    struct bytes again = {0};
    const char *complaint;
    const size_t size = unhex(known, bytes);
    (void)state;
    assert_int_equal(manifest_check(SPAN(bytes, size), 4, 1500007, &complaint), 0);
    assert_int_equal(manifest_check(SPAN(bytes, size), 5, 1500007, &complaint), MANIFEST_BAD);
    assert_int_equal(manifest_check(SPAN(bytes, size), 4, 1500008, &complaint), MANIFEST_BAD);
    assert_int_equal(manifest_check(SPAN(bytes, size - 1), 4, 1500007, &complaint), MANIFEST_BAD);
    manifest_begin(&walk, SPAN(bytes, size));
    while (manifest_next(&walk, &entry) == 0)
        assert_int_equal(manifest_append(&again, &entry), 0);
    assert_int_equal(again.size, size);
    assert_memory_equal(again.data, bytes, size);
    bytes_deinit(&again);
}

static void test_order_is_that_of_components(void **state)
{
    (void)state;
    assert_null(FLAW({"a", MANIFEST_DIRECTORY, NULL}, {"a/b", 0, NULL}, {"a-b", 0, NULL},
                     {"a.b", 0, NULL}, {"b", 0, NULL}));
    assert_non_null(FLAW({"b", 0, NULL}, {"a", 0, NULL}));
    assert_non_null(FLAW({"a", 0, NULL}, {"a", 0, NULL}));
    assert_non_null(FLAW({"a", MANIFEST_DIRECTORY, NULL}, {"a-b", 0, NULL}, {"a/b", 0, NULL}));
}

static void test_what_contains_an_entry_is_a_directory(void **state)
{
    (void)state;
    assert_null(FLAW({"a", MANIFEST_DIRECTORY, NULL}, {"a/b", MANIFEST_DIRECTORY, NULL},
                     {"a/b/c", 0, NULL}, {"a/d", 0, NULL}));
    assert_non_null(FLAW({"a/b", 0, NULL}));
    assert_non_null(FLAW({"a", 0, NULL}, {"a/b", 0, NULL}));
    assert_non_null(FLAW({"a", MANIFEST_SYMLINK, "/etc"}, {"a/passwd", 0, NULL}));
    assert_non_null(FLAW({"a", MANIFEST_DIRECTORY, NULL}, {"a/b/c", 0, NULL}));
    assert_non_null(FLAW({"a", MANIFEST_DIRECTORY, NULL}, {"ab/c", 0, NULL}));
}

static void test_paths_that_no_entry_may_have(void **state)
{
    static const char *const paths[] = {"", "/", "/etc/x", "../x", "..", ".", "a/", "a//b"};
    char name[258];
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_non_null(FLAW({paths[i], 0, NULL}));
    assert_non_null(FLAW({"a", MANIFEST_DIRECTORY, NULL}, {"a/../../b", 0, NULL}));
    assert_non_null(FLAW({"a", MANIFEST_DIRECTORY, NULL}, {"a/.", 0, NULL}));
    memset(name, 'x', sizeof name);
    name[255] = '\0';
    assert_null(FLAW({name, 0, NULL}));
    name[255] = 'x';
    name[256] = '\0';
    assert_non_null(FLAW({name, 0, NULL}));
    assert_null(
        FLAW({"\x1b[2J\n", 0, NULL})); /* ugly, but bytes: what shows it makes it harmless */
}

static void test_a_name_with_a_nul(void **state)
{
    struct bytes out = {0};
    const char *complaint;
    (void)state;
    add(&out, "a\0b", 3, MANIFEST_FILE, NULL);
    assert_int_equal(manifest_check(bytes_span(&out), 1, 0, &complaint), MANIFEST_BAD);
    bytes_deinit(&out);
}

/* So many directories, each in the one before. */
static int check_depth(unsigned depth)
{
    struct bytes out = {0};
    const char *complaint;
    char path[256];
    for (unsigned i = 0; i < depth; i++) {
        path[2 * i] = 'd';
        path[2 * i + 1] = '/';
        add(&out, path, 2 * i + 1, MANIFEST_DIRECTORY, NULL);
    }
    const int r = manifest_check(bytes_span(&out), depth, 0, &complaint);
    bytes_deinit(&out);
    return r;
}

static void test_depth_is_bounded(void **state)
{
    (void)state;
    assert_int_equal(check_depth(64), 0);
    assert_int_equal(check_depth(65), MANIFEST_BAD);
}

/* The only entry, of this type, mode and size. */
static int check_one(unsigned type, uint16_t mode, uint64_t size, const char *target)
{
    struct bytes out = {0};
    const char *complaint;
    const struct manifest_entry entry = {.path = SPAN("a", 1),
                                         .type = (enum manifest_type)type,
                                         .mode = mode,
                                         .size = size,
                                         .target =
                                             SPAN(target, target != NULL ? strlen(target) : 0)};
    manifest_append(&out, &entry);
    const int r = manifest_check(bytes_span(&out), 1, size, &complaint);
    bytes_deinit(&out);
    return r;
}

static void test_an_entry_by_itself(void **state)
{
    (void)state;
    assert_int_equal(check_one(MANIFEST_FILE, 0777, UINT64_MAX, NULL), 0);
    assert_int_equal(check_one(MANIFEST_FILE, 01000, 0, NULL), MANIFEST_BAD);
    assert_int_equal(check_one(MANIFEST_FILE, 04777, 0, NULL), MANIFEST_BAD);
    assert_int_equal(check_one(MANIFEST_DIRECTORY, 0777, 1, NULL), MANIFEST_BAD);
    assert_int_equal(check_one(MANIFEST_SYMLINK, 0777, 1, "b"), MANIFEST_BAD);
    assert_int_equal(check_one(MANIFEST_SYMLINK, 0777, 0, ""), MANIFEST_BAD);
    assert_int_equal(check_one(3, 0777, 0, NULL), MANIFEST_BAD);
}

static void test_sizes_do_not_overflow(void **state)
{
    struct bytes out = {0};
    struct manifest_entry entry = {.path = SPAN("a", 1), .size = UINT64_MAX};
    const char *complaint;
    (void)state;
    manifest_append(&out, &entry);
    entry.path = SPAN("b", 1);
    entry.size = 2;
    manifest_append(&out, &entry);
    assert_int_equal(manifest_check(bytes_span(&out), 2, 1, &complaint), MANIFEST_BAD);
    bytes_deinit(&out);
}

static bool stays(const char *path, const char *target)
{
    const struct manifest_entry entry = {.path = SPAN(path, strlen(path)),
                                         .type = MANIFEST_SYMLINK,
                                         .target = SPAN(target, strlen(target))};
    return manifest_link_stays(&entry);
}

static void test_symlinks_stay_in_their_top_level_entry(void **state)
{
    (void)state;
    assert_true(stays("d/link", "file"));
    assert_true(stays("d/link", "./sub//file"));
    assert_true(stays("d/sub/link", "../file"));
    assert_true(stays("d/sub/link", ".././x//y"));
    assert_false(stays("link", "file"));
    assert_false(stays("d/link", "/etc/passwd"));
    assert_false(stays("d/link", "../other"));
    assert_false(stays("d/link", ".."));
    assert_false(stays("d/sub/link", "../../etc"));
    assert_false(stays("d/sub/link", "x/../../../d/sub"));
    /* With d/a/b/up -> ../.. this is ".." of d. */
    assert_false(stays("d/link", "a/b/up/.."));
    assert_false(stays("d/sub/link", "x/../file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_known_manifest_is_read_and_written),
        cmocka_unit_test(test_order_is_that_of_components),
        cmocka_unit_test(test_what_contains_an_entry_is_a_directory),
        cmocka_unit_test(test_paths_that_no_entry_may_have),
        cmocka_unit_test(test_a_name_with_a_nul),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_an_entry_by_itself),
        cmocka_unit_test(test_sizes_do_not_overflow),
        cmocka_unit_test(test_symlinks_stay_in_their_top_level_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
