/* SPDX-License-Identifier: ISC */
/*
 * Somebody on the wire who has no keys: two honest sessions talk, and once in their conversation a
 * byte is changed, or a frame is repeated, held back, lost, sent back or replaced by one of another
 * conversation, or the wire is cut. Wherever it happens, both notice, and what was delivered by
 * then is the beginning of what was said.
 *
 * P2PCHAT_DEEP: every byte instead of a sample, and the figures go to P2PCHAT_RESULTS.
 */
#include <string.h>

#include "dialogue/fixture.h"
#include "proto/epoch.h"
#include "unit/deep.h"

enum { HEADER = FRAME_HEADER_SIZE, STRIDE = 61, SETTLED_MS = 100 * 1000 };

enum attack {
    NONE,
    CHANGE,  /* flip a bit of a byte */
    CUT,     /* after a byte, for good */
    LOSE,    /* a frame, … */
    REPEAT,  /* … which comes twice */
    DELAY,   /* … comes after the next one */
    REFLECT, /* … comes back to its sender as well */
    REPLAY,  /* … is that of another conversation */
};

/* The wire, and the attacker on it. */
static struct {
    enum attack attack;
    size_t at;        /* which byte or frame, counted over both directions */
    size_t bytes;     /* passed so far */
    size_t frames;    /* passed so far */
    size_t spoken_to; /* bytes when the last words began: an attack on those may go unnoticed */
    size_t frames_to;
    bool cut;
    struct bytes held;      /* what was delayed, */
    struct party *held_for; /* and for whom */
} wire;

/* Every frame of the conversation before. */
static struct bytes recorded[64];

static void forget_recorded(void)
{
    for (size_t i = 0; i < COUNT_OF(recorded); i++)
        bytes_deinit(&recorded[i]);
}

static void hear(struct party *to, struct span data)
{
    party_hear(to, data, 0, rig.now_ms);
}

/* Passes on one frame, unless it is the one. */
static void pass_frame(struct party *from, struct party *to, struct span frame)
{
    bool now = wire.frames++ == wire.at;
    if (wire.attack == NONE) {
        assert_true(wire.frames <= COUNT_OF(recorded));
        bytes_append(&recorded[wire.frames - 1], frame.data, frame.size);
    }
    if (now && wire.attack == DELAY) {
        bytes_append(&wire.held, frame.data, frame.size);
        wire.held_for = to;
        return;
    }
    if (now && wire.attack == LOSE)
        return;
    if (now && wire.attack == REPLAY)
        frame = bytes_span(&recorded[wire.at]);
    hear(to, frame);
    if (now && wire.attack == REPEAT)
        hear(to, frame);
    if (now && wire.attack == REFLECT)
        hear(from, frame);
    if (wire.held_for == to) {
        hear(to, bytes_span(&wire.held));
        wire.held_for = NULL;
    }
}

/* Passes on all that was said, changed or cut at its place. */
static void pass(struct party *from, struct party *to)
{
    struct bytes said = from->sent;
    size_t place = wire.at - wire.bytes;
    from->sent = (struct bytes){0};
    wire.bytes += said.size;
    if (wire.attack == CHANGE && place < said.size) {
        said.data[place] ^= (uint8_t)(1 << place % 8);
        hear(to, bytes_span(&said));
    } else if (wire.attack == CUT && place < said.size) {
        hear(to, SPAN(said.data, place));
        wire.cut = true;
    } else {
        for (size_t at = 0, size; at < said.size; at += size) {
            size = HEADER + frame_header_get(said.data + at).length;
            pass_frame(from, to, SPAN(said.data + at, size));
        }
    }
    bytes_deinit(&said);
}

static bool move(struct party *from, struct party *to)
{
    party_listen(from, rig.now_ms);
    party_speak(from, rig.now_ms);
    if (wire.cut || from->sent.size == 0)
        return false;
    pass(from, to);
    return true;
}

static void run(void)
{
    bool moved;
    do {
        moved = move(&rig.joiner, &rig.host);
        moved = move(&rig.host, &rig.joiner) || moved;
    } while (moved);
}

static bool is_open(const struct party *party)
{
    return session_phase(party->session) == SESSION_OPEN;
}

static bool has_ended(const struct party *party)
{
    return session_phase(party->session) == SESSION_CLOSED;
}

