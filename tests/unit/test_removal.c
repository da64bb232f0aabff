/* SPDX-License-Identifier: ISC */
/*
 * Tests core/removal: the queue of a removed peer ends in steps, also after a restart, and waits
 * while the disk is full.
 */
#include "core/removal.h"

#include <errno.h>
#include <string.h>

#include "core/node_outcome.h"
#include "store/peers.h"
#include "store/queue.h"
#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

enum { START_MS = 1000000, STEP = 100, IDS_MAX = 1000 };

/* --- stand-ins -------------------------------------------------------------------------------- */

static struct stage {
    struct runtime runtime;
    struct removal removal;
    unsigned queued[IDS_MAX]; /* by the id of a removed peer … */
    bool removed[IDS_MAX];    /* … if there is one */
    unsigned steps, looks;
    int end_error, find_error;
} stage;

int queue_end(struct db *db, int64_t peer, const char *reason, uint64_t now_ms, bool *more)
{
    (void)db, (void)now_ms;
    assert_string_equal(reason, "the peer was removed");
    assert_true(stage.removed[peer]);
    if (stage.end_error != 0)
        return stage.end_error;
    unsigned *left = &stage.queued[peer];
    *left -= *left < STEP ? *left : STEP;
    *more = *left > 0;
    stage.steps++;
    return 0;
}

int queue_size(struct db *db, int64_t peer, struct messages_size *size)
{
    (void)db;
    *size = (struct messages_size){.messages = stage.queued[peer]};
    stage.looks++;
    return 0;
}

int peers_next_removed(struct db *db, int64_t after, int64_t *id)
{
    (void)db;
    if (stage.find_error != 0)
        return stage.find_error;
    for (*id = after + 1; *id < IDS_MAX; ++*id)
        if (stage.removed[*id])
            return 0;
    return DB_NOT_FOUND;
}

void runtime_fail(struct runtime *runtime, int error)
{
    runtime->failure = error;
}

/* --- the stage -------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(START_MS, 0);
    return removal_init(&stage.removal, &stage.runtime);
}

static int tear_down(void **state)
{
    (void)state;
    removal_deinit(&stage.removal);
    return 0;
}

/* This peer was removed with so many messages in its queue. */
static int remove_peer(int64_t id, unsigned queued)
{
    stage.removed[id] = true;
    stage.queued[id] = queued;
    return removal_add(&stage.removal, id);
}

/* Steps until nothing is due now. */
static unsigned run(void)
{
    unsigned turns = 0;
    while (fake_loop_step(fake_loop.now_ms))
        turns++;
    return turns;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_a_short_queue_ends_at_once(void **state)
{
    (void)state;
    assert_int_equal(remove_peer(3, STEP), 0);
    assert_int_equal(stage.queued[3], 0);
    assert_int_equal(fake_loop_due(), UINT64_MAX);
}

static void test_a_long_queue_ends_in_steps(void **state)
{
    (void)state;
    assert_int_equal(remove_peer(3, 5 * STEP), 0);
    assert_int_equal(stage.queued[3], 4 * STEP);
    run();
    assert_int_equal(stage.queued[3], 0);
    assert_int_equal(stage.steps, 5);
    assert_int_equal(fake_loop_due(), UINT64_MAX);
}

static void test_a_peer_before_the_one_it_works_on_is_not_forgotten(void **state)
{
    (void)state;
    remove_peer(7, 3 * STEP);
    run();
    assert_int_equal(stage.removal.after, 7);
    remove_peer(2, 3 * STEP);
    remove_peer(9, 3 * STEP);
    run();
    assert_int_equal(stage.queued[2] + stage.queued[9], 0);
    remove_peer(9, 3 * STEP); /* the very one that it looked at last */
    run();
    assert_int_equal(stage.queued[9], 0);
}

static void test_after_a_restart_it_goes_on(void **state)
{
    (void)state;
    stage.removed[4] = stage.removed[6] = true;
    stage.queued[6] = 2 * STEP;
    removal_start(&stage.removal);
    run();
    assert_int_equal(stage.queued[6], 0);
    assert_int_equal(stage.runtime.failure, 0);
}

static void test_a_turn_looks_at_some_removed_peers_only(void **state)
{
    (void)state;
    for (unsigned i = 1; i < IDS_MAX; i++)
        stage.removed[i] = true;
    stage.queued[IDS_MAX - 1] = 1;
    removal_start(&stage.removal);
    assert_true(fake_loop_step(START_MS));
    assert_int_equal(stage.looks, REMOVAL_LOOKS);
    run();
    assert_int_equal(stage.queued[IDS_MAX - 1], 0);
}

static void test_a_full_disk_is_waited_for(void **state)
{
    (void)state;
    stage.end_error = DB_FULL;
    assert_int_equal(remove_peer(3, 2 * STEP), NODE_DISK_FULL);
    removal_start(&stage.removal);
    run();
    assert_int_equal(fake_loop_due(), START_MS + REMOVAL_RETRY_MS);
    assert_int_equal(stage.runtime.failure, 0);
    stage.end_error = 0;
    fake_loop_step(START_MS + REMOVAL_RETRY_MS);
    run();
    assert_int_equal(stage.queued[3], 0);
}

static void test_a_store_that_failed_ends_it(void **state)
{
    (void)state;
    stage.end_error = -EIO;
    assert_int_equal(remove_peer(3, 2 * STEP), -EIO);
    stage.end_error = 0;
    stage.find_error = -EIO;
    removal_start(&stage.removal);
    run();
    assert_int_equal(stage.runtime.failure, -EIO);
    assert_int_equal(fake_loop_due(), UINT64_MAX);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_short_queue_ends_at_once),
        TEST(test_a_long_queue_ends_in_steps),
        TEST(test_a_peer_before_the_one_it_works_on_is_not_forgotten),
        TEST(test_after_a_restart_it_goes_on),
        TEST(test_a_turn_looks_at_some_removed_peers_only),
        TEST(test_a_full_disk_is_waited_for),
        TEST(test_a_store_that_failed_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
