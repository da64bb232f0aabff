/* SPDX-License-Identifier: ISC */
/*
 * Retention: what goes, what stays, and that what is gone is still known.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/expiry.h"
#include "store/requests.h"
#include "store/retention.h"
#include "unit/scratch_db.h"

enum { DAY_MS = 24 * 3600 * 1000, NOW_MS = 1000000 };

/* Applies the limits until nothing more goes; how many rows went. */
static unsigned apply(struct scratch *scratch, uint64_t before_ms, uint64_t keep)
{
    const struct retention retention = {before_ms, keep};
    unsigned total = 0, removed;
    do {
        assert_int_equal(retention_apply(scratch->db, &retention, NOW_MS, &removed), 0);
        assert_true(removed <= RETENTION_STEP);
        scratch_commit(scratch);
        total += removed;
    } while (removed > 0);
    return total;
}

/* Every seq that a walk over the events gives. */
struct seqs {
    int64_t seqs[1000];
    unsigned count;
};

static int take_seq(void *context, const struct event_row *event)
{
    struct seqs *seqs = context;
    seqs->seqs[seqs->count++] = event->seq;
    return 0;
}

static struct seqs all_events(struct scratch *scratch)
{
    struct seqs seqs = {.count = 0};
    assert_int_equal(events_each(scratch->db, 0, take_seq, &seqs), 0);
    return seqs;
}

static void test_what_is_older_goes_and_the_rest_stays(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    for (unsigned n = 1; n <= 300; n++)
        scratch_add(scratch, alice, MESSAGE_IN, n);
    scratch_commit(scratch);
    assert_int_equal(apply(scratch, 250 * 1000, 0), 249);
    assert_int_equal(scratch_stored(scratch), 51);
    assert_int_equal(all_events(scratch).seqs[0], 250);
    assert_int_equal(apply(scratch, 250 * 1000, 0), 0);
}

/* A row that tells of a message beyond all numbers. */
static void test_a_spoiled_row_is_damage(void **state)
{
    struct scratch *scratch = *state;
    const struct retention all = {.before_ms = NOW_MS};
    int64_t alice = scratch_peer(scratch, "alice").id;
    unsigned removed;
    scratch_add(scratch, alice, MESSAGE_OUT, 1);
    scratch_add(scratch, alice, MESSAGE_OUT, 2);
    assert_int_equal(queue_set_state(scratch->db, 1, MESSAGE_FAILED, NULL, 1), 0);
    scratch_commit(scratch);
    scratch_execute(scratch, "UPDATE log SET detail = x'00017fffffffffffffffffffffff'"
                             " WHERE type = 2");
    assert_int_equal(retention_apply(scratch->db, &all, NOW_MS, &removed), -EIO);
}

static void test_the_oldest_beyond_a_number_go(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    for (unsigned n = 1; n <= 300; n++)
        scratch_add(scratch, alice, n % 2 ? MESSAGE_IN : MESSAGE_OUT, n);
    for (unsigned n = 2; n <= 300; n += 2)
        assert_int_equal(queue_set_state(scratch->db, n, MESSAGE_DELIVERED, NULL, NOW_MS), 0);
    scratch_commit(scratch);
    assert_int_equal(apply(scratch, 0, 10), 290);
    assert_int_equal(scratch_stored(scratch), 10);
    assert_int_equal(all_events(scratch).seqs[0], 291);
    assert_int_equal(apply(scratch, 0, 10), 0);
}

static void test_what_is_in_the_queue_is_never_removed(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    struct uuid none = {0};
    unsigned removed;
    for (unsigned n = 1; n <= 3; n++)
        scratch_add(scratch, alice, MESSAGE_OUT, n);
    assert_int_equal(queue_set_transmitted(scratch->db, 2, &none, 2000), 0);
    assert_int_equal(queue_set_state(scratch->db, 3, MESSAGE_DELIVERED, NULL, 2000), 0);
    scratch_commit(scratch);
    assert_int_equal(apply(scratch, NOW_MS, 1), 2); /* message 3, and that it was delivered */
    assert_int_equal(scratch_stored(scratch), 2);
    assert_int_equal(retention_purge(scratch->db, alice, 0, NOW_MS, &removed), 0);
    assert_int_equal(removed, 0);
    struct messages_size queue;
    assert_int_equal(queue_size(scratch->db, alice, &queue), 0);
    assert_int_equal(queue.messages, 2);
}

