/* SPDX-License-Identifier: ISC */
/*
 * Tests core/link while it is not read from: between a stream and a session that only note what
 * they are told, by a clock that the test moves.
 */
#include "core/link.h"

#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

enum { START_MS = 1000, HOLD_MS = 60000, DEADLINE_MS = 20000 };

/* --- stand-ins -------------------------------------------------------------------------------- */

struct stream {
    const struct stream_events *events;
    void *context;
    size_t unread;
    bool paused, finished;
    size_t written;
};

struct session {
    size_t taken;
    unsigned items; /* in what was taken, and not yet told */
    bool ended, last_words;
    enum close_code code;
    unsigned ticks;
};

static struct {
    struct stream stream;
    struct session session;
    struct link *link;
    struct turn turn;
    unsigned items_of_packet, items; /* the latter were told */
    unsigned ms_of_item;
    unsigned ends;
    struct link_end end;
} stage;

void stream_attach(struct stream *stream, const struct stream_events *events, void *context)
{
    stream->events = events;
    stream->context = context;
}

void stream_free(struct stream *stream)
{
    (void)stream;
}

struct span stream_input(const struct stream *stream)
{
    static const uint8_t bytes[100];
    return SPAN(bytes, stream->unread);
}

void stream_consume(struct stream *stream, size_t size)
{
    stream->unread -= size;
}

void stream_pause(struct stream *stream, bool paused)
{
    stream->paused = paused;
}

int stream_write(struct stream *stream, struct span data)
{
    stream->written += data.size;
    return 0;
}

void stream_push(struct stream *stream)
{
    (void)stream;
}

size_t stream_unsent(const struct stream *stream)
{
    (void)stream;
    return 0;
}

struct pulse_facts stream_pulse(const struct stream *stream)
{
    (void)stream;
    return (struct pulse_facts){0};
}

void stream_finish(struct stream *stream)
{
    stream->finished = true;
}

int session_new(struct session **session, const struct session_settings *settings, uint64_t now_ms)
{
    (void)settings, (void)now_ms;
    *session = &stage.session;
    return 0;
}

void session_free(struct session *session)
{
    (void)session;
}

size_t session_input(struct session *session, struct span data, uint64_t now_ms)
{
    (void)data, (void)now_ms;
    session->taken++;
    session->items += stage.items_of_packet;
    return 1;
}

struct session_event session_next_event(struct session *session)
{
    struct session_event event = {.type = SESSION_NOTHING};
    if (session->ended) {
        session->ended = false;
        event = (struct session_event){.type = SESSION_ENDED, .code = session->code};
    } else if (session->items > 0) {
        session->items--;
        event.type = SESSION_ITEM;
    }
    return event;
}

void session_close(struct session *session, enum close_code code, uint64_t now_ms)
{
    (void)now_ms;
    session->ended = session->last_words = true;
    session->code = code;
}

bool session_has_output(const struct session *session)
{
    return session->last_words;
}

void session_output(struct session *session, struct bytes *out, uint64_t now_ms)
{
    (void)now_ms;
    bytes_append(out, "bye", 3);
    session->last_words = false;
}

uint64_t session_deadline(const struct session *session)
{
    (void)session;
    return START_MS + DEADLINE_MS;
}

void session_tick(struct session *session, uint64_t now_ms)
{
    (void)now_ms;
    session->ticks++;
}

void session_establish(struct session *session, uint64_t now_ms)
{
    (void)session, (void)now_ms;
}

void session_approve(struct session *session, uint64_t now_ms)
{
    (void)session, (void)now_ms;
}

void session_acknowledge(struct session *session, uint64_t ordinal)
{
    (void)session, (void)ordinal;
}

void session_note_arrival(struct session *session, uint64_t now_ms)
{
    (void)session, (void)now_ms;
}

void session_set_patience(struct session *session, uint64_t patience_ms)
{
    (void)session, (void)patience_ms;
}

void session_doubt(struct session *session, uint64_t now_ms)
{
    (void)session, (void)now_ms;
}

enum session_role session_role(const struct session *session)
{
    (void)session;
    return SESSION_JOINER;
}

enum session_phase session_phase(const struct session *session)
{
    (void)session;
    return SESSION_OPEN;
}

const struct pubkey *session_peer(const struct session *session)
{
    (void)session;
    return NULL;
}

const struct fingerprint *pubkey_fingerprint(const struct pubkey *key)
{
    (void)key;
    return NULL;
}

const char *close_code_name(enum close_code code)
{
    (void)code;
    return "";
}

/* --- the stage -------------------------------------------------------------------------------- */

static void on_event(void *context, struct link *link, const struct session_event *event)
{
    (void)context, (void)link;
    assert_int_equal(event->type, SESSION_ITEM);
    stage.items++;
    fake_loop.now_ms += stage.ms_of_item;
}

static void on_ended(void *context, struct link *link, const struct link_end *end)
{
    (void)context, (void)link;
    stage.ends++;
    stage.end = *end;
}

static const struct link_events events = {NULL, on_event, on_ended};

static int set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(START_MS, 0);
    turn_init(&stage.turn);
    assert_int_equal(link_new(&stage.link, NULL, &stage.turn, &stage.stream, NULL, &events, NULL),
                     0);
    link_flush(stage.link);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    link_free(stage.link);
    return 0;
}

/* The kernel has something more to read, which is read if it is asked for. */
static void arrive(size_t size)
{
    stage.stream.unread += size;
    if (!stage.stream.paused)
        stage.stream.events->readable(stage.stream.context);
}

