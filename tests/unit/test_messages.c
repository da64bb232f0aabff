/* SPDX-License-Identifier: ISC */
/*
 * Rows of messages: exactly once, in order, in the right state, and counted.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/handover.h"
#include "store/requests.h"
#include "store/retention.h"
#include "unit/scratch_db.h"

enum { SEEN_MAX = 64 };

struct seen {
    unsigned count;
    int64_t seqs[SEEN_MAX];
    struct message_row last;
};

static int remember(void *context, const struct message_row *row)
{
    struct seen *seen = context;
    assert_in_range(seen->count, 0, SEEN_MAX - 1);
    seen->seqs[seen->count++] = row->seq;
    seen->last = *row;
    seen->last.client_id = NULL;
    seen->last.body = SPAN(NULL, 0);
    return 0;
}

static int compare(void *context, const struct message_row *row)
{
    const struct message_row *expected = context;
    assert_int_equal(row->seq, expected->seq);
    assert_int_equal(row->peer, expected->peer);
    assert_int_equal(row->direction, expected->direction);
    assert_true(uuid_equal(&row->id, &expected->id));
    assert_int_equal(row->transmitted, expected->transmitted);
    assert_true(uuid_equal(&row->previous, &expected->previous));
    assert_int_equal(row->state, expected->state);
    assert_int_equal(row->trust, expected->trust);
    assert_int_equal(row->time_ms, expected->time_ms);
    assert_int_equal(row->sent_ms, expected->sent_ms);
    assert_int_equal(row->expires_ms, expected->expires_ms);
    assert_int_equal(row->client_id == NULL, expected->client_id == NULL);
    if (row->client_id != NULL)
        assert_string_equal(row->client_id, expected->client_id);
    assert_int_equal(row->text_size, expected->text_size);
    assert_int_equal(row->body.size, expected->body.size);
    if (row->body.size > 0)
        assert_memory_equal(row->body.data, expected->body.data, row->body.size);
    return 0;
}

static enum message_state state_of(struct scratch *scratch, unsigned n)
{
    struct seen seen = {0};
    struct uuid id = scratch_id(n);
    assert_int_equal(messages_get(scratch->db, &id, remember, &seen), 0);
    assert_int_equal(seen.count, 1);
    return seen.last.state;
}

static void set_state(struct scratch *scratch, int64_t seq, enum message_state state)
{
    assert_int_equal(queue_set_state(scratch->db, seq, state, NULL, 7), 0);
}

static struct seen queue_of(struct scratch *scratch, int64_t peer, int64_t after, unsigned limit)
{
    struct seen seen = {0};
    assert_int_equal(queue_each(scratch->db, peer, after, limit, remember, &seen), 0);
    return seen;
}

static void assert_queue_size(struct scratch *scratch, int64_t peer, uint64_t messages,
                              uint64_t bytes)
{
    struct messages_size size;
    assert_int_equal(queue_size(scratch->db, peer, &size), 0);
    assert_int_equal(size.messages, messages);
    assert_int_equal(size.bytes, bytes);
}

static void assert_count(struct scratch *scratch, uint64_t messages, uint64_t bytes)
{
    struct messages_size size;
    assert_int_equal(messages_count(scratch->db, &size), 0);
    assert_int_equal(size.messages, messages);
    assert_int_equal(size.bytes, bytes);
}

static void test_every_field_of_an_outgoing_message_comes_back(void **state)
{
    struct scratch *scratch = *state;
    struct message_row row = scratch_message(scratch_peer(scratch, "alice").id, MESSAGE_OUT, 1);
    row.expires_ms = 1800000000000;
    row.client_id = "a client's id";
    row.body = SPAN("\0sealed\0", 8);
    row.text_size = 3;
    assert_int_equal(messages_add(scratch->db, &row), 0);
    scratch_commit(scratch);
    scratch_reopen(scratch);
    assert_int_equal(messages_get(scratch->db, &row.id, compare, &row), 0);
}

static void test_every_field_of_an_incoming_message_comes_back(void **state)
{
    struct scratch *scratch = *state;
    struct message_row row = scratch_message(scratch_peer(scratch, "alice").id, MESSAGE_IN, 1);
    row.trust = PEER_VERIFIED;
    row.sent_ms = UINT64_MAX; /* a peer may claim any time */
    assert_int_equal(messages_add(scratch->db, &row), 0);
    assert_int_equal(messages_get(scratch->db, &row.id, compare, &row), 0);
}

