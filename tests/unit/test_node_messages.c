/* SPDX-License-Identifier: ISC */
/*
 * Tests core/node_messages: what is accepted for whom, that a client_id is accepted once, and what
 * can still be taken back. The store and the queue are played.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/node.h"
#include "core/node_state.h"
#include "proto/features.h"
#include "store/queue.h"
#include "store/requests.h"
#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

enum { START_MS = 1000000, PEERS = 2, FIRST_SEQ = 50 };

/* --- stand-ins -------------------------------------------------------------------------------- */

static struct stage {
    struct node node;
    struct peer peers[PEERS];
    bool no_room, removed;
    bool swapped;          /* who gets it first */
    unsigned noted;        /* drafts whose size, and expiries that housekeeping was told of */
    enum peer_trust trust; /* of the second peer */
    int queue_full_for;    /* index of a peer; -1 for none */
    int use_error, add_error;
    unsigned used; /* peers that somebody here has to do with */
    unsigned added;
    struct message_row last_added;
    struct request_row known; /* client_id NULL: none */
    struct request_row stored;
    int find_error;
    struct message_row found; /* the message that is asked for, or that a request made */
    int found_error;
    enum message_state set_state;
    unsigned told;
    unsigned purged; /* so many can be purged yet … */
    unsigned queued; /* … and so many wait for somebody that was removed */
    uint64_t space;
} stage;

enum peer_trust peer_trust(const struct peer *peer)
{
    return peer == &stage.peers[1] ? stage.trust : PEER_VERIFIED;
}

struct peer *roster_by_id(const struct roster *roster, int64_t id)
{
    (void)roster;
    return stage.removed ? NULL : &stage.peers[id - 1];
}

int roster_use(struct roster *roster, struct peer *peer)
{
    (void)roster, (void)peer;
    stage.used++;
    return stage.use_error;
}

void housekeeping_look(struct housekeeping *housekeeping, size_t size)
{
    (void)housekeeping;
    assert_in_range(size, 0, SESSION_TEXT_MAX);
    stage.noted++;
}

bool housekeeping_has_room(const struct housekeeping *housekeeping)
{
    (void)housekeeping;
    return !stage.no_room;
}

void housekeeping_touch(struct housekeeping *housekeeping, uint64_t expires_ms)
{
    (void)housekeeping;
    assert_int_equal(expires_ms, START_MS);
    stage.noted++;
}

uint32_t outgoing_needs(enum message_kind kind)
{
    return kind == MESSAGE_TEXT ? 0 : FEATURE_HEADERS;
}

int outgoing_check(const struct outgoing *outgoing, const struct peer *peer, size_t size)
{
    (void)outgoing, (void)size;
    return peer - stage.peers == stage.queue_full_for ? NODE_QUEUE_FULL : 0;
}

uint64_t outgoing_expiry(const struct outgoing *outgoing, uint64_t after_ms)
{
    (void)outgoing;
    return START_MS + after_ms;
}

int outgoing_add(const struct outgoing *outgoing, struct peer *peer, struct span content,
                 struct message_row *row)
{
    (void)outgoing, (void)content;
    row->peer = peer->row.id;
    row->seq = FIRST_SEQ + stage.added;
    row->state = MESSAGE_QUEUED;
    stage.last_added = *row;
    stage.added++;
    return stage.add_error;
}

/* The same only for what is the same. */
int body_sealer_tag(struct body_sealer *body_sealer, const char *label, const struct span *parts,
                    size_t count, uint8_t tag[static BODY_SEALER_TAG_SIZE])
{
    (void)body_sealer, (void)label;
    memset(tag, 0, BODY_SEALER_TAG_SIZE);
    tag[0] = (uint8_t)count;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < parts[i].size; k++) {
            uint8_t *place = &tag[1 + (i + k) % 8];
            *place = (uint8_t)(31U * *place + parts[i].data[k] + (unsigned)i);
        }
    }
    return 0;
}

int requests_find(struct db *db, struct request_row *row)
{
    (void)db;
    if (stage.find_error != 0)
        return stage.find_error;
    if (stage.known.client_id == NULL || strcmp(stage.known.client_id, row->client_id) != 0)
        return DB_NOT_FOUND;
    *row = stage.known;
    return 0;
}

int requests_add(struct db *db, const struct request_row *row)
{
    (void)db;
    stage.stored = *row;
    return 0;
}

int messages_at(struct db *db, int64_t seq, messages_visit *visit, void *context)
{
    (void)db;
    struct message_row row = {.seq = seq, .state = MESSAGE_DELIVERED};
    return seq == FIRST_SEQ + 1 ? DB_NOT_FOUND : visit(context, &row);
}

