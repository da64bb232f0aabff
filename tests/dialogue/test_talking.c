/* SPDX-License-Identifier: ISC */
/*
 * Two honest sessions talk: items, windows, packets, PINGs and everything that happens because
 * somebody is silent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dialogue/fixture.h"
#include "proto/message.h"
#include "proto/record.h"

/* --- items ---------------------------------------------------------------------------------------
 */

static void test_items_arrive_in_order_and_are_acknowledged(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 500; i++) {
        assert_int_equal(party_send_text(&rig.joiner, "to the host", i, rig.now_ms), 0);
        assert_int_equal(party_send_text(&rig.host, "to the joiner", i, rig.now_ms), 0);
    }
    rig_run(&rig);
    assert_int_equal(party_count(&rig.host, SESSION_ITEM), 500);
    assert_int_equal(party_count(&rig.joiner, SESSION_ITEM), 500);
    assert_int_equal(party_last(&rig.host, SESSION_ACKED)->ordinal, 500);
    assert_int_equal(party_last(&rig.joiner, SESSION_ACKED)->ordinal, 500);
    for (size_t i = 0, n = 0; i < rig.host.event_count; i++) {
        const struct session_event *event = &rig.host.events[i].event;
        if (event->type != SESSION_ITEM)
            continue;
        assert_int_equal(event->ordinal, ++n);
        assert_int_equal(get_u32(event->item.id.bytes), n);
        assert_true(event->item.time_ms == 1700000000000);
    }
}

static void test_waiting_records_share_one_packet_and_one_acknowledgement(void **state)
{
    (void)state;
    rig.joiner.session->batch.size = BATCH_SIZE_MAX;
    for (unsigned i = 1; i <= 100; i++)
        assert_int_equal(party_send_text(&rig.joiner, "short", i, rig.now_ms), 0);
    session_output(rig.joiner.session, &rig.joiner.sent, rig.now_ms);
    assert_false(session_has_output(rig.joiner.session));
    /* 100 records of 51 bytes, a signature and a length fit into 8 KiB. */
    assert_int_equal(rig.joiner.sent.size, FRAME_HEADER_SIZE + FRAME_PACKET_OVERHEAD + 8192);
    rig_run(&rig);
    assert_int_equal(party_count(&rig.joiner, SESSION_ACKED), 1);
}

/* Nobody knows yet how slow the network is. */
static void test_packets_begin_small_and_grow(void **state)
{
    static const size_t payloads[] = {4096, 8192, 16384};
    (void)state;
    for (unsigned i = 1; i <= 1000; i++)
        assert_int_equal(party_send_text(&rig.joiner, "short", i, rig.now_ms), 0);
    for (size_t i = 0; i < COUNT_OF(payloads); i++) {
        session_output(rig.joiner.session, &rig.joiner.sent, rig.now_ms);
        assert_int_equal(rig.joiner.sent.size,
                         FRAME_HEADER_SIZE + FRAME_PACKET_OVERHEAD + payloads[i]);
        party_hear(&rig.host, bytes_span(&rig.joiner.sent), 0, rig.now_ms);
        bytes_clear(&rig.joiner.sent);
        party_speak(&rig.host, rig.now_ms);
        rig.now_ms += BATCH_QUICK_MS;
        party_hear(&rig.joiner, bytes_span(&rig.host.sent), 0, rig.now_ms);
        bytes_clear(&rig.host.sent);
    }
}

static void test_packets_survive_every_cut_of_the_stream(void **state)
{
    size_t size = FRAME_HEADER_SIZE + FRAME_PACKET_OVERHEAD + FRAME_PACKET_PAYLOAD_MIN;
    (void)state;
    for (size_t cut = 1; cut < 2 * size; cut++) {
        struct span sent;
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(party_send_text(&rig.joiner, "cut", 1, rig.now_ms), 0);
            session_output(rig.joiner.session, &rig.joiner.sent, rig.now_ms);
        }
        sent = bytes_span(&rig.joiner.sent);
        assert_int_equal(sent.size, 2 * size);
        assert_int_equal(get_u64(sent.data + FRAME_HEADER_SIZE + 4), 2 * (cut - 1));
        party_hear(&rig.host, SPAN(sent.data, cut), 0, rig.now_ms);
        assert_int_equal(party_count(&rig.host, SESSION_ITEM), cut / size);
        party_hear(&rig.host, SPAN(sent.data + cut, sent.size - cut), 0, rig.now_ms);
        assert_int_equal(party_count(&rig.host, SESSION_ITEM), 2);
        bytes_clear(&rig.joiner.sent);
        rig_run(&rig);
        rig.host.event_count = rig.joiner.event_count = 0;
    }
}

