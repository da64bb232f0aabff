/* SPDX-License-Identifier: ISC */
/*
 * Tests core/link_events: what happens on a link comes to the module that answers it, in the order
 * that these count on, and a store that fails ends what it has to.
 */
#include "core/link_events.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit/cmocka_all.h"

enum { NOW_MS = 1000000, SAID_MAX = 256 };

/* --- stand-ins: each says its name ------------------------------------------------------------ */

struct session {
    struct secret tag;
};

struct stream {
    struct origin origin;
};

static struct stage {
    struct runtime runtime;
    struct limits limits;
    struct pending_keys pending_keys;
    struct roster roster;
    struct admission admission;
    struct housekeeping housekeeping;
    struct delivery delivery;
    struct streams streams;
    struct tell tell;
    struct clones clones;
    struct link_answers answers;
    struct session session;
    struct stream stream;
    struct link link;
    struct peer peer;
    struct round *round; /* that the link belongs to */
    char said[SAID_MAX]; /* who was called, in order */
    int outcome;         /* of the one that has one … */
    const char *whose;   /* … by its name */
    bool room, kept;
    uint32_t features;
    enum close_code closed;
    int failure;
    unsigned pongs, remembered;
} stage;

static int say(const char *name)
{
    const size_t size = strlen(stage.said);
    snprintf(stage.said + size, sizeof stage.said - size, "%s%s", size > 0 ? " " : "", name);
    return stage.whose != NULL && strcmp(stage.whose, name) == 0 ? stage.outcome : 0;
}

bool limits_hello(struct limits *limits, const struct origin *origin, uint64_t now_ms)
{
    assert_ptr_equal(limits, &stage.limits);
    assert_ptr_equal(origin, &stage.stream.origin);
    assert_int_equal(now_ms, NOW_MS);
    return say("hello") == 0;
}

void admission_identified(struct admission *admission, struct link *link)
{
    (void)admission, (void)link;
    say("identified");
}

void admission_confirmed(struct admission *admission, struct link *link)
{
    (void)admission, (void)link;
    say("confirmed");
}

int peer_link_open(struct peer *peer)
{
    (void)peer;
    return say("open");
}

void delivery_start(struct peer *peer)
{
    (void)peer;
    say("start");
}

int delivery_receive(struct delivery *delivery, struct link *link,
                     const struct session_event *event)
{
    (void)delivery, (void)link, (void)event;
    return say("receive");
}

int delivery_acknowledged(struct delivery *delivery, struct peer *peer,
                          const struct session_event *event)
{
    (void)delivery, (void)event;
    assert_ptr_equal(peer, &stage.peer);
    return say("acknowledged");
}

void delivery_end(struct delivery *delivery, struct peer *peer, const struct link_end *end)
{
    (void)delivery, (void)peer, (void)end;
    say("end");
}

void streams_session_up(struct streams *streams, struct peer *peer, struct link *link)
{
    (void)streams, (void)peer, (void)link;
    say("up");
}

void streams_session_down(struct streams *streams, struct peer *peer, const struct link_end *end)
{
    (void)streams, (void)peer, (void)end;
    say("down");
}

void streams_lane_record(struct streams *streams, struct peer *peer, struct span record)
{
    (void)streams, (void)peer;
    assert_int_equal(record.size, 3);
    say("lane");
}

void streams_rekeyed(struct streams *streams, struct peer *peer)
{
    (void)streams, (void)peer;
    say("rekeyed");
}

void tell_link(const struct tell *tell, struct link *link)
{
    (void)tell, (void)link;
    say("tell");
}

int tell_hear(const struct tell *tell, struct peer *peer, struct span body)
{
    (void)tell, (void)peer;
    assert_int_equal(body.size, 5);
    return say("hear");
}

int roster_note_features(struct roster *roster, struct peer *peer, uint32_t features, bool keep)
{
    (void)roster, (void)peer;
    stage.kept = keep;
    stage.features = features;
    return say("features");
}

int clones_hear(struct clones *clones, struct link *link,
                const uint8_t instance[static INSTANCE_SIZE])
{
    (void)link, (void)instance;
    assert_ptr_equal(clones, &stage.clones);
    return say("instance");
}

