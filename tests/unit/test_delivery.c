/* SPDX-License-Identifier: ISC */
/*
 * Tests core/delivery between a real store and a session that only notes what it is given: what
 * goes out again, what is acknowledged, and what may end the life of a message.
 */
#include "core/delivery.h"

#include <errno.h>
#include <string.h>

#include "core/node_outcome.h"
#include "core/peer.h"
#include "crypto/crypto.h"
#include "proto/features.h"
#include "unit/cmocka_all.h"
#include "unit/scratch_db.h"

enum { NOW_MS = 5000000, GIVEN_MAX = 2 * SESSION_WINDOW_ITEMS };

/* --- stand-ins -------------------------------------------------------------------------------- */

struct session {
    struct session_item items[GIVEN_MAX]; /* what it was given, without the texts … */
    char first_text[16];                  /* … but for the first */
    size_t given, acked;
    int refusal; /* what it answers to more, or 0 */
};

static struct stage {
    struct scratch *scratch;
    struct runtime runtime;
    struct housekeeping housekeeping;
    struct body_sealer *body_sealer;
    struct delivery delivery;
    struct list stirred;
    struct session session;
    struct link link;
    struct peer peer;
    bool link_open, trusted, room;
    enum close_code closed; /* why we closed the link; CLOSE_NORMAL while we did not */
    int failure;
} stage;

uint32_t session_features(const struct session *session)
{
    (void)session;
    return FEATURE_HEADERS;
}

int session_send_item(struct session *session, const struct session_item *item, uint64_t now_ms)
{
    (void)now_ms;
    if (session->refusal != 0)
        return session->refusal;
    if (session->given == 0)
        memcpy(session->first_text, item->content.data, item->content.size);
    session->items[session->given++] = *item;
    return 0;
}

size_t session_unacknowledged(const struct session *session)
{
    return session->given - session->acked;
}

int64_t session_oldest_item(const struct session *session)
{
    return session->given > session->acked ? session->items[session->acked].handle : 0;
}

int64_t session_acked_item(const struct session *session, uint64_t ordinal)
{
    return session->items[ordinal - 1].handle;
}

bool link_open(const struct link *link)
{
    (void)link;
    return stage.link_open;
}

void link_touch(struct link *link)
{
    link->dirty = true;
}

void link_close(struct link *link, enum close_code code)
{
    (void)link;
    stage.closed = code;
}

bool peer_trusted(const struct peer *peer)
{
    (void)peer;
    return stage.trusted;
}

void peer_stir(struct peer *peer)
{
    (void)peer;
}

void housekeeping_look(struct housekeeping *housekeeping, size_t size)
{
    (void)housekeeping, (void)size;
}

bool housekeeping_has_room(const struct housekeeping *housekeeping)
{
    (void)housekeeping;
    return stage.room;
}

void housekeeping_touch(struct housekeeping *housekeeping, uint64_t expires_ms)
{
    (void)housekeeping, (void)expires_ms;
}

void runtime_fail(struct runtime *runtime, int error)
{
    (void)runtime;
    stage.failure = error;
}

uint64_t loop_now(const struct loop *loop)
{
    (void)loop;
    return NOW_MS;
}

uint64_t loop_wall(const struct loop *loop)
{
    (void)loop;
    return NOW_MS;
}

void loop_wake(struct loop *loop)
{
    (void)loop;
}

/* --- the stage -------------------------------------------------------------------------------- */

/* A session opens, with nothing given. */
static void open_session(void)
{
    stage.session = (struct session){0};
    stage.link = (struct link){.session = &stage.session, .peer = &stage.peer};
    stage.peer.link = &stage.link;
    stage.link_open = true;
    stage.closed = CLOSE_NORMAL;
    delivery_start(&stage.peer);
}

static int set_up(void **state)
{
    static const struct secret key = {{1}};
    memset(&stage, 0, sizeof stage);
    assert_int_equal(scratch_set_up(state), 0);
    stage.scratch = *state;
    stage.trusted = stage.room = true;
    stage.runtime.db = stage.scratch->db;
    assert_int_equal(body_sealer_new(&stage.body_sealer, &key), 0);
    stage.delivery = (struct delivery){.runtime = &stage.runtime,
                                       .housekeeping = &stage.housekeeping,
                                       .body_sealer = stage.body_sealer};
    stage.peer.runtime = &stage.runtime;
    stage.peer.row = scratch_peer(stage.scratch, "bob");
    open_session();
    return 0;
}

static int tear_down(void **state)
{
    body_sealer_free(stage.body_sealer);
    return scratch_tear_down(state);
}

static int64_t queue_sealed(unsigned n, struct span sealed)
{
    struct message_row row = scratch_message(stage.peer.row.id, MESSAGE_OUT, n);
    row.body = sealed;
    assert_int_equal(messages_add(stage.scratch->db, &row), 0);
    return row.seq;
}

