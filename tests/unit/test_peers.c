/* SPDX-License-Identifier: ISC */
/*
 * Rows of peers: what is stored comes back, names and keys are unique among those that are there.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/sql.h"
#include "unit/scratch_db.h"

struct seen {
    unsigned count;
    struct peer_row rows[4];
};

static int remember(void *context, const struct peer_row *row)
{
    struct seen *seen = context;
    assert_in_range(seen->count, 0, 3);
    seen->rows[seen->count++] = *row;
    return 0;
}

static struct seen look(struct scratch *scratch)
{
    struct seen seen = {0};
    assert_int_equal(peers_each(scratch->db, remember, &seen), 0);
    return seen;
}

static void assert_same(const struct peer_row *row, const struct peer_row *expected)
{
    assert_int_equal(row->id, expected->id);
    assert_string_equal(row->name, expected->name);
    assert_int_equal(row->pinned, expected->pinned);
    assert_memory_equal(row->key, expected->key, PEER_KEY_SIZE);
    assert_int_equal(row->trust, expected->trust);
    assert_int_equal(row->offered, expected->offered);
    assert_memory_equal(row->offered_key, expected->offered_key, PEER_KEY_SIZE);
    assert_int_equal(row->invited, expected->invited);
    assert_memory_equal(row->invite_sealed, expected->invite_sealed, PEER_INVITE_SEALED_SIZE);
    assert_int_equal(row->require_pq, expected->require_pq);
    assert_int_equal(row->address_count, expected->address_count);
    for (unsigned i = 0; i < row->address_count; i++) {
        assert_string_equal(row->addresses[i].host, expected->addresses[i].host);
        assert_int_equal(row->addresses[i].port, expected->addresses[i].port);
    }
    assert_int_equal(row->created_ms, expected->created_ms);
    assert_int_equal(row->adopted, expected->adopted);
}

static int64_t count(struct scratch *scratch, const char *query)
{
    CLEANUP(sql_end) struct sql sql = sql_read(scratch->db, query);
    assert_true(sql_row(&sql));
    return sql_int(&sql);
}

static void set_address(struct peer_row *row, const char *host, uint16_t port)
{
    struct address *address = &row->addresses[row->address_count++];
    snprintf(address->host, sizeof address->host, "%s", host);
    address->port = port;
}

static void test_instances_come_back_and_outlive_other_changes(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row row = scratch_peer(scratch, "alice");
    assert_true(bytes_all_zero(look(scratch).rows[0].instance, PEER_INSTANCE_SIZE));
    memcpy(row.instance, "now here, 16 byt", PEER_INSTANCE_SIZE);
    assert_int_equal(peers_set_instances(scratch->db, &row), 0);
    assert_true(bytes_all_zero(look(scratch).rows[0].instance_before, PEER_INSTANCE_SIZE));
    memcpy(row.instance_before, "before, 16 bytes", PEER_INSTANCE_SIZE);
    assert_int_equal(peers_set_instances(scratch->db, &row), 0);
    assert_int_equal(peers_update(scratch->db, &row, 1), 0);
    struct seen seen = look(scratch);
    assert_memory_equal(seen.rows[0].instance, row.instance, PEER_INSTANCE_SIZE);
    assert_memory_equal(seen.rows[0].instance_before, row.instance_before, PEER_INSTANCE_SIZE);
}

static void test_features_are_unknown_until_the_peer_was_met(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row row = scratch_peer(scratch, "alice");
    struct seen seen = look(scratch);
    assert_false(seen.rows[0].met);
    assert_int_equal(peers_set_features(scratch->db, row.id, 0), 0);
    seen = look(scratch);
    assert_true(seen.rows[0].met);
    assert_int_equal(seen.rows[0].features, 0);
    assert_int_equal(peers_set_features(scratch->db, row.id, UINT32_MAX), 0);
    assert_int_equal(peers_update(scratch->db, &row, 1), 0);
    seen = look(scratch);
    assert_true(seen.rows[0].features == UINT32_MAX);
}

static void test_every_field_comes_back(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row row = {.name = "alice",
                           .pinned = true,
                           .key = {1, 2, 3},
                           .trust = PEER_CHANGED,
                           .offered = true,
                           .offered_key = {4, 5, 6},
                           .invited = true,
                           .invite_sealed = {7, 8, 9},
                           .require_pq = true,
                           .created_ms = 1700000000123};
    set_address(&row, "192.0.2.1", 8766);
    set_address(&row, "2001:db8::1", 65535);
    assert_int_equal(peers_add(scratch->db, &row), 0);
    scratch_commit(scratch);
    scratch_reopen(scratch);

    struct seen seen = look(scratch);
    assert_int_equal(seen.count, 1);
    assert_same(&seen.rows[0], &row);
}

static void test_a_peer_without_a_key_has_none(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row first = {.name = "first", .key = {9}, .offered_key = {9}};
    struct peer_row second = {.name = "second"};
    assert_int_equal(peers_add(scratch->db, &first), 0);
    assert_int_equal(peers_add(scratch->db, &second), 0);

    struct seen seen = look(scratch);
    assert_int_equal(seen.count, 2);
    assert_false(seen.rows[0].pinned);
    assert_false(seen.rows[0].offered);
    assert_int_equal(seen.rows[0].key[0], 0);
}

static void test_last_address_is_kept_until_another_or_none_is_said(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row row = {.name = "alice"}, other = {.name = "bob"};
    const struct address ways[] = {{"192.0.2.1", 8766}, {"fe80::1%eth0", 1}};
    set_address(&row, "alice.example", 8766);
    assert_int_equal(peers_add(scratch->db, &row), 0);
    assert_int_equal(peers_add(scratch->db, &other), 0);
    assert_int_equal(look(scratch).rows[0].last.host[0], 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(peers_set_last(scratch->db, row.id, &ways[i], 1700000000123), 0);
        scratch_commit(scratch);
        scratch_reopen(scratch);
        struct seen seen = look(scratch);
        assert_true(address_equal(&seen.rows[0].last, &ways[i]));
        assert_same(&seen.rows[0], &row); /* it is not one of those that were given */
        assert_int_equal(seen.rows[1].last.host[0], 0);
        /* Changing the rest does not touch it. */
        assert_int_equal(peers_update(scratch->db, &row, 1), 0);
        assert_true(address_equal(&look(scratch).rows[0].last, &ways[i]));
    }
    assert_int_equal(count(scratch, "SELECT count(*) FROM peer_way WHERE time_ms IS NOT NULL"), 1);
    assert_int_equal(peers_set_last(scratch->db, row.id, NULL, 2), 0);
    assert_int_equal(look(scratch).rows[0].last.host[0], 0);
    assert_int_equal(peers_set_last(scratch->db, row.id, &ways[0], 3), 0);
    assert_int_equal(peers_remove(scratch->db, row.id, 4), 0);
    assert_int_equal(count(scratch, "SELECT count(*) FROM peer_way"), 0);
}