static void test_a_removed_message_takes_its_events_along(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    unsigned removed;
    scratch_add(scratch, alice, MESSAGE_OUT, 1);
    scratch_add(scratch, alice, MESSAGE_IN, 2);
    assert_int_equal(queue_set_state(scratch->db, 1, MESSAGE_DELIVERED, NULL, NOW_MS), 0);
    assert_int_equal(retention_purge(scratch->db, alice, 1500, NOW_MS, &removed), 0);
    scratch_commit(scratch);
    assert_int_equal(removed, 1);
    struct seqs left = all_events(scratch);
    assert_int_equal(left.count, 1);
    assert_int_equal(left.seqs[0], 2);
    assert_int_equal(events_last(scratch->db), 3);
}

static void test_a_purge_is_of_one_peer(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    int64_t bob = scratch_peer(scratch, "bob").id;
    unsigned removed;
    scratch_add(scratch, alice, MESSAGE_IN, 1);
    scratch_add(scratch, bob, MESSAGE_IN, 2);
    assert_int_equal(retention_purge(scratch->db, bob, 0, NOW_MS, &removed), 0);
    assert_int_equal(removed, 1);
    struct uuid id = scratch_id(1);
    assert_int_equal(messages_known(scratch->db, alice, MESSAGE_IN, &id), 0);
    assert_int_equal(scratch_stored(scratch), 1);
    assert_int_equal(retention_purge(scratch->db, 0, 0, NOW_MS, &removed), 0);
    assert_int_equal(scratch_stored(scratch), 0);
}

static void test_a_removed_message_does_not_come_back_as_new(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    struct message_row again = scratch_add(scratch, alice, MESSAGE_IN, 1);
    scratch_commit(scratch);
    apply(scratch, NOW_MS, 0);
    assert_int_equal(scratch_stored(scratch), 0);
    scratch_reopen(scratch);
    assert_int_equal(messages_add(scratch->db, &again), DB_EXISTS);
    assert_int_equal(messages_known(scratch->db, alice, MESSAGE_IN, &again.id), 0);
    assert_int_equal(messages_known(scratch->db, alice, MESSAGE_OUT, &again.id), DB_NOT_FOUND);
}

static int take_row(void *context, const struct message_row *row)
{
    *(struct message_row *)context = *row;
    return 0;
}

static void test_a_removed_message_is_known_by_its_seq(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    struct message_row row = scratch_message(alice, MESSAGE_OUT, 1), found = {0};
    assert_int_equal(messages_add(scratch->db, &row), 0);
    assert_int_equal(queue_set_state(scratch->db, row.seq, MESSAGE_DELIVERED, NULL, 2000), 0);
    scratch_commit(scratch);
    apply(scratch, NOW_MS, 0);
    assert_int_equal(scratch_stored(scratch), 0);
    assert_int_equal(messages_at(scratch->db, row.seq, take_row, &found), 0);
    assert_memory_equal(&found.id, &row.id, sizeof found.id);
    assert_int_equal(found.seq, row.seq);
    assert_int_equal(found.state, MESSAGE_DELIVERED);
    assert_string_equal(found.peer_name, "alice");
    assert_int_equal(found.body.size, 0);
}

static void test_ids_are_kept_for_more_than_a_year(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    struct message_row row = scratch_add(scratch, alice, MESSAGE_IN, 1);
    const uint64_t year_ms = 365ULL * DAY_MS;
    unsigned removed;
    bool more;
    apply(scratch, NOW_MS, 0);
    assert_int_equal(retention_forget_ids(scratch->db, NOW_MS + year_ms, &removed, &more), 0);
    assert_int_equal(removed, 0);
    assert_int_equal(messages_known(scratch->db, alice, MESSAGE_IN, &row.id), 0);
    assert_int_equal(retention_forget_ids(scratch->db, NOW_MS + 2 * year_ms, &removed, &more), 0);
    assert_int_equal(removed, 1);
    assert_int_equal(messages_known(scratch->db, alice, MESSAGE_IN, &row.id), DB_NOT_FOUND);
}