/* Queues message n, whose text is "hello". */
static int64_t queue(unsigned n)
{
    struct bytes sealed = {0};
    const struct message_row row = scratch_message(stage.peer.row.id, MESSAGE_OUT, n);
    assert_int_equal(body_sealer_seal(stage.body_sealer, &row, SPAN("hello", 5), &sealed), 0);
    const int64_t seq = queue_sealed(n, bytes_span(&sealed));
    bytes_deinit(&sealed);
    return seq;
}

static int pump(void)
{
    return delivery_pump(&stage.delivery, &stage.peer);
}

static void acknowledge(uint64_t first, uint64_t ordinal)
{
    const struct session_event event = {.type = SESSION_ACKED, .first = first, .ordinal = ordinal};
    stage.session.acked = ordinal;
    assert_int_equal(delivery_acknowledged(&stage.delivery, &stage.peer, &event), 0);
}

static void end_session(enum close_code code, bool by_peer)
{
    const struct link_end end = {.coded = true, .code = code, .by_peer = by_peer};
    delivery_end(&stage.delivery, &stage.peer, &end);
    stage.peer.link = NULL;
}

static int note_state(void *context, const struct message_row *row)
{
    *(enum message_state *)context = row->state;
    return 0;
}

static enum message_state state_of(int64_t seq)
{
    enum message_state state = MESSAGE_RECEIVED;
    assert_int_equal(messages_at(stage.scratch->db, seq, note_state, &state), 0);
    return state;
}

static void assert_given(size_t index, unsigned n, unsigned previous)
{
    const struct uuid id = scratch_id(n);
    const struct uuid before = previous != 0 ? scratch_id(previous) : (struct uuid){{0}};
    assert_true(index < stage.session.given);
    assert_true(uuid_equal(&stage.session.items[index].id, &id));
    assert_true(uuid_equal(&stage.session.items[index].previous, &before));
}

static int receive(unsigned n)
{
    const struct session_event event = {
        .type = SESSION_ITEM,
        .ordinal = n,
        .item = {.id = scratch_id(n), .time_ms = 1, .content = SPAN("hi", 2)}};
    return delivery_receive(&stage.delivery, &stage.link, &event);
}

/* --- out -------------------------------------------------------------------------------------- */

static void test_queue_goes_out_in_order_each_after_the_one_before(void **state)
{
    (void)state;
    const int64_t first = queue(1), second = queue(2);
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 2);
    assert_given(0, 1, 0);
    assert_given(1, 2, 1);
    assert_string_equal(stage.session.first_text, "hello");
    assert_int_equal(state_of(first), MESSAGE_SENT);
    acknowledge(1, 1);
    assert_int_equal(state_of(first), MESSAGE_DELIVERED);
    assert_int_equal(state_of(second), MESSAGE_SENT);
    acknowledge(2, 2);
    assert_int_equal(state_of(second), MESSAGE_DELIVERED);
}

static void test_what_was_not_acknowledged_is_repeated_as_it_was(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 3; n++)
        queue(n);
    assert_int_equal(pump(), 0);
    acknowledge(1, 1);
    end_session(CLOSE_IDLE_TIMEOUT, false);
    queue(4);
    open_session();
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_given(i, i + 2, i + 1);
}

static void test_no_more_than_the_window_is_given(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= SESSION_WINDOW_ITEMS + 2; n++)
        queue(n);
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, SESSION_WINDOW_ITEMS);
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, SESSION_WINDOW_ITEMS);
    stage.peer.giving_due = false;
    acknowledge(1, 1);
    assert_true(stage.peer.giving_due);
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, SESSION_WINDOW_ITEMS + 1);
    assert_given(SESSION_WINDOW_ITEMS, SESSION_WINDOW_ITEMS + 1, SESSION_WINDOW_ITEMS);
}

static void test_nothing_goes_to_a_key_that_is_not_trusted(void **state)
{
    (void)state;
    const int64_t seq = queue(1);
    stage.trusted = false;
    assert_int_equal(pump(), 0);
    stage.trusted = true;
    stage.link_open = false;
    assert_int_equal(pump(), 0);
    stage.peer.link = NULL;
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 0);
    assert_int_equal(state_of(seq), MESSAGE_QUEUED);
}

static void test_a_session_that_takes_no_more_leaves_the_rest_in_the_queue(void **state)
{
    (void)state;
    const int64_t seq = queue(1);
    stage.session.refusal = SESSION_FULL;
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.closed, CLOSE_NORMAL);
    assert_int_equal(state_of(seq), MESSAGE_QUEUED);
    stage.session.refusal = -ENOMEM;
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.closed, CLOSE_INTERNAL_ERROR);
    assert_int_equal(state_of(seq), MESSAGE_QUEUED);
}

