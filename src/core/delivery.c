/*
 * Delivery with one peer.
 */
#define LOG_COMPONENT "delivery"
#include "core/delivery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "core/node_state.h"
#include "core/outcome.h"

enum { POISON_SESSIONS = 3 }; /* ended by an error of the same item, then it is taken out */

void delivery_init(struct delivery *delivery)
{
    *delivery = (struct delivery){0};
}

void delivery_deinit(struct delivery *delivery)
{
    free(delivery->in_flight);
    bytes_deinit(&delivery->text);
}

static void forget_session(struct delivery *delivery)
{
    free(STEAL(delivery->in_flight));
    delivery->cursor = 0;
    delivery->given = delivery->acked = 0;
    delivery->due = false;
}

void delivery_touch(struct peer *peer)
{
    peer->delivery.due = true;
    loop_wake(peer->owner->loop);
}

void delivery_start(struct peer *peer)
{
    struct delivery *delivery = &peer->delivery;
    forget_session(delivery);
    delivery->in_flight = calloc(SESSION_WINDOW_ITEMS, sizeof *delivery->in_flight);
    if (delivery->in_flight == NULL)
        link_close(peer->link, CLOSE_INTERNAL_ERROR);
    else
        delivery_touch(peer);
}

bool delivery_has_queue(const struct peer *peer)
{
    struct messages_size size;
    return messages_queue_size(peer->owner->db, peer->row.id, &size) == 0 && size.messages > 0;
}

/* The row of the next item to give to the session, with its text in delivery->text. */
struct next_item {
    struct peer *peer;
    bool found;
    bool damaged;
    int64_t seq;
    bool transmitted;
    struct session_item item;
};

static int read_next(void *context, const struct message_row *row)
{
    struct next_item *next = context;
    struct delivery *delivery = &next->peer->delivery;
    bytes_clear(&delivery->text);
    int r = vault_open(next->peer->owner->vault, row, &delivery->text);
    if (r < 0)
        return r;
    next->found = true;
    next->damaged = r == VAULT_DAMAGED;
    next->seq = row->seq;
    next->transmitted = row->transmitted;
    next->item = (struct session_item){.id = row->id,
                                       .previous = row->previous,
                                       .time_ms = row->sent_ms,
                                       .text = bytes_span(&delivery->text)};
    return 0;
}

/* Makes durable that the item was transmitted, and after which one. */
static int note_transmitted(struct peer *peer, const struct next_item *next)
{
    struct db *db = peer->owner->db;
    if (next->transmitted)
        return 0;
    int r =
        messages_set_transmitted(db, next->seq, &next->item.previous, loop_wall(peer->owner->loop));
    if (r == 0)
        r = peers_set_last_out(db, peer->row.id, &next->item.id);
    if (r == 0)
        peer->row.last_out = next->item.id;
    return r;
}

static int give_up(struct peer *peer, int64_t seq, const char *reason)
{
    log_event(LOG_LEVEL_WARNING, "message-failed", peer->row.name,
              "a message is taken out of the queue: %s", reason);
    return messages_set_state(peer->owner->db, seq, MESSAGE_FAILED, reason,
                              loop_wall(peer->owner->loop));
}

/* 0, SESSION_FULL, NODE_DISK_FULL or -errno. */
static int give_to_session(struct peer *peer, struct next_item *next)
{
    struct delivery *delivery = &peer->delivery;
    if (!next->transmitted)
        next->item.previous = peer->row.last_out;
    int r = session_send_item(peer->link->session, &next->item, loop_now(peer->owner->loop));
    if (r != 0)
        return r;
    delivery->cursor = next->seq;
    delivery->given++;
    delivery->in_flight[delivery->given % SESSION_WINDOW_ITEMS] = next->seq;
    r = note_transmitted(peer, next);
    return r == DB_FULL ? NODE_DISK_FULL : r;
}

int delivery_pump(struct peer *peer)
{
    struct delivery *delivery = &peer->delivery;
    int r = 0;
    delivery->due = false;
    while (r == 0 && peer->link != NULL && link_open(peer->link) && peer_trusted(peer) &&
           delivery->given - delivery->acked < SESSION_WINDOW_ITEMS) {
        struct next_item next = {.peer = peer};
        r = messages_queue(peer->owner->db, peer->row.id, delivery->cursor, 1, read_next, &next);
        if (r != 0 || !next.found)
            break;
        if (next.damaged)
            r = give_up(peer, next.seq, "its stored text is damaged");
        else
            r = give_to_session(peer, &next);
    }
    if (peer->link == NULL)
        return r < 0 ? r : 0;
    link_touch(peer->link);
    if (r == -ENOMEM || r == NODE_DISK_FULL)
        link_close(peer->link, CLOSE_INTERNAL_ERROR);
    return r < 0 && r != -ENOMEM ? r : 0;
}

