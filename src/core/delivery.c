/* SPDX-License-Identifier: ISC */
/*
 * Delivery with one peer.
 */
#define LOG_COMPONENT "delivery"
#include "core/delivery.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "core/calls.h"
#include "core/files.h"
#include "core/node_outcome.h"
#include "core/peer.h"
#include "core/sealed_message.h"
#include "proto/features.h"
#include "store/queue.h"

/* That a message may need. */
enum { ALL_FEATURES = FEATURE_HEADERS | FEATURE_CALLS | FEATURE_FILES };

void delivery_start(struct peer *peer)
{
    peer->given = (struct queue_session){.features = session_features(peer->link->session)};
    peer->held_told = peer->unreadable_told = peer->differing_told = false;
    peer_touch_queue(peer);
}

/* --- out -------------------------------------------------------------------------------------- */

/* Giving a queue to a session, message by message. */
struct giving {
    struct delivery *delivery;
    struct peer *peer;
    struct bytes content; /* where it is opened, one after the other */
    bool unreadable;      /* one could not be opened */
    unsigned given;       /* so many */
    int outcome;          /* why it ended: 0, NODE_DISK_FULL or -errno */
};

static int give_up(struct delivery *delivery, struct peer *peer, int64_t seq, const char *reason)
{
    log_event(LOG_LEVEL_WARNING, "message-failed", peer->row.name,
              "a message is taken out of the queue: %s", reason);
    return queue_set_state(delivery->runtime->db, seq, MESSAGE_FAILED, reason,
                           loop_wall(delivery->runtime->loop));
}

static bool may_give(const struct peer *peer)
{
    const size_t window = suspicion_raised(&peer->suspicion) ? 1 : SESSION_WINDOW_ITEMS;
    return peer->link != NULL && link_open(peer->link) && peer_trusted(peer) &&
           session_unacknowledged(peer->link->session) < window;
}

/* Makes durable that an item was transmitted for the first time, and after which one. */
static int note_transmitted(struct delivery *delivery, int64_t seq, const struct uuid *previous)
{
    return queue_set_transmitted(delivery->runtime->db, seq, previous,
                                 loop_wall(delivery->runtime->loop));
}

/* What travels as one. */
static enum session_kind item_kind(enum message_kind kind)
{
    switch (kind) {
    case MESSAGE_TEXT:
        return SESSION_TEXT;
    case MESSAGE_FILE_OFFER:
        return SESSION_FILE_OFFER;
    case MESSAGE_FILE_STATE:
        return SESSION_FILE_STATE;
    case MESSAGE_HEADERS:
    case MESSAGE_REQUEST:
    case MESSAGE_RESULT:
    case MESSAGE_CANCEL:
        break;
    }
    return SESSION_HEADERS;
}

/* 0, SESSION_FULL, an outcome of the store or -errno. */
static int give_to_session(struct giving *giving, const struct message_row *row)
{
    struct delivery *delivery = giving->delivery;
    struct peer *peer = giving->peer;
    struct session_item item = {.id = row->id,
                                .previous = row->previous,
                                .time_ms = row->sent_ms,
                                .kind = item_kind(row->kind),
                                .content = bytes_span(&giving->content),
                                .handle = row->seq};
    int r = row->transmitted
                ? 0
                : messages_last(delivery->runtime->db, peer->row.id, MESSAGE_OUT, &item.previous);
    if (r == 0)
        r = session_send_item(peer->link->session, &item, loop_now(delivery->runtime->loop));
    if (r != 0 || row->transmitted)
        return r;
    return note_transmitted(delivery, row->seq, &item.previous);
}

static int give_row(void *context, const struct message_row *row)
{
    struct giving *giving = context;
    if (!may_give(giving->peer))
        return 1;
    if (giving->given++ == turn_items(giving->delivery->runtime->turn)) {
        giving->peer->given.more = true;
        return 1;
    }
    bytes_clear(&giving->content);
    int r = body_sealer_open(giving->delivery->body_sealer, row, &giving->content);
    if (r == BODY_SEALER_DAMAGED) {
        giving->unreadable = true;
        return QUEUE_UNREADABLE;
    }
    if (r == 0)
        r = give_to_session(giving, row);
    if (r != 0 && r != SESSION_FULL)
        giving->outcome = outcome_of_store(r);
    return r != 0;
}