int clones_told(struct clones *clones, const struct peer *peer,
                const uint8_t instance[static INSTANCE_SIZE])
{
    (void)clones, (void)instance;
    assert_ptr_equal(peer, &stage.peer);
    return say("cloned");
}

int clones_rival(struct clones *clones, const struct link *loser)
{
    (void)clones;
    assert_ptr_equal(loser, &stage.link);
    return say("rival");
}

int clones_kept_out(struct clones *clones, struct peer *peer)
{
    (void)clones;
    assert_ptr_equal(peer, &stage.peer);
    return say("kept-out");
}

int clones_met_own_key(struct clones *clones, struct link *link)
{
    (void)clones;
    assert_ptr_equal(link, &stage.link);
    return say("own-key");
}

uint32_t session_peer_features(const struct session *session)
{
    (void)session;
    return 5;
}

const struct secret *session_tag(const struct session *session)
{
    return &session->tag;
}

void former_note(struct former *former, const struct secret *tag, uint64_t now_ms)
{
    assert_ptr_equal(former, &stage.peer.former);
    assert_ptr_equal(tag, &stage.session.tag);
    assert_int_equal(now_ms, NOW_MS);
    stage.remembered++;
}

void pending_keys_forget_link(struct pending_keys *pending_keys, const struct link *link)
{
    (void)link;
    assert_ptr_equal(pending_keys, &stage.pending_keys);
    say("forget");
}

struct round *peer_round_of(const struct peer *peer, const struct link *link)
{
    (void)peer, (void)link;
    return stage.round;
}

void round_attempt_ended(struct round *round, const struct link_end *end)
{
    (void)end;
    assert_ptr_equal(round, stage.round);
    say("attempt");
}

void peer_link_down(struct peer *peer, const struct link_end *end)
{
    (void)end;
    peer->link = NULL;
    say("offline");
}

void link_close(struct link *link, enum close_code code)
{
    (void)link;
    stage.closed = code;
}

const char *link_end_text(const struct link_end *end, char *text, size_t size)
{
    (void)end, (void)size;
    return text;
}

bool housekeeping_has_room(const struct housekeeping *housekeeping)
{
    assert_ptr_equal(housekeeping, &stage.housekeeping);
    return stage.room;
}

void runtime_fail(struct runtime *runtime, int error)
{
    (void)runtime;
    stage.failure = error;
}

const struct origin *stream_origin(const struct stream *stream)
{
    return &stream->origin;
}

uint64_t loop_now(const struct loop *loop)
{
    (void)loop;
    return NOW_MS;
}

static void report_pong(void *context, const struct peer *peer)
{
    (void)context;
    assert_ptr_equal(peer, &stage.peer);
    stage.pongs++;
}

/* --- the stage -------------------------------------------------------------------------------- */

static const struct observer observer = {.pong = report_pong};

static int set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    stage.runtime.observer = &observer;
    stage.room = true;
    stage.delivery.housekeeping = &stage.housekeeping;
    stage.answers = (struct link_answers){.runtime = &stage.runtime,
                                          .limits = &stage.limits,
                                          .pending_keys = &stage.pending_keys,
                                          .roster = &stage.roster,
                                          .admission = &stage.admission,
                                          .delivery = &stage.delivery,
                                          .streams = &stage.streams,
                                          .tell = &stage.tell,
                                          .clones = &stage.clones};
    stage.link = (struct link){.session = &stage.session, .stream = &stage.stream};
    stage.link.peer = &stage.peer;
    stage.peer.link = &stage.link;
    return 0;
}

static void happen(const struct session_event *event)
{
    stage.said[0] = '\0';
    core_link_events.event(&stage.answers, &stage.link, event);
}

static void happen_as(enum session_event_type type)
{
    happen(&(struct session_event){.type = type});
}

/* The next call of this name comes to this. */
static void let(const char *name, int outcome)
{
    stage.whose = name;
    stage.outcome = outcome;
}

static void end_link_by(const struct link_end *end)
{
    stage.said[0] = '\0';
    core_link_events.ended(&stage.answers, &stage.link, end);
}

static void end_link(void)
{
    end_link_by(&(struct link_end){0});
}