static void test_a_message_without_a_body_has_none(void **state)
{
    struct scratch *scratch = *state;
    struct message_row row = scratch_message(scratch_peer(scratch, "alice").id, MESSAGE_IN, 1);
    row.body = SPAN(NULL, 0);
    assert_int_equal(messages_add(scratch->db, &row), 0);
    assert_int_equal(messages_get(scratch->db, &row.id, compare, &row), 0);
}

static void test_a_message_shows_its_peer_as_it_is_now(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row peer = scratch_peer(scratch, "alice");
    struct message_row row = scratch_add(scratch, peer.id, MESSAGE_IN, 1);
    snprintf(peer.name, sizeof peer.name, "alicia");
    assert_int_equal(peers_update(scratch->db, &peer, 5), 0);
    struct seen seen = {0};
    assert_int_equal(messages_get(scratch->db, &row.id, remember, &seen), 0);
    assert_string_equal(seen.last.peer_name, "alicia");
    assert_true(seen.last.pinned);
    assert_memory_equal(seen.last.peer_key, peer.key, PEER_KEY_SIZE);

    assert_int_equal(peers_remove(scratch->db, peer.id, 6), 0);
    assert_int_equal(messages_get(scratch->db, &row.id, remember, &seen), 0);
    assert_string_equal(seen.last.peer_name, "alicia");
}

static void test_an_id_is_stored_once_for_a_peer_and_direction(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    int64_t bob = scratch_peer(scratch, "bob").id;
    struct message_row row = scratch_add(scratch, alice, MESSAGE_IN, 1);
    scratch_commit(scratch);

    struct message_row again = scratch_message(alice, MESSAGE_IN, 1);
    again.body = SPAN("other", 5);
    assert_int_equal(messages_add(scratch->db, &again), DB_EXISTS);
    scratch_commit(scratch);
    assert_int_equal(events_last(scratch->db), row.seq);
    assert_int_equal(messages_get(scratch->db, &row.id, compare, &row), 0);
    assert_count(scratch, 1, 6);

    scratch_add(scratch, alice, MESSAGE_OUT, 1);
    scratch_add(scratch, bob, MESSAGE_IN, 1);
    assert_count(scratch, 3, 18);
}

static void test_an_id_is_known_across_a_restart(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    scratch_add(scratch, alice, MESSAGE_IN, 1);
    scratch_commit(scratch);
    scratch_add(scratch, alice, MESSAGE_IN, 2);
    scratch_reopen(scratch);

    struct uuid kept = scratch_id(1);
    struct uuid lost = scratch_id(2);
    assert_int_equal(messages_known(scratch->db, alice, MESSAGE_IN, &kept), 0);
    assert_int_equal(messages_known(scratch->db, alice, MESSAGE_OUT, &kept), DB_NOT_FOUND);
    assert_int_equal(messages_known(scratch->db, alice + 1, MESSAGE_IN, &kept), DB_NOT_FOUND);
    assert_int_equal(messages_known(scratch->db, alice, MESSAGE_IN, &lost), DB_NOT_FOUND);
}

static void test_a_message_to_nobody_changes_nothing(void **state)
{
    struct scratch *scratch = *state;
    struct message_row row = scratch_message(4711, MESSAGE_OUT, 1);
    assert_int_equal(messages_add(scratch->db, &row), -EINVAL);
    scratch_commit(scratch);
    assert_int_equal(events_last(scratch->db), 0);
    assert_count(scratch, 0, 0);
}

static void test_own_messages_are_found_first(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    struct uuid id = scratch_id(1);
    struct seen seen = {0};
    assert_int_equal(messages_get(scratch->db, &id, remember, &seen), DB_NOT_FOUND);
    scratch_add(scratch, alice, MESSAGE_IN, 1);
    assert_int_equal(messages_get(scratch->db, &id, remember, &seen), 0);
    assert_int_equal(seen.last.direction, MESSAGE_IN);
    scratch_add(scratch, alice, MESSAGE_OUT, 1);
    assert_int_equal(messages_get(scratch->db, &id, remember, &seen), 0);
    assert_int_equal(seen.last.direction, MESSAGE_OUT);
    assert_int_equal(seen.count, 2);
}