static int find_request(struct scratch *scratch, unsigned number)
{
    char client_id[32];
    struct request_row row = {.uid = number % 3, .client_id = client_id};
    snprintf(client_id, sizeof client_id, "request-%u", number);
    return requests_find(scratch->db, &row);
}

/* They have no index by time: each step looks at some, and none is passed over. */
static void test_requests_are_forgotten_in_steps(void **state)
{
    enum { REQUESTS = 5 * RETENTION_REQUESTS / 2 };
    struct scratch *scratch = *state;
    const uint64_t late_ms = NOW_MS + 400ULL * DAY_MS;
    unsigned removed, total = 0, steps = 0;
    bool more = true;
    for (unsigned i = 0; i < REQUESTS; i++) {
        char client_id[32];
        struct request_row row = {
            .uid = i % 3, .client_id = client_id, .time_ms = i % 2 ? NOW_MS : late_ms};
        snprintf(client_id, sizeof client_id, "request-%u", i);
        assert_int_equal(requests_add(scratch->db, &row), 0);
    }
    for (; more; steps++) {
        assert_int_equal(retention_forget_ids(scratch->db, late_ms + DAY_MS, &removed, &more), 0);
        assert_true(removed <= RETENTION_REQUESTS);
        scratch_commit(scratch);
        total += removed;
    }
    assert_int_equal(total, REQUESTS / 2);
    assert_true(steps >= 3);
    for (unsigned i = 0; i < REQUESTS; i++)
        assert_int_equal(find_request(scratch, i), i % 2 ? DB_NOT_FOUND : 0);
}

static void test_a_seq_is_never_given_twice(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    int64_t last = scratch_add(scratch, alice, MESSAGE_IN, 1).seq;
    scratch_commit(scratch);
    apply(scratch, NOW_MS, 0);
    scratch_reopen(scratch);
    assert_int_equal(events_last(scratch->db), last);
    assert_int_equal(scratch_add(scratch, alice, MESSAGE_IN, 2).seq, last + 1);
}

/* Whether a text stands anywhere in the store's files. */
static bool on_disk(const struct scratch *scratch, const char *text)
{
    static const char *const suffixes[] = {"", "-wal"};
    static char content[4 << 20];
    bool found = false;
    for (unsigned i = 0; i < 2; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", scratch->path, suffixes[i]);
        FILE *file = fopen(path, "rb");
        size_t size = file != NULL ? fread(content, 1, sizeof content, file) : 0;
        found = found || memmem(content, size, text, strlen(text)) != NULL;
        if (file != NULL)
            fclose(file);
    }
    return found;
}

static void test_what_was_purged_is_gone_from_the_disk(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    static char large[9000];
    unsigned removed;
    memset(large, 'x', sizeof large - 1);
    memcpy(large + sizeof large - 8, "the end", 7);
    for (unsigned n = 1; n <= 3; n++) {
        struct message_row row = scratch_message(alice, MESSAGE_IN, n);
        row.body = n == 2 ? SPAN(large, sizeof large - 1) : SPAN("a secret text", 13);
        assert_int_equal(messages_add(scratch->db, &row), 0);
    }
    scratch_commit(scratch);
    assert_true(on_disk(scratch, "a secret text"));
    assert_true(on_disk(scratch, "the end"));
    assert_int_equal(retention_purge(scratch->db, alice, 0, NOW_MS, &removed), 0);
    assert_int_equal(removed, 3);
    scratch_commit(scratch);
    assert_false(on_disk(scratch, "a secret text"));
    assert_false(on_disk(scratch, "the end"));
}

/* --- the end of a message's time in the queue ------------------------------------------------- */

