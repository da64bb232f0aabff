/* SPDX-License-Identifier: ISC */
/*
 * Tests core/round: which connection is shaken hands on, when the next one is tried, and what a
 * round that came to nothing means for the next.
 */
#include "core/round.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/peer.h"
#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

enum { START_MS = 1000000, WAYS = 5, GIVEN = 3 };

/* --- stand-ins -------------------------------------------------------------------------------- */

struct stream {
    unsigned way;
};

static struct stage {
    struct runtime runtime;
    struct links links;
    struct peer peer, other;
    struct address ways[WAYS]; /* the first ones people gave */
    struct round *round;
    struct stream streams[WAYS];
    struct link attempts[WAYS];     /* one a way */
    const struct dial_events *race; /* NULL while there is none */
    void *race_context;
    unsigned go_ons;   /* of the race */
    unsigned joined;   /* handshakes that began */
    int join_error;    /* what they come to instead */
    bool invited;      /* there is a secret to show */
    bool secret_shown; /* with the last one */
    unsigned failed[WAYS];
    enum attempt_end outcome;     /* of the last one that failed … */
    char text[ATTEMPT_ERROR_MAX]; /* … and why */
    bool over;
    enum redial_event event; /* what it was over with */
} stage;

int dial_start(struct dial **dial, struct dialer *dialer, enum dial_priority priority,
               const struct address *ways, unsigned count, const struct dial_events *events,
               void *context)
{
    static int race; /* only its address counts */
    (void)dialer;
    assert_int_equal(priority, DIAL_RECENT);
    assert_int_equal(count, WAYS);
    assert_true(address_equal(&ways[WAYS - 1], &stage.ways[WAYS - 1]));
    *dial = (struct dial *)(void *)&race;
    stage.race = events;
    stage.race_context = context;
    return 0;
}

void dial_go_on(struct dial *dial)
{
    assert_non_null(dial);
    assert_non_null(stage.race);
    stage.go_ons++;
}

void dial_cancel(struct dial *dial)
{
    if (dial != NULL)
        stage.race = NULL;
}

int links_join(struct links *links, struct stream *stream, struct peer *peer,
               const uint8_t *invite_secret, const struct gone *gone, struct link **link)
{
    assert_ptr_equal(links, &stage.links);
    assert_int_equal(gone->count, 1);
    if (stage.join_error != 0)
        return stage.join_error;
    stage.secret_shown = invite_secret != NULL;
    *link = &stage.attempts[stream->way];
    **link = (struct link){.peer = peer, .stream = stream, .state = LINK_ACTIVE};
    return 0;
}

void link_drop(struct link *link, const char *detail)
{
    assert_null(link->peer); /* or the round would hear of its end */
    assert_string_equal(detail, "nobody answers");
    link->state = LINK_DEAD;
}

const char *link_end_text(const struct link_end *end, char *text, size_t size)
{
    (void)end;
    snprintf(text, size, "it ended");
    return text;
}

const struct fingerprint *link_fingerprint(const struct link *link)
{
    static const struct fingerprint key = {{7}};
    (void)link;
    return &key;
}

/* --- the owner -------------------------------------------------------------------------------- */

static void on_greet(const struct peer *peer, const struct address *way,
                     struct round_greeting *greeting)
{
    static const uint8_t secret[PEER_INVITE_SIZE];
    assert_ptr_equal(peer, &stage.peer);
    greeting->invite_secret = stage.invited ? secret : NULL;
    greeting->given = address_listed(stage.ways, GIVEN, way);
    greeting->gone.count = 1;
}

static void on_joined(struct peer *peer)
{
    assert_ptr_equal(peer, &stage.peer);
    stage.joined++;
}

static void on_failed(struct peer *peer, const struct address *way, enum attempt_end outcome,
                      const char *error)
{
    assert_ptr_equal(peer, &stage.peer);
    for (unsigned i = 0; i < WAYS; i++)
        stage.failed[i] += address_equal(way, &stage.ways[i]);
    stage.outcome = outcome;
    snprintf(stage.text, sizeof stage.text, "%s", error);
}

static void on_over(struct peer *peer, struct round *round, enum redial_event event)
{
    assert_ptr_equal(peer, &stage.peer);
    assert_ptr_equal(round, stage.round);
    assert_false(stage.over);
    stage.over = true;
    stage.event = event;
}

