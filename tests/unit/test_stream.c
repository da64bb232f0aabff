/* SPDX-License-Identifier: ISC */
/*
 * Streams against raw sockets: what is delivered, when, how often, and how much is held.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/libevent.h"
#include "unit/net_wire.h"

/* --- input ------------------------------------------------------------------------------------ */

static void test_nothing_is_read_before_somebody_listens(void **state)
{
    struct wire *wire = *state;
    peer_sends(wire, "early");
    wire_assert_idle(wire);
    assert_int_equal(stream_input(wire->stream).size, 0);
    wire_attach(wire);
    assert_int_equal(wire->readables, 0);
    assert_true(wire_has_received(wire, 5));
    assert_int_equal(wire->received, 5);
}

static void test_a_new_owner_is_told_of_unread_input(void **state)
{
    struct wire *wire = *state;
    struct wire other = {.stream = wire->stream, .consumes = true, .peer = -1};
    wire->consumes = false;
    wire_attach(wire);
    peer_sends(wire, "left over");
    assert_true(wire_has_told(wire, 1));
    stream_attach(wire->stream, &WIRE_EVENTS, &other);
    rig_run_for(&wire->rig, 50);
    assert_int_equal(other.received, 9);
}

static void test_unread_input_is_bounded_and_does_not_spin(void **state)
{
    struct wire *wire = *state;
    size_t sent;
    wire->consumes = false;
    wire_attach(wire);
    sent = peer_floods(wire);
    wire_assert_idle(wire);
    sent += peer_floods(wire);
    assert_true(sent > STREAM_INPUT_MAX);
    wire_assert_idle(wire);
    assert_true(wire->readables >= 1);

    /* Exactly the limit is held, and what the kernel holds arrives once there is room. */
    for (size_t held = 0; stream_input(wire->stream).size > 0;) {
        held += stream_input(wire->stream).size;
        assert_true(held <= STREAM_INPUT_MAX);
        wire->received = held;
        stream_consume(wire->stream, stream_input(wire->stream).size);
    }
    assert_int_equal(wire->received, STREAM_INPUT_MAX);
    wire->consumes = true;
    assert_true(wire_has_received(wire, sent));
    assert_int_equal(wire->received, sent);
}

static bool has_received(void *context)
{
    const struct wire *wire = context;
    return wire->received > 0;
}

static void test_a_turn_takes_much_but_not_without_end(void **state)
{
    struct wire *wire = *state;
    wire->refills = true;
    wire_attach(wire);
    peer_floods(wire);
    assert_true(rig_run_until(&wire->rig, has_received, wire));
    assert_true(wire->received > 32 * 1024);
    assert_true(wire->received <= 256 * 1024);
}

static void test_a_paused_stream_reads_nothing(void **state)
{
    struct wire *wire = *state;
    wire_attach(wire);
    stream_pause(wire->stream, true);
    peer_floods(wire);
    wire_assert_idle(wire);
    assert_int_equal(wire->readables, 0);
    assert_int_equal(stream_input(wire->stream).size, 0);
}

static void test_resuming_tells_of_unread_input_but_not_at_once(void **state)
{
    struct wire *wire = *state;
    wire->consumes = false;
    wire->pauses = true;
    wire_attach(wire);
    peer_sends(wire, "hello");
    assert_true(wire_has_told(wire, 1));

    stream_pause(wire->stream, false);
    assert_int_equal(wire->readables, 1);
    assert_true(wire_has_told(wire, 2));
    assert_int_equal(wire->readables, 2);
    assert_int_equal(stream_input(wire->stream).size, 5);
}

