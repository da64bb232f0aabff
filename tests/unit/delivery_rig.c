/* SPDX-License-Identifier: ISC */
/*
 * Delivery on a stage.
 */
#include "unit/delivery_rig.h"

#include <string.h>

#include "core/calls.h"
#include "core/files.h"
#include "crypto/crypto.h"
#include "proto/features.h"
#include "unit/cmocka_all.h"

struct stage stage;

/* --- stand-ins -------------------------------------------------------------------------------- */

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

enum message_kind calls_kind(struct span content, struct headers *headers)
{
    (void)content;
    *headers = (struct headers){0};
    return MESSAGE_HEADERS; /* none is a request here, or a result */
}

int calls_awaits(const struct calls *calls, const struct peer *peer, const struct headers *headers)
{
    (void)calls;
    (void)peer;
    (void)headers;
    return DB_NOT_FOUND;
}

int calls_take(struct calls *calls, struct peer *peer, const struct message_row *row,
               const struct headers *headers)
{
    (void)calls;
    (void)peer;
    (void)row;
    (void)headers;
    return 0;
}

int files_take(struct files *files, const struct peer *peer, const struct session_item *item,
               int64_t seq)
{
    (void)files;
    (void)peer;
    (void)item;
    (void)seq;
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

bool quota_admits(struct quota *quota, struct link *link)
{
    (void)quota, (void)link;
    return !stage.spent;
}

bool peer_trusted(const struct peer *peer)
{
    (void)peer;
    return stage.trusted;
}

void peer_note_shown(struct peer *peer)
{
    (void)peer;
}

void peer_touch_queue(struct peer *peer)
{
    peer->giving_due = true;
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
void open_session(void)
{
    stage.session = (struct session){0};
    stage.link = (struct link){.session = &stage.session, .peer = &stage.peer};
    stage.peer.link = &stage.link;
    stage.link_open = true;
    stage.closed = CLOSE_NORMAL;
    delivery_start(&stage.peer);
}

int stage_set_up(void **state)
{
    static const struct secret key = {{1}};
    memset(&stage, 0, sizeof stage);
    assert_int_equal(scratch_set_up(state), 0);
    stage.scratch = *state;
    stage.trusted = stage.room = true;
    stage.runtime.db = stage.scratch->db;
    stage.runtime.turn = &stage.turn;
    assert_int_equal(body_sealer_new(&stage.body_sealer, &key), 0);
    stage.delivery = (struct delivery){.runtime = &stage.runtime,
                                       .housekeeping = &stage.housekeeping,
                                       .body_sealer = stage.body_sealer};
    stage.peer.runtime = &stage.runtime;
    stage.peer.row = scratch_peer(stage.scratch, "bob");
    open_session();
    return 0;
}

int stage_tear_down(void **state)
{
    body_sealer_free(stage.body_sealer);
    return scratch_tear_down(state);
}

int64_t queue_sealed(unsigned n, struct span sealed)
{
    struct message_row row = scratch_message(stage.peer.row.id, MESSAGE_OUT, n);
    row.body = sealed;
    assert_int_equal(messages_add(stage.scratch->db, &row), 0);
    return row.seq;
}

/* Queues message n, whose text is "hello". */
int64_t queue(unsigned n)
{
    struct bytes sealed = {0};
    const struct message_row row = scratch_message(stage.peer.row.id, MESSAGE_OUT, n);
    assert_int_equal(body_sealer_seal(stage.body_sealer, &row, SPAN("hello", 5), &sealed), 0);
    const int64_t seq = queue_sealed(n, bytes_span(&sealed));
    bytes_deinit(&sealed);
    return seq;
}

int pump(void)
{
    return delivery_pump(&stage.delivery, &stage.peer);
}

void acknowledge(uint64_t first, uint64_t ordinal)
{
    const struct session_event event = {.type = SESSION_ACKED, .first = first, .ordinal = ordinal};
    stage.session.acked = (size_t)ordinal;
    assert_int_equal(delivery_acknowledged(&stage.delivery, &stage.peer, &event), 0);
}

void end_session(enum close_code code, bool by_peer)
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

enum message_state state_of(int64_t seq)
{
    enum message_state state = MESSAGE_RECEIVED;
    assert_int_equal(messages_at(stage.scratch->db, seq, note_state, &state), 0);
    return state;
}

void assert_given(size_t index, unsigned n, unsigned previous)
{
    const struct uuid id = scratch_id(n);
    const struct uuid before = previous != 0 ? scratch_id(previous) : (struct uuid){{0}};
    assert_true(index < stage.session.given);
    assert_true(uuid_equal(&stage.session.items[index].id, &id));
    assert_true(uuid_equal(&stage.session.items[index].previous, &before));
}