static char *long_text(size_t size)
{
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, 'x', size);
    text[size] = '\0';
    return text;
}

static void test_longest_text_travels_in_the_largest_packet(void **state)
{
    char *text = long_text(SESSION_TEXT_MAX + 1);
    (void)state;
    assert_int_equal(party_send_text(&rig.joiner, text, 1, rig.now_ms), -EINVAL);
    assert_int_equal(party_send_text(&rig.joiner, "", 1, rig.now_ms), -EINVAL);
    text[SESSION_TEXT_MAX] = '\0';
    assert_int_equal(party_send_text(&rig.joiner, text, 1, rig.now_ms), 0);
    assert_int_equal(party_send_text(&rig.joiner, "next", 2, rig.now_ms), 0);
    session_output(rig.joiner.session, &rig.joiner.sent, rig.now_ms);
    assert_int_equal(rig.joiner.sent.size, FRAME_HEADER_SIZE + FRAME_PACKET_OVERHEAD + 131072);
    rig_run(&rig);
    assert_int_equal(rig.host.events[0].event.item.content.size, SESSION_TEXT_MAX);
    assert_int_equal(party_last(&rig.joiner, SESSION_ACKED)->ordinal, 2);
    free(text);
}

static void test_packet_grows_exactly_when_its_records_need_it(void **state)
{
    enum { FIXED = 256 + 4 + RECORD_HEADER_SIZE + MESSAGE_PREFIX_SIZE };
    (void)state;
    for (size_t payload = 1024; payload <= 65536; payload *= 2) {
        char *text = long_text(payload - FIXED + 1);
        assert_int_equal(party_send_text(&rig.joiner, text, 1, rig.now_ms), 0);
        session_output(rig.joiner.session, &rig.joiner.sent, rig.now_ms);
        assert_int_equal(rig.joiner.sent.size,
                         FRAME_HEADER_SIZE + FRAME_PACKET_OVERHEAD + 2 * payload);
        rig_run(&rig);
        text[payload - FIXED] = '\0';
        assert_int_equal(party_send_text(&rig.joiner, text, 2, rig.now_ms), 0);
        session_output(rig.joiner.session, &rig.joiner.sent, rig.now_ms);
        assert_int_equal(rig.joiner.sent.size, FRAME_HEADER_SIZE + FRAME_PACKET_OVERHEAD + payload);
        rig_run(&rig);
        free(text);
    }
    assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
}

static void test_window_of_items_fills_and_empties(void **state)
{
    (void)state;
    rig.host.keeps = true;
    for (unsigned i = 1; i <= SESSION_WINDOW_ITEMS; i++)
        assert_int_equal(party_send_text(&rig.joiner, "x", i, rig.now_ms), 0);
    assert_int_equal(party_send_text(&rig.joiner, "x", 1, rig.now_ms), SESSION_FULL);
    rig_run(&rig);
    assert_int_equal(party_send_text(&rig.joiner, "x", 1, rig.now_ms), SESSION_FULL);
    session_acknowledge(rig.host.session, 1);
    rig_run(&rig);
    assert_int_equal(party_send_text(&rig.joiner, "x", 1, rig.now_ms), 0);
    assert_int_equal(party_send_text(&rig.joiner, "x", 1, rig.now_ms), SESSION_FULL);
}

static void test_window_of_bytes_fills_and_empties(void **state)
{
    char *text = long_text(SESSION_TEXT_MAX);
    unsigned sent = 0;
    (void)state;
    rig.host.keeps = true;
    while (party_send_text(&rig.joiner, text, sent + 1, rig.now_ms) == 0)
        sent++;
    assert_int_equal(sent, SESSION_WINDOW_BYTES / (SESSION_TEXT_MAX + 46));
    rig_run(&rig);
    assert_int_equal(party_count(&rig.host, SESSION_ITEM), sent);
    session_acknowledge(rig.host.session, sent);
    rig_run(&rig);
    assert_int_equal(party_send_text(&rig.joiner, text, 1, rig.now_ms), 0);
    free(text);
}

static void test_acknowledging_what_never_came_does_nothing(void **state)
{
    (void)state;
    session_acknowledge(rig.host.session, 1);
    assert_false(session_has_output(rig.host.session));
    rig.host.keeps = true;
    party_send_text(&rig.joiner, "one", 1, rig.now_ms);
    rig_run(&rig);
    session_acknowledge(rig.host.session, 2);
    assert_false(session_has_output(rig.host.session));
    session_acknowledge(rig.host.session, 1);
    assert_true(session_has_output(rig.host.session));
}