static void test_what_a_peer_told_is_kept_beside_what_was_given(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row row = {.name = "alice"};
    const struct address told[] = {{"203.0.113.1", 8766}, {"2001:db8::1", 1024}};
    struct address read[PEER_TOLD_MAX];
    uint64_t time_ms = 0;
    set_address(&row, "alice.example", 8766);
    assert_int_equal(peers_add(scratch->db, &row), 0);
    assert_int_equal(peers_get_told(scratch->db, row.id, read, &time_ms), 0);
    assert_int_equal(peers_set_told(scratch->db, row.id, told, 2, 1700000000123), 0);
    assert_int_equal(peers_update(scratch->db, &row, 1), 0);
    scratch_commit(scratch);
    scratch_reopen(scratch);
    assert_int_equal(peers_get_told(scratch->db, row.id, read, &time_ms), 2);
    assert_int_equal(time_ms, 1700000000123);
    for (unsigned i = 0; i < 2; i++)
        assert_true(address_equal(&read[i], &told[i]));
    struct seen seen = look(scratch);
    assert_same(&seen.rows[0], &row);
    assert_int_equal(peers_set_told(scratch->db, row.id, told + 1, 1, 2), 0);
    assert_int_equal(peers_get_told(scratch->db, row.id, read, &time_ms), 1);
    assert_int_equal(peers_remove(scratch->db, row.id, 4), 0);
    assert_int_equal(count(scratch, "SELECT count(*) FROM peer_way"), 0);
}