int messages_get(struct db *db, const struct uuid *id, messages_visit *visit, void *context)
{
    (void)db, (void)id;
    return stage.found_error != 0 ? stage.found_error : visit(context, &stage.found);
}

int queue_set_state(struct db *db, int64_t seq, enum message_state state, const char *reason,
                    uint64_t now_ms)
{
    (void)db, (void)now_ms;
    assert_int_equal(seq, stage.found.seq);
    assert_int_equal(reason == NULL, state == MESSAGE_CANCELLED);
    stage.set_state = state;
    return 0;
}

int queue_size(struct db *db, int64_t peer, struct messages_size *size)
{
    (void)db, (void)peer;
    *size = (struct messages_size){.messages = stage.queued};
    return 0;
}

int calls_cancel_content(struct bytes *content, const struct uuid *id)
{
    return bytes_append(content, id->bytes, UUID_SIZE);
}

int retention_purge(struct db *db, int64_t peer, uint64_t before_ms, uint64_t now_ms,
                    unsigned *removed)
{
    (void)db, (void)peer, (void)before_ms, (void)now_ms;
    *removed = stage.purged < RETENTION_STEP ? stage.purged : RETENTION_STEP;
    stage.purged -= *removed;
    return 0;
}

uint64_t space_left(struct space *space)
{
    (void)space;
    return stage.space;
}

/* --- the stage -------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(START_MS, 0);
    stage.queue_full_for = -1;
    stage.trust = PEER_VERIFIED;
    for (unsigned i = 0; i < PEERS; i++) {
        stage.peers[i].row = (struct peer_row){.id = i + 1, .trust = PEER_VERIFIED, .met = true};
        snprintf(stage.peers[i].row.name, PEER_NAME_MAX, "peer %u", i);
    }
    stage.found = (struct message_row){
        .seq = 9, .peer = 1, .direction = MESSAGE_OUT, .state = MESSAGE_QUEUED};
    return 0;
}

static void count_accepted(void *context, const struct node_accepted *accepted)
{
    assert_ptr_equal(context, &stage);
    assert_true(accepted->seq >= FIRST_SEQ);
    stage.told++;
}

static const struct peer *about;

static int send_draft(enum message_kind kind, const char *text, size_t size, const char *client_id)
{
    struct peer *const peers[] = {&stage.peers[stage.swapped], &stage.peers[!stage.swapped]};
    const struct node_draft draft = {.kind = kind,
                                     .content = SPAN(text, size),
                                     .peers = peers,
                                     .peer_count = PEERS,
                                     .client_id = client_id};
    stage.told = 0;
    return node_send(&stage.node, &draft, count_accepted, &stage, &about);
}

static int send_text(const char *text, const char *client_id)
{
    return send_draft(MESSAGE_TEXT, text, strlen(text), client_id);
}

static int cancel(enum message_kind kind, enum message_state state)
{
    const struct uuid id = {{1}};
    stage.found.kind = kind;
    stage.found.state = state;
    stage.set_state = MESSAGE_RECEIVED;
    return node_cancel(&stage.node, &id);
}

/* --- sending ---------------------------------------------------------------------------------- */

static void test_a_text_has_to_be_one(void **state)
{
    static char large[SESSION_TEXT_MAX + 1];
    (void)state;
    memset(large, 'x', sizeof large);
    assert_int_equal(send_text("", NULL), NODE_EMPTY);
    assert_int_equal(send_draft(MESSAGE_TEXT, large, sizeof large, NULL), NODE_TOO_LARGE);
    assert_int_equal(send_text("\xff", NULL), NODE_NOT_UTF8);
    assert_int_equal(send_draft(MESSAGE_TEXT, "a\0b", 3, NULL), NODE_NOT_UTF8);
    assert_int_equal(stage.added, 0);
    assert_int_equal(send_draft(MESSAGE_TEXT, large, sizeof large - 1, NULL), 0);
    stage.peers[0].row.features = stage.peers[1].row.features = FEATURE_HEADERS;
    assert_int_equal(send_draft(MESSAGE_HEADERS, "\xff", 1, NULL), 0); /* bytes may be any */
}

static void assert_refused(int outcome, enum message_kind kind)
{
    assert_int_equal(send_draft(kind, "hello", 5, NULL), outcome);
    assert_ptr_equal(about, &stage.peers[1]);
    assert_int_equal(stage.added, 0);
    assert_int_equal(stage.told, 0);
}

