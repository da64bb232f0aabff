/* SPDX-License-Identifier: ISC */
/*
 * Tests core/clones: who is told what of which sign, with a clock of its own. The store, links and
 * sessions are stand-ins.
 */
#include "core/clones.h"

#include <string.h>

#include "core/runtime.h"
#include "store/events.h"
#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

enum { START_MS = 1000000 };

/* What a session is here. */
struct session {
    bool met_own_key;
    int connection; /* the same number at both ends */
    unsigned told;  /* how often, and of what */
    uint8_t here[INSTANCE_SIZE], other[INSTANCE_SIZE];
};

struct stream {
    struct origin origin;
};

static struct {
    bool room;
    unsigned stored; /* rows of instances */
    unsigned events[EVENT_LAST + 1];
    struct link *kept;
} stage;

static struct runtime runtime;
static struct links links;
static struct clones clones;
static struct peer peer;
static struct session session;
static struct stream stream = {.origin.text = "192.0.2.1:8766"};
static struct link link_here;

/* --- stand-ins -------------------------------------------------------------------------------- */

bool housekeeping_has_room(const struct housekeeping *housekeeping)
{
    (void)housekeeping;
    return stage.room;
}

int peers_set_instances(struct db *db, const struct peer_row *row)
{
    (void)db, (void)row;
    stage.stored++;
    return 0;
}

int events_add(struct db *db, struct event_row *event)
{
    (void)db;
    stage.events[event->type]++;
    return 0;
}

enum peer_trust peer_trust(const struct peer *known)
{
    return known->row.trust;
}

int session_tell_cloned(struct session *to, const uint8_t here[static INSTANCE_SIZE],
                        const uint8_t other[static INSTANCE_SIZE])
{
    to->told++;
    memcpy(to->here, here, INSTANCE_SIZE);
    memcpy(to->other, other, INSTANCE_SIZE);
    return 0;
}

bool session_met_own_key(const struct session *ended)
{
    return ended->met_own_key;
}

bool session_other_end(const struct session *a, const struct session *b)
{
    return a->connection == b->connection && a != b;
}

void link_touch(struct link *touched)
{
    touched->dirty = true;
}

bool link_open(const struct link *looked_at)
{
    return looked_at->state == LINK_ACTIVE;
}

const struct fingerprint *link_fingerprint(const struct link *looked_at)
{
    static const struct fingerprint key;
    (void)looked_at;
    return &key;
}

struct link *links_find(const struct links *all, const struct fingerprint *fingerprint)
{
    (void)all, (void)fingerprint;
    return stage.kept;
}

const struct origin *stream_origin(const struct stream *of)
{
    return &of->origin;
}

/* --- the stage -------------------------------------------------------------------------------- */

static int setup(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(START_MS, 0);
    stage.room = true;
    runtime = (struct runtime){.instance = "our own instance"};
    list_init(&links.strangers);
    clones = (struct clones){.runtime = &runtime, .links = &links};
    peer = (struct peer){.row = {.name = "bob", .trust = PEER_VERIFIED}};
    session = (struct session){0};
    link_here = (struct link){.peer = &peer, .session = &session, .stream = &stream};
    return 0;
}

static const uint8_t *instance(const char *text)
{
    assert_int_equal(strlen(text), INSTANCE_SIZE);
    return (const uint8_t *)text;
}

static const char one[] = "storeAAA-process", one_later[] = "storeAAA-another",
                  two[] = "storeBBB-process", three[] = "storeCCC-process";

static void hear(const char *text)
{
    assert_int_equal(clones_hear(&clones, &link_here, instance(text)), 0);
}

/* --- a peer's key ----------------------------------------------------------------------------- */

static void test_the_first_one_and_one_started_again_are_no_news(void **state)
{
    (void)state;
    hear(one);
    hear(one);
    hear(one_later);
    assert_int_equal(stage.events[EVENT_PEER_MOVED] + stage.events[EVENT_PEER_CLONED], 0);
    assert_int_equal(stage.stored, 2);
    assert_int_equal(session.told, 0);
}

