/* SPDX-License-Identifier: ISC */
/*
 * The newest messages: by peer, position, time and queue, and with those left out that nobody
 * wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "store/sql.h"
#include "unit/scratch_db.h"

enum { SEEN_MAX = 64 };

struct seen {
    unsigned count;
    unsigned skip_every; /* leaves out each n-th row; 0 is none */
    unsigned rows;
    int64_t seqs[SEEN_MAX];
};

static int remember(void *context, const struct message_row *row)
{
    struct seen *seen = context;
    if (seen->skip_every != 0 && ++seen->rows % seen->skip_every == 0)
        return 1;
    assert_in_range(seen->count, 0, SEEN_MAX - 1);
    seen->seqs[seen->count++] = row->seq;
    return 0;
}

static struct seen newest(struct scratch *scratch, struct messages_filter filter)
{
    struct seen seen = {0};
    assert_int_equal(messages_newest(scratch->db, &filter, remember, &seen), 0);
    for (unsigned i = 1; i < seen.count; i++)
        assert_true(seen.seqs[i] < seen.seqs[i - 1]);
    return seen;
}

static void test_newest_messages_come_newest_first(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    int64_t bob = scratch_peer(scratch, "bob").id;
    int64_t seqs[10];
    for (unsigned i = 0; i < 10; i++)
        seqs[i] = scratch_add(scratch, i % 2 != 0 ? bob : alice, MESSAGE_IN, i + 1).seq;

    struct seen seen = newest(scratch, (struct messages_filter){.limit = 3});
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.seqs[0], seqs[9]);
    assert_int_equal(newest(scratch, (struct messages_filter){.limit = 100}).count, 10);
    assert_int_equal(newest(scratch, (struct messages_filter){0}).count, 0);

    seen = newest(scratch, (struct messages_filter){.peer = alice, .limit = 100});
    assert_int_equal(seen.count, 5);
    assert_int_equal(seen.seqs[0], seqs[8]);
    assert_int_equal(seen.seqs[4], seqs[0]);

    seen =
        newest(scratch,
               (struct messages_filter){.after_seq = seqs[2], .before_seq = seqs[7], .limit = 100});
    assert_int_equal(seen.count, 4);
    assert_int_equal(seen.seqs[0], seqs[6]);
    assert_int_equal(seen.seqs[3], seqs[3]);
}

static void test_newest_messages_of_a_time(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    static const unsigned times[] = {1, 2, 3, 9, 4, 5}; /* the clock was set back after 9 */
    for (unsigned i = 0; i < 6; i++)
        scratch_add(scratch, alice, MESSAGE_IN, times[i]);
    for (int committed = 0; committed < 2; committed++) {
        struct messages_filter filter = {.since_ms = 3000, .until_ms = 5000, .limit = 100};
        assert_int_equal(newest(scratch, filter).count, 2);
        filter.until_ms = 0;
        assert_int_equal(newest(scratch, filter).count, 4);
        filter.since_ms = 9001;
        assert_int_equal(newest(scratch, filter).count, 0);
        filter.since_ms = 1;
        filter.after_seq = 5;
        assert_int_equal(newest(scratch, filter).count, 1);
        scratch_commit(scratch);
    }
}

static void test_newest_of_the_queue(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    int64_t bob = scratch_peer(scratch, "bob").id;
    for (unsigned i = 0; i < 10; i++) {
        struct message_row row = scratch_add(scratch, i < 6 ? alice : bob, MESSAGE_OUT, i + 1);
        if (i % 2 == 0)
            assert_int_equal(queue_set_state(scratch->db, row.seq, MESSAGE_DELIVERED, NULL, 7), 0);
    }
    struct messages_filter filter = {.queued_only = true, .limit = 100};
    assert_int_equal(newest(scratch, filter).count, 5);
    filter.peer = alice;
    assert_int_equal(newest(scratch, filter).count, 3);
    filter.limit = 2;
    assert_int_equal(newest(scratch, filter).count, 2);
}

static unsigned steps;

static int count_steps(void *context)
{
    (void)context;
    steps++;
    return 0;
}

/* Steps of SQLite's machine, in hundreds, for ten of the queue. */
static unsigned cost_of_ten(struct scratch *scratch)
{
    const struct messages_filter filter = {.queued_only = true, .limit = 10};
    steps = 0;
    sqlite3_progress_handler(scratch->db->sqlite, 100, count_steps, NULL);
    assert_int_equal(newest(scratch, filter).count, 10);
    sqlite3_progress_handler(scratch->db->sqlite, 0, NULL, NULL);
    return steps;
}

static int count_row(void *context, const struct message_row *row)
{
    int64_t *last = context;
    assert_true(row->seq < last[0]);
    last[0] = row->seq;
    last[1]++;
    return 0;
}

/* What a portion costs does not grow with the queue, and all are found in several. */
static void test_a_long_queue_is_listed_in_portions(void **state)
{
    enum { MANY = 6000, PEERS = 3 };
    static const char *const names[PEERS] = {"alice", "bob", "carol"};
    const struct messages_filter all = {.queued_only = true, .limit = 100 * MANY};
    struct scratch *scratch = *state;
    int64_t peers[PEERS], seen[2] = {INT64_MAX, 0};
    unsigned n = 0,
             cost[4]; /* with what is not settled and with what is; then of three times as many */
    for (unsigned i = 0; i < PEERS; i++)
        peers[i] = scratch_peer(scratch, names[i]).id;
    for (unsigned i = 0; i < 4; i += 2) {
        for (unsigned end = n + (i + 2) / 2 * MANY; n < end; n++)
            scratch_add(scratch, peers[n % PEERS], MESSAGE_OUT, n + 1);
        cost[i] = cost_of_ten(scratch);
        scratch_commit(scratch);
        cost[i + 1] = cost_of_ten(scratch);
    }
    assert_in_range(cost[2], 0, cost[0] + cost[0] / 4);
    assert_in_range(cost[3], 0, cost[1] + cost[1] / 4);
    assert_int_equal(messages_newest(scratch->db, &all, count_row, seen), 0);
    assert_int_equal(seen[1], n);
}

static void test_what_a_visitor_leaves_out_does_not_count(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    int64_t first = scratch_add(scratch, alice, MESSAGE_OUT, 1).seq;
    for (unsigned i = 2; i <= 12; i++)
        scratch_add(scratch, alice, MESSAGE_OUT, i);
    struct seen seen = {.skip_every = 2};
    assert_int_equal(queue_each(scratch->db, alice, 0, 4, remember, &seen), 0);
    assert_int_equal(seen.count, 4);
    assert_int_equal(seen.seqs[3], first + 6);

    struct messages_filter filter = {.limit = 3};
    seen = (struct seen){.skip_every = 2};
    assert_int_equal(messages_newest(scratch->db, &filter, remember, &seen), 0);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.seqs[2], first + 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_newest_messages_come_newest_first),
        TEST(test_newest_messages_of_a_time),
        TEST(test_newest_of_the_queue),
        TEST(test_a_long_queue_is_listed_in_portions),
        TEST(test_what_a_visitor_leaves_out_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
