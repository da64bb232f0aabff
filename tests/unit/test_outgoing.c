/* SPDX-License-Identifier: ISC */
/*
 * Tests core/outgoing alone: the store, sealing and the peer note what they are asked.
 */
#include "core/outgoing.h"

#include <errno.h>
#include <string.h>

#include "core/node_outcome.h"
#include "core/sealed_message.h"
#include "crypto/random.h"
#include "proto/features.h"
#include "store/queue.h"
#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

enum { NOW_MS = 1000, WALL_LEAD_MS = 500000 };

static struct stage {
    struct runtime runtime;
    struct outgoing outgoing;
    struct peer peer;
    struct messages_size queue;
    int queue_error;
    int store_error; /* what adding comes to */
    unsigned added;
    struct message_row row; /* as it was added */
    unsigned touched, urged;
} stage;

int random_bytes(void *data, size_t size)
{
    memset(data, 7, size);
    return 0;
}

int queue_size(struct db *db, int64_t peer, struct messages_size *size)
{
    (void)db;
    assert_int_equal(peer, 3);
    *size = stage.queue;
    return stage.queue_error;
}

int sealed_message_add(struct db *db, struct body_sealer *body_sealer, struct message_row *row,
                       struct span content)
{
    (void)db, (void)body_sealer;
    assert_int_equal(content.size, 5);
    stage.row = *row;
    stage.added++;
    return stage.store_error;
}

void peer_touch_queue(struct peer *peer)
{
    assert_ptr_equal(peer, &stage.peer);
    stage.touched++;
}

void peer_urge(struct peer *peer)
{
    assert_ptr_equal(peer, &stage.peer);
    stage.urged++;
}

static int set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(NOW_MS, WALL_LEAD_MS);
    stage.runtime.settings.queue_messages = 10;
    stage.runtime.settings.queue_bytes = 1000;
    stage.runtime.settings.expire_ms = 60000;
    stage.outgoing.runtime = &stage.runtime;
    stage.peer.row.id = 3;
    stage.peer.row.trust = PEER_VERIFIED;
    return 0;
}

static void test_each_kind_needs_its_features(void **state)
{
    (void)state;
    static const struct {
        enum message_kind kind;
        uint32_t features;
    } needs[] = {{MESSAGE_TEXT, 0},
                 {MESSAGE_HEADERS, FEATURE_HEADERS},
                 {MESSAGE_REQUEST, FEATURE_HEADERS | FEATURE_CALLS},
                 {MESSAGE_RESULT, FEATURE_HEADERS | FEATURE_CALLS},
                 {MESSAGE_CANCEL, FEATURE_HEADERS | FEATURE_CALLS},
                 {MESSAGE_FILE_OFFER, FEATURE_FILES},
                 {MESSAGE_FILE_STATE, FEATURE_FILES}};
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
        assert_int_equal(outgoing_needs(needs[i].kind), needs[i].features);
}

static void test_a_queue_is_full_by_messages_or_by_bytes(void **state)
{
    (void)state;
    static const struct {
        uint64_t messages, bytes;
        size_t size;
        int outcome;
    } cases[] = {{0, 0, 1000, 0}, {0, 0, 1001, NODE_QUEUE_FULL},
                 {9, 0, 1, 0},    {10, 0, 1, NODE_QUEUE_FULL},
                 {1, 999, 1, 0},  {1, 999, 2, NODE_QUEUE_FULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        stage.queue = (struct messages_size){cases[i].messages, cases[i].bytes};
        assert_int_equal(outgoing_check(&stage.outgoing, &stage.peer, cases[i].size),
                         cases[i].outcome);
    }
    stage.queue_error = -EIO;
    assert_int_equal(outgoing_check(&stage.outgoing, &stage.peer, 1), -EIO);
}

static void test_when_it_expires(void **state)
{
    (void)state;
    const uint64_t wall_ms = NOW_MS + WALL_LEAD_MS;
    assert_int_equal(outgoing_expiry(&stage.outgoing, 5), wall_ms + 5);
    assert_int_equal(outgoing_expiry(&stage.outgoing, 0), wall_ms + 60000);
    assert_int_equal(outgoing_expiry(&stage.outgoing, UINT64_MAX), 0);
    assert_int_equal(outgoing_expiry(&stage.outgoing, INT64_MAX - wall_ms), 0);
    stage.runtime.settings.expire_ms = 0;
    assert_int_equal(outgoing_expiry(&stage.outgoing, 0), 0);
}

static void test_a_message_is_added_for_its_peer(void **state)
{
    (void)state;
    struct message_row row = {.kind = MESSAGE_HEADERS, .expires_ms = 77};
    assert_int_equal(outgoing_add(&stage.outgoing, &stage.peer, SPAN("hello", 5), &row), 0);
    assert_int_equal(stage.row.peer, 3);
    assert_int_equal(stage.row.direction, MESSAGE_OUT);
    assert_int_equal(stage.row.state, MESSAGE_QUEUED);
    assert_int_equal(stage.row.trust, PEER_VERIFIED);
    assert_int_equal(stage.row.needs, FEATURE_HEADERS);
    assert_int_equal(stage.row.time_ms, NOW_MS + WALL_LEAD_MS);
    assert_int_equal(stage.row.sent_ms, NOW_MS + WALL_LEAD_MS);
    assert_int_equal(stage.row.expires_ms, 77);
    assert_false(uuid_is_zero(&stage.row.id));
    assert_int_equal(stage.touched, 1);
    assert_int_equal(stage.urged, 1);
}

static void test_what_is_not_stored_is_not_sent(void **state)
{
    (void)state;
    static const int outcomes[][2] = {
        {DB_FULL, NODE_DISK_FULL}, {DB_EXISTS, -EIO}, {-ENOMEM, -ENOMEM}};
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        struct message_row row = {.kind = MESSAGE_TEXT};
        stage.store_error = outcomes[i][0];
        assert_int_equal(outgoing_add(&stage.outgoing, &stage.peer, SPAN("hello", 5), &row),
                         outcomes[i][1]);
    }
    assert_int_equal(stage.touched, 0);
    assert_int_equal(stage.urged, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_kind_needs_its_features),
        TEST(test_a_queue_is_full_by_messages_or_by_bytes),
        TEST(test_when_it_expires),
        TEST(test_a_message_is_added_for_its_peer),
        TEST(test_what_is_not_stored_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