static int64_t add_expiring(struct scratch *scratch, int64_t peer, unsigned n, uint64_t at_ms)
{
    struct message_row row = scratch_message(peer, MESSAGE_OUT, n);
    row.expires_ms = at_ms;
    assert_int_equal(messages_add(scratch->db, &row), 0);
    return row.seq;
}

static enum message_state state_of(struct scratch *scratch, unsigned n)
{
    struct message_row row;
    struct uuid id = scratch_id(n);
    assert_int_equal(messages_get(scratch->db, &id, take_row, &row), 0);
    return row.state;
}

static void test_a_message_expires_at_its_time_and_not_before(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    unsigned count;
    uint64_t next;
    add_expiring(scratch, alice, 1, 5000);
    add_expiring(scratch, alice, 2, 4000);
    add_expiring(scratch, alice, 3, 0);
    assert_int_equal(expiry_next(scratch->db, &next), 0);
    assert_int_equal(next, 4000);
    assert_int_equal(expiry_apply(scratch->db, 3999, &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(expiry_apply(scratch->db, 4000, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(state_of(scratch, 1), MESSAGE_QUEUED);
    assert_int_equal(state_of(scratch, 2), MESSAGE_EXPIRED);
    assert_int_equal(expiry_apply(scratch->db, UINT32_MAX, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(state_of(scratch, 3), MESSAGE_QUEUED);
    assert_int_equal(expiry_next(scratch->db, &next), 0);
    assert_int_equal(next, 0);
}

static int note_states(void *context, const struct event_row *event)
{
    enum message_state *last = context;
    if (event->type == EVENT_MESSAGE_STATE) {
        assert_non_null(event->reason);
        *last = event->state;
    }
    return 0;
}

static void test_one_that_was_transmitted_becomes_unknown_and_both_are_told(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    struct uuid none = {0};
    enum message_state told = MESSAGE_RECEIVED;
    unsigned count;
    int64_t seq = add_expiring(scratch, alice, 1, 1000);
    assert_int_equal(queue_set_transmitted(scratch->db, seq, &none, 500), 0);
    scratch_commit(scratch);
    int64_t before = events_last(scratch->db);
    assert_int_equal(expiry_apply(scratch->db, 1000, &count), 0);
    scratch_commit(scratch);
    assert_int_equal(state_of(scratch, 1), MESSAGE_UNKNOWN);
    assert_int_equal(events_each(scratch->db, before, note_states, &told), 0);
    assert_int_equal(told, MESSAGE_UNKNOWN);
}

static void test_many_expire_in_bounded_steps(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    unsigned count;
    for (unsigned n = 1; n <= EXPIRY_MAX + 5; n++)
        add_expiring(scratch, alice, n, 1000);
    assert_int_equal(expiry_apply(scratch->db, 1000, &count), 0);
    assert_int_equal(count, EXPIRY_MAX);
    assert_int_equal(expiry_apply(scratch->db, 1000, &count), 0);
    assert_int_equal(count, 5);
    struct messages_size queue;
    assert_int_equal(queue_size(scratch->db, alice, &queue), 0);
    assert_int_equal(queue.messages, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_older_goes_and_the_rest_stays),
        TEST(test_a_spoiled_row_is_damage),
        TEST(test_the_oldest_beyond_a_number_go),
        TEST(test_what_is_in_the_queue_is_never_removed),
        TEST(test_a_removed_message_takes_its_events_along),
        TEST(test_a_purge_is_of_one_peer),
        TEST(test_a_removed_message_does_not_come_back_as_new),
        TEST(test_a_removed_message_is_known_by_its_seq),
        TEST(test_ids_are_kept_for_more_than_a_year),
        TEST(test_requests_are_forgotten_in_steps),
        TEST(test_a_seq_is_never_given_twice),
        TEST(test_what_was_purged_is_gone_from_the_disk),
        TEST(test_a_message_expires_at_its_time_and_not_before),
        TEST(test_one_that_was_transmitted_becomes_unknown_and_both_are_told),
        TEST(test_many_expire_in_bounded_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