/* --- events ----------------------------------------------------------------------------------- */

static void test_a_stranger_goes_on_within_its_budget(void **state)
{
    (void)state;
    assert_true(core_link_events.greeted(&stage.answers, &stage.link));
    let("hello", 1);
    assert_false(core_link_events.greeted(&stage.answers, &stage.link));
}

static void test_each_event_has_one_who_answers(void **state)
{
    static const uint8_t instance[INSTANCE_SIZE];
    const struct {
        struct session_event event;
        const char *said;
    } rows[] = {
        {{.type = SESSION_IDENTIFIED}, "identified"},
        {{.type = SESSION_CONFIRMED}, "confirmed rival"},
        {{.type = SESSION_ITEM}, "receive"},
        {{.type = SESSION_ACKED}, "acknowledged"},
        {{.type = SESSION_REKEYED}, "rekeyed"},
        {{.type = SESSION_LANE, .lane = {NULL, 3}}, "lane"},
        {{.type = SESSION_TOLD, .told = {NULL, 5}}, "hear"},
        {{.type = SESSION_INSTANCE, .instance = {instance, INSTANCE_SIZE}}, "instance"},
        {{.type = SESSION_CLONED, .instance = {instance, INSTANCE_SIZE}}, "cloned"},
        {{.type = SESSION_NOTHING}, ""},
        {{.type = SESSION_ENDED}, ""},
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        happen(&rows[i].event);
        assert_string_equal(stage.said, rows[i].said);
    }
}

static void test_a_link_that_is_let_in_has_not_lost(void **state)
{
    (void)state;
    stage.link.establish_due = true;
    happen_as(SESSION_CONFIRMED);
    assert_string_equal(stage.said, "confirmed");
}

static void test_an_answer_counts_once_others_have_lost(void **state)
{
    (void)state;
    happen_as(SESSION_PONG);
    assert_false(stage.link.rival_answered);
    stage.link.rival_ms = NOW_MS;
    happen_as(SESSION_PONG);
    assert_true(stage.link.rival_answered);
}

static void test_an_open_session_is_made_use_of_in_order(void **state)
{
    (void)state;
    stage.peer.kept_out_ms = NOW_MS;
    happen_as(SESSION_OPENED);
    assert_string_equal(stage.said, "open start up tell features");
    assert_int_equal(stage.peer.kept_out_ms, 0);
    assert_int_equal(stage.features, 5);
    assert_true(stage.kept);
    stage.room = false;
    happen_as(SESSION_OPENED);
    assert_false(stage.kept);
}

static void test_on_a_full_disk_nothing_is_heard_that_would_undo_the_turn(void **state)
{
    (void)state;
    stage.room = false;
    happen(&(struct session_event){.type = SESSION_TOLD, .told = {NULL, 5}});
    assert_string_equal(stage.said, "");
}

static void test_an_answer_in_time_measures_the_way(void **state)
{
    (void)state;
    happen(&(struct session_event){.type = SESSION_PONG, .token = NOW_MS - 30});
    assert_int_equal(stage.peer.rtt_ms, 30);
    happen(&(struct session_event){.type = SESSION_PONG, .token = NOW_MS + 1});
    happen(&(struct session_event){.type = SESSION_PONG, .token = 0});
    assert_int_equal(stage.peer.rtt_ms, 30);
    assert_int_equal(stage.pongs, 1);
}

static void test_nobody_s_session_tells_nobody(void **state)
{
    (void)state;
    stage.link.peer = NULL;
    happen(&(struct session_event){.type = SESSION_PONG, .token = NOW_MS - 30});
    happen_as(SESSION_REKEYED);
    assert_string_equal(stage.said, "");
    assert_int_equal(stage.pongs, 0);
}

static void test_a_full_disk_costs_the_link_and_a_failed_one_the_node(void **state)
{
    static const char *const deliveries[] = {"receive", "acknowledged"};
    static const enum session_event_type types[] = {SESSION_ITEM, SESSION_ACKED};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        stage.closed = CLOSE_NORMAL;
        stage.failure = 0;
        let(deliveries[i], NODE_DISK_FULL);
        happen_as(types[i]);
        assert_int_equal(stage.closed, CLOSE_INTERNAL_ERROR);
        assert_int_equal(stage.failure, 0);
        stage.closed = CLOSE_NORMAL;
        let(deliveries[i], -EIO);
        happen_as(types[i]);
        assert_int_equal(stage.closed, CLOSE_NORMAL);
        assert_int_equal(stage.failure, -EIO);
    }
}