static void test_another_store_is_a_move(void **state)
{
    (void)state;
    hear(one);
    hear(two);
    assert_int_equal(stage.events[EVENT_PEER_MOVED], 1);
    assert_int_equal(stage.events[EVENT_PEER_CLONED], 0);
    assert_int_equal(session.told, 0);
}

static void test_one_that_comes_back_is_a_clone_and_is_told(void **state)
{
    (void)state;
    hear(one);
    hear(two);
    hear(one);
    assert_int_equal(stage.events[EVENT_PEER_CLONED], 1);
    assert_int_equal(session.told, 1);
    assert_memory_equal(session.here, one, INSTANCE_SIZE);
    assert_memory_equal(session.other, two, INSTANCE_SIZE);
    assert_true(link_here.dirty);
    hear(two); /* the other one has yet to hear it */
    assert_int_equal(session.told, 2);
    assert_memory_equal(session.here, two, INSTANCE_SIZE);
}

/* A whole disk was copied: the store says nothing. */
static void test_two_processes_of_one_store_are_clones(void **state)
{
    (void)state;
    hear(one);
    hear(one_later);
    hear(one);
    assert_int_equal(stage.events[EVENT_PEER_MOVED], 0);
    assert_int_equal(stage.events[EVENT_PEER_CLONED], 1);
}

static void test_people_are_told_once_an_hour(void **state)
{
    (void)state;
    hear(one);
    hear(two);
    for (unsigned i = 0; i < 10; i++) {
        hear(i % 2 == 0 ? one : two);
        fake_loop.now_ms += CLONES_REPEAT_MS;
    }
    assert_int_equal(stage.events[EVENT_PEER_CLONED], 1); /* each sign puts it off */
    fake_loop.now_ms += 1;
    hear(one);
    assert_int_equal(stage.events[EVENT_PEER_CLONED], 2);
    assert_int_equal(session.told, 11);
}

static void test_a_third_one_takes_the_place_of_the_first(void **state)
{
    (void)state;
    hear(one);
    hear(two);
    hear(three);
    hear(one);
    assert_int_equal(stage.events[EVENT_PEER_CLONED], 0);
    hear(three);
    assert_int_equal(stage.events[EVENT_PEER_CLONED], 1);
}

static void test_a_full_disk_keeps_the_alarm_and_stores_nothing(void **state)
{
    (void)state;
    stage.room = false;
    hear(one);
    hear(two);
    hear(one);
    assert_int_equal(stage.stored, 0);
    assert_int_equal(stage.events[EVENT_PEER_CLONED], 0);
    assert_true(peer.cloned_ms == START_MS);
    assert_int_equal(session.told, 1);
}

/* --- links that lose -------------------------------------------------------------------------- */

static void lose(void)
{
    struct link loser = {.state = LINK_FINISHING};
    assert_int_equal(clones_rival(&clones, &loser), 0);
}

static void test_a_link_that_others_lose_to_for_long_has_a_rival(void **state)
{
    (void)state;
    stage.kept = &link_here;
    link_here.rival_ms = START_MS;
    link_here.rival_answered = true;
    fake_loop.now_ms += CLONES_RIVAL_MS - 1;
    lose();
    assert_int_equal(session.told, 0);
    fake_loop.now_ms += 1;
    lose();
    assert_int_equal(session.told, 1);
    assert_int_equal(stage.events[EVENT_PEER_CLONED], 1);
    assert_true(bytes_all_zero(session.other, INSTANCE_SIZE));
    lose(); /* a new while begins */
    assert_int_equal(session.told, 1);
}

static void test_a_link_that_does_not_answer_has_none(void **state)
{
    (void)state;
    stage.kept = &link_here;
    link_here.rival_ms = START_MS;
    fake_loop.now_ms += 2 * CLONES_RIVAL_MS;
    lose();
    stage.kept = NULL;
    lose();
    assert_int_equal(session.told, 0);
}

/* --- our own key ------------------------------------------------------------------------------ */

static void test_news_of_somebody_else_are_none(void **state)
{
    (void)state;
    assert_int_equal(clones_told(&clones, &peer, instance(one)), 0);
    assert_true(runtime.cloned_ms == 0);
}