static void test_events_of_one_packet_come_one_by_one_and_hold_the_input(void **state)
{
    const uint8_t more[1] = {0};
    struct session_event event;
    (void)state;
    party_send_text(&rig.joiner, "first", 1, rig.now_ms);
    party_send_text(&rig.joiner, "second", 2, rig.now_ms);
    session_output(rig.joiner.session, &rig.joiner.sent, rig.now_ms);
    assert_int_equal(session_input(rig.host.session, bytes_span(&rig.joiner.sent), rig.now_ms),
                     rig.joiner.sent.size);
    bytes_clear(&rig.joiner.sent);
    assert_int_equal(session_input(rig.host.session, SPAN(more, 1), rig.now_ms), 0);
    event = session_next_event(rig.host.session);
    assert_int_equal(event.ordinal, 1);
    assert_memory_equal(event.item.content.data, "first", 5);
    event = session_next_event(rig.host.session);
    assert_int_equal(event.ordinal, 2);
    assert_int_equal(session_next_event(rig.host.session).type, SESSION_NOTHING);
}

/* --- PINGs and timers ----------------------------------------------------------------------------
 */

static void test_pings_are_answered_in_order(void **state)
{
    (void)state;
    for (uint64_t token = 1; token <= 6; token++)
        session_ping(rig.host.session, token, rig.now_ms);
    rig_run(&rig);
    assert_int_equal(party_count(&rig.host, SESSION_PONG), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(rig.host.events[i].event.token, i + 1);
}

static void test_any_number_of_pings_asked_for_does_no_harm(void **state)
{
    (void)state;
    for (uint64_t token = 1; token <= 200; token++) {
        session_ping(rig.host.session, token, rig.now_ms);
        rig_pass(&rig, 100);
    }
    assert_int_equal(session_phase(rig.joiner.session), SESSION_OPEN);
    assert_in_range(party_count(&rig.host, SESSION_PONG), 10, 20);
}

static void test_unanswered_ping_ends_the_session(void **state)
{
    (void)state;
    session_ping(rig.host.session, 1, rig.now_ms);
    party_speak(&rig.host, rig.now_ms);
    assert_true(session_deadline(rig.host.session) == rig.now_ms + SESSION_PONG_TIMEOUT_MS);
    session_tick(rig.host.session, rig.now_ms + SESSION_PONG_TIMEOUT_MS - 1);
    assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
    session_tick(rig.host.session, rig.now_ms + SESSION_PONG_TIMEOUT_MS);
    party_listen(&rig.host, rig.now_ms);
    assert_int_equal(party_last(&rig.host, SESSION_ENDED)->code, CLOSE_IDLE_TIMEOUT);
}

static void test_doubted_peer_has_to_show_itself_soon(void **state)
{
    (void)state;
    session_doubt(rig.host.session, rig.now_ms);
    party_speak(&rig.host, rig.now_ms);
    assert_true(session_deadline(rig.host.session) == rig.now_ms + SESSION_DOUBT_TIMEOUT_MS);
    session_tick(rig.host.session, rig.now_ms + SESSION_DOUBT_TIMEOUT_MS - 1);
    assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
    session_tick(rig.host.session, rig.now_ms + SESSION_DOUBT_TIMEOUT_MS);
    party_listen(&rig.host, rig.now_ms);
    assert_int_equal(party_last(&rig.host, SESSION_ENDED)->code, CLOSE_IDLE_TIMEOUT);
}

/* By an answer, or by what arrives there. */
static void test_doubt_ends_with_a_sign_of_life(void **state)
{
    (void)state;
    session_doubt(rig.host.session, rig.now_ms);
    rig.now_ms += 1;
    rig_run(&rig);
    session_tick(rig.host.session, rig.now_ms + SESSION_DOUBT_TIMEOUT_MS);
    assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
    assert_int_equal(party_count(&rig.host, SESSION_PONG), 0);
    session_doubt(rig.host.session, rig.now_ms);
    session_note_arrival(rig.host.session, rig.now_ms + 1);
    session_tick(rig.host.session, rig.now_ms + SESSION_DOUBT_TIMEOUT_MS);
    assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
}

/* One whose PONG stands behind much else on a slow wire. */
static void test_peer_that_is_still_heard_is_waited_for(void **state)
{
    const uint64_t step_ms = SESSION_PONG_TIMEOUT_MS - 1;
    (void)state;
    session_ping(rig.host.session, 1, rig.now_ms);
    party_speak(&rig.host, rig.now_ms);
    for (unsigned i = 1; i <= 3; i++) {
        party_send_text(&rig.joiner, "before the PONG", i, rig.now_ms);
        party_speak(&rig.joiner, rig.now_ms);
        rig.now_ms += step_ms;
        party_hear(&rig.host, bytes_span(&rig.joiner.sent), 0, rig.now_ms);
        bytes_clear(&rig.joiner.sent);
        session_tick(rig.host.session, rig.now_ms + step_ms);
        assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
    }
    session_tick(rig.host.session, rig.now_ms + SESSION_PONG_TIMEOUT_MS);
    assert_int_equal(session_phase(rig.host.session), SESSION_CLOSED);
}

/* One that the PING has yet to reach, behind much else on a slow wire. */
static void test_peer_that_our_bytes_still_reach_is_waited_for(void **state)
{
    const uint64_t step_ms = SESSION_PONG_TIMEOUT_MS - 1;
    (void)state;
    session_ping(rig.host.session, 1, rig.now_ms);
    party_speak(&rig.host, rig.now_ms);
    for (unsigned i = 1; i <= 3; i++) {
        rig.now_ms += step_ms;
        session_note_arrival(rig.host.session, rig.now_ms);
        session_tick(rig.host.session, rig.now_ms + step_ms);
        assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
    }
    session_tick(rig.host.session, rig.now_ms + SESSION_PONG_TIMEOUT_MS);
    assert_int_equal(session_phase(rig.host.session), SESSION_CLOSED);
}

/* One whose answer was lost on a wire on which it is half a minute before it is sent again. */
static void test_answers_have_the_time_that_the_wire_needs(void **state)
{
    const uint64_t patience_ms = (uint64_t)7 * SESSION_PONG_TIMEOUT_MS;
    (void)state;
    session_set_patience(rig.host.session, patience_ms);
    session_doubt(rig.host.session, rig.now_ms);
    party_speak(&rig.host, rig.now_ms);
    session_tick(rig.host.session, rig.now_ms + patience_ms - 1);
    assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
    session_tick(rig.host.session, rig.now_ms + patience_ms);
    assert_int_equal(session_phase(rig.host.session), SESSION_CLOSED);
}

static void test_item_without_acknowledgement_asks_for_a_ping(void **state)
{
    (void)state;
    rig.host.keeps = true;
    party_send_text(&rig.joiner, "hello?", 1, rig.now_ms);
    rig_run(&rig);
    session_tick(rig.joiner.session, rig.now_ms + SESSION_ACK_PATIENCE_MS - 1);
    assert_false(session_has_output(rig.joiner.session));
    rig_pass(&rig, SESSION_ACK_PATIENCE_MS);
    /* The host lives, and nobody asked to hear of it. */
    assert_int_equal(session_phase(rig.joiner.session), SESSION_OPEN);
    assert_int_equal(party_count(&rig.joiner, SESSION_PONG), 0);
    assert_int_equal(rig.host.session->answers.size, 0);
    assert_int_equal(rig.joiner.session->epoch.sending.counter, 2);
    rig_pass(&rig, 10 * SESSION_ACK_PATIENCE_MS);
    assert_int_equal(session_phase(rig.joiner.session), SESSION_OPEN);
}

static void test_dead_peer_is_noticed_by_an_item(void **state)
{
    (void)state;
    party_send_text(&rig.joiner, "hello?", 1, rig.now_ms);
    party_speak(&rig.joiner, rig.now_ms);
    session_tick(rig.joiner.session, rig.now_ms + SESSION_ACK_PATIENCE_MS);
    party_speak(&rig.joiner, rig.now_ms + SESSION_ACK_PATIENCE_MS);
    session_tick(rig.joiner.session,
                 rig.now_ms + SESSION_ACK_PATIENCE_MS + SESSION_PONG_TIMEOUT_MS);
    party_listen(&rig.joiner, rig.now_ms);
    assert_int_equal(party_last(&rig.joiner, SESSION_ENDED)->code, CLOSE_IDLE_TIMEOUT);
}

static void test_host_gives_up_on_a_joiner_that_says_no_hello(void **state)
{
    (void)state;
    session_input(rig.host.session, SPAN("\0\0\0\x50\1p2p", 8), rig.now_ms);
    session_tick(rig.host.session, rig.now_ms + SESSION_HELLO_TIMEOUT_MS - 1);
    assert_int_equal(session_phase(rig.host.session), SESSION_HANDSHAKE);
    assert_true(session_deadline(rig.host.session) == rig.now_ms + SESSION_HELLO_TIMEOUT_MS);
    session_tick(rig.host.session, rig.now_ms + SESSION_HELLO_TIMEOUT_MS);
    assert_false(session_has_output(rig.host.session));
    party_listen(&rig.host, rig.now_ms);
    assert_ended(&rig.host, CLOSE_IDLE_TIMEOUT, false);
}

static void test_joiner_gives_up_on_a_host_that_says_no_hello(void **state)
{
    (void)state;
    party_speak(&rig.joiner, rig.now_ms);
    session_tick(rig.joiner.session, rig.now_ms + SESSION_HELLO_TIMEOUT_MS);
    party_listen(&rig.joiner, rig.now_ms);
    assert_ended(&rig.joiner, CLOSE_IDLE_TIMEOUT, false);
}

static void test_handshake_has_ten_seconds_and_ends_silently(void **state)
{
    (void)state;
    rig.host.asks = true;
    rig_run(&rig);
    rig_pass(&rig, SESSION_HANDSHAKE_TIMEOUT_MS - 1);
    assert_int_equal(session_phase(rig.joiner.session), SESSION_HANDSHAKE);
    rig_pass(&rig, 1);
    assert_ended(&rig.joiner, CLOSE_IDLE_TIMEOUT, false);
    assert_ended(&rig.host, CLOSE_IDLE_TIMEOUT, false);
}

static void test_packet_that_stops_half_way_ends_the_session(void **state)
{
    (void)state;
    party_send_text(&rig.joiner, "half", 1, rig.now_ms);
    party_speak(&rig.joiner, rig.now_ms);
    session_input(rig.host.session, SPAN(rig.joiner.sent.data, 100), rig.now_ms);
    assert_true(session_deadline(rig.host.session) == rig.now_ms + SESSION_FRAME_TIMEOUT_MS);
    rig.now_ms += SESSION_FRAME_TIMEOUT_MS - 1;
    session_input(rig.host.session, SPAN(rig.joiner.sent.data + 100, 100), rig.now_ms);
    session_tick(rig.host.session, rig.now_ms + SESSION_FRAME_TIMEOUT_MS - 1);
    assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
    session_tick(rig.host.session, rig.now_ms + SESSION_FRAME_TIMEOUT_MS);
    party_listen(&rig.host, rig.now_ms);
    party_speak(&rig.host, rig.now_ms);
    assert_ended(&rig.host, CLOSE_IDLE_TIMEOUT, false);
}

static void test_idle_session_needs_no_wake_up_but_the_rekey(void **state)
{
    (void)state;
    assert_true(session_deadline(rig.joiner.session) == rig.now_ms + EPOCH_AGE_MAX_MS);
    assert_true(session_deadline(rig.host.session) == rig.now_ms + EPOCH_AGE_IDLE_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN(test_items_arrive_in_order_and_are_acknowledged),
        OPEN(test_waiting_records_share_one_packet_and_one_acknowledgement),
        OPEN(test_packets_begin_small_and_grow),
        OPEN(test_packets_survive_every_cut_of_the_stream),
        OPEN(test_longest_text_travels_in_the_largest_packet),
        OPEN(test_packet_grows_exactly_when_its_records_need_it),
        OPEN(test_window_of_items_fills_and_empties),
        OPEN(test_window_of_bytes_fills_and_empties),
        OPEN(test_acknowledging_what_never_came_does_nothing),
        OPEN(test_events_of_one_packet_come_one_by_one_and_hold_the_input),
        OPEN(test_pings_are_answered_in_order),
        OPEN(test_any_number_of_pings_asked_for_does_no_harm),
        OPEN(test_unanswered_ping_ends_the_session),
        OPEN(test_doubted_peer_has_to_show_itself_soon),
        OPEN(test_doubt_ends_with_a_sign_of_life),
        OPEN(test_peer_that_is_still_heard_is_waited_for),
        OPEN(test_peer_that_our_bytes_still_reach_is_waited_for),
        OPEN(test_answers_have_the_time_that_the_wire_needs),
        OPEN(test_item_without_acknowledgement_asks_for_a_ping),
        OPEN(test_dead_peer_is_noticed_by_an_item),
        FRESH(test_host_gives_up_on_a_joiner_that_says_no_hello),
        FRESH(test_joiner_gives_up_on_a_host_that_says_no_hello),
        FRESH(test_handshake_has_ten_seconds_and_ends_silently),
        OPEN(test_packet_that_stops_half_way_ends_the_session),
        OPEN(test_idle_session_needs_no_wake_up_but_the_rekey),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