static void test_what_is_nice_to_know_fails_the_node_with_the_store_only(void **state)
{
    static const char *const notes[] = {"open", "features", "hear"};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(notes); i++) {
        stage.failure = 0;
        let(notes[i], i == 0 ? DB_FULL : NODE_DISK_FULL);
        happen_as(SESSION_OPENED);
        happen(&(struct session_event){.type = SESSION_TOLD, .told = {NULL, 5}});
        assert_int_equal(stage.failure, 0);
        let(notes[i], -EIO);
        happen_as(SESSION_OPENED);
        happen(&(struct session_event){.type = SESSION_TOLD, .told = {NULL, 5}});
        assert_int_equal(stage.failure, -EIO);
    }
}

/* --- ends ------------------------------------------------------------------------------------- */

static void test_the_end_of_a_peer_s_session_is_told_in_order(void **state)
{
    (void)state;
    end_link();
    assert_string_equal(stage.said, "forget down end offline");
    assert_int_equal(stage.remembered, 1);
}

static void test_the_end_of_a_handshake_is_its_round_s(void **state)
{
    static int round; /* only its address counts */
    (void)state;
    stage.round = (struct round *)(void *)&round;
    end_link();
    assert_string_equal(stage.said, "forget attempt");
    assert_int_equal(stage.remembered, 1);
}

static void test_ends_tell_of_others_with_our_key(void **state)
{
    static const struct link_end own = {.coded = true, .code = CLOSE_SELF};
    static const struct link_end duplicate = {
        .coded = true, .code = CLOSE_DUPLICATE, .by_peer = true};
    static const struct link_end by_us = {.coded = true, .code = CLOSE_DUPLICATE};
    static int round;
    (void)state;
    stage.link.peer = NULL;
    end_link_by(&own);
    assert_string_equal(stage.said, "forget own-key");
    stage.link.peer = &stage.peer;
    stage.round = (struct round *)(void *)&round;
    end_link_by(&duplicate);
    assert_string_equal(stage.said, "forget kept-out attempt");
    stage.peer.kept_out_ms = NOW_MS;
    end_link_by(&by_us);
    assert_string_equal(stage.said, "forget attempt");
    assert_int_equal(stage.peer.kept_out_ms, 0);
}

static void test_the_end_of_a_former_link_changes_nothing(void **state)
{
    struct link newer = {0};
    (void)state;
    stage.peer.link = &newer;
    end_link();
    assert_string_equal(stage.said, "forget");
    assert_ptr_equal(stage.peer.link, &newer);
    assert_int_equal(stage.remembered, 1);
}

static void test_the_end_of_a_stranger_s_link_is_forgotten(void **state)
{
    (void)state;
    stage.link.peer = NULL;
    end_link();
    assert_string_equal(stage.said, "forget");
    assert_int_equal(stage.remembered, 0);
}

#define TEST(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_stranger_goes_on_within_its_budget),
        TEST(test_each_event_has_one_who_answers),
        TEST(test_a_link_that_is_let_in_has_not_lost),
        TEST(test_an_answer_counts_once_others_have_lost),
        TEST(test_an_open_session_is_made_use_of_in_order),
        TEST(test_on_a_full_disk_nothing_is_heard_that_would_undo_the_turn),
        TEST(test_an_answer_in_time_measures_the_way),
        TEST(test_nobody_s_session_tells_nobody),
        TEST(test_a_full_disk_costs_the_link_and_a_failed_one_the_node),
        TEST(test_what_is_nice_to_know_fails_the_node_with_the_store_only),
        TEST(test_the_end_of_a_peer_s_session_is_told_in_order),
        TEST(test_the_end_of_a_handshake_is_its_round_s),
        TEST(test_ends_tell_of_others_with_our_key),
        TEST(test_the_end_of_a_former_link_changes_nothing),
        TEST(test_the_end_of_a_stranger_s_link_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