/* Each says the next word, if it can. */
static void say(const char *joiners, const char *hosts, unsigned counter)
{
    if (is_open(&rig.joiner))
        assert_int_equal(party_send_text(&rig.joiner, joiners, counter, rig.now_ms), 0);
    run();
    if (is_open(&rig.host))
        assert_int_equal(party_send_text(&rig.host, hosts, counter, rig.now_ms), 0);
    run();
}

static void change_keys(void)
{
    if (is_open(&rig.host))
        assert_int_equal(epoch_start_rekey(&rig.host.session->epoch, rig.now_ms), 0);
    run();
}

/* A whole conversation, with one attack on it. */
static void converse(enum attack attack, size_t at)
{
    memset(&wire, 0, sizeof wire);
    wire.attack = attack;
    wire.at = at;
    rig_init(&rig);
    run();
    say("one", "eins", 1);
    change_keys();
    say("two", "zwei", 2);
    wire.spoken_to = wire.bytes;
    wire.frames_to = wire.frames;
    say("three", "drei", 3);
}

/* What a party got is the beginning of what was said to it. Returns how much of it. */
static size_t assert_beginning(const struct party *party, const char *const words[static 3])
{
    size_t count = 0;
    for (size_t i = 0; i < party->event_count; i++) {
        if (party->events[i].event.type != SESSION_ITEM)
            continue;
        assert_true(count < 3);
        assert_string_equal(party->events[i].text, words[count++]);
    }
    return count;
}

static size_t assert_beginnings(void)
{
    static const char *const joiners[] = {"one", "two", "three"};
    static const char *const hosts[] = {"eins", "zwei", "drei"};
    return assert_beginning(&rig.host, joiners) + assert_beginning(&rig.joiner, hosts);
}

static void end(void)
{
    rig_deinit(&rig);
    bytes_deinit(&wire.held);
}

/* The attack must end both sessions, at the latest when everything has had its time. */
static void assert_noticed(enum attack attack, size_t at)
{
    converse(attack, at);
    rig_pass(&rig, SETTLED_MS);
    if (!has_ended(&rig.joiner) || !has_ended(&rig.host))
        fail_msg("attack %d at %zu went unnoticed", (int)attack, at);
    assert_true(assert_beginnings() < 6);
    end();
}

/* How long the undisturbed conversation is; all of it must arrive. Records its frames. */
static void measure(size_t *bytes, size_t *frames)
{
    forget_recorded();
    converse(NONE, SIZE_MAX);
    assert_int_equal(assert_beginnings(), 6);
    assert_int_equal(party_count(&rig.joiner, SESSION_REKEYED), 1);
    *bytes = wire.spoken_to;
    *frames = wire.frames_to;
    end();
}

static size_t stride(void)
{
    return deep() ? 1 : STRIDE;
}

static void test_every_changed_byte_ends_both_sessions(void **state)
{
    size_t bytes, frames;
    (void)state;
    measure(&bytes, &frames);
    for (size_t at = 0; at < bytes; at += stride())
        assert_noticed(CHANGE, at);
    deep_result("each of the %zu bytes of a conversation changed: both sides "
                "noticed, and nothing false was delivered",
                bytes);
}

static void test_a_cut_costs_no_more_than_what_follows_it(void **state)
{
    size_t bytes, frames, delivered = 0;
    (void)state;
    measure(&bytes, &frames);
    for (size_t at = 0; at < bytes; at += stride()) {
        size_t arrived;
        converse(CUT, at);
        arrived = assert_beginnings();
        assert_true(arrived >= delivered && arrived < 6);
        delivered = arrived;
        end();
    }
    assert_int_equal(delivered, 4);
    deep_result("a conversation cut at each of its %zu bytes: what came before the cut "
                "was delivered, and no more",
                bytes);
}

static void test_every_moved_frame_ends_both_sessions(void **state)
{
    size_t bytes, frames;
    (void)state;
    measure(&bytes, &frames);
    for (enum attack attack = LOSE; attack <= REPLAY; attack++)
        for (size_t at = 0; at < frames; at++)
            assert_noticed(attack, at);
    deep_result("each of the %zu frames of a conversation lost, repeated, "
                "delayed, reflected, replaced by that of another "
                "conversation: both sides noticed",
                frames);
}

static int tear_down(void **state)
{
    forget_recorded();
    return rig_group_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_changed_byte_ends_both_sessions),
        cmocka_unit_test(test_a_cut_costs_no_more_than_what_follows_it),
        cmocka_unit_test(test_every_moved_frame_ends_both_sessions),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, tear_down);
}
