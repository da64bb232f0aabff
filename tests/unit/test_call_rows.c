/* SPDX-License-Identifier: ISC */
/*
 * Tests store/calls: what is on disk of a request, step by step, what a copied store makes of it,
 * and that its row stays until it is over.
 */
#include "store/calls.h"

#include <string.h>

#include "store/queue.h"
#include "store/retention.h"
#include "unit/cmocka_all.h"
#include "unit/scratch_db.h"

enum { HOUR_MS = 3600 * 1000 };

static const uint8_t claim[CALL_CLAIM_SIZE] = {1, 2, 3};

/* The n-th message is a request of the peer. */
static struct call_row add_request(struct scratch *scratch, int64_t peer, unsigned n)
{
    struct message_row message = scratch_message(peer, MESSAGE_IN, n);
    message.kind = MESSAGE_REQUEST;
    assert_int_equal(messages_add(scratch->db, &message), 0);
    struct call_row row = {
        .seq = message.seq, .peer = peer, .id = message.id, .deadline_ms = n * 1000 + HOUR_MS};
    memcpy(row.service, "it", 3);
    assert_int_equal(calls_add(scratch->db, &row), 0);
    return row;
}

struct open_calls {
    struct call_row rows[8];
    unsigned count;
};

static int take_row(void *context, const struct call_row *row)
{
    struct open_calls *open = context;
    open->rows[open->count++] = *row;
    return 0;
}

static struct open_calls read_open(struct scratch *scratch)
{
    struct open_calls open = {.count = 0};
    scratch_commit(scratch);
    scratch_reopen(scratch);
    assert_int_equal(calls_each_open(scratch->db, take_row, &open), 0);
    return open;
}

static void test_a_request_is_open_until_it_is_ended(void **state)
{
    struct scratch *scratch = *state;
    const int64_t alice = scratch_peer(scratch, "alice").id, bob = scratch_peer(scratch, "bob").id;
    const struct call_row first = add_request(scratch, alice, 1);
    const struct call_row second = add_request(scratch, bob, 2);
    struct open_calls open = read_open(scratch);
    assert_int_equal(open.count, 2);
    assert_int_equal(open.rows[0].seq, first.seq);
    assert_int_equal(open.rows[0].peer, alice);
    assert_true(uuid_equal(&open.rows[0].id, &first.id));
    assert_string_equal(open.rows[0].service, "it");
    assert_int_equal(open.rows[0].deadline_ms, first.deadline_ms);
    assert_int_equal(open.rows[0].state, CALL_WAITING);
    assert_false(open.rows[0].claimed);
    assert_int_equal(calls_claim(scratch->db, second.seq, claim), 0);
    assert_int_equal(calls_end(scratch->db, first.seq, 3, 0), 0);
    open = read_open(scratch);
    assert_int_equal(open.count, 1);
    assert_int_equal(open.rows[0].seq, second.seq);
    assert_int_equal(open.rows[0].peer, bob);
    assert_int_equal(open.rows[0].state, CALL_CLAIMED);
    assert_true(open.rows[0].claimed);
    assert_memory_equal(open.rows[0].claim, claim, sizeof claim);
    assert_int_equal(calls_end(scratch->db, second.seq, 0, 7), 0);
    assert_int_equal(read_open(scratch).count, 0);
}

/* Two peers may use the same id, and nobody who asks says which is meant. */
static void test_how_a_request_ended_is_known_by_its_id(void **state)
{
    struct scratch *scratch = *state;
    const struct call_row first = add_request(scratch, scratch_peer(scratch, "alice").id, 1);
    const struct call_row other = add_request(scratch, scratch_peer(scratch, "bob").id, 1);
    const struct uuid unknown = scratch_id(2);
    assert_int_equal(calls_ended_as(scratch->db, &first.id, 0, 0), DB_NOT_FOUND);
    assert_int_equal(calls_end(scratch->db, first.seq, 1, 15), 0);
    assert_int_equal(calls_end(scratch->db, other.seq, 0, 255), 0);
    assert_int_equal(calls_ended_as(scratch->db, &first.id, 1, 15), 0);
    assert_int_equal(calls_ended_as(scratch->db, &first.id, 0, 255), 0);
    assert_int_equal(calls_ended_as(scratch->db, &first.id, 1, 14), DB_NOT_FOUND);
    assert_int_equal(calls_ended_as(scratch->db, &first.id, 0, 15), DB_NOT_FOUND);
    assert_int_equal(calls_ended_as(scratch->db, &unknown, 1, 15), DB_NOT_FOUND);
}

static void test_the_first_result_is_kept(void **state)
{
    struct scratch *scratch = *state;
    const int64_t alice = scratch_peer(scratch, "alice").id;
    const struct message_row request = scratch_add(scratch, alice, MESSAGE_OUT, 1);
    const struct call_result first = {1, 9, 1234}, second = {0, 0, 1235};
    struct call_result found;
    assert_int_equal(calls_find_result(scratch->db, request.seq, &found), DB_NOT_FOUND);
    assert_int_equal(calls_set_result(scratch->db, &request, &first), 0);
    assert_int_equal(calls_set_result(scratch->db, &request, &second), DB_EXISTS);
    assert_int_equal(calls_find_result(scratch->db, request.seq, &found), 0);
    assert_int_equal(found.outcome, 1);
    assert_int_equal(found.status, 9);
    assert_int_equal(found.seq, 1234);
}