static int find_request(struct scratch *scratch, uint32_t uid, const char *client_id,
                        struct request_row *found)
{
    *found = (struct request_row){.uid = uid, .client_id = client_id};
    return requests_find(scratch->db, found);
}

static void test_a_client_id_is_found_with_all_that_it_made(void **state)
{
    struct scratch *scratch = *state;
    int64_t peers[] = {scratch_peer(scratch, "alice").id, scratch_peer(scratch, "bob").id};
    struct request_row request = {
        .uid = 1000, .client_id = "retry-1", .digest = {1, 2, 3}, .count = 2, .time_ms = 77};
    struct request_row found;
    for (unsigned i = 0; i < 2; i++) {
        struct message_row row = scratch_message(peers[i], MESSAGE_OUT, i + 1);
        row.client_id = "retry-1";
        assert_int_equal(messages_add(scratch->db, &row), 0);
        if (i == 0)
            request.first = row.seq;
    }
    assert_int_equal(requests_add(scratch->db, &request), 0);
    assert_int_equal(requests_add(scratch->db, &request), DB_EXISTS);
    scratch_commit(scratch);
    scratch_reopen(scratch);

    assert_int_equal(find_request(scratch, 1000, "retry-1", &found), 0);
    assert_int_equal(found.first, request.first);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.time_ms, 77);
    assert_true(found.compared);
    assert_memory_equal(found.digest, request.digest, sizeof found.digest);
    struct seen seen = {0};
    for (unsigned i = 0; i < found.count; i++)
        assert_int_equal(messages_at(scratch->db, found.first + i, remember, &seen), 0);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.seqs[1], request.first + 1);

    assert_int_equal(find_request(scratch, 1000, "retry-2", &found), DB_NOT_FOUND);
    assert_int_equal(find_request(scratch, 1000, "", &found), DB_NOT_FOUND);
    assert_int_equal(find_request(scratch, 1001, "retry-1", &found), DB_NOT_FOUND);
}

static void test_the_queue_is_in_order_and_of_one_peer(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    int64_t bob = scratch_peer(scratch, "bob").id;
    int64_t seqs[5];
    for (unsigned i = 0; i < 5; i++) {
        seqs[i] = scratch_add(scratch, alice, MESSAGE_OUT, 10 - i).seq;
        scratch_add(scratch, bob, MESSAGE_OUT, 20 + i);
        scratch_add(scratch, alice, MESSAGE_IN, 30 + i);
    }
    struct seen seen = queue_of(scratch, alice, 0, UINT_MAX);
    assert_int_equal(seen.count, 5);
    assert_memory_equal(seen.seqs, seqs, sizeof seqs);
    seen = queue_of(scratch, alice, seqs[1], 2);
    assert_int_equal(seen.count, 2);
    assert_memory_equal(seen.seqs, seqs + 2, 2 * sizeof *seqs);
    assert_int_equal(queue_of(scratch, alice, seqs[4], 9).count, 0);
    assert_int_equal(queue_of(scratch, alice, 0, 0).count, 0);
    assert_int_equal(queue_of(scratch, 4711, 0, 9).count, 0);
}

static void test_only_queued_and_sent_are_in_the_queue(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    for (enum message_state s = MESSAGE_QUEUED; s <= MESSAGE_UNKNOWN; s++) {
        struct message_row row = scratch_add(scratch, alice, MESSAGE_OUT, 1 + s);
        bool queued = s == MESSAGE_QUEUED || s == MESSAGE_SENT;
        set_state(scratch, row.seq, s);
        assert_int_equal(state_of(scratch, 1 + s), s);
        assert_int_equal(queue_of(scratch, alice, row.seq - 1, 1).count, queued);
    }
}