static void test_pausing_again_before_the_turn_keeps_silent(void **state)
{
    struct wire *wire = *state;
    wire->consumes = false;
    wire->pauses = true;
    wire_attach(wire);
    peer_sends(wire, "hello");
    assert_true(wire_has_told(wire, 1));
    stream_pause(wire->stream, false);
    stream_pause(wire->stream, true);
    rig_run_for(&wire->rig, 50);
    assert_int_equal(wire->readables, 1);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void test_the_end_comes_once_and_after_all_input(void **state)
{
    struct wire *wire = *state;
    size_t sent;
    wire_attach(wire);
    sent = peer_floods(wire);
    peer_closes(wire);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    wire_assert_idle(wire);
    assert_int_equal(wire->ends, 1);
    assert_int_equal(wire->error, 0);
    assert_int_equal(wire->seen_at_end, sent);
}

static void test_an_incomplete_rest_does_not_hide_the_end(void **state)
{
    struct wire *wire = *state;
    wire->consumes = false;
    wire_attach(wire);
    peer_sends(wire, "half a li");
    peer_closes(wire);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    assert_int_equal(wire->error, 0);
    assert_int_equal(stream_input(wire->stream).size, 9);
    stream_pause(wire->stream, true);
    stream_pause(wire->stream, false); /* no reason to be told of the rest again */
    wire_assert_idle(wire);
}

static void test_a_paused_owner_is_not_told_of_the_end(void **state)
{
    struct wire *wire = *state;
    wire->pauses = true;
    wire->consumes = false;
    wire_attach(wire);
    peer_sends(wire, "last words");
    peer_closes(wire);
    wire_assert_idle(wire);
    assert_int_equal(wire->ends, 0);

    wire->pauses = false;
    wire->consumes = true;
    stream_pause(wire->stream, false);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    assert_int_equal(wire->seen_at_end, 10);
    assert_int_equal(wire->ends, 1);
}

static void test_an_owner_who_pauses_with_the_last_input_hears_the_end_later(void **state)
{
    struct wire *wire = *state;
    wire_attach(wire);
    peer_sends(wire, "x");
    peer_closes(wire);
    wire->pauses = true;
    for (unsigned i = 1; i <= 3 && !wire->ended; i++) {
        wire_assert_idle(wire);
        stream_pause(wire->stream, false);
    }
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    assert_int_equal(wire->ends, 1);
    assert_int_equal(wire->received, 1);
}

static void test_after_the_peers_half_close_writing_works(void **state)
{
    struct wire *wire = *state;
    char reply[8];
    wire_attach(wire);
    peer_sends(wire, "question");
    assert_int_equal(shutdown(wire->peer, SHUT_WR), 0);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    assert_int_equal(wire->error, 0);
    assert_int_equal(stream_write(wire->stream, SPAN("answer", 6)), 0);
    stream_finish(wire->stream);
    rig_run_for(&wire->rig, 50);
    peer_waits(wire);
    assert_int_equal(recv(wire->peer, reply, sizeof(reply), 0), 6);
    assert_memory_equal(reply, "answer", 6);
    peer_waits(wire);
    assert_int_equal(recv(wire->peer, reply, sizeof(reply), 0), 0);
    assert_int_equal(wire->ends, 1);
}

static void test_a_reset_is_an_error_and_told_once(void **state)
{
    struct wire *wire = *state;
    wire_attach(wire);
    peer_resets(wire);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    wire_assert_idle(wire);
    assert_int_equal(wire->ends, 1);
    assert_int_equal(wire->error, ECONNRESET);
}

static void test_a_reset_of_a_paused_stream_does_not_spin(void **state)
{
    struct wire *wire = *state;
    wire_attach(wire);
    stream_pause(wire->stream, true);
    peer_resets(wire);
    wire_assert_idle(wire);
    stream_pause(wire->stream, false);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    assert_int_equal(wire->error, ECONNRESET);
}

/* An owner that waits for its output to drain before it reads on would else wait for ever. */
static void test_a_reset_with_unsent_bytes_is_told_even_when_paused(void **state)
{
    static const uint8_t much[4 * 1024 * 1024];
    struct wire *wire = *state;
    wire_attach(wire);
    stream_pause(wire->stream, true);
    assert_int_equal(stream_write(wire->stream, SPAN(much, sizeof(much))), 0);
    rig_run_for(&wire->rig, 50);
    assert_true(stream_unsent(wire->stream) > STREAM_LOW_WATER);
    peer_resets(wire);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    wire_assert_idle(wire);
    assert_int_not_equal(wire->error, 0);
    assert_int_equal(wire->ends, 1);
    assert_int_equal(stream_unsent(wire->stream), 0);
}

static void test_what_came_before_a_failed_write_is_delivered(void **state)
{
    struct wire *wire = *state;
    peer_sends(wire, "last words");
    peer_closes(wire);
    wire_attach(wire);
    assert_int_equal(stream_write(wire->stream, SPAN("too late", 8)), 0);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    wire_assert_idle(wire);
    assert_int_equal(wire->seen_at_end, 10);
    assert_int_equal(wire->ends, 1);
}

/* The owner knows of the end already and waits only for its last bytes to be gone. */
static void test_a_failed_write_after_the_end_counts_as_drained(void **state)
{
    struct wire *wire = *state;
    wire_attach(wire);
    peer_closes(wire);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(stream_write(wire->stream, SPAN("reply", 5)), 0);
        wire_assert_idle(wire);
        assert_int_equal(wire->writables, i);
        assert_int_equal(stream_unsent(wire->stream), 0);
    }
    assert_int_equal(wire->ends, 1);
}