static void test_longest_name_and_most_addresses_fit(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row row = {0};
    memset(row.name, 'n', PEER_NAME_MAX - 1);
    char host[ADDRESS_HOST_MAX] = {0};
    memset(host, 'h', sizeof host - 1);
    for (unsigned i = 0; i < PEER_ADDRESSES_MAX; i++)
        set_address(&row, host, (uint16_t)i);
    assert_int_equal(peers_add(scratch->db, &row), 0);
    struct seen seen = look(scratch);
    assert_same(&seen.rows[0], &row);
}

static void test_name_and_key_are_unique(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row alice = scratch_peer(scratch, "alice");
    struct peer_row bob = scratch_peer(scratch, "bob");
    struct peer_row same_name = {.name = "alice", .pinned = true, .key = {77}};
    assert_int_equal(peers_add(scratch->db, &same_name), DB_EXISTS);
    struct peer_row same_key = alice;
    snprintf(same_key.name, sizeof same_key.name, "carol");
    assert_int_equal(peers_add(scratch->db, &same_key), DB_EXISTS);

    struct peer_row renamed = bob;
    snprintf(renamed.name, sizeof renamed.name, "alice");
    renamed.pinned = false;
    set_address(&renamed, "example.org", 1);
    assert_int_equal(peers_update(scratch->db, &renamed, 5), DB_EXISTS);

    scratch_commit(scratch);
    struct seen seen = look(scratch);
    assert_int_equal(seen.count, 2);
    assert_same(&seen.rows[0], &alice);
    assert_same(&seen.rows[1], &bob);
    assert_int_equal(count(scratch, "SELECT count(*) FROM peer_old_key"), 0);
}

static void test_update_stores_all_of_the_row(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row row = scratch_peer(scratch, "alice");
    snprintf(row.name, sizeof row.name, "Alice");
    row.trust = PEER_VERIFIED;
    row.offered = true;
    row.offered_key[3] = 3;
    row.created_ms = 2;
    set_address(&row, "a.example", 1);
    set_address(&row, "b.example", 2);
    assert_int_equal(peers_update(scratch->db, &row, 5), 0);

    struct seen seen = look(scratch);
    assert_same(&seen.rows[0], &row);
}

static void test_update_replaces_addresses(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row row = {.name = "alice"};
    set_address(&row, "a.example", 1);
    set_address(&row, "b.example", 2);
    assert_int_equal(peers_add(scratch->db, &row), 0);
    memset(row.addresses, 0, sizeof row.addresses);
    row.address_count = 0;
    set_address(&row, "c.example", 3);
    assert_int_equal(peers_update(scratch->db, &row, 5), 0);
    struct seen seen = look(scratch);
    assert_same(&seen.rows[0], &row);
}

static void test_a_replaced_key_is_on_record(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row row = scratch_peer(scratch, "alice");
    assert_int_equal(peers_update(scratch->db, &row, 5), 0);
    assert_int_equal(count(scratch, "SELECT count(*) FROM peer_old_key"), 0);

    row.key[31] = 1;
    assert_int_equal(peers_update(scratch->db, &row, 6), 0);
    row.pinned = false;
    assert_int_equal(peers_update(scratch->db, &row, 7), 0);
    row.pinned = true;
    assert_int_equal(peers_update(scratch->db, &row, 8), 0);
    assert_int_equal(count(scratch, "SELECT count(*) FROM peer_old_key"), 2);
    assert_int_equal(count(scratch, "SELECT sum(replaced_ms) FROM peer_old_key"), 6 + 7);
    assert_int_equal(
        count(scratch, "SELECT count(*) FROM peer_old_key WHERE hex(key) LIKE '616C696365%00'"), 1);
}

static void test_a_removed_peer_frees_its_name_and_key(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row row = scratch_peer(scratch, "alice");
    assert_int_equal(peers_remove(scratch->db, row.id, 5), 0);
    assert_int_equal(look(scratch).count, 0);
    assert_int_equal(peers_remove(scratch->db, row.id, 5), DB_NOT_FOUND);
    assert_int_equal(peers_update(scratch->db, &row, 5), DB_NOT_FOUND);

    struct peer_row again = scratch_peer(scratch, "alice");
    assert_int_not_equal(again.id, row.id);
    assert_int_equal(look(scratch).count, 1);
}

