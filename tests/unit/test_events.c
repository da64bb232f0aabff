/* SPDX-License-Identifier: ISC */
/*
 * Events: strictly rising, only when committed, and found by count and time.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "unit/scratch_db.h"

enum { SEEN_MAX = 64 };

struct seen {
    unsigned count;
    unsigned stop_at; /* takes so many; 0 is all */
    int64_t seqs[SEEN_MAX];
    enum event_type types[SEEN_MAX];
    struct event_row last; /* without what lives only during the visit */
    struct uuid last_id;
    char last_reason[64];
};

static int remember(void *context, const struct event_row *event)
{
    struct seen *seen = context;
    if (seen->stop_at != 0 && seen->count == seen->stop_at)
        return 1;
    assert_in_range(seen->count, 0, SEEN_MAX - 1);
    seen->seqs[seen->count] = event->seq;
    seen->types[seen->count++] = event->type;
    seen->last = *event;
    snprintf(seen->last_reason, sizeof seen->last_reason, "%s",
             event->reason != NULL ? event->reason : "");
    if (event->message != NULL)
        seen->last_id = event->message->id;
    return 0;
}

static struct seen after(struct scratch *scratch, int64_t seq)
{
    struct seen seen = {0};
    assert_int_equal(events_each(scratch->db, seq, remember, &seen), 0);
    for (unsigned i = 1; i < seen.count; i++)
        assert_true(seen.seqs[i] > seen.seqs[i - 1]);
    return seen;
}

static void test_a_message_has_the_seq_of_its_event(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    struct message_row in = scratch_add(scratch, alice, MESSAGE_IN, 1);
    struct message_row out = scratch_add(scratch, alice, MESSAGE_OUT, 2);
    scratch_commit(scratch);

    struct seen seen = after(scratch, 0);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.seqs[0], in.seq);
    assert_int_equal(seen.types[0], EVENT_MESSAGE_RECEIVED);
    assert_int_equal(seen.seqs[1], out.seq);
    assert_int_equal(seen.types[1], EVENT_MESSAGE_SENT);
    assert_int_equal(seen.last.time_ms, out.time_ms);
    assert_int_equal(seen.last.peer, alice);
    assert_int_equal(seen.last.trust, PEER_TOFU);
    assert_string_equal(seen.last.peer_name, "alice");
    assert_true(uuid_equal(&seen.last_id, &out.id));
    assert_int_equal(events_last(scratch->db), out.seq);
}

static void test_every_change_of_state_is_an_event(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row alice = scratch_peer(scratch, "alice");
    struct message_row row = scratch_add(scratch, alice.id, MESSAGE_OUT, 1);
    struct uuid none = {0};
    assert_int_equal(queue_set_transmitted(scratch->db, row.seq, &none, 20), 0);
    scratch_commit(scratch);
    struct seen seen = after(scratch, row.seq);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.last.type, EVENT_MESSAGE_STATE);
    assert_int_equal(seen.last.state, MESSAGE_SENT);
    assert_int_equal(seen.last.time_ms, 20);
    assert_int_equal(seen.last.peer, alice.id);
    assert_null(seen.last.reason);
    assert_true(uuid_equal(&seen.last_id, &row.id));

    alice.trust = PEER_BLOCKED;
    assert_int_equal(peers_update(scratch->db, &alice, 21), 0);
    assert_int_equal(queue_set_state(scratch->db, row.seq, MESSAGE_FAILED, "too odd", 22), 0);
    scratch_commit(scratch);
    seen = after(scratch, seen.last.seq);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.last.state, MESSAGE_FAILED);
    assert_int_equal(seen.last.trust, PEER_BLOCKED);
    assert_string_equal(seen.last_reason, "too odd");
    assert_true(uuid_equal(&seen.last_id, &row.id));
}