/* Time goes by until the timer calls, or not so far. */
static void pass(uint64_t ms)
{
    if (fake_loop_step(fake_loop.now_ms + ms))
        link_flush(stage.link);
}

static void test_a_held_link_is_not_read_from(void **state)
{
    (void)state;
    arrive(2);
    assert_int_equal(stage.session.taken, 2);
    link_hold(stage.link, HOLD_MS);
    link_flush(stage.link);
    arrive(3);
    assert_int_equal(stage.session.taken, 2);
    assert_int_equal(stage.stream.unread, 3);
}

static void test_nothing_is_missed_while_it_is_held(void **state)
{
    (void)state;
    link_hold(stage.link, HOLD_MS);
    link_flush(stage.link);
    assert_int_equal(fake_loop_due(), START_MS + HOLD_MS);
    pass(DEADLINE_MS + 1);
    assert_int_equal(stage.session.ticks, 0);
    assert_int_equal(stage.ends, 0);
}

static void test_then_the_other_side_is_told_and_heard_out(void **state)
{
    (void)state;
    link_hold(stage.link, HOLD_MS);
    link_flush(stage.link);
    link_hold(stage.link, 2 * HOLD_MS); /* which changes nothing */
    pass(HOLD_MS - 1);
    assert_int_equal(stage.ends, 0);
    pass(1);
    assert_int_equal(stage.ends, 1);
    assert_int_equal(stage.end.code, CLOSE_GOING_AWAY);
    assert_false(stage.end.by_peer);
    assert_int_equal(stage.stream.written, 3);
    assert_true(stage.stream.finished);
    arrive(5); /* unread bytes would make the kernel break off what it was told */
    assert_int_equal(stage.stream.unread, 0);
    assert_int_equal(stage.session.taken, 0);
}

/* --- shares of a turn ------------------------------------------------------------------------- */

enum { FLOOD = 2000 };

/* The rest of the turn; how many items it brought. */
static unsigned end_turn(void)
{
    const unsigned before = stage.items;
    if (!list_empty(&stage.link->behind))
        link_go_on(stage.link);
    link_flush(stage.link);
    turn_next(&stage.turn);
    return stage.items - before;
}

static void test_a_flood_alone_has_so_many_items_of_a_turn(void **state)
{
    (void)state;
    stage.items_of_packet = FLOOD;
    arrive(1);
    assert_in_range(stage.items, TURN_ALONE_ITEMS - 2, TURN_ALONE_ITEMS);
    assert_true(stage.stream.paused);
    link_flush(stage.link); /* which tells no more of it */
    assert_in_range(stage.items, TURN_ALONE_ITEMS - 2, TURN_ALONE_ITEMS);
    turn_next(&stage.turn);
    unsigned turns = 1;
    while (stage.items < FLOOD) {
        assert_in_range(end_turn(), 1, TURN_ALONE_ITEMS);
        turns++;
    }
    assert_int_equal(turns, (FLOOD + TURN_ALONE_ITEMS - 1) / TURN_ALONE_ITEMS);
    end_turn();
    assert_false(stage.stream.paused);
}

static void test_beside_others_it_has_fewer(void **state)
{
    (void)state;
    stage.items_of_packet = FLOOD;
    turn_join(&stage.turn);
    turn_join(&stage.turn); /* two clients */
    arrive(1);
    assert_in_range(stage.items, TURN_SHARED_ITEMS - 2, TURN_SHARED_ITEMS);
    turn_next(&stage.turn);
    assert_in_range(end_turn(), 1, TURN_SHARED_ITEMS); /* they may call again */
    assert_in_range(end_turn(), TURN_SHARED_ITEMS + 1, TURN_ALONE_ITEMS);
}

static void test_packets_without_items_count_as_well(void **state)
{
    (void)state;
    arrive(TURN_ALONE_ITEMS + 10);
    assert_int_equal(stage.session.taken, TURN_ALONE_ITEMS);
    assert_int_equal(stage.stream.unread, 10);
    turn_next(&stage.turn);
    end_turn();
    assert_int_equal(stage.stream.unread, 0);
    assert_false(stage.stream.paused);
}

static void test_slow_items_end_the_share_by_their_time(void **state)
{
    (void)state;
    stage.items_of_packet = FLOOD;
    stage.ms_of_item = 1;
    arrive(1);
    assert_in_range(stage.items, 1, TURN_ALONE_MS + 1);
}

static void test_the_end_of_a_flood_is_told_at_once(void **state)
{
    (void)state;
    stage.items_of_packet = FLOOD;
    arrive(1);
    link_close(stage.link, CLOSE_REFUSED);
    assert_int_equal(stage.ends, 1);
    assert_int_equal(stage.end.code, CLOSE_REFUSED);
    assert_false(stage.stream.paused);
    end_turn();
    assert_in_range(stage.items, 1, TURN_ALONE_ITEMS);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_held_link_is_not_read_from),
        TEST(test_nothing_is_missed_while_it_is_held),
        TEST(test_then_the_other_side_is_told_and_heard_out),
        TEST(test_a_flood_alone_has_so_many_items_of_a_turn),
        TEST(test_beside_others_it_has_fewer),
        TEST(test_packets_without_items_count_as_well),
        TEST(test_slow_items_end_the_share_by_their_time),
        TEST(test_the_end_of_a_flood_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