static const struct round_events events = {on_greet, on_joined, on_failed, on_over};

/* --- the stage -------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(START_MS, 0);
    for (unsigned i = 0; i < WAYS; i++) {
        snprintf(stage.ways[i].host, sizeof stage.ways[i].host, "203.0.113.%u", i);
        stage.ways[i].port = 8766;
        stage.streams[i].way = i;
    }
    const struct round_parts parts = {.runtime = &stage.runtime,
                                      .links = &stage.links,
                                      .peer = &stage.peer,
                                      .priority = DIAL_RECENT,
                                      .ways = stage.ways,
                                      .way_count = WAYS,
                                      .events = &events};
    return round_start(&stage.round, &parts);
}

static int tear_down(void **state)
{
    (void)state;
    round_free(stage.round);
    assert_null(stage.race);
    return 0;
}

/* The patience with a handshake is at its end. */
static void fire(void)
{
    fake_loop.timers[0].callback(fake_loop.timers[0].context);
}

/* The race brings a connection. Whether the round takes it. */
static bool bring(unsigned way)
{
    return stage.race->connected(stage.race_context, way, &stage.streams[way]);
}

static void race_over(void)
{
    const struct dial_events *race = stage.race;
    stage.race = NULL;
    race->over(stage.race_context);
}

/* The handshake over this way ends, after the other side has said something or not. */
static void end(unsigned way, const struct link_end *end)
{
    stage.attempts[way].greeted = true;
    round_attempt_ended(stage.round, end);
}

static void end_coded(unsigned way, enum close_code code)
{
    end(way, &(struct link_end){.coded = true, .code = code, .by_peer = true});
}

static void assert_over(enum redial_event event)
{
    assert_true(stage.over);
    assert_int_equal(stage.event, event);
}

/* --- connections ------------------------------------------------------------------------------ */

static void test_a_handshake_is_made_over_the_first_connection(void **state)
{
    (void)state;
    assert_null(round_attempt(stage.round));
    assert_int_equal(round_since(stage.round), START_MS);
    assert_true(bring(1));
    assert_ptr_equal(round_attempt(stage.round), &stage.attempts[1]);
    assert_true(stage.attempts[1].given);
    assert_int_equal(stage.joined, 1);
    assert_int_equal(fake_loop_due(), START_MS + ROUND_PATIENCE_MS);
    assert_false(stage.secret_shown);
    stage.invited = true;
    assert_true(bring(2));
    assert_true(stage.secret_shown);
}

static void test_while_it_answers_another_connection_waits(void **state)
{
    (void)state;
    bring(0);
    stage.attempts[0].greeted = true;
    assert_false(bring(1));
    fire();
    assert_int_equal(stage.go_ons, 0);
    assert_int_equal(stage.joined, 1);
}

static void test_where_nobody_answers_another_connection_takes_over(void **state)
{
    (void)state;
    bring(0);
    fire();
    assert_int_equal(stage.go_ons, 1);
    assert_int_equal(stage.attempts[0].state, LINK_ACTIVE); /* not before there is another one */
    assert_true(bring(1));
    assert_int_equal(stage.attempts[0].state, LINK_DEAD);
    assert_int_equal(stage.failed[0], 1);
    assert_int_equal(stage.outcome, ATTEMPT_UNREACHED);
    assert_ptr_equal(round_attempt(stage.round), &stage.attempts[1]);
}

static void test_a_handshake_that_can_t_begin_costs_its_way(void **state)
{
    (void)state;
    stage.join_error = -ENOMEM;
    assert_true(bring(0));
    assert_int_equal(stage.failed[0], 1);
    assert_int_equal(stage.go_ons, 1);
    assert_int_equal(stage.joined, 0);
    assert_false(stage.over);
}

static void test_without_a_connection_the_round_has_failed(void **state)
{
    (void)state;
    stage.race->failed(stage.race_context, 2, "refused");
    assert_int_equal(stage.failed[2], 1);
    assert_string_equal(stage.text, "refused");
    race_over();
    assert_over(REDIAL_FAILED);
}

static void test_the_last_handshake_goes_on_when_no_way_is_left(void **state)
{
    (void)state;
    bring(0);
    race_over();
    assert_false(stage.over);
    end(0, &(struct link_end){.coded = false});
    assert_over(REDIAL_FAILED);
}

