/*
 * Streams against raw sockets: what is delivered, when, how often, and how much is held.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/libevent.h"
#include "net/socket.h"
#include "unit/net_rig.h"

/* A stream, the raw socket at its other end, and all that the stream's owner was told. */
struct wire {
    struct rig rig;
    struct stream *stream;
    int peer;
    bool consumes;
    bool pauses; /* itself, in readable */
    unsigned readables;
    unsigned writables;
    unsigned ends;
    int error;
    bool ended;
    bool inside; /* a callback is running */
    size_t received;
    size_t seen_at_end;
    size_t most_unsent; /* seen in writable */
};

static void on_readable(void *context)
{
    struct wire *wire = context;

    assert_false(wire->inside);
    assert_int_equal(wire->ends, 0);
    assert_true(stream_input(wire->stream).size > 0);
    wire->inside = true;
    wire->readables++;
    while (wire->consumes && stream_input(wire->stream).size > 0) {
        wire->received += stream_input(wire->stream).size;
        stream_consume(wire->stream, stream_input(wire->stream).size);
    }
    if (wire->pauses)
        stream_pause(wire->stream, true);
    wire->inside = false;
}

static void on_writable(void *context)
{
    struct wire *wire = context;

    assert_false(wire->inside);
    wire->writables++;
    if (stream_unsent(wire->stream) > wire->most_unsent)
        wire->most_unsent = stream_unsent(wire->stream);
}

static void on_ended(void *context, int error)
{
    struct wire *wire = context;

    assert_false(wire->inside);
    wire->ends++;
    wire->ended = true;
    wire->error = error;
    wire->seen_at_end = wire->received;
}

static const struct stream_events EVENTS = {on_readable, on_writable, on_ended};

/* A connected pair of TCP sockets on the loopback. */
static void tcp_pair(int pair[2])
{
    const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(own);

    assert_int_equal(bind(listening, (struct sockaddr *)&own, size), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&own, &size), 0);
    pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(pair[1], (struct sockaddr *)&own, size), 0);
    pair[0] = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(pair[0] >= 0);
    close(listening);
}

static int wire_setup(void **state, bool tcp)
{
    struct wire *wire = calloc(1, sizeof(*wire));
    int pair[2];

    rig_init(&wire->rig);
    if (tcp)
        tcp_pair(pair);
    else
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
    wire->peer = pair[1];
    wire->consumes = true;
    assert_int_equal(stream_new(&wire->stream, wire->rig.loop, pair[0]), 0);
    *state = wire;
    return 0;
}

static int setup_tcp(void **state)
{
    return wire_setup(state, true);
}

static int setup_unix(void **state)
{
    return wire_setup(state, false);
}

static int teardown(void **state)
{
    struct wire *wire = *state;

    stream_free(wire->stream);
    if (wire->peer >= 0)
        close(wire->peer);
    rig_deinit(&wire->rig);
    free(wire);
    return 0;
}

static void attach(struct wire *wire)
{
    stream_attach(wire->stream, &EVENTS, wire);
}

