/* SPDX-License-Identifier: ISC */
/*
 * Tests core/doorway: who comes in, where the first bytes of a connection lead it, and when nobody
 * waits for them any more.
 */
#include "core/doorway.h"

#include <string.h>

#include "core/streams.h"
#include "crypto/random.h"
#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

enum { START_MS = 1000000, STREAMS = LIMITS_STRANGERS_MAX + 2 };

/* --- stand-ins -------------------------------------------------------------------------------- */

struct stream {
    struct origin origin;
    uint8_t input[LANE_ATTACH_SIZE + 8];
    size_t size;
    const struct stream_events *events; /* set by stream_attach() */
    void *context;
    bool freed, hosted, attached; /* where it went */
};

static struct stage {
    struct runtime runtime;
    struct links links;
    struct streams streams;
    struct doorway doorway;
    struct stream connections[STREAMS];
    unsigned made;
    bool full;           /* the links take no stranger */
    bool unknown;        /* nobody offered the lane that is asked for */
    unsigned elsewhere;  /* what the links were told last: how many wait here … */
    unsigned from_there; /* … and how many of them from that origin */
    uint32_t random;
} stage;

const struct origin *stream_origin(const struct stream *stream)
{
    return &stream->origin;
}

struct span stream_input(const struct stream *stream)
{
    return SPAN(stream->input, stream->size);
}

void stream_consume(struct stream *stream, size_t size)
{
    assert_true(size <= stream->size);
    stream->size -= size;
    memmove(stream->input, stream->input + size, stream->size);
}

void stream_attach(struct stream *stream, const struct stream_events *events, void *context)
{
    stream->events = events;
    stream->context = context;
}

void stream_free(struct stream *stream)
{
    assert_false(stream->freed || stream->hosted || stream->attached);
    stream->freed = true;
}

bool links_admit_stranger(struct links *links, const struct origin *origin, unsigned elsewhere,
                          unsigned from_there, uint64_t now_ms)
{
    assert_ptr_equal(links, &stage.links);
    assert_non_null(origin);
    assert_int_equal(now_ms, fake_loop.now_ms);
    stage.elsewhere = elsewhere;
    stage.from_there = from_there;
    return !stage.full;
}

int links_host(struct links *links, struct stream *stream)
{
    assert_ptr_equal(links, &stage.links);
    stream->hosted = true;
    return 0;
}

bool streams_attach(struct streams *streams, struct stream *stream,
                    const uint8_t frame[static LANE_ATTACH_SIZE])
{
    assert_ptr_equal(streams, &stage.streams);
    assert_int_equal(frame[LANE_ATTACH_SIZE - 1], 'z');
    stream->attached = !stage.unknown;
    return stream->attached;
}

bool lane_attach_begins(const uint8_t header[static FRAME_HEADER_SIZE])
{
    return header[4] == FRAME_ATTACH;
}

uint32_t random_u32(void)
{
    return stage.random;
}

/* --- the stage -------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(START_MS, 0);
    return doorway_init(&stage.doorway, &stage.runtime, &stage.links, &stage.streams);
}

static int tear_down(void **state)
{
    (void)state;
    doorway_deinit(&stage.doorway);
    return 0;
}

/* Somebody connects. */
static struct stream *enter(uint8_t origin)
{
    struct stream *stream = &stage.connections[stage.made++];
    stream->origin.key[0] = origin;
    doorway_enter(&stage.doorway, stream);
    return stream;
}

static void say(struct stream *stream, const void *data, size_t size)
{
    memcpy(stream->input + stream->size, data, size);
    stream->size += size;
    stream->events->readable(stream->context);
}

static void turn_end_at(uint64_t now_ms)
{
    fake_loop.now_ms = now_ms;
    doorway_turn_end(&stage.doorway);
}

static bool waits(const struct stream *stream)
{
    return !stream->freed && !stream->hosted && !stream->attached;
}

/* How many of the first `count` were closed. */
static unsigned freed_of(unsigned count)
{
    unsigned freed = 0;
    for (unsigned i = 0; i < count; i++)
        freed += stage.connections[i].freed;
    return freed;
}

/* --- who comes in ----------------------------------------------------------------------------- */

static void test_who_connects_waits_for_its_own_first_bytes(void **state)
{
    struct stream *stream = enter(1);
    (void)state;
    assert_int_equal(stage.elsewhere, 0);
    turn_end_at(START_MS);
    assert_true(waits(stream));
    assert_int_equal(fake_loop_due(), START_MS + SESSION_HELLO_TIMEOUT_MS);
}

static void test_the_links_know_how_many_wait_here(void **state)
{
    (void)state;
    enter(1), enter(2), enter(1);
    enter(1);
    assert_int_equal(stage.elsewhere, 3);
    assert_int_equal(stage.from_there, 2);
    assert_int_equal(stage.doorway.count, 4);
}

static void test_nobody_comes_in_when_the_links_take_none_or_the_node_stops(void **state)
{
    (void)state;
    stage.full = true;
    assert_true(enter(1)->freed);
    stage.full = false;
    stage.runtime.stopping = true;
    assert_true(enter(1)->freed);
    assert_int_equal(stage.doorway.count, 0);
}