/* People are told once in a session that the peer can't take some of its queue. */
static int tell_held(const struct delivery *delivery, struct peer *peer)
{
    uint64_t held;
    if (peer->held_told || peer->link == NULL || peer_has(peer, ALL_FEATURES))
        return 0;
    int r = queue_held(delivery->runtime->db, peer->row.id, peer->row.features, &held);
    if (r != 0 || held == 0)
        return r;
    peer->held_told = true;
    log_event(LOG_LEVEL_NOTICE, "message-held", peer->row.name,
              "%" PRIu64 " messages wait until its p2pchat is a newer one", held);
    return 0;
}

/* People are told once in a session that what is stored for the peer is damaged. */
static void tell_unreadable(struct peer *peer)
{
    peer_note_shown(peer); /* who waits for a message is answered */
    if (peer->unreadable_told)
        return;
    peer->unreadable_told = true;
    log_event(LOG_LEVEL_ERROR, "message-unreadable", peer->row.name,
              "messages that wait for it can't be read from the store, and stay in the queue; "
              "which: p2pchatctl queue");
}

int delivery_pump(struct delivery *delivery, struct peer *peer)
{
    struct giving giving = {.delivery = delivery, .peer = peer};
    peer->giving_due = false;
    int r = may_give(peer) ? queue_each_due(delivery->runtime->db, peer->row.id, &peer->given,
                                            give_row, &giving)
                           : 0;
    bytes_deinit(&giving.content);
    if (giving.unreadable)
        tell_unreadable(peer);
    if (peer->given.more)
        peer_touch_queue(peer);
    if (r == 0)
        r = giving.outcome;
    if (r == 0)
        r = tell_held(delivery, peer);
    if (peer->link == NULL)
        return r < 0 ? r : 0;
    link_touch(peer->link);
    if (r == -ENOMEM || r == NODE_DISK_FULL)
        link_close(peer->link, CLOSE_INTERNAL_ERROR);
    return r < 0 && r != -ENOMEM ? r : 0;
}

int delivery_acknowledged(struct delivery *delivery, struct peer *peer,
                          const struct session_event *event)
{
    for (uint64_t ordinal = event->first; ordinal <= event->ordinal; ordinal++) {
        int r =
            queue_set_state(delivery->runtime->db, session_acked_item(peer->link->session, ordinal),
                            MESSAGE_DELIVERED, NULL, loop_wall(delivery->runtime->loop));
        if (r != 0 && r != DB_NOT_FOUND)
            return outcome_of_store(r);
    }
    peer->delivered += event->ordinal - event->first + 1;
    suspicion_clear(&peer->suspicion);
    housekeeping_touch(delivery->housekeeping, 0);
    peer_touch_queue(peer);
    return 0;
}

/*
 * An item that makes the peer end session after session blocks everything behind it. Only codes
 * that a peer gives after it verified the packet's signature may blame one: anybody on the way can
 * cause the others.
 */
static void note_complaint(struct delivery *delivery, struct peer *peer)
{
    const int64_t oldest = session_oldest_item(peer->link->session);
    int r = 0;
    if (suspicion_blames(&peer->suspicion, oldest))
        r = give_up(delivery, peer, oldest, "the peer can't take it");
    if (r < 0)
        runtime_fail(delivery->runtime, r);
}

void delivery_end(struct delivery *delivery, struct peer *peer, const struct link_end *end)
{
    if (end->coded && end->by_peer &&
        (end->code == CLOSE_BAD_ITEM || end->code == CLOSE_UNSUPPORTED_RECORD))
        note_complaint(delivery, peer);
}

/* --- in --------------------------------------------------------------------------------------- */

/* What an item's link to the one before it says about the peer's past. For people only. */
static void note_history(const struct delivery *delivery, const struct peer *peer,
                         const struct uuid *last, const struct session_item *item)
{
    if (uuid_equal(&item->previous, last))
        return;
    const char *note = "messages may be missing here";
    if (uuid_is_zero(&item->previous))
        note = "the peer started afresh";
    else if (messages_known(delivery->runtime->db, peer->row.id, MESSAGE_IN, &item->previous) == 0)
        note = "the peer was restored from a backup";
    log_event(LOG_LEVEL_NOTICE, "history-note", peer->row.name, "%s", note);
}

/* What an item is; the headers of one that has some borrow from it. */
static enum message_kind kind_of(const struct session_item *item, struct headers *headers)
{
    switch (item->kind) {
    case SESSION_TEXT:
        return MESSAGE_TEXT;
    case SESSION_FILE_OFFER:
        return MESSAGE_FILE_OFFER;
    case SESSION_FILE_STATE:
        return MESSAGE_FILE_STATE;
    case SESSION_HEADERS:
        break;
    }
    return calls_kind(item->content, headers);
}