static void peer_sends(const struct wire *wire, const char *text)
{
    assert_int_equal(send(wire->peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Sends until the kernel takes no more; how much it took. */
static size_t peer_floods(const struct wire *wire)
{
    static const char chunk[4096];
    size_t sent = 0;
    ssize_t size;

    while ((size = send(wire->peer, chunk, sizeof(chunk), MSG_NOSIGNAL)) > 0)
        sent += (size_t)size;
    assert_int_equal(errno, EAGAIN);
    return sent;
}

static size_t peer_drains(const struct wire *wire, bool *end)
{
    char chunk[4096];
    size_t received = 0;
    ssize_t size;

    while ((size = recv(wire->peer, chunk, sizeof(chunk), 0)) > 0)
        received += (size_t)size;
    if (end != NULL)
        *end = size == 0;
    return received;
}

static void peer_closes(struct wire *wire)
{
    close(wire->peer);
    wire->peer = -1;
}

static void peer_resets(struct wire *wire)
{
    const struct linger linger = {.l_onoff = 1};

    assert_int_equal(setsockopt(wire->peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    peer_closes(wire);
}

static void assert_idle(struct wire *wire)
{
    rig_run_for(&wire->rig, 100);
    assert_true(wire->rig.turns <= 10);
}

/* --- input ------------------------------------------------------------------------------------ */

static void test_nothing_is_read_before_somebody_listens(void **state)
{
    struct wire *wire = *state;

    peer_sends(wire, "early");
    assert_idle(wire);
    assert_int_equal(stream_input(wire->stream).size, 0);
    attach(wire);
    assert_int_equal(wire->readables, 0);
    rig_run_for(&wire->rig, 50);
    assert_int_equal(wire->received, 5);
}

static void test_a_new_owner_is_told_of_unread_input(void **state)
{
    struct wire *wire = *state;
    struct wire other = {.stream = wire->stream, .consumes = true, .peer = -1};

    wire->consumes = false;
    attach(wire);
    peer_sends(wire, "left over");
    rig_run_for(&wire->rig, 50);
    stream_attach(wire->stream, &EVENTS, &other);
    rig_run_for(&wire->rig, 50);
    assert_int_equal(other.received, 9);
}

static void test_unread_input_is_bounded_and_does_not_spin(void **state)
{
    struct wire *wire = *state;
    size_t sent;

    wire->consumes = false;
    attach(wire);
    sent = peer_floods(wire);
    assert_idle(wire);
    sent += peer_floods(wire);
    assert_true(sent > STREAM_INPUT_MAX);
    assert_idle(wire);
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
    rig_run_for(&wire->rig, 200);
    assert_int_equal(wire->received, sent);
}

static void test_a_paused_stream_reads_nothing(void **state)
{
    struct wire *wire = *state;

    attach(wire);
    stream_pause(wire->stream, true);
    peer_floods(wire);
    assert_idle(wire);
    assert_int_equal(wire->readables, 0);
    assert_int_equal(stream_input(wire->stream).size, 0);
}

static void test_resuming_tells_of_unread_input_but_not_at_once(void **state)
{
    struct wire *wire = *state;

    wire->consumes = false;
    wire->pauses = true;
    attach(wire);
    peer_sends(wire, "hello");
    rig_run_for(&wire->rig, 50);
    assert_int_equal(wire->readables, 1);

    stream_pause(wire->stream, false);
    assert_int_equal(wire->readables, 1);
    rig_run_for(&wire->rig, 50);
    assert_int_equal(wire->readables, 2);
    assert_int_equal(stream_input(wire->stream).size, 5);
}

static void test_pausing_again_before_the_turn_keeps_silent(void **state)
{
    struct wire *wire = *state;

    wire->consumes = false;
    wire->pauses = true;
    attach(wire);
    peer_sends(wire, "hello");
    rig_run_for(&wire->rig, 50);
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

    attach(wire);
    sent = peer_floods(wire);
    peer_closes(wire);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    assert_idle(wire);
    assert_int_equal(wire->ends, 1);
    assert_int_equal(wire->error, 0);
    assert_int_equal(wire->seen_at_end, sent);
}

static void test_an_incomplete_rest_does_not_hide_the_end(void **state)
{
    struct wire *wire = *state;

    wire->consumes = false;
    attach(wire);
    peer_sends(wire, "half a li");
    peer_closes(wire);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    assert_int_equal(wire->error, 0);
    assert_int_equal(stream_input(wire->stream).size, 9);
    assert_idle(wire);
}

static void test_a_paused_owner_is_not_told_of_the_end(void **state)
{
    struct wire *wire = *state;

    wire->pauses = true;
    wire->consumes = false;
    attach(wire);
    peer_sends(wire, "last words");
    peer_closes(wire);
    assert_idle(wire);
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

    attach(wire);
    peer_sends(wire, "x");
    peer_closes(wire);
    wire->pauses = true;
    for (unsigned i = 1; i <= 3 && !wire->ended; i++) {
        assert_idle(wire);
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

    attach(wire);
    peer_sends(wire, "question");
    assert_int_equal(shutdown(wire->peer, SHUT_WR), 0);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    assert_int_equal(wire->error, 0);
    assert_int_equal(stream_write(wire->stream, SPAN("answer", 6)), 0);
    stream_finish(wire->stream);
    rig_run_for(&wire->rig, 50);
    assert_int_equal(recv(wire->peer, reply, sizeof(reply), 0), 6);
    assert_memory_equal(reply, "answer", 6);
    assert_int_equal(recv(wire->peer, reply, sizeof(reply), 0), 0);
    assert_int_equal(wire->ends, 1);
}

static void test_a_reset_is_an_error_and_told_once(void **state)
{
    struct wire *wire = *state;

    attach(wire);
    peer_resets(wire);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    assert_idle(wire);
    assert_int_equal(wire->ends, 1);
    assert_int_equal(wire->error, ECONNRESET);
}

static void test_a_reset_of_a_paused_stream_does_not_spin(void **state)
{
    struct wire *wire = *state;

    attach(wire);
    stream_pause(wire->stream, true);
    peer_resets(wire);
    assert_idle(wire);
    stream_pause(wire->stream, false);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    assert_int_equal(wire->error, ECONNRESET);
}

/* An owner who waits for its output to drain before it reads on would else wait for ever. */
static void test_a_reset_with_unsent_bytes_is_told_even_when_paused(void **state)
{
    static const uint8_t much[4 * 1024 * 1024];
    struct wire *wire = *state;

    attach(wire);
    stream_pause(wire->stream, true);
    assert_int_equal(stream_write(wire->stream, SPAN(much, sizeof(much))), 0);
    rig_run_for(&wire->rig, 50);
    assert_true(stream_unsent(wire->stream) > STREAM_LOW_WATER);
    peer_resets(wire);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    assert_idle(wire);
    assert_int_not_equal(wire->error, 0);
    assert_int_equal(wire->ends, 1);
    assert_int_equal(stream_unsent(wire->stream), 0);
}

static void test_what_came_before_a_failed_write_is_delivered(void **state)
{
    struct wire *wire = *state;

    peer_sends(wire, "last words");
    peer_closes(wire);
    attach(wire);
    assert_int_equal(stream_write(wire->stream, SPAN("too late", 8)), 0);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    assert_idle(wire);
    assert_int_equal(wire->seen_at_end, 10);
    assert_int_equal(wire->ends, 1);
}

/* The owner knows of the end already and waits only for its last bytes to be gone. */
static void test_a_failed_write_after_the_end_counts_as_drained(void **state)
{
    struct wire *wire = *state;

    attach(wire);
    peer_closes(wire);
    assert_true(rig_run_until_true(&wire->rig, &wire->ended));
    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(stream_write(wire->stream, SPAN("reply", 5)), 0);
        assert_idle(wire);
        assert_int_equal(wire->writables, i);
        assert_int_equal(stream_unsent(wire->stream), 0);
    }
    assert_int_equal(wire->ends, 1);
}

/* --- output ----------------------------------------------------------------------------------- */

static void test_a_sent_write_tells_that_there_is_room(void **state)
{
    struct wire *wire = *state;

    attach(wire);
    assert_int_equal(stream_write(wire->stream, SPAN("one", 3)), 0);
    assert_int_equal(stream_write(wire->stream, SPAN("two", 3)), 0);
    assert_int_equal(stream_unsent(wire->stream), 6);
    assert_idle(wire);
    assert_int_equal(wire->writables, 1);
    assert_int_equal(stream_unsent(wire->stream), 0);
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

    attach(wire);
    assert_int_equal(stream_write(wire->stream, SPAN(much, sizeof(much))), 0);
    assert_idle(wire);
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

    attach(wire);
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
    rig_run_for(&wire->rig, 50);
    assert_int_equal(wire->received, 6);
    assert_int_equal(wire->ends, 0);
}

static void test_writes_after_finish_are_dropped(void **state)
{
    struct wire *wire = *state;
    bool end = false;

    attach(wire);
    stream_finish(wire->stream);
    assert_int_equal(stream_write(wire->stream, SPAN("late", 4)), 0);
    assert_idle(wire);
    assert_int_equal(peer_drains(wire, &end), 0);
    assert_true(end);
}

/* --- volume ----------------------------------------------------------------------------------- */

enum { VOLUME = 8 * 1024 * 1024 };

/* Sends bytes that tell their own place, and checks that they come back in order. */
struct sender {
    struct stream *stream;
    size_t sent;
    size_t checked;
    bool done;
};

static uint8_t byte_at(size_t place)
{
    return (uint8_t)(place * 31 + place / 251);
}

static void sender_readable(void *context)
{
    struct sender *sender = context;

    for (;;) {
        const struct span input = stream_input(sender->stream);
        const size_t step = input.size < 777 ? input.size : 777;

        if (step == 0)
            break;
        for (size_t i = 0; i < step; i++) {
            if (input.data[i] != byte_at(sender->checked + i))
                fail();
        }
        sender->checked += step;
        stream_consume(sender->stream, step);
    }
}

static void sender_writable(void *context)
{
    struct sender *sender = context;
    uint8_t chunk[10007];

    while (sender->sent < VOLUME && stream_unsent(sender->stream) < 4 * STREAM_LOW_WATER) {
        size_t size = 0;

        for (; size < sizeof(chunk) && sender->sent + size < VOLUME; size++)
            chunk[size] = byte_at(sender->sent + size);
        assert_int_equal(stream_write(sender->stream, SPAN(chunk, size)), 0);
        sender->sent += size;
    }
    if (sender->sent == VOLUME)
        stream_finish(sender->stream);
}

static void sender_ended(void *context, int error)
{
    struct sender *sender = context;

    assert_int_equal(error, 0);
    sender->done = true;
}

/* Sends back what it gets, a little at a time, and reads no faster than it can send. */
static void echo_readable(void *context)
{
    struct stream *stream = *(struct stream **)context;

    while (stream_input(stream).size > 0) {
        const struct span input = stream_input(stream);
        const size_t step = input.size < 501 ? input.size : 501;

        if (stream_unsent(stream) > 2 * STREAM_LOW_WATER) {
            stream_pause(stream, true);
            return;
        }
        assert_int_equal(stream_write(stream, SPAN(input.data, step)), 0);
        stream_consume(stream, step);
    }
}

static void echo_writable(void *context)
{
    struct stream *stream = *(struct stream **)context;

    assert_true(stream_unsent(stream) <= STREAM_LOW_WATER);
    stream_pause(stream, false);
}

static void echo_ended(void *context, int error)
{
    struct stream *stream = *(struct stream **)context;

    assert_int_equal(error, 0);
    assert_int_equal(stream_input(stream).size, 0);
    stream_finish(stream);
}

static void test_a_large_volume_is_echoed_intact_under_back_pressure(void **state)
{
    static const struct stream_events sender_events = {sender_readable, sender_writable,
                                                       sender_ended};
    static const struct stream_events echo_events = {echo_readable, echo_writable, echo_ended};
    struct wire *wire = *state;
    struct sender sender = {0};

    assert_int_equal(stream_new(&sender.stream, wire->rig.loop, wire->peer), 0);
    wire->peer = -1;
    stream_attach(wire->stream, &echo_events, &wire->stream);
    stream_attach(sender.stream, &sender_events, &sender);
    sender_writable(&sender);
    assert_true(rig_run_until_true(&wire->rig, &sender.done));
    assert_int_equal(sender.checked, VOLUME);
    stream_free(sender.stream);
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

#define TCP(test)  cmocka_unit_test_setup_teardown(test, setup_tcp, teardown)
#define UNIX(test) cmocka_unit_test_setup_teardown(test, setup_unix, teardown)
#define BOTH(test) TCP(test), UNIX(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_nothing_is_read_before_somebody_listens),
        BOTH(test_a_new_owner_is_told_of_unread_input),
        BOTH(test_unread_input_is_bounded_and_does_not_spin),
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
        BOTH(test_writes_after_finish_are_dropped),
        BOTH(test_a_large_volume_is_echoed_intact_under_back_pressure),
        TCP(test_tcp_knows_where_it_comes_from),
        UNIX(test_unix_knows_its_user),
        TCP(test_what_is_no_socket_becomes_no_stream),
    };

    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