/* --- output ----------------------------------------------------------------------------------- */

static void test_a_sent_write_tells_that_there_is_room(void **state)
{
    struct wire *wire = *state;
    wire_attach(wire);
    assert_int_equal(stream_write(wire->stream, SPAN("one", 3)), 0);
    assert_int_equal(stream_write(wire->stream, SPAN("two", 3)), 0);
    assert_int_equal(stream_unsent(wire->stream), 6);
    wire_assert_idle(wire);
    assert_int_equal(wire->writables, 1);
    assert_int_equal(stream_unsent(wire->stream), 0);
    peer_waits(wire);
    assert_int_equal(peer_drains(wire, NULL), 6);
}

static bool is_drained(void *context)
{
    const struct wire *wire = context;
    peer_drains(wire, NULL);
    return stream_unsent(wire->stream) == 0;
}

static void test_room_is_told_only_below_the_low_water(void **state)
{
    static const uint8_t much[8 * 1024 * 1024];
    struct wire *wire = *state;
    wire_attach(wire);
    assert_int_equal(stream_write(wire->stream, SPAN(much, sizeof(much))), 0);
    wire_assert_idle(wire);
    assert_true(stream_unsent(wire->stream) > STREAM_LOW_WATER);
    assert_int_equal(wire->writables, 0);
    assert_true(rig_run_until(&wire->rig, is_drained, wire));
    assert_true(wire->writables >= 1);
    assert_true(wire->most_unsent <= STREAM_LOW_WATER);
}

static void test_finish_sends_everything_and_then_the_end(void **state)
{
    static const uint8_t much[2 * 1024 * 1024];
    struct wire *wire = *state;
    size_t received = 0;
    bool end = false;
    wire_attach(wire);
    assert_int_equal(stream_write(wire->stream, SPAN(much, sizeof(much))), 0);
    stream_finish(wire->stream);
    stream_finish(wire->stream);
    while (!end && !wire->rig.timed_out) {
        received += peer_drains(wire, &end);
        rig_run_for(&wire->rig, 5);
        wire->rig.timed_out = received > sizeof(much);
    }
    assert_int_equal(received, sizeof(much));

    /* The other direction is still open. */
    peer_sends(wire, "thanks");
    assert_true(wire_has_received(wire, 6));
    assert_int_equal(wire->received, 6);
    assert_int_equal(wire->ends, 0);
}

/* Without a turn of the loop; that there is room is told in the next one all the same. */
static void test_a_push_sends_at_once(void **state)
{
    struct wire *wire = *state;
    wire_attach(wire);
    stream_push(wire->stream);
    assert_int_equal(stream_write(wire->stream, SPAN("now", 3)), 0);
    stream_push(wire->stream);
    assert_int_equal(stream_unsent(wire->stream), 0);
    assert_int_equal(wire->writables, 0);
    peer_waits(wire);
    assert_int_equal(peer_drains(wire, NULL), 3);
    wire_assert_idle(wire);
    assert_int_equal(wire->writables, 1);
}