static void test_a_crowd_makes_room_of_those_that_had_time_enough(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LIMITS_STRANGERS_MAX; i++)
        enter(1);
    fake_loop.now_ms += LIMITS_EVICTABLE_AGE_MS - 1;
    assert_true(enter(2)->freed);
    fake_loop.now_ms++;
    assert_true(waits(enter(2)));
    assert_int_equal(stage.doorway.count, LIMITS_STRANGERS_MAX);
    assert_int_equal(stage.elsewhere, LIMITS_STRANGERS_MAX - 1);
    assert_int_equal(freed_of(LIMITS_STRANGERS_MAX), 1);
}

static void test_without_a_crowd_nobody_goes_for_another(void **state)
{
    (void)state;
    enter(1);
    fake_loop.now_ms += LIMITS_EVICTABLE_AGE_MS;
    assert_true(waits(enter(2)));
    assert_int_equal(freed_of(2), 0);
}

/* --- where they go ---------------------------------------------------------------------------- */

static void test_a_handshake_goes_to_the_links_once_its_header_is_there(void **state)
{
    struct stream *stream = enter(1);
    (void)state;
    say(stream, "\0\0\0\x20", FRAME_HEADER_SIZE - 1);
    turn_end_at(START_MS);
    assert_true(waits(stream));
    say(stream, "\x01", 1);
    turn_end_at(START_MS);
    assert_true(stream->hosted);
    assert_int_equal(stream->size, FRAME_HEADER_SIZE);
    assert_int_equal(stage.doorway.count, 0);
    assert_int_equal(fake_loop_due(), UINT64_MAX);
}

static void say_attach(struct stream *stream, size_t from, size_t to)
{
    uint8_t frame[LANE_ATTACH_SIZE] = {[4] = FRAME_ATTACH, [LANE_ATTACH_SIZE - 1] = 'z'};
    say(stream, frame + from, to - from);
}

static void test_a_lane_goes_to_the_streams_once_its_attach_is_whole(void **state)
{
    struct stream *stream = enter(1);
    (void)state;
    say_attach(stream, 0, LANE_ATTACH_SIZE - 1);
    turn_end_at(START_MS);
    assert_true(waits(stream));
    say_attach(stream, LANE_ATTACH_SIZE - 1, LANE_ATTACH_SIZE);
    say(stream, "next", 4);
    turn_end_at(START_MS);
    assert_true(stream->attached);
    assert_int_equal(stream->size, 4);
    assert_memory_equal(stream->input, "next", 4);
    assert_int_equal(stage.doorway.count, 0);
}

static void test_a_lane_that_nobody_offered_goes_without_a_word(void **state)
{
    struct stream *stream = enter(1);
    (void)state;
    stage.unknown = true;
    say_attach(stream, 0, LANE_ATTACH_SIZE);
    turn_end_at(START_MS);
    assert_true(stream->freed);
}

/* --- how long they wait ----------------------------------------------------------------------- */

static void test_who_says_nothing_goes_when_its_time_is_up(void **state)
{
    struct stream *first = enter(1), *second = (fake_loop.now_ms += 10, enter(2));
    (void)state;
    turn_end_at(START_MS + SESSION_HELLO_TIMEOUT_MS - 1);
    assert_true(waits(first));
    assert_int_equal(fake_loop_due(), START_MS + SESSION_HELLO_TIMEOUT_MS);
    turn_end_at(START_MS + SESSION_HELLO_TIMEOUT_MS);
    assert_true(first->freed && waits(second));
    assert_int_equal(fake_loop_due(), START_MS + 10 + SESSION_HELLO_TIMEOUT_MS);
}

static void test_an_attach_in_pieces_has_no_more_time(void **state)
{
    struct stream *stream = enter(1);
    (void)state;
    say_attach(stream, 0, LANE_ATTACH_SIZE - 1);
    turn_end_at(START_MS + SESSION_HELLO_TIMEOUT_MS);
    assert_true(stream->freed);
}

static void test_who_has_gone_is_dropped_unless_it_has_said_something(void **state)
{
    struct stream *silent = enter(1), *spoken = enter(2);
    (void)state;
    say(spoken, "\0\0\0\x20\x01", FRAME_HEADER_SIZE);
    fake_loop.woken = 0;
    silent->events->ended(silent->context, 0);
    assert_int_equal(fake_loop.woken, 1);
    spoken->events->ended(spoken->context, 0);
    assert_true(waits(silent)); /* nothing is freed inside a callback */
    turn_end_at(START_MS);
    assert_true(silent->freed && spoken->hosted);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_who_connects_waits_for_its_own_first_bytes),
        TEST(test_the_links_know_how_many_wait_here),
        TEST(test_nobody_comes_in_when_the_links_take_none_or_the_node_stops),
        TEST(test_a_crowd_makes_room_of_those_that_had_time_enough),
        TEST(test_without_a_crowd_nobody_goes_for_another),
        TEST(test_a_handshake_goes_to_the_links_once_its_header_is_there),
        TEST(test_a_lane_goes_to_the_streams_once_its_attach_is_whole),
        TEST(test_a_lane_that_nobody_offered_goes_without_a_word),
        TEST(test_who_says_nothing_goes_when_its_time_is_up),
        TEST(test_an_attach_in_pieces_has_no_more_time),
        TEST(test_who_has_gone_is_dropped_unless_it_has_said_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