static void test_an_event_about_a_peer_comes_back(void **state)
{
    struct scratch *scratch = *state;
    struct peer_row alice = scratch_peer(scratch, "alice");
    struct event_row event = {.type = EVENT_PEER_KEY_CHANGED,
                              .time_ms = 5,
                              .peer = alice.id,
                              .trust = PEER_CHANGED,
                              .offered = true,
                              .offered_key = {1, 2, 3}};
    assert_int_equal(events_add(scratch->db, &event), 0);
    scratch_commit(scratch);
    scratch_reopen(scratch);

    struct seen seen = after(scratch, 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.last.seq, event.seq);
    assert_int_equal(seen.last.type, EVENT_PEER_KEY_CHANGED);
    assert_int_equal(seen.last.trust, PEER_CHANGED);
    assert_true(seen.last.offered);
    assert_memory_equal(seen.last.offered_key, event.offered_key, PEER_KEY_SIZE);
    assert_true(seen.last.pinned);
    assert_memory_equal(seen.last.key, alice.key, PEER_KEY_SIZE);
    assert_null(seen.last.message);
}

static void test_an_event_about_nobody_is_refused(void **state)
{
    struct scratch *scratch = *state;
    struct event_row event = {.type = EVENT_PEER_TRUST, .peer = 4711};
    assert_int_equal(events_add(scratch->db, &event), -EINVAL);
    scratch_commit(scratch);
    assert_int_equal(after(scratch, 0).count, 0);
}

static void test_nothing_shows_before_its_commit(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    int64_t first = scratch_add(scratch, alice, MESSAGE_IN, 1).seq;
    scratch_commit(scratch);
    scratch_add(scratch, alice, MESSAGE_IN, 2);
    int64_t seq;

    assert_int_equal(after(scratch, 0).count, 1);
    assert_int_equal(events_last(scratch->db), first);
    assert_int_equal(events_tail(scratch->db, 0, 1, &seq), 0);
    assert_int_equal(seq, first - 1);
    assert_int_equal(events_since(scratch->db, 2000, &seq), 0);
    assert_int_equal(seq, first);

    scratch_commit(scratch);
    assert_int_equal(after(scratch, 0).count, 2);
    assert_true(events_last(scratch->db) > first);
}

static void test_seqs_go_on_after_a_restart(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    int64_t first = scratch_add(scratch, alice, MESSAGE_IN, 1).seq;
    scratch_commit(scratch);
    scratch_reopen(scratch);
    assert_int_equal(events_last(scratch->db), first);
    assert_true(scratch_add(scratch, alice, MESSAGE_IN, 2).seq > first);
}

static void test_a_follower_stops_and_goes_on(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    for (unsigned i = 1; i <= 10; i++)
        scratch_add(scratch, alice, MESSAGE_IN, i);
    scratch_commit(scratch);
    struct seen seen = {.stop_at = 4};
    assert_int_equal(events_each(scratch->db, 0, remember, &seen), 0);
    assert_int_equal(seen.count, 4);
    assert_int_equal(after(scratch, seen.last.seq).count, 6);
    assert_int_equal(after(scratch, events_last(scratch->db)).count, 0);
    assert_int_equal(after(scratch, INT64_MAX).count, 0);
}

static int refuse(void *context, const struct event_row *event)
{
    (void)context;
    (void)event;
    return -EPIPE;
}

static void test_a_walk_passes_on_the_visitors_error(void **state)
{
    struct scratch *scratch = *state;
    scratch_add(scratch, scratch_peer(scratch, "alice").id, MESSAGE_IN, 1);
    scratch_commit(scratch);
    assert_int_equal(events_each(scratch->db, 0, refuse, NULL), -EPIPE);
}

static void test_the_tail_begins_with_so_many_received_messages(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    int64_t bob = scratch_peer(scratch, "bob").id;
    int64_t received[6];
    for (unsigned i = 0; i < 6; i++) {
        scratch_add(scratch, alice, MESSAGE_OUT, 100 + i);
        received[i] = scratch_add(scratch, i < 3 ? alice : bob, MESSAGE_IN, i + 1).seq;
    }
    scratch_add(scratch, alice, MESSAGE_OUT, 200);
    scratch_commit(scratch);

    int64_t seq;
    assert_int_equal(events_tail(scratch->db, 0, 0, &seq), 0);
    assert_int_equal(seq, events_last(scratch->db));
    assert_int_equal(events_tail(scratch->db, 0, 2, &seq), 0);
    assert_int_equal(seq, received[4] - 1);
    assert_int_equal(events_tail(scratch->db, 0, 100, &seq), 0);
    assert_int_equal(seq, received[0] - 1);
    assert_int_equal(events_tail(scratch->db, alice, 2, &seq), 0);
    assert_int_equal(seq, received[1] - 1);
    assert_int_equal(events_tail(scratch->db, 4711, 2, &seq), 0);
    assert_int_equal(seq, events_last(scratch->db));
}