static void test_the_first_transmission_fixes_previous(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    struct message_row row = scratch_add(scratch, alice, MESSAGE_OUT, 1);
    struct uuid none = {0};
    struct uuid late = scratch_id(9);
    assert_int_equal(queue_set_transmitted(scratch->db, row.seq, &none, 7), 0);
    row.state = MESSAGE_SENT;
    row.transmitted = true;
    assert_int_equal(messages_get(scratch->db, &row.id, compare, &row), 0);

    assert_int_equal(queue_set_transmitted(scratch->db, row.seq, &late, 8), DB_NOT_FOUND);
    assert_int_equal(messages_get(scratch->db, &row.id, compare, &row), 0);

    struct message_row cancelled = scratch_add(scratch, alice, MESSAGE_OUT, 2);
    set_state(scratch, cancelled.seq, MESSAGE_CANCELLED);
    assert_int_equal(queue_set_transmitted(scratch->db, cancelled.seq, &late, 8), DB_NOT_FOUND);
    assert_int_equal(state_of(scratch, 2), MESSAGE_CANCELLED);
}

static void test_the_state_of_an_unknown_message_is_not_found(void **state)
{
    struct scratch *scratch = *state;
    assert_int_equal(queue_set_state(scratch->db, 4711, MESSAGE_FAILED, NULL, 7), DB_NOT_FOUND);
    scratch_commit(scratch);
    assert_int_equal(events_last(scratch->db), 0);
}

static void test_sizes_follow_every_change(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    int64_t bob = scratch_peer(scratch, "bob").id;
    assert_count(scratch, 0, 0);
    assert_queue_size(scratch, 0, 0, 0);

    struct message_row first = scratch_add(scratch, alice, MESSAGE_OUT, 1);
    struct message_row second = scratch_add(scratch, alice, MESSAGE_OUT, 22);
    scratch_add(scratch, bob, MESSAGE_OUT, 3);
    scratch_add(scratch, bob, MESSAGE_IN, 4);
    assert_count(scratch, 4, 25);
    assert_queue_size(scratch, 0, 3, 19);
    assert_queue_size(scratch, alice, 2, 13);
    assert_queue_size(scratch, bob, 1, 6);
    assert_queue_size(scratch, 4711, 0, 0);

    struct uuid none = {0};
    assert_int_equal(queue_set_transmitted(scratch->db, first.seq, &none, 7), 0);
    assert_queue_size(scratch, alice, 2, 13);
    set_state(scratch, first.seq, MESSAGE_DELIVERED);
    set_state(scratch, first.seq, MESSAGE_DELIVERED);
    assert_queue_size(scratch, alice, 1, 7);
    set_state(scratch, second.seq, MESSAGE_EXPIRED);
    assert_queue_size(scratch, alice, 0, 0);
    assert_count(scratch, 4, 25);

    scratch_reopen(scratch);
    assert_count(scratch, 0, 0);
}

static int reseal(void *context, const struct message_row *row, struct bytes *body)
{
    ++*(unsigned *)context;
    assert_true(row->body.size > 0);
    return bytes_append(body, "resealed", 8);
}

static int count_events(void *context, const struct event_row *event)
{
    assert_int_equal(event->peer, event->message->peer);
    ++*(unsigned *)context;
    return 0;
}

static void test_messages_go_to_another_peer_with_all_that_belongs_to_them(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    int64_t bob = scratch_peer(scratch, "bob").id;
    int64_t carol = scratch_peer(scratch, "carol").id;
    struct message_row moved = scratch_add(scratch, alice, MESSAGE_OUT, 1);
    scratch_add(scratch, bob, MESSAGE_OUT, 2);
    scratch_add(scratch, bob, MESSAGE_IN, 3);
    struct message_row purged = scratch_add(scratch, alice, MESSAGE_OUT, 4);
    scratch_add(scratch, carol, MESSAGE_OUT, 5);
    set_state(scratch, purged.seq, MESSAGE_DELIVERED);
    assert_int_equal(queue_set_transmitted(scratch->db, moved.seq, &moved.id, 7), 0);
    unsigned removed = 0, resealed = 0;
    assert_int_equal(retention_purge(scratch->db, alice, 0, 7, &removed), 0);
    assert_int_equal(removed, 1);

    struct handover handover = {.from = alice, .to = bob};
    for (bool more = true; more;)
        assert_int_equal(handover_step(scratch->db, &handover, reseal, &resealed, &more), 0);
    assert_int_equal(resealed, 1);
    assert_int_equal(queue_of(scratch, alice, 0, 9).count, 0);
    assert_queue_size(scratch, alice, 0, 0);
    struct seen queue = queue_of(scratch, bob, 0, 9);
    assert_int_equal(queue.count, 2);
    assert_int_equal(queue.seqs[0], moved.seq);
    assert_queue_size(scratch, bob, 2, 12);
    assert_queue_size(scratch, carol, 1, 6);
    assert_count(scratch, 4, 24);
    assert_int_equal(messages_known(scratch->db, bob, MESSAGE_OUT, &purged.id), 0);
    assert_int_equal(messages_known(scratch->db, alice, MESSAGE_OUT, &purged.id), DB_NOT_FOUND);
    unsigned events = 0;
    scratch_commit(scratch);
    assert_int_equal(events_each(scratch->db, 0, count_events, &events), 0);
    assert_int_equal(events, 5);
    moved.peer = bob;
    moved.transmitted = true;
    moved.state = MESSAGE_SENT;
    moved.previous = moved.id;
    moved.body = SPAN("resealed", 8);
    assert_int_equal(messages_get(scratch->db, &moved.id, compare, &moved), 0);
}

