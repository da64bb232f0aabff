/* SPDX-License-Identifier: ISC */
/*
 * Tests core/node_turn: nothing that depends on the commit leaves before it, a disk without room
 * undoes the turn, and a store that failed acknowledges nothing.
 */
#include <errno.h>
#include <string.h>

#include "core/node.h"
#include "core/node_state.h"
#include "store/redate.h"
#include "unit/cmocka_all.h"

enum { PEERS = 2, STEPS_MAX = 24 };

/* --- stand-ins: each is a step that is noted -------------------------------------------------- */

enum step {
    NOTHING,
    READ,     /* links go on */
    CALLS,    /* are pumped */
    REFUSED,  /* offers of files that were too many */
    DELIVERY, /* of one peer */
    COMMIT,
    COMMITTED,
    UNDONE,
    CLOSED, /* all links */
    FAILED,
    SETTLED, /* clients are told */
    SWEPT,   /* files that nobody waits for */
    RELEASED,
    PRESENCE,
    DIALLED,
    STREAMS,
};

static struct stage {
    struct node node;
    struct observer observer;
    struct peer peers[PEERS];
    enum step steps[STEPS_MAX];
    unsigned count;
    int commit, pump, calls, refused, load;                   /* what they answer */
    int outcome;                                              /* that clients were told */
    unsigned watched, looked, sealed, shared, entered, ended; /* in every turn, how often … */
    unsigned merges_undone, calls_undone, calls_committed;    /* … and where that is due */
} stage;

/* One more step of this turn. */
static void note(enum step step)
{
    assert_in_range(stage.count, 0, STEPS_MAX - 1);
    stage.steps[stage.count++] = step;
}

void links_go_on(struct links *links)
{
    (void)links;
    note(READ);
}

void housekeeping_watch(struct housekeeping *housekeeping)
{
    (void)housekeeping;
    stage.watched++;
}

int calls_pump(struct calls *calls)
{
    (void)calls;
    note(CALLS);
    return stage.calls;
}

int node_refuse_files(struct node *node)
{
    (void)node;
    note(REFUSED);
    return stage.refused;
}

int delivery_pump(struct delivery *delivery, struct peer *peer)
{
    (void)delivery;
    assert_true(peer->giving_due);
    note(DELIVERY);
    return stage.pump;
}

void redate_turn_over(struct db *db)
{
    (void)db;
}

int db_commit(struct db *db)
{
    (void)db;
    note(COMMIT);
    return stage.commit;
}

void housekeeping_committed(struct housekeeping *housekeeping)
{
    (void)housekeeping;
    note(COMMITTED);
}

void calls_committed(struct calls *calls)
{
    (void)calls;
    assert_int_equal(stage.steps[stage.count - 1], COMMITTED);
    stage.calls_committed++;
}

void housekeeping_disk_full(struct housekeeping *housekeeping)
{
    (void)housekeeping;
    note(UNDONE);
}

void merging_undone(struct merging *merging)
{
    (void)merging;
    stage.merges_undone++;
}

void calls_undone(struct calls *calls)
{
    (void)calls;
    stage.calls_undone++;
}

void links_close_all(struct links *links, enum close_code code)
{
    (void)links;
    assert_int_equal(code, CLOSE_INTERNAL_ERROR);
    note(CLOSED);
}

int roster_load(struct roster *roster)
{
    (void)roster;
    return stage.load;
}

struct peer *roster_first(const struct roster *roster)
{
    (void)roster;
    return &stage.peers[0];
}

struct peer *roster_next(const struct roster *roster, const struct peer *peer)
{
    (void)roster;
    return peer == &stage.peers[0] ? &stage.peers[1] : NULL;
}

void peer_dial(struct peer *peer)
{
    assert_int_equal(peer->state, PEER_OFFLINE);
    note(DIALLED);
}

void runtime_fail(struct runtime *runtime, int error)
{
    if (runtime->failure == 0)
        runtime->failure = error;
    note(FAILED);
}