/* --- the end of a handshake ------------------------------------------------------------------- */

static void test_the_next_way_is_tried_when_a_handshake_fails(void **state)
{
    (void)state;
    bring(0);
    end(0, &(struct link_end){.coded = false});
    assert_int_equal(stage.failed[0], 1);
    assert_string_equal(stage.text, "it ended");
    assert_null(round_attempt(stage.round));
    assert_int_equal(stage.go_ons, 1);
    assert_false(stage.over);
}

static void test_only_so_many_answers_are_asked_for(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ROUND_ANSWERS_MAX; i++) {
        assert_false(stage.over);
        bring(i);
        end_coded(i, CLOSE_INTERNAL_ERROR);
    }
    assert_over(REDIAL_FAILED);
    assert_int_equal(stage.go_ons, ROUND_ANSWERS_MAX - 1);
}

static void test_who_says_nothing_has_given_no_answer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WAYS; i++) {
        bring(i);
        round_attempt_ended(stage.round, &(struct link_end){.coded = false});
    }
    assert_false(stage.over);
    assert_int_equal(stage.go_ons, WAYS);
}

static void test_a_peer_without_time_ends_the_round(void **state)
{
    (void)state;
    bring(0);
    end_coded(0, CLOSE_BUSY);
    assert_over(REDIAL_BUSY);
    assert_int_equal(stage.failed[0], 1);
}

static void test_a_duplicate_is_no_failure(void **state)
{
    (void)state;
    bring(0);
    end_coded(0, CLOSE_DUPLICATE);
    assert_over(REDIAL_DUPLICATE);
    assert_int_equal(stage.failed[0], 0);
}

static void test_the_worst_answer_is_what_the_round_comes_to(void **state)
{
    static const struct {
        enum close_code first, second;
        enum redial_event event;
    } rows[] = {
        {CLOSE_REFUSED, CLOSE_HANDSHAKE_FAILED, REDIAL_REFUSED},
        {CLOSE_HANDSHAKE_FAILED, CLOSE_REFUSED, REDIAL_REFUSED},
        {CLOSE_HANDSHAKE_FAILED, CLOSE_INTERNAL_ERROR, REDIAL_UNPROVEN},
        {CLOSE_INTERNAL_ERROR, CLOSE_INTERNAL_ERROR, REDIAL_FAILED},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        bring(0);
        end_coded(0, rows[i].first);
        bring(1);
        end_coded(1, rows[i].second);
        race_over();
        assert_over(rows[i].event);
        tear_down(state);
        assert_int_equal(set_up(state), 0);
    }
}

static void test_what_an_end_means(void **state)
{
    static const struct {
        enum close_code code;
        enum redial_event event;
    } rows[] = {
        {CLOSE_NORMAL, REDIAL_FAILED},         {CLOSE_HANDSHAKE_FAILED, REDIAL_UNPROVEN},
        {CLOSE_REFUSED, REDIAL_REFUSED},       {CLOSE_APPROVAL_TIMEOUT, REDIAL_REFUSED},
        {CLOSE_UNSUPPORTED, REDIAL_REFUSED},   {CLOSE_SELF, REDIAL_REFUSED},
        {CLOSE_BAD_KEY, REDIAL_REFUSED},       {CLOSE_DUPLICATE, REDIAL_DUPLICATE},
        {CLOSE_REPLACED, REDIAL_DUPLICATE},    {CLOSE_BUSY, REDIAL_BUSY},
        {CLOSE_IDLE_TIMEOUT, REDIAL_FAILED},   {CLOSE_PROTOCOL_ERROR, REDIAL_FAILED},
        {CLOSE_INTERNAL_ERROR, REDIAL_FAILED},
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        const struct link_end coded = {.coded = true, .code = rows[i].code};
        assert_int_equal(round_event_of(&coded), rows[i].event);
    }
    assert_int_equal(round_event_of(&(struct link_end){.code = CLOSE_REFUSED}), REDIAL_FAILED);
}