static int refuse(void *context, const struct message_row *row)
{
    (void)context;
    (void)row;
    return -ECANCELED;
}

static void test_walks_pass_on_the_visitors_error(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    struct message_row row = scratch_add(scratch, alice, MESSAGE_OUT, 1);
    struct queue_session start = {0};
    struct messages_filter all = {.limit = 9};
    assert_int_equal(messages_get(scratch->db, &row.id, refuse, NULL), -ECANCELED);
    assert_int_equal(messages_at(scratch->db, row.seq, refuse, NULL), -ECANCELED);
    assert_int_equal(queue_each_due(scratch->db, alice, &start, refuse, NULL), -ECANCELED);
    assert_int_equal(queue_each(scratch->db, alice, 0, 9, refuse, NULL), -ECANCELED);
    assert_int_equal(messages_newest(scratch->db, &all, refuse, NULL), -ECANCELED);
}

struct draining {
    struct scratch *scratch;
    unsigned visited;
};

/* Moves the visited message and its neighbours through the queue, and looks at the queue itself. */
static int drain(void *context, const struct message_row *row)
{
    struct draining *draining = context;
    struct scratch *scratch = draining->scratch;
    struct uuid none = {0};
    draining->visited++;
    assert_int_equal(queue_set_transmitted(scratch->db, row->seq, &none, 7), 0);
    assert_int_equal(queue_of(scratch, row->peer, row->seq - 1, 1).seqs[0], row->seq);
    if (draining->visited % 2 == 0)
        set_state(scratch, row->seq, MESSAGE_DELIVERED);
    scratch_add(scratch, row->peer, MESSAGE_IN, 1000 + draining->visited);
    return 0;
}

static void test_a_visitor_may_change_the_queue(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    for (unsigned i = 1; i <= 40; i++)
        scratch_add(scratch, alice, MESSAGE_OUT, i);
    struct draining draining = {.scratch = scratch};
    assert_int_equal(queue_each(scratch->db, alice, 0, UINT_MAX, drain, &draining), 0);
    assert_int_equal(draining.visited, 40);
    assert_int_equal(queue_of(scratch, alice, 0, UINT_MAX).count, 20);
    assert_int_equal(state_of(scratch, 1), MESSAGE_SENT);
    assert_int_equal(state_of(scratch, 40), MESSAGE_DELIVERED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_field_of_an_outgoing_message_comes_back),
        TEST(test_every_field_of_an_incoming_message_comes_back),
        TEST(test_a_message_without_a_body_has_none),
        TEST(test_a_message_shows_its_peer_as_it_is_now),
        TEST(test_an_id_is_stored_once_for_a_peer_and_direction),
        TEST(test_an_id_is_known_across_a_restart),
        TEST(test_a_message_to_nobody_changes_nothing),
        TEST(test_own_messages_are_found_first),
        TEST(test_a_client_id_is_found_with_all_that_it_made),
        TEST(test_the_queue_is_in_order_and_of_one_peer),
        TEST(test_only_queued_and_sent_are_in_the_queue),
        TEST(test_the_first_transmission_fixes_previous),
        TEST(test_the_state_of_an_unknown_message_is_not_found),
        TEST(test_sizes_follow_every_change),
        TEST(test_messages_go_to_another_peer_with_all_that_belongs_to_them),
        TEST(test_walks_pass_on_the_visitors_error),
        TEST(test_a_visitor_may_change_the_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