static void test_we_are_told(void **state)
{
    (void)state;
    assert_int_equal(clones_told(&clones, &peer, runtime.instance), 0);
    fake_loop.now_ms += 1000;
    assert_int_equal(clones_told(&clones, &peer, runtime.instance), 0);
    assert_true(runtime.cloned_ms == START_MS + 1000);
    assert_string_equal(clones.source, "bob");
    assert_int_equal(stage.events[EVENT_IDENTITY_CLONED], 1);
}

static void test_being_kept_out_for_a_minute_is_a_sign(void **state)
{
    (void)state;
    assert_int_equal(clones_kept_out(&clones, &peer), 0);
    fake_loop.now_ms += CLONES_KEPT_OUT_MS - 1;
    assert_int_equal(clones_kept_out(&clones, &peer), 0);
    assert_true(runtime.cloned_ms == 0);
    fake_loop.now_ms += 1;
    assert_int_equal(clones_kept_out(&clones, &peer), 0);
    assert_true(runtime.cloned_ms == fake_loop.now_ms);
    assert_int_equal(stage.events[EVENT_IDENTITY_CLONED], 1);
}

static void test_who_has_a_link_is_not_kept_out(void **state)
{
    (void)state;
    peer.link = &link_here;
    for (unsigned i = 0; i < 2; i++, fake_loop.now_ms += 2 * CLONES_KEPT_OUT_MS)
        assert_int_equal(clones_kept_out(&clones, &peer), 0);
    assert_true(runtime.cloned_ms == 0);
}

static void meet(bool proven)
{
    session.met_own_key = proven;
    assert_int_equal(clones_met_own_key(&clones, &link_here), 0);
}

static void test_the_own_key_elsewhere_is_an_alarm_if_it_was_proven(void **state)
{
    (void)state;
    meet(false);
    assert_true(runtime.cloned_ms == 0);
    meet(true);
    assert_true(runtime.cloned_ms == START_MS);
    assert_string_equal(clones.source, "192.0.2.1:8766");
    assert_int_equal(stage.events[EVENT_IDENTITY_CLONED], 1);
    assert_false(link_here.is_own);
}

static void test_without_a_peer_no_event_can_tell(void **state)
{
    (void)state;
    link_here.peer = NULL;
    meet(true);
    assert_true(runtime.cloned_ms == START_MS);
    assert_int_equal(stage.events[EVENT_IDENTITY_CLONED], 0);
}

static void test_our_own_other_end_is_no_alarm(void **state)
{
    struct session elsewhere = {.connection = 4711}, other_session = {0};
    struct link stranger = {.session = &elsewhere}, other_end = {.session = &other_session};
    (void)state;
    list_append(&links.strangers, &stranger.node);
    list_append(&links.strangers, &other_end.node);
    meet(true);
    assert_true(link_here.is_own && other_end.is_own && !stranger.is_own);
    assert_true(runtime.cloned_ms == 0);
}

#define ON_STAGE(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(test_the_first_one_and_one_started_again_are_no_news),
        ON_STAGE(test_another_store_is_a_move),
        ON_STAGE(test_one_that_comes_back_is_a_clone_and_is_told),
        ON_STAGE(test_two_processes_of_one_store_are_clones),
        ON_STAGE(test_people_are_told_once_an_hour),
        ON_STAGE(test_a_third_one_takes_the_place_of_the_first),
        ON_STAGE(test_a_full_disk_keeps_the_alarm_and_stores_nothing),
        ON_STAGE(test_a_link_that_others_lose_to_for_long_has_a_rival),
        ON_STAGE(test_a_link_that_does_not_answer_has_none),
        ON_STAGE(test_news_of_somebody_else_are_none),
        ON_STAGE(test_we_are_told),
        ON_STAGE(test_being_kept_out_for_a_minute_is_a_sign),
        ON_STAGE(test_who_has_a_link_is_not_kept_out),
        ON_STAGE(test_the_own_key_elsewhere_is_an_alarm_if_it_was_proven),
        ON_STAGE(test_without_a_peer_no_event_can_tell),
        ON_STAGE(test_our_own_other_end_is_no_alarm),
    };
    return cmocka_run_group_tests_name("clones", tests, NULL, NULL);
}
