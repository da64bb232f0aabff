/* SPDX-License-Identifier: ISC */
/*
 * Tests store/served: which services are known, whose they are, and whom they are for.
 */
#include "store/served.h"

#include <stdio.h>
#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/scratch_db.h"

struct found {
    char names[4][16];
    struct served_row rows[4];
    unsigned count;
};

static int take_row(void *context, const struct served_row *row)
{
    struct found *found = context;
    snprintf(found->names[found->count], sizeof found->names[0], "%s", row->name);
    found->rows[found->count++] = *row;
    return 0;
}

static struct found read_all(struct scratch *scratch)
{
    struct found found = {.count = 0};
    scratch_commit(scratch);
    scratch_reopen(scratch);
    assert_int_equal(served_each(scratch->db, take_row, &found), 0);
    return found;
}

static void test_a_service_is_known_with_all_that_was_said(void **state)
{
    struct scratch *scratch = *state;
    const struct served_row some = {
        .name = "backup", .uid = 4294967294, .tofu = true, .peer_count = 2, .peers = {7, 9}};
    const struct served_row all = {.name = "clock", .uid = 0, .everybody = true};
    assert_int_equal(served_put(scratch->db, &all), 0);
    assert_int_equal(served_put(scratch->db, &some), 0);
    const struct found found = read_all(scratch);
    assert_int_equal(found.count, 2);
    assert_string_equal(found.names[0], "backup");
    assert_int_equal(found.rows[0].uid, 4294967294);
    assert_true(found.rows[0].tofu);
    assert_false(found.rows[0].everybody);
    assert_int_equal(found.rows[0].peer_count, 2);
    assert_int_equal(found.rows[0].peers[0] + found.rows[0].peers[1], 16);
    assert_string_equal(found.names[1], "clock");
    assert_true(found.rows[1].everybody);
    assert_false(found.rows[1].tofu);
    assert_int_equal(found.rows[1].peer_count, 0);
}

static void test_what_is_said_last_counts_alone(void **state)
{
    struct scratch *scratch = *state;
    struct served_row row = {.name = "it", .uid = 1, .tofu = true, .everybody = true};
    assert_int_equal(served_put(scratch->db, &row), 0);
    row = (struct served_row){.name = "it", .uid = 2, .peer_count = 1, .peers = {5}};
    assert_int_equal(served_put(scratch->db, &row), 0);
    const struct found found = read_all(scratch);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.rows[0].uid, 2);
    assert_false(found.rows[0].tofu);
    assert_false(found.rows[0].everybody);
    assert_int_equal(found.rows[0].peer_count, 1);
    assert_int_equal(found.rows[0].peers[0], 5);
}

static void test_one_that_is_removed_is_gone_with_whom_it_was_for(void **state)
{
    struct scratch *scratch = *state;
    const struct served_row closed = {.name = "it", .uid = 1},
                            open = {.name = "it", .everybody = true},
                            other = {.name = "other", .peer_count = 1, .peers = {5}};
    assert_int_equal(served_put(scratch->db, &open), 0);
    assert_int_equal(served_put(scratch->db, &other), 0);
    assert_int_equal(served_remove(scratch->db, "it"), 0);
    assert_int_equal(served_remove(scratch->db, "never"), 0);
    assert_int_equal(read_all(scratch).count, 1);
    assert_int_equal(served_put(scratch->db, &closed), 0);
    const struct found found = read_all(scratch);
    assert_false(found.rows[0].everybody);
    assert_int_equal(found.rows[1].peer_count, 1);
}

static void test_a_peer_that_is_another_takes_its_place(void **state)
{
    struct scratch *scratch = *state;
    const struct served_row row = {.name = "it", .peer_count = 2, .peers = {5, 6}};
    assert_int_equal(served_put(scratch->db, &row), 0);
    assert_int_equal(served_merge(scratch->db, 5, 8), 0);
    const struct found found = read_all(scratch);
    assert_int_equal(found.rows[0].peer_count, 2);
    assert_int_equal(found.rows[0].peers[0] + found.rows[0].peers[1], 14);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_service_is_known_with_all_that_was_said),
        TEST(test_what_is_said_last_counts_alone),
        TEST(test_one_that_is_removed_is_gone_with_whom_it_was_for),
        TEST(test_a_peer_that_is_another_takes_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