void body_sealer_turn(struct body_sealer *body_sealer)
{
    (void)body_sealer;
    stage.sealed++;
}

void housekeeping_turn(struct housekeeping *housekeeping)
{
    (void)housekeeping;
    stage.looked++;
}

void quota_turn(struct quota *quota)
{
    (void)quota;
    stage.shared++;
}

static void settled(void *context, int outcome)
{
    (void)context;
    stage.outcome = outcome;
    note(SETTLED);
}

void files_settled(struct files *files)
{
    (void)files;
    note(SWEPT);
}

void links_turn_end(struct links *links)
{
    (void)links;
    note(RELEASED);
}

void doorway_turn_end(struct doorway *doorway)
{
    (void)doorway;
    stage.entered++;
}

static void report_presence(void *context, const struct peer *peer)
{
    (void)context, (void)peer;
    note(PRESENCE);
}

void streams_turn(struct streams *streams)
{
    (void)streams;
    note(STREAMS);
}

void turn_join(struct turn *turn)
{
    (void)turn;
}

void turn_next(struct turn *turn)
{
    (void)turn;
    stage.ended++;
}

/* --- the stage -------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    list_init(&stage.node.stirred);
    stage.node.settled = settled;
    stage.observer.presence = report_presence;
    stage.node.runtime.observer = &stage.observer;
    for (unsigned i = 0; i < PEERS; i++)
        list_init(&stage.peers[i].stirred);
    return 0;
}

/* Something is to be looked at for this peer. */
static struct peer *stir(unsigned i, bool giving_due)
{
    stage.peers[i].giving_due = giving_due;
    list_append(&stage.node.stirred, &stage.peers[i].stirred);
    return &stage.peers[i];
}

/* A turn goes by with exactly these steps; the list ends with NOTHING. */
static void assert_turn(const enum step *steps)
{
    const unsigned turns = stage.ended + 1;
    stage.count = 0;
    node_turn_end(&stage.node);
    assert_int_equal(stage.watched, turns);
    assert_int_equal(stage.looked, turns);
    assert_int_equal(stage.sealed, turns);
    assert_int_equal(stage.shared, turns);
    assert_int_equal(stage.entered, turns);
    assert_int_equal(stage.ended, turns);
    for (unsigned i = 0; i < stage.count || steps[i] != NOTHING; i++)
        assert_int_equal(i < stage.count ? stage.steps[i] : NOTHING, steps[i]);
}

#define assert_steps(...) assert_turn((const enum step[]){__VA_ARGS__, NOTHING})

/* --- tests ------------------------------------------------------------------------------------ */

static void test_what_depends_on_the_commit_leaves_after_it(void **state)
{
    (void)state;
    stir(0, true);
    stir(1, false);
    assert_steps(READ, CALLS, REFUSED, DELIVERY, COMMIT, COMMITTED, SETTLED, SWEPT, RELEASED,
                 STREAMS);
    assert_int_equal(stage.outcome, 0);
    assert_int_equal(stage.calls_committed, 1);
    assert_int_equal(stage.merges_undone + stage.calls_undone, 0);
}

static void test_a_full_disk_undoes_the_turn(void **state)
{
    (void)state;
    stage.commit = DB_FULL;
    stage.peers[1].state = PEER_BACKOFF;
    assert_steps(READ, CALLS, REFUSED, COMMIT, UNDONE, CLOSED, DIALLED, SETTLED, RELEASED, STREAMS);
    assert_int_equal(stage.outcome, NODE_DISK_FULL);
    assert_int_equal(stage.merges_undone, 1);
    assert_int_equal(stage.calls_undone, 1);
    assert_int_equal(stage.calls_committed, 0);
}

static void test_a_turn_that_can_t_be_undone_fails_the_store(void **state)
{
    (void)state;
    stage.commit = DB_FULL;
    stage.load = -EIO;
    stage.peers[0].state = stage.peers[1].state = PEER_ONLINE;
    assert_steps(READ, CALLS, REFUSED, COMMIT, UNDONE, CLOSED, FAILED, SETTLED, STREAMS);
    assert_int_equal(stage.outcome, -EIO);
}