static void test_a_turn_passes_over_so_many_that_the_peer_can_not_take(void **state)
{
    uint64_t held;
    (void)state;
    for (unsigned n = 1; n <= QUEUE_HOLD_STEP + 1; n++) {
        struct message_row row = scratch_message(stage.peer.row.id, MESSAGE_OUT, n);
        row.needs = FEATURE_CALLS;
        row.body = SPAN("sealed", 6);
        assert_int_equal(messages_add(stage.scratch->db, &row), 0);
    }
    queue(QUEUE_HOLD_STEP + 2);
    assert_int_equal(pump(), 0);
    assert_int_equal(queue_held(stage.scratch->db, stage.peer.row.id, FEATURE_HEADERS, &held), 0);
    assert_int_equal(held, QUEUE_HOLD_STEP);
    assert_int_equal(stage.session.given, 0);
    assert_true(stage.peer.giving_due);
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 1);
    assert_given(0, QUEUE_HOLD_STEP + 2, 0);
    assert_false(stage.peer.giving_due);
}

static void test_a_damaged_text_fails_alone(void **state)
{
    (void)state;
    const int64_t damaged = queue_sealed(1, SPAN("this was never sealed", 21)), good = queue(2);
    assert_int_equal(pump(), 0);
    assert_int_equal(state_of(damaged), MESSAGE_FAILED);
    assert_int_equal(state_of(good), MESSAGE_SENT);
    assert_int_equal(stage.session.given, 1);
}

/* --- the blame -------------------------------------------------------------------------------- */

/* A session in which all that is waiting is given, and which ends like this. */
static void run_session(enum close_code code, bool by_peer)
{
    open_session();
    assert_int_equal(pump(), 0);
    end_session(code, by_peer);
}

static void test_the_peer_s_complaint_fails_the_oldest_in_the_end(void **state)
{
    static const enum close_code codes[] = {CLOSE_BAD_ITEM, CLOSE_UNSUPPORTED_RECORD};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const int64_t oldest = queue(10 * i + 1), next = queue(10 * i + 2);
        for (unsigned n = 1; n < SUSPICION_SESSIONS; n++)
            run_session(codes[i], true);
        assert_int_equal(state_of(oldest), MESSAGE_SENT);
        run_session(codes[i], true);
        assert_int_equal(state_of(oldest), MESSAGE_FAILED);
        open_session();
        assert_int_equal(pump(), 0);
        assert_given(0, 10 * i + 2, 10 * i + 1);
        acknowledge(1, 1);
        assert_int_equal(state_of(next), MESSAGE_DELIVERED);
        end_session(CLOSE_NORMAL, true);
    }
}

static void test_no_other_end_of_a_session_ends_a_message(void **state)
{
    (void)state;
    const int64_t seq = queue(1);
    for (unsigned n = 0; n < 3 * SUSPICION_SESSIONS; n++) {
        run_session(CLOSE_PROTOCOL_ERROR, true);
        run_session(CLOSE_BAD_ITEM, false);
        run_session(CLOSE_INTERNAL_ERROR, true);
    }
    assert_int_equal(state_of(seq), MESSAGE_SENT);
    assert_false(suspicion_raised(&stage.peer.suspicion));
}

static void test_under_suspicion_messages_go_one_by_one(void **state)
{
    (void)state;
    queue(1);
    queue(2);
    run_session(CLOSE_BAD_ITEM, true);
    open_session();
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 1);
    acknowledge(1, 1);
    assert_int_equal(pump(), 0);
    assert_int_equal(stage.session.given, 2);
    assert_false(suspicion_raised(&stage.peer.suspicion));
}

/* --- in --------------------------------------------------------------------------------------- */

static void test_an_item_is_stored_once_and_acknowledged_each_time(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        stage.link.ack_due = 0;
        assert_int_equal(receive(1), 0);
        assert_int_equal(stage.link.ack_due, 1);
        assert_true(stage.link.dirty);
        assert_int_equal(scratch_stored(stage.scratch), 1);
    }
}

static void test_after_a_declined_item_no_other_is_taken(void **state)
{
    (void)state;
    stage.room = false;
    assert_int_equal(receive(1), 0);
    stage.room = true;
    assert_int_equal(receive(2), 0);
    assert_int_equal(stage.link.ack_due, 0);
    assert_int_equal(scratch_stored(stage.scratch), 0);
    open_session();
    assert_int_equal(receive(1), 0);
    assert_int_equal(receive(2), 0);
    assert_int_equal(stage.link.ack_due, 2);
    assert_int_equal(scratch_stored(stage.scratch), 2);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_queue_goes_out_in_order_each_after_the_one_before),
        TEST(test_what_was_not_acknowledged_is_repeated_as_it_was),
        TEST(test_no_more_than_the_window_is_given),
        TEST(test_nothing_goes_to_a_key_that_is_not_trusted),
        TEST(test_a_session_that_takes_no_more_leaves_the_rest_in_the_queue),
        TEST(test_a_turn_passes_over_so_many_that_the_peer_can_not_take),
        TEST(test_a_damaged_text_fails_alone),
        TEST(test_the_peer_s_complaint_fails_the_oldest_in_the_end),
        TEST(test_no_other_end_of_a_session_ends_a_message),
        TEST(test_under_suspicion_messages_go_one_by_one),
        TEST(test_an_item_is_stored_once_and_acknowledged_each_time),
        TEST(test_after_a_declined_item_no_other_is_taken),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