/* What the row of an incoming request has beside it is no result of ours. */
static void test_an_ended_request_of_a_peer_has_no_result_here(void **state)
{
    struct scratch *scratch = *state;
    const struct call_row row = add_request(scratch, scratch_peer(scratch, "alice").id, 1);
    struct call_result found;
    assert_int_equal(calls_end(scratch->db, row.seq, 0, 0), 0);
    assert_int_equal(calls_find_result(scratch->db, row.seq, &found), DB_NOT_FOUND);
}

static void test_in_a_copied_store_what_is_open_is_nobody_s(void **state)
{
    struct scratch *scratch = *state;
    const int64_t alice = scratch_peer(scratch, "alice").id;
    add_request(scratch, alice, 1);
    const struct call_row second = add_request(scratch, alice, 2);
    assert_int_equal(calls_claim(scratch->db, second.seq, claim), 0);
    scratch_commit(scratch);
    scratch_execute(scratch, "UPDATE meta SET file = 'another'");
    const struct open_calls open = read_open(scratch);
    assert_int_equal(open.count, 2);
    for (unsigned i = 0; i < open.count; i++) {
        assert_int_equal(open.rows[i].state, CALL_CLAIMED);
        assert_false(open.rows[i].claimed);
    }
}

/* --- what stays ------------------------------------------------------------------------------- */

static bool is_stored(struct scratch *scratch, int64_t peer, enum message_direction direction,
                      unsigned n)
{
    struct messages_size stored;
    const struct uuid id = scratch_id(n);
    unsigned removed;
    /* Everything may go, for its age, for the number, and because people want it. */
    const struct retention age = {.before_ms = 10 * HOUR_MS}, number = {.keep_messages = 1};
    assert_int_equal(messages_known(scratch->db, peer, direction, &id), 0);
    assert_int_equal(retention_apply(scratch->db, &age, 20 * HOUR_MS, &removed), 0);
    assert_int_equal(retention_apply(scratch->db, &number, 20 * HOUR_MS, &removed), 0);
    assert_int_equal(retention_purge(scratch->db, peer, 0, 20 * HOUR_MS, &removed), 0);
    assert_int_equal(retention_purge(scratch->db, 0, 0, 20 * HOUR_MS, &removed), 0);
    scratch_commit(scratch);
    assert_int_equal(messages_count(scratch->db, &stored), 0);
    return stored.messages > 0;
}

static void test_a_request_stays_until_it_is_over(void **state)
{
    struct scratch *scratch = *state;
    const int64_t alice = scratch_peer(scratch, "alice").id;
    scratch_add(scratch, alice, MESSAGE_IN, 2);
    const struct call_row row = add_request(scratch, alice, 1);
    assert_true(is_stored(scratch, alice, MESSAGE_IN, 1));
    assert_int_equal(scratch_stored(scratch), 1);
    assert_int_equal(calls_claim(scratch->db, row.seq, claim), 0);
    assert_true(is_stored(scratch, alice, MESSAGE_IN, 1));
    assert_int_equal(read_open(scratch).count, 1);
    assert_int_equal(calls_end(scratch->db, row.seq, 0, 0), 0);
    assert_false(is_stored(scratch, alice, MESSAGE_IN, 1));
}

/* A request of ours that was delivered, and expires at this time. */
static void deliver_request(struct scratch *scratch, int64_t peer, unsigned n, uint64_t expires_ms)
{
    struct message_row row = scratch_message(peer, MESSAGE_OUT, n);
    struct uuid last;
    row.kind = MESSAGE_REQUEST;
    row.expires_ms = expires_ms;
    assert_int_equal(messages_add(scratch->db, &row), 0);
    assert_int_equal(messages_last(scratch->db, peer, MESSAGE_OUT, &last), 0);
    assert_int_equal(queue_set_transmitted(scratch->db, row.seq, &last, 1), 0);
    assert_int_equal(queue_set_state(scratch->db, row.seq, MESSAGE_DELIVERED, NULL, 1), 0);
    scratch_commit(scratch);
}

static void test_a_request_of_ours_stays_while_its_result_may_come_in_time(void **state)
{
    struct scratch *scratch = *state;
    const int64_t alice = scratch_peer(scratch, "alice").id;
    deliver_request(scratch, alice, 1, 10 * HOUR_MS + 1000); /* until 20 h and a second */
    assert_true(is_stored(scratch, alice, MESSAGE_OUT, 1));
    assert_int_equal(queue_set_state(scratch->db, 1, MESSAGE_PROCESSED, NULL, 1), 0);
    assert_false(is_stored(scratch, alice, MESSAGE_OUT, 1));
    deliver_request(scratch, alice, 2, 10 * HOUR_MS + 1000); /* until 20 h */
    assert_false(is_stored(scratch, alice, MESSAGE_OUT, 2));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_request_is_open_until_it_is_ended),
        TEST(test_how_a_request_ended_is_known_by_its_id),
        TEST(test_the_first_result_is_kept),
        TEST(test_an_ended_request_of_a_peer_has_no_result_here),
        TEST(test_in_a_copied_store_what_is_open_is_nobody_s),
        TEST(test_a_request_stays_until_it_is_over),
        TEST(test_a_request_of_ours_stays_while_its_result_may_come_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
