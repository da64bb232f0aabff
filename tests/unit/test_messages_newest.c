/* SPDX-License-Identifier: ISC */
/*
 * The newest messages: by peer, position, time and queue, and with those left out that nobody
 * wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

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
        TEST(test_what_a_visitor_leaves_out_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