/* Whose events of which types are wanted. */
struct wish {
    int64_t peer;
    unsigned types;
};

static bool is_wanted(void *context, enum event_type type, enum message_kind kind, int64_t peer)
{
    const struct wish *wish = context;
    return wish->peer == peer && (wish->types >> type & 1) != 0 && kind <= MESSAGE_HEADERS;
}

static void test_the_tail_counts_events_of_the_types_and_peers_that_are_wanted(void **state)
{
    enum { SENT = 1u << EVENT_MESSAGE_SENT, BOTH = SENT | 1u << EVENT_MESSAGE_RECEIVED };
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    int64_t bob = scratch_peer(scratch, "bob").id;
    struct wish sent_only = {alice, SENT}, both = {alice, BOTH};
    int64_t sent[3], received[3], seq;
    for (unsigned i = 0; i < 3; i++) {
        sent[i] = scratch_add(scratch, alice, MESSAGE_OUT, i + 1).seq;
        received[i] = scratch_add(scratch, alice, MESSAGE_IN, i + 1).seq;
        scratch_add(scratch, bob, MESSAGE_OUT, i + 101);
    }
    scratch_commit(scratch);
    assert_int_equal(events_tail_of(scratch->db, is_wanted, &sent_only, 2, &seq), 0);
    assert_int_equal(seq, sent[1] - 1);
    assert_int_equal(events_tail_of(scratch->db, is_wanted, &both, 3, &seq), 0);
    assert_int_equal(seq, received[1] - 1);
    assert_int_equal(events_tail_of(scratch->db, is_wanted, &both, 0, &seq), 0);
    assert_int_equal(seq, events_last(scratch->db));
    assert_int_equal(events_tail_of(scratch->db, is_wanted, &both, 100, &seq), 0);
    assert_int_equal(seq, sent[0] - 1);
}

static void test_since_begins_with_the_first_event_of_that_time(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    static const unsigned times[] = {1, 5, 3, 9}; /* the clock was set back after 5 */
    int64_t seqs[4];
    int64_t seq;
    assert_int_equal(events_since(scratch->db, 0, &seq), 0);
    assert_int_equal(seq, 0);
    for (unsigned i = 0; i < 4; i++)
        seqs[i] = scratch_add(scratch, alice, MESSAGE_IN, times[i]).seq;
    scratch_commit(scratch);

    static const struct {
        uint64_t since_ms;
        unsigned first;
    } cases[] = {{0, 0}, {1000, 0}, {1001, 1}, {3000, 1}, {5000, 1}, {5001, 3}, {9000, 3}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(events_since(scratch->db, cases[i].since_ms, &seq), 0);
        assert_int_equal(seq, seqs[cases[i].first] - 1);
    }
    assert_int_equal(events_since(scratch->db, 9001, &seq), 0);
    assert_int_equal(seq, seqs[3]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_message_has_the_seq_of_its_event),
        TEST(test_every_change_of_state_is_an_event),
        TEST(test_an_event_about_a_peer_comes_back),
        TEST(test_an_event_about_nobody_is_refused),
        TEST(test_nothing_shows_before_its_commit),
        TEST(test_seqs_go_on_after_a_restart),
        TEST(test_a_follower_stops_and_goes_on),
        TEST(test_a_walk_passes_on_the_visitors_error),
        TEST(test_the_tail_begins_with_so_many_received_messages),
        TEST(test_the_tail_counts_events_of_the_types_and_peers_that_are_wanted),
        TEST(test_since_begins_with_the_first_event_of_that_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