static void assert_explained(enum trust_verdict verdict, const struct link_end *ended,
                             enum attempt_end outcome, const char *text)
{
    bring(0);
    stage.attempts[0].verdict = verdict;
    stage.attempts[0].is_own = outcome == ATTEMPT_SELF;
    round_attempt_ended(stage.round, ended);
    assert_int_equal(stage.outcome, outcome);
    assert_non_null(strstr(stage.text, text));
}

static void test_people_read_why_a_way_failed(void **state)
{
    const struct link_end ours = {.coded = true, .code = CLOSE_REFUSED};
    const struct link_end theirs = {.coded = true, .code = CLOSE_REFUSED, .by_peer = true};
    const struct link_end self = {.coded = true, .code = CLOSE_SELF};
    (void)state;
    assert_explained(TRUST_ALARM, &ours, ATTEMPT_OTHER_KEY, "another key answered: SHA256:");
    assert_explained(TRUST_ELSEWHERE, &ours, ATTEMPT_OTHER_KEY, "another key answered: SHA256:");
    assert_explained(TRUST_REFUSE, &self, ATTEMPT_SELF, "an address of this machine");
    assert_explained(TRUST_REFUSE, &self, ATTEMPT_UNREACHED, "has this machine's key");
    assert_explained(TRUST_WEAK, &ours, ATTEMPT_UNREACHED, "post-quantum");
    assert_explained(TRUST_REFUSE, &theirs, ATTEMPT_REFUSED, "it ended");
    assert_explained(TRUST_REFUSE, &ours, ATTEMPT_UNREACHED, "it ended");
}

static void test_who_is_where_the_peer_once_was_pauses_no_other_way(void **state)
{
    const struct link_end ours = {.coded = true, .code = CLOSE_REFUSED};
    for (unsigned given = 0, way = GIVEN; given <= 1; given++, way = 0) {
        bring(way);
        assert_int_equal(stage.attempts[way].given, given);
        stage.attempts[way].verdict = TRUST_ELSEWHERE;
        end(way, &ours);
        assert_int_equal(stage.failed[way], 1);
        race_over();
        assert_over(given ? REDIAL_REFUSED : REDIAL_FAILED);
        tear_down(state);
        assert_int_equal(set_up(state), 0);
    }
}

/* --- its end ---------------------------------------------------------------------------------- */

static void test_a_link_ends_the_race_and_takes_its_handshake(void **state)
{
    (void)state;
    bring(0);
    assert_false(round_settle(stage.round, &stage.attempts[0]));
    assert_null(stage.race);
    assert_null(round_attempt(stage.round));
}

static void test_another_link_leaves_the_handshake_going(void **state)
{
    struct link link = {.state = LINK_ACTIVE};
    (void)state;
    bring(0);
    assert_true(round_settle(stage.round, &link));
    assert_null(stage.race);
    assert_ptr_equal(round_attempt(stage.round), &stage.attempts[0]);
    fire(); /* there is nothing to be impatient for */
    end_coded(0, CLOSE_INTERNAL_ERROR);
    assert_over(REDIAL_FAILED);
}

static void test_a_round_moves_with_its_handshake(void **state)
{
    (void)state;
    bring(0);
    round_move(stage.round, &stage.other);
    assert_ptr_equal(stage.attempts[0].peer, &stage.other);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_handshake_is_made_over_the_first_connection),
        TEST(test_while_it_answers_another_connection_waits),
        TEST(test_where_nobody_answers_another_connection_takes_over),
        TEST(test_a_handshake_that_can_t_begin_costs_its_way),
        TEST(test_without_a_connection_the_round_has_failed),
        TEST(test_the_last_handshake_goes_on_when_no_way_is_left),
        TEST(test_the_next_way_is_tried_when_a_handshake_fails),
        TEST(test_only_so_many_answers_are_asked_for),
        TEST(test_who_says_nothing_has_given_no_answer),
        TEST(test_a_peer_without_time_ends_the_round),
        TEST(test_a_duplicate_is_no_failure),
        TEST(test_the_worst_answer_is_what_the_round_comes_to),
        TEST(test_what_an_end_means),
        TEST(test_people_read_why_a_way_failed),
        TEST(test_who_is_where_the_peer_once_was_pauses_no_other_way),
        TEST(test_a_link_ends_the_race_and_takes_its_handshake),
        TEST(test_another_link_leaves_the_handshake_going),
        TEST(test_a_round_moves_with_its_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
