/* SPDX-License-Identifier: ISC */
/*
 * A stream for bulk against a raw socket: what is sent at once, and that the rest keeps its order.
 */
#include <errno.h>
#include <sys/socket.h>

#include "net/libevent.h"
#include "unit/cmocka_all.h"
#include "unit/net_wire.h"

static bool is_drained(void *context)
{
    const struct wire *wire = context;
    peer_drains(wire, NULL);
    return stream_unsent(wire->stream) == 0;
}

static void test_bulk_is_sent_at_once_as_far_as_the_kernel_takes_it(void **state)
{
    static const uint8_t much[8 * 1024 * 1024];
    struct wire *wire = *state;
    wire_attach(wire);
    stream_set_bulk(wire->stream, false);
    assert_int_equal(stream_write(wire->stream, SPAN("now", 3)), 0);
    assert_int_equal(stream_unsent(wire->stream), 0);
    peer_waits(wire);
    assert_int_equal(peer_drains(wire, NULL), 3);
    assert_int_equal(stream_write(wire->stream, SPAN(much, sizeof much)), 0);
    const size_t unsent = stream_unsent(wire->stream);
    assert_in_range(unsent, 1, sizeof much - 1);
    assert_int_equal(stream_write(wire->stream, SPAN("then", 4)), 0); /* and not before the rest */
    assert_int_equal(stream_unsent(wire->stream), unsent + 4);
    assert_true(rig_run_until(&wire->rig, is_drained, wire));
    assert_true(wire->writables >= 1);
}

static void test_bulk_that_breaks_is_told_like_all_else(void **state)
{
    struct wire *wire = *state;
    wire_attach(wire);
    stream_set_bulk(wire->stream, false);
    peer_resets(wire);
    stream_write(wire->stream, SPAN("lost", 4));
    wire_assert_idle(wire);
    assert_int_equal(wire->ends, 1);
    assert_int_not_equal(wire->error, 0);
}

static void test_unread_bulk_is_bounded(void **state)
{
    struct wire *wire = *state;
    size_t sent;
    wire->consumes = false;
    wire_attach(wire);
    stream_set_bulk(wire->stream, false);
    sent = peer_floods(wire);
    wire_assert_idle(wire);
    sent += peer_floods(wire);
    wire_assert_idle(wire);
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

static void test_bulk_ends_once_and_after_all_input(void **state)
{
    struct wire *wire = *state;
    stream_set_bulk(wire->stream, true);
    wire_attach(wire);
    peer_sends(wire, "last words");
    peer_closes(wire);
    wire_assert_idle(wire);
    assert_int_equal(wire->ends, 1);
    assert_int_equal(wire->error, 0);
    assert_int_equal(wire->seen_at_end, 10);
}

#define TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, wire_setup_tcp, wire_teardown), \
        cmocka_unit_test_setup_teardown(test, wire_setup_unix, wire_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bulk_is_sent_at_once_as_far_as_the_kernel_takes_it),
        cmocka_unit_test_setup_teardown(test_bulk_that_breaks_is_told_like_all_else, wire_setup_tcp,
                                        wire_teardown),
        TEST(test_unread_bulk_is_bounded),
        TEST(test_bulk_ends_once_and_after_all_input),
    };
    return cmocka_run_group_tests_name("stream_bulk", tests, NULL, NULL);
}