static void test_an_unknown_peer_is_not_found(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row row = {.id = 4711, .name = "nobody"};
    assert_int_equal(peers_update(scratch->db, &row, 5), DB_NOT_FOUND);
    assert_int_equal(peers_remove(scratch->db, 4711, 5), DB_NOT_FOUND);
}

static int refuse(void *context, const struct peer_row *row)
{
    unsigned *calls = context;
    (void)row;
    ++*calls;
    return -ECANCELED;
}

static void test_a_walk_passes_on_the_visitors_error(void **state)
{
    struct scratch *scratch = *state;
    scratch_peer(scratch, "alice");
    scratch_peer(scratch, "bob");
    unsigned calls = 0;
    assert_int_equal(peers_each(scratch->db, refuse, &calls), -ECANCELED);
    assert_int_equal(calls, 1);
    assert_int_equal(look(scratch).count, 2);
}

static int walk_again(void *context, const struct peer_row *row)
{
    struct scratch *scratch = context;
    struct peer_row changed = *row;
    changed.trust = PEER_BLOCKED;
    assert_int_equal(look(scratch).count, 2);
    return peers_update(scratch->db, &changed, 5);
}

static void test_a_visitor_may_walk_and_update(void **state)
{
    struct scratch *scratch = *state;
    scratch_peer(scratch, "alice");
    scratch_peer(scratch, "bob");
    assert_int_equal(peers_each(scratch->db, walk_again, scratch), 0);
    struct seen seen = look(scratch);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.rows[0].trust, PEER_BLOCKED);
    assert_int_equal(seen.rows[1].trust, PEER_BLOCKED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

static int note_old_key(void *context, const struct peer_old_key *old)
{
    struct peer_old_key **next = context;
    *(*next)++ = *old;
    return 0;
}

static void test_keys_of_before_come_back_oldest_first(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row row = scratch_peer(scratch, "alice"), other = scratch_peer(scratch, "bob");
    struct peer_old_key old[4], *end = old;
    const uint8_t first = row.key[0];
    row.key[0] = (uint8_t)(first + 1);
    assert_int_equal(peers_update(scratch->db, &row, 100), 0);
    row.key[0] = (uint8_t)(first + 2);
    assert_int_equal(peers_update(scratch->db, &row, 200), 0);
    assert_int_equal(peers_old_keys(scratch->db, other.id, note_old_key, &end), 0);
    assert_ptr_equal(end, old);
    assert_int_equal(peers_old_keys(scratch->db, row.id, note_old_key, &end), 0);
    assert_int_equal(end - old, 2);
    assert_int_equal(old[0].key[0], first);
    assert_int_equal(old[0].replaced_ms, 100);
    assert_int_equal(old[1].key[0], (uint8_t)(first + 1));
    assert_int_equal(old[1].replaced_ms, 200);
}

static void test_who_came_by_itself_does_not_once_it_is_used(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row row = {.name = "bob", .adopted = true};
    assert_int_equal(peers_add(scratch->db, &row), 0);
    assert_true(look(scratch).rows[0].adopted);
    assert_int_equal(peers_set_used(scratch->db, row.id), 0);
    assert_false(look(scratch).rows[0].adopted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_instances_come_back_and_outlive_other_changes),
        TEST(test_features_are_unknown_until_the_peer_was_met),
        TEST(test_every_field_comes_back),
        TEST(test_who_came_by_itself_does_not_once_it_is_used),
        TEST(test_a_peer_without_a_key_has_none),
        TEST(test_last_address_is_kept_until_another_or_none_is_said),
        TEST(test_what_a_peer_told_is_kept_beside_what_was_given),
        TEST(test_longest_name_and_most_addresses_fit),
        TEST(test_name_and_key_are_unique),
        TEST(test_update_stores_all_of_the_row),
        TEST(test_update_replaces_addresses),
        TEST(test_a_replaced_key_is_on_record),
        TEST(test_a_removed_peer_frees_its_name_and_key),
        TEST(test_an_unknown_peer_is_not_found),
        TEST(test_a_walk_passes_on_the_visitors_error),
        TEST(test_a_visitor_may_walk_and_update),
        TEST(test_keys_of_before_come_back_oldest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