static void test_writes_after_finish_are_dropped(void **state)
{
    struct wire *wire = *state;
    bool end = false;
    wire_attach(wire);
    stream_finish(wire->stream);
    assert_int_equal(stream_write(wire->stream, SPAN("late", 4)), 0);
    wire_assert_idle(wire);
    peer_waits(wire);
    assert_int_equal(peer_drains(wire, &end), 0);
    assert_true(end);
}

/* --- the other end ---------------------------------------------------------------------------- */

static void test_tcp_knows_where_it_comes_from(void **state)
{
    struct wire *wire = *state;
    const struct origin *origin = stream_origin(wire->stream);
    static const uint8_t key[ORIGIN_KEY_SIZE] = {[10] = 0xff, 0xff, 127, 0, 0, 1};
    assert_memory_equal(origin->text, "127.0.0.1:", 10);
    assert_memory_equal(origin->key, key, sizeof(key));
    assert_int_equal(stream_user(wire->stream), (uid_t)-1);
}

static void test_unix_knows_its_user(void **state)
{
    struct wire *wire = *state;
    assert_string_equal(stream_origin(wire->stream)->text, "local");
    assert_int_equal(stream_user(wire->stream), getuid());
}

static void test_unix_knows_who_has_gone_and_who_only_said_its_last(void **state)
{
    struct wire *wire = *state;
    wire_attach(wire);
    assert_false(stream_gone(wire->stream));
    assert_int_equal(shutdown(wire->peer, SHUT_WR), 0);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    assert_false(stream_gone(wire->stream));
    close(wire->peer);
    wire->peer = -1;
    assert_true(stream_gone(wire->stream));
}

static void test_what_is_no_socket_becomes_no_stream(void **state)
{
    struct wire *wire = *state;
    struct stream *stream;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(stream_new(&stream, wire->rig.loop, pipes[0]), -ENOTSOCK);
    assert_int_equal(close(pipes[0]), 0); /* still ours */
    close(pipes[1]);
    stream_free(NULL);
}

#define TCP(test)  cmocka_unit_test_setup_teardown(test, wire_setup_tcp, wire_teardown)
#define UNIX(test) cmocka_unit_test_setup_teardown(test, wire_setup_unix, wire_teardown)
#define BOTH(test) TCP(test), UNIX(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_nothing_is_read_before_somebody_listens),
        BOTH(test_a_new_owner_is_told_of_unread_input),
        BOTH(test_unread_input_is_bounded_and_does_not_spin),
        BOTH(test_a_turn_takes_much_but_not_without_end),
        BOTH(test_a_paused_stream_reads_nothing),
        BOTH(test_resuming_tells_of_unread_input_but_not_at_once),
        BOTH(test_pausing_again_before_the_turn_keeps_silent),
        BOTH(test_the_end_comes_once_and_after_all_input),
        BOTH(test_an_incomplete_rest_does_not_hide_the_end),
        BOTH(test_a_paused_owner_is_not_told_of_the_end),
        BOTH(test_an_owner_who_pauses_with_the_last_input_hears_the_end_later),
        BOTH(test_after_the_peers_half_close_writing_works),
        TCP(test_a_reset_is_an_error_and_told_once),
        TCP(test_a_reset_of_a_paused_stream_does_not_spin),
        BOTH(test_a_reset_with_unsent_bytes_is_told_even_when_paused),
        BOTH(test_what_came_before_a_failed_write_is_delivered),
        UNIX(test_a_failed_write_after_the_end_counts_as_drained),
        BOTH(test_a_sent_write_tells_that_there_is_room),
        BOTH(test_room_is_told_only_below_the_low_water),
        BOTH(test_finish_sends_everything_and_then_the_end),
        BOTH(test_a_push_sends_at_once),
        BOTH(test_writes_after_finish_are_dropped),
        TCP(test_tcp_knows_where_it_comes_from),
        UNIX(test_unix_knows_its_user),
        UNIX(test_unix_knows_who_has_gone_and_who_only_said_its_last),
        TCP(test_what_is_no_socket_becomes_no_stream),
    };
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