static void test_a_commit_that_failed_releases_nothing(void **state)
{
    (void)state;
    stage.commit = -EIO;
    assert_steps(READ, CALLS, REFUSED, COMMIT, FAILED, SETTLED, STREAMS);
    assert_int_equal(stage.outcome, -EIO);
    stage.commit = 0; /* it stays failed */
    assert_steps(READ, CALLS, REFUSED, FAILED, SETTLED, STREAMS);
}

static void test_a_queue_that_can_t_be_read_fails_the_turn(void **state)
{
    (void)state;
    stir(0, true);
    stage.pump = -EIO;
    assert_steps(READ, CALLS, REFUSED, DELIVERY, FAILED, FAILED, SETTLED, STREAMS);
    stage.node.runtime.failure = stage.pump = 0;
    stage.refused = -EIO;
    assert_steps(READ, CALLS, REFUSED, FAILED, DELIVERY, FAILED, SETTLED, STREAMS);
    stage.node.runtime.failure = stage.refused = 0;
    stage.calls = -ENOMEM;
    assert_steps(READ, CALLS, FAILED, REFUSED, DELIVERY, FAILED, SETTLED, STREAMS);
    assert_int_equal(stage.outcome, -ENOMEM);
}

static void test_presence_is_told_when_it_changed_or_something_else_was_shown(void **state)
{
    struct peer *peer = stir(0, false);
    (void)state;
    peer->state = PEER_ONLINE;
    assert_steps(READ, CALLS, REFUSED, COMMIT, COMMITTED, SETTLED, SWEPT, RELEASED, PRESENCE,
                 STREAMS);
    assert_true(list_empty(&stage.node.stirred));
    stir(0, false);
    assert_steps(READ, CALLS, REFUSED, COMMIT, COMMITTED, SETTLED, SWEPT, RELEASED, STREAMS);
    stir(0, false)->seen_otherwise = true;
    assert_steps(READ, CALLS, REFUSED, COMMIT, COMMITTED, SETTLED, SWEPT, RELEASED, PRESENCE,
                 STREAMS);
    stir(0, false);
    assert_steps(READ, CALLS, REFUSED, COMMIT, COMMITTED, SETTLED, SWEPT, RELEASED, STREAMS);
    stir(0, false)->state = PEER_BACKOFF;
    assert_steps(READ, CALLS, REFUSED, COMMIT, COMMITTED, SETTLED, SWEPT, RELEASED, PRESENCE,
                 STREAMS);
}

static void test_who_has_more_to_get_is_looked_at_again(void **state)
{
    (void)state;
    stir(0, true);
    assert_steps(READ, CALLS, REFUSED, DELIVERY, COMMIT, COMMITTED, SETTLED, SWEPT, RELEASED,
                 STREAMS);
    assert_steps(READ, CALLS, REFUSED, DELIVERY, COMMIT, COMMITTED, SETTLED, SWEPT, RELEASED,
                 STREAMS);
    stage.peers[0].giving_due = false;
    assert_steps(READ, CALLS, REFUSED, COMMIT, COMMITTED, SETTLED, SWEPT, RELEASED, STREAMS);
    assert_true(list_empty(&stage.node.stirred));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_what_depends_on_the_commit_leaves_after_it, set_up),
        cmocka_unit_test_setup(test_a_full_disk_undoes_the_turn, set_up),
        cmocka_unit_test_setup(test_a_turn_that_can_t_be_undone_fails_the_store, set_up),
        cmocka_unit_test_setup(test_a_commit_that_failed_releases_nothing, set_up),
        cmocka_unit_test_setup(test_a_queue_that_can_t_be_read_fails_the_turn, set_up),
        cmocka_unit_test_setup(test_presence_is_told_when_it_changed_or_something_else_was_shown,
                               set_up),
        cmocka_unit_test_setup(test_who_has_more_to_get_is_looked_at_again, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
