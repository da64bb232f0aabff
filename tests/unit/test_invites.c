/* SPDX-License-Identifier: ISC */
/*
 * Rows of invites: stored durably, found by their id, gone once they are used.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/invites.h"
#include "unit/scratch_db.h"

static struct invite_row make_invite(unsigned number)
{
    struct invite_row row = {.created_ms = 1000 * number, .expires_ms = 1000 * number + 500};
    memset(row.id, (int)number, sizeof row.id);
    memset(row.sealed, (int)number + 1, sizeof row.sealed);
    snprintf(row.name, sizeof row.name, "peer%u", number);
    return row;
}

static struct invite_row add(struct scratch *scratch, uint8_t number)
{
    struct invite_row row = make_invite(number);
    assert_int_equal(invites_add(scratch->db, &row), 0);
    return row;
}

static void assert_same(const struct invite_row *row, const struct invite_row *expected)
{
    assert_memory_equal(row->id, expected->id, sizeof row->id);
    assert_memory_equal(row->sealed, expected->sealed, sizeof row->sealed);
    assert_string_equal(row->name, expected->name);
    assert_int_equal(row->created_ms, expected->created_ms);
    assert_int_equal(row->expires_ms, expected->expires_ms);
}

struct seen {
    unsigned count;
    uint8_t numbers[8];
};

static int remember(void *context, const struct invite_row *row)
{
    struct seen *seen = context;
    seen->numbers[seen->count++] = row->id[0];
    return 0;
}

static void test_every_field_survives_a_crash(void **state)
{
    struct scratch *scratch = *state;
    struct invite_row expected = add(scratch, 1), row;
    scratch_commit(scratch);
    scratch_reopen(scratch);
    assert_int_equal(invites_get(scratch->db, expected.id, &row), 0);
    assert_same(&row, &expected);
}

static void test_what_was_not_committed_is_gone(void **state)
{
    struct scratch *scratch = *state;
    struct invite_row expected = add(scratch, 1), row;
    scratch_reopen(scratch);
    assert_int_equal(invites_get(scratch->db, expected.id, &row), DB_NOT_FOUND);
}

static void test_an_id_is_given_once(void **state)
{
    struct scratch *scratch = *state;
    struct invite_row row = add(scratch, 1);
    assert_int_equal(invites_add(scratch->db, &row), DB_EXISTS);
}

static void test_one_is_removed_once_and_no_other(void **state)
{
    struct scratch *scratch = *state;
    struct invite_row first = add(scratch, 1), second = add(scratch, 2), row;
    assert_int_equal(invites_remove(scratch->db, first.id), 0);
    assert_int_equal(invites_remove(scratch->db, first.id), DB_NOT_FOUND);
    assert_int_equal(invites_get(scratch->db, first.id, &row), DB_NOT_FOUND);
    assert_int_equal(invites_get(scratch->db, second.id, &row), 0);
    assert_same(&row, &second);
}

static void test_those_that_expired_are_forgotten(void **state)
{
    struct scratch *scratch = *state;
    struct seen seen = {0};
    for (uint8_t number = 1; number <= 3; number++)
        add(scratch, number);
    assert_int_equal(invites_expire(scratch->db, 2499), 0);
    assert_int_equal(invites_each(scratch->db, remember, &seen), 0);
    assert_int_equal(seen.count, 2);
    seen = (struct seen){0};
    assert_int_equal(invites_expire(scratch->db, 2500), 0);
    assert_int_equal(invites_each(scratch->db, remember, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.numbers[0], 3);
}

static void test_they_are_visited_oldest_first(void **state)
{
    struct scratch *scratch = *state;
    struct seen seen = {0};
    static const uint8_t order[] = {3, 1, 2};
    for (unsigned i = 0; i < 3; i++)
        add(scratch, order[i]);
    assert_int_equal(invites_each(scratch->db, remember, &seen), 0);
    assert_int_equal(seen.count, 3);
    for (uint8_t i = 0; i < 3; i++)
        assert_int_equal(seen.numbers[i], i + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

struct sealing {
    unsigned given, taken;
};

static int seal(void *context, bool given, struct span owner,
                const uint8_t secret[static PEER_INVITE_SIZE],
                uint8_t sealed[static PEER_INVITE_SEALED_SIZE])
{
    struct sealing *sealing = context;
    assert_int_equal(owner.size, given ? INVITE_ROW_ID_SIZE : PEER_KEY_SIZE);
    assert_int_equal(owner.data[0], given ? 0xaa : 0xbb);
    assert_int_equal(secret[0], given ? 0xcc : 0xdd);
    memset(sealed, given ? 1 : 2, PEER_INVITE_SEALED_SIZE);
    ++*(given ? &sealing->given : &sealing->taken);
    return 0;
}

static int note_peer(void *context, const struct peer_row *row)
{
    *(struct peer_row *)context = *row;
    return 0;
}

/* Those of version 4 and before. */
static void test_secrets_that_are_not_sealed_get_sealed(void **state)
{
    struct scratch *scratch = *state;
    struct sealing sealing = {0};
    const uint8_t id[INVITE_ROW_ID_SIZE] = {0xaa};
    struct invite_row row;
    struct peer_row peer = scratch_peer(scratch, "bob");
    scratch_commit(scratch);
    scratch_execute(scratch,
                    "INSERT INTO invite (id, secret, name, created_ms, expires_ms) VALUES"
                    " (x'aa000000000000000000000000000000', x'cc000000000000000000000000000000',"
                    "  '', 1, 2);"
                    "UPDATE peer SET key = CAST(x'bb' || zeroblob(31) AS BLOB),"
                    " invite_secret = x'dd000000000000000000000000000000'");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(invites_seal_all(scratch->db, seal, &sealing), 0);
        assert_int_equal(sealing.given, 1);
        assert_int_equal(sealing.taken, 1);
    }
    assert_int_equal(invites_get(scratch->db, id, &row), 0);
    assert_int_equal(row.sealed[0], 1);
    assert_int_equal(peers_each(scratch->db, note_peer, &peer), 0);
    assert_true(peer.invited);
    assert_int_equal(peer.invite_sealed[0], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_field_survives_a_crash),
        TEST(test_what_was_not_committed_is_gone),
        TEST(test_an_id_is_given_once),
        TEST(test_one_is_removed_once_and_no_other),
        TEST(test_those_that_expired_are_forgotten),
        TEST(test_they_are_visited_oldest_first),
        TEST(test_secrets_that_are_not_sealed_get_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