int delivery_acknowledged(struct peer *peer, uint64_t ordinal)
{
    struct delivery *delivery = &peer->delivery;
    while (delivery->acked < ordinal) {
        int64_t seq = delivery->in_flight[(delivery->acked + 1) % SESSION_WINDOW_ITEMS];
        int r = messages_set_state(peer->owner->db, seq, MESSAGE_DELIVERED, NULL,
                                   loop_wall(peer->owner->loop));
        if (r == DB_FULL)
            return NODE_DISK_FULL;
        if (r < 0)
            return r;
        delivery->acked++;
    }
    delivery->poison_count = 0;
    housekeeping_touch(&peer->owner->housekeeping, 0);
    delivery_touch(peer);
    return 0;
}

/* What an item's link to the one before it says about the peer's past. For people only. */
static void note_history(const struct peer *peer, const struct session_item *item)
{
    const struct uuid *last = &peer->row.last_in;
    if (uuid_equal(&item->previous, last))
        return;
    const char *note = "messages may be missing here";
    if (uuid_is_zero(&item->previous))
        note = "the peer started afresh";
    else if (messages_known(peer->owner->db, peer->row.id, MESSAGE_IN, &item->previous) == 0)
        note = "the peer was restored from a backup";
    log_event(LOG_LEVEL_NOTICE, "history-note", peer->row.name, "%s", note);
}

static int store_item(struct peer *peer, const struct session_item *item)
{
    struct node *node = peer->owner;
    struct bytes sealed = {0};
    int r = vault_seal(node->vault, peer->row.id, MESSAGE_IN, &item->id, item->text, &sealed);
    if (r == 0) {
        struct message_row row = {.peer = peer->row.id,
                                  .direction = MESSAGE_IN,
                                  .id = item->id,
                                  .previous = item->previous,
                                  .state = MESSAGE_RECEIVED,
                                  .trust = peer->row.trust,
                                  .time_ms = loop_wall(node->loop),
                                  .sent_ms = item->time_ms,
                                  .body = bytes_span(&sealed),
                                  .text_size = item->text.size};
        r = messages_add(node->db, &row);
    }
    bytes_deinit(&sealed);
    return r;
}

int delivery_receive(struct peer *peer, struct link *link, const struct session_event *event)
{
    const struct session_item *item = &event->item;
    /* Acknowledgements count up: what comes after a declined item has to come again, too. */
    if (link->declined || !housekeeping_has_room(&peer->owner->housekeeping)) {
        link->declined = true;
        return 0;
    }
    int r = store_item(peer, item);
    if (r == 0) {
        note_history(peer, item);
        r = peers_set_last_in(peer->owner->db, peer->row.id, &item->id);
        peer->row.last_in = item->id;
        housekeeping_touch(&peer->owner->housekeeping, 0);
    } else if (r == DB_EXISTS) {
        r = 0; /* a repetition: it is stored already, so it is acknowledged again */
    }
    if (r == DB_FULL)
        return NODE_DISK_FULL;
    if (r == 0) {
        link->ack_due = event->ordinal;
        link_touch(link);
    }
    return r;
}

/* An item that makes the peer end session after session blocks everything behind it. */
static void note_poison(struct peer *peer)
{
    struct delivery *delivery = &peer->delivery;
    if (delivery->given == delivery->acked)
        return;
    int64_t head = delivery->in_flight[(delivery->acked + 1) % SESSION_WINDOW_ITEMS];
    delivery->poison_count = delivery->poison_seq == head ? delivery->poison_count + 1 : 1;
    delivery->poison_seq = head;
    if (delivery->poison_count < POISON_SESSIONS)
        return;
    delivery->poison_count = 0;
    int r = give_up(peer, head, "the peer can't take it");
    if (r < 0)
        node_fail(peer->owner, r);
}

void delivery_end(struct peer *peer, const struct link_end *end)
{
    if (peer->delivery.in_flight != NULL && end->coded && end->by_peer &&
        (end->code == CLOSE_PROTOCOL_ERROR || end->code == CLOSE_UNSUPPORTED_RECORD))
        note_poison(peer);
    forget_session(&peer->delivery);
}