/* What a stored item does beyond that. 0, an outcome of the store or of the node, or -errno. */
static int take_effect(struct delivery *delivery, struct peer *peer, const struct message_row *row,
                       const struct session_item *item, const struct headers *headers)
{
    switch (row->kind) {
    case MESSAGE_TEXT:
    case MESSAGE_HEADERS:
        break;
    case MESSAGE_FILE_OFFER:
    case MESSAGE_FILE_STATE:
        return files_take(delivery->files, peer, item, row->seq);
    case MESSAGE_REQUEST:
    case MESSAGE_RESULT:
    case MESSAGE_CANCEL:
        return calls_take(delivery->calls, peer, row, headers);
    }
    return 0;
}

static int store_item(struct delivery *delivery, struct peer *peer, const struct session_item *item)
{
    struct headers headers;
    struct span content = item->content;
    struct message_row row = {.peer = peer->row.id,
                              .direction = MESSAGE_IN,
                              .kind = kind_of(item, &headers),
                              .id = item->id,
                              .state = MESSAGE_RECEIVED,
                              .trust = peer->row.trust,
                              .time_ms = loop_wall(delivery->runtime->loop),
                              .sent_ms = item->time_ms};
    int r = 0;
    if (row.kind == MESSAGE_RESULT)
        r = calls_awaits(delivery->calls, peer, &headers);
    if (r == DB_NOT_FOUND)
        content.size = 0; /* nothing waits for it: only that it came is stored */
    else if (r != 0)
        return r;
    r = sealed_message_add(delivery->runtime->db, delivery->body_sealer, &row, content);
    return r == 0 ? take_effect(delivery, peer, &row, item, &headers) : r;
}

/* Whether an item that came again is the one that is stored; one that can't be read is. */
struct comparison {
    struct delivery *delivery;
    const struct session_item *item;
    bool differs;
};

static int compare(void *context, const struct message_row *row)
{
    struct comparison *comparison = context;
    const struct session_item *item = comparison->item;
    struct headers headers;
    struct bytes content = {0};
    if (row->kind == MESSAGE_RESULT && row->text_size == 0)
        return 0; /* nothing waited for it */
    int r = body_sealer_open(comparison->delivery->body_sealer, row, &content);
    if (r == 0)
        comparison->differs =
            row->kind != kind_of(item, &headers) || content.size != item->content.size ||
            (content.size > 0 && memcmp(content.data, item->content.data, content.size) != 0);
    bytes_deinit(&content);
    return r < 0 ? r : 0;
}

/* Ids are never used twice, unless a machine was copied or somebody wants to confuse us. */
static int note_repetition(struct delivery *delivery, struct peer *peer,
                           const struct session_item *item)
{
    struct comparison comparison = {.delivery = delivery, .item = item};
    char id[UUID_TEXT_MAX];
    if (peer->differing_told)
        return 0;
    int r = messages_find(delivery->runtime->db, peer->row.id, MESSAGE_IN, &item->id, compare,
                          &comparison);
    if (r != 0 || !comparison.differs)
        return r == DB_NOT_FOUND ? 0 : r;
    peer->differing_told = true;
    uuid_format(&item->id, id);
    log_event(LOG_LEVEL_WARNING, "message-differs", peer->row.name,
              "it sent message %s again with another content: the first one is kept, this one is "
              "not; does it run twice from one copy?",
              id);
    return 0;
}

int delivery_receive(struct delivery *delivery, struct link *link,
                     const struct session_event *event)
{
    struct peer *peer = link->peer;
    const struct session_item *item = &event->item;
    housekeeping_look(delivery->housekeeping, item->content.size);
    /* Acknowledgements count up: what comes after a declined item has to come again, too. */
    if (link->declined || !housekeeping_has_room(delivery->housekeeping) ||
        !quota_admits(delivery->quota, link)) {
        link->declined = true;
        return 0;
    }
    struct uuid last;
    int r = messages_last(delivery->runtime->db, peer->row.id, MESSAGE_IN, &last);
    if (r == 0)
        r = store_item(delivery, peer, item);
    if (r == 0) {
        peer->received++;
        note_history(delivery, peer, &last, item);
        housekeeping_touch(delivery->housekeeping, 0);
    } else if (r == DB_EXISTS) {
        /* It is stored already, so it is acknowledged again. */
        r = note_repetition(delivery, peer, item);
    }
    if (r == 0) {
        link->ack_due = event->ordinal;
        link_touch(link);
    }
    return outcome_of_store(r);
}