static void test_one_peer_that_can_t_take_it_stops_it_for_all(void **state)
{
    (void)state;
    stage.peers[1].row.trust = PEER_BLOCKED;
    assert_refused(NODE_BLOCKED, MESSAGE_TEXT);
    stage.peers[1].row.trust = PEER_VERIFIED;
    stage.trust = PEER_CHANGED;
    assert_refused(NODE_KEY_CHANGED, MESSAGE_TEXT);
    stage.trust = PEER_VERIFIED;
    stage.peers[0].row.features = FEATURE_HEADERS;
    assert_refused(NODE_NOT_SUPPORTED, MESSAGE_HEADERS);
    stage.queue_full_for = 1;
    assert_refused(NODE_QUEUE_FULL, MESSAGE_TEXT);
    stage.queue_full_for = -1;
    stage.no_room = true;
    assert_int_equal(send_text("hello", NULL), NODE_DISK_FULL);
    stage.node.runtime.stopping = true;
    assert_int_equal(send_text("hello", NULL), NODE_STOPPING);
    assert_int_equal(stage.added, 0);
}

static void test_each_peer_gets_it_and_each_is_told(void **state)
{
    (void)state;
    assert_int_equal(send_text("hello", NULL), 0);
    assert_null(about);
    assert_int_equal(stage.added, 2);
    assert_int_equal(stage.used, 2);
    assert_int_equal(stage.noted, 3);
    assert_int_equal(stage.told, 2);
    assert_int_equal(stage.last_added.expires_ms, START_MS);
    assert_null(stage.stored.client_id);
    stage.use_error = NODE_DISK_FULL;
    assert_int_equal(send_text("hello", "id"), NODE_DISK_FULL);
    assert_int_equal(stage.added, 2);
    stage.use_error = 0;
    stage.add_error = NODE_DISK_FULL;
    assert_int_equal(send_text("hello", "id"), NODE_DISK_FULL);
    assert_int_equal(stage.told, 0);
    assert_null(stage.stored.client_id);
}

static void test_a_client_id_is_accepted_once(void **state)
{
    (void)state;
    assert_int_equal(send_text("hello", "id"), 0);
    assert_string_equal(stage.stored.client_id, "id");
    assert_int_equal(stage.stored.first, FIRST_SEQ);
    assert_int_equal(stage.stored.count, PEERS);
    assert_int_equal(stage.stored.time_ms, START_MS);
    stage.known = stage.stored;
    stage.known.compared = true;
    assert_int_equal(send_text("hello", "id"), 0);
    assert_int_equal(stage.added, PEERS);
    assert_int_equal(stage.told, 1); /* the other one was removed meanwhile */
    assert_int_equal(send_text("hallo", "id"), NODE_CONFLICT);
    stage.swapped = true;
    assert_int_equal(send_text("hello", "id"), NODE_CONFLICT);
    stage.swapped = false;
    stage.peers[0].row.features = stage.peers[1].row.features = FEATURE_HEADERS;
    assert_int_equal(send_draft(MESSAGE_HEADERS, "hello", 5, "id"), NODE_CONFLICT);
    stage.known.compared = false;
    assert_int_equal(send_text("hallo", "id"), 0);
    assert_int_equal(stage.added, PEERS);
    stage.find_error = -EIO;
    assert_int_equal(send_text("hello", "other"), -EIO);
}

/* --- holding and taking back ------------------------------------------------------------------ */

static void test_a_message_is_held_for_lack_of_a_feature_or_of_its_text(void **state)
{
    struct message_row row = stage.found;
    (void)state;
    assert_false(node_holds(&stage.node, &row));
    row.needs = FEATURE_HEADERS;
    assert_true(node_holds(&stage.node, &row));
    stage.removed = true;
    assert_false(node_holds(&stage.node, &row));
    stage.removed = false;
    row.state = MESSAGE_SENT;
    assert_false(node_holds(&stage.node, &row));
    row.unreadable = true;
    assert_true(node_holds(&stage.node, &row));
    row.state = MESSAGE_DELIVERED;
    assert_false(node_holds(&stage.node, &row));
    row.state = MESSAGE_QUEUED;
    assert_true(node_holds(&stage.node, &row));
    row.direction = MESSAGE_IN;
    assert_false(node_holds(&stage.node, &row));
}

