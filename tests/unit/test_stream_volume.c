/* SPDX-License-Identifier: ISC */
/*
 * Two streams and a large volume between them, with an echo that reads no faster than it can send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/libevent.h"
#include "unit/net_wire.h"

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

static void echo_volume(struct wire *wire, bool bulk)
{
    static const struct stream_events sender_events = {sender_readable, sender_writable,
                                                       sender_ended};
    static const struct stream_events echo_events = {echo_readable, echo_writable, echo_ended};
    struct sender sender = {0};
    assert_int_equal(stream_new(&sender.stream, wire->rig.loop, wire->peer), 0);
    wire->peer = -1;
    if (bulk) {
        stream_set_bulk(wire->stream, false);
        stream_set_bulk(sender.stream, true);
    }
    stream_attach(wire->stream, &echo_events, &wire->stream);
    stream_attach(sender.stream, &sender_events, &sender);
    sender_writable(&sender);
    assert_true(rig_run_until_true(&wire->rig, &sender.done));
    assert_int_equal(sender.checked, VOLUME);
    stream_free(sender.stream);
}

static void test_a_large_volume_is_echoed_intact_under_back_pressure(void **state)
{
    echo_volume(*state, false);
}

static void test_bulk_is_echoed_intact_under_back_pressure(void **state)
{
    echo_volume(*state, true);
}

#define TCP(test)  cmocka_unit_test_setup_teardown(test, wire_setup_tcp, wire_teardown)
#define UNIX(test) cmocka_unit_test_setup_teardown(test, wire_setup_unix, wire_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TCP(test_a_large_volume_is_echoed_intact_under_back_pressure),
        UNIX(test_a_large_volume_is_echoed_intact_under_back_pressure),
        TCP(test_bulk_is_echoed_intact_under_back_pressure),
        UNIX(test_bulk_is_echoed_intact_under_back_pressure),
    };
    return cmocka_run_group_tests_name("stream_volume", tests, NULL, NULL);
}