static void test_what_was_not_transmitted_is_taken_back(void **state)
{
    (void)state;
    assert_int_equal(cancel(MESSAGE_TEXT, MESSAGE_QUEUED), 0);
    assert_int_equal(stage.set_state, MESSAGE_CANCELLED);
    assert_int_equal(cancel(MESSAGE_TEXT, MESSAGE_SENT), NODE_TOO_LATE);
    assert_int_equal(cancel(MESSAGE_TEXT, MESSAGE_DELIVERED), NODE_TOO_LATE);
    stage.found.direction = MESSAGE_IN;
    assert_int_equal(cancel(MESSAGE_TEXT, MESSAGE_QUEUED), NODE_TOO_LATE);
    stage.found.direction = MESSAGE_OUT;
    stage.found.unreadable = true; /* it can't be sent again */
    assert_int_equal(cancel(MESSAGE_TEXT, MESSAGE_SENT), 0);
    assert_int_equal(stage.set_state, MESSAGE_UNKNOWN);
    stage.found_error = DB_NOT_FOUND;
    assert_int_equal(cancel(MESSAGE_TEXT, MESSAGE_QUEUED), NODE_NO_SUCH_MESSAGE);
}

static void test_a_request_that_was_transmitted_is_asked_back(void **state)
{
    (void)state;
    assert_int_equal(cancel(MESSAGE_REQUEST, MESSAGE_QUEUED), 0);
    assert_int_equal(stage.set_state, MESSAGE_CANCELLED);
    assert_int_equal(stage.added, 0);
    assert_int_equal(cancel(MESSAGE_REQUEST, MESSAGE_DELIVERED), 0);
    assert_int_equal(stage.set_state, MESSAGE_RECEIVED); /* it stays */
    assert_int_equal(stage.added, 1);
    assert_int_equal(stage.last_added.kind, MESSAGE_CANCEL);
    assert_int_equal(cancel(MESSAGE_REQUEST, MESSAGE_PROCESSED), NODE_TOO_LATE);
    stage.queue_full_for = 0;
    assert_int_equal(cancel(MESSAGE_REQUEST, MESSAGE_SENT), NODE_QUEUE_FULL);
    stage.removed = true;
    assert_int_equal(cancel(MESSAGE_REQUEST, MESSAGE_SENT), NODE_TOO_LATE);
    assert_int_equal(stage.added, 1);
}

/* --- purging ---------------------------------------------------------------------------------- */

static void test_a_purge_goes_on_in_steps(void **state)
{
    unsigned removed;
    bool more;
    (void)state;
    stage.purged = NODE_PURGE_MAX + 10;
    assert_int_equal(node_purge(&stage.node, 0, START_MS, &removed, &more), 0);
    assert_in_range(removed, NODE_PURGE_MAX, NODE_PURGE_MAX + RETENTION_STEP - 1);
    assert_true(more);
    assert_int_equal(node_purge(&stage.node, 0, START_MS, &removed, &more), 0);
    assert_int_equal(stage.purged, 0);
    assert_false(more);
}

static void test_a_purge_on_a_disk_that_is_nearly_full_takes_little_at_a_time(void **state)
{
    static int space; /* only its address counts */
    unsigned removed;
    bool more;
    (void)state;
    stage.node.housekeeping.space = (struct space *)(void *)&space;
    stage.space = NODE_PURGE_ROOM - 1;
    stage.purged = NODE_PURGE_MAX;
    assert_int_equal(node_purge(&stage.node, 0, START_MS, &removed, &more), 0);
    assert_int_equal(removed, RETENTION_STEP);
    assert_true(more);
}

static void test_a_purge_waits_for_the_queue_of_a_removed_peer(void **state)
{
    unsigned removed;
    bool more;
    (void)state;
    stage.queued = 1;
    assert_int_equal(node_purge(&stage.node, 1, START_MS, &removed, &more), 0);
    assert_false(more); /* it is still one */
    stage.removed = true;
    assert_int_equal(node_purge(&stage.node, 1, START_MS, &removed, &more), 0);
    assert_true(more);
    stage.queued = 0;
    assert_int_equal(node_purge(&stage.node, 1, START_MS, &removed, &more), 0);
    assert_false(more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_text_has_to_be_one, set_up),
        cmocka_unit_test_setup(test_one_peer_that_can_t_take_it_stops_it_for_all, set_up),
        cmocka_unit_test_setup(test_each_peer_gets_it_and_each_is_told, set_up),
        cmocka_unit_test_setup(test_a_client_id_is_accepted_once, set_up),
        cmocka_unit_test_setup(test_a_message_is_held_for_lack_of_a_feature_or_of_its_text, set_up),
        cmocka_unit_test_setup(test_what_was_not_transmitted_is_taken_back, set_up),
        cmocka_unit_test_setup(test_a_request_that_was_transmitted_is_asked_back, set_up),
        cmocka_unit_test_setup(test_a_purge_goes_on_in_steps, set_up),
        cmocka_unit_test_setup(test_a_purge_on_a_disk_that_is_nearly_full_takes_little_at_a_time,
                               set_up),
        cmocka_unit_test_setup(test_a_purge_waits_for_the_queue_of_a_removed_peer, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
