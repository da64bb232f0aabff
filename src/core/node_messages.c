/* SPDX-License-Identifier: ISC */
/*
 * What people may ask about messages.
 */
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "core/node.h"
#include "core/node_state.h"
#include "crypto/random.h"

static int check_text(struct span text)
{
    if (text.size == 0)
        return NODE_EMPTY;
    if (text.size > SESSION_TEXT_MAX)
        return NODE_TOO_LARGE;
    if (!utf8_valid((const char *)text.data, text.size) ||
        memchr(text.data, '\0', text.size) != NULL)
        return NODE_NOT_UTF8;
    return 0;
}

static int check_peer(struct node *node, const struct peer *peer, size_t size)
{
    if (node->runtime.stopping)
        return NODE_STOPPING;
    if (peer->row.trust == PEER_BLOCKED)
        return NODE_BLOCKED;
    if (peer_trust(peer) == PEER_CHANGED)
        return NODE_KEY_CHANGED;
    housekeeping_look(&node->housekeeping);
    if (!housekeeping_has_room(&node->housekeeping))
        return NODE_DISK_FULL;
    struct messages_size queue;
    int r = messages_queue_size(node->runtime.db, peer->row.id, &queue);
    if (r < 0)
        return r;
    bool full = queue.messages >= node->runtime.settings.queue_messages ||
                queue.bytes + size > node->runtime.settings.queue_bytes;
    return full ? NODE_QUEUE_FULL : 0;
}

static int make_id(const struct node *node, struct uuid *id)
{
    uint8_t random[UUID_RANDOM_SIZE];
    int r = random_bytes(random, sizeof random);
    if (r == 0)
        *id = uuid_make(loop_wall(node->runtime.loop), random);
    return r;
}

/* When a message accepted now leaves the queue; 0 for never. */
static uint64_t expiry(const struct node *node, const struct node_draft *draft)
{
    uint64_t now = loop_wall(node->runtime.loop);
    uint64_t after = draft->expires_ms != 0 ? draft->expires_ms : node->runtime.settings.expire_ms;
    return after != 0 && after < INT64_MAX - now ? now + after : 0;
}

int node_may_send(struct node *node, const struct peer *peer, const struct node_draft *draft)
{
    int r = check_text(draft->text);
    return r != 0 ? r : check_peer(node, peer, draft->text.size);
}

int node_send(struct node *node, struct peer *peer, const struct node_draft *draft, struct uuid *id,
              int64_t *seq)
{
    int r = make_id(node, id);
    if (r != 0)
        return r;
    const uint64_t expires_ms = expiry(node, draft);
    struct bytes sealed = {0};
    r = body_sealer_seal(node->body_sealer, peer->row.id, MESSAGE_OUT, id, draft->text, &sealed);
    if (r == 0) {
        uint64_t now = loop_wall(node->runtime.loop);
        struct message_row row = {.peer = peer->row.id,
                                  .direction = MESSAGE_OUT,
                                  .id = *id,
                                  .state = MESSAGE_QUEUED,
                                  .trust = peer->row.trust,
                                  .time_ms = now,
                                  .sent_ms = now,
                                  .expires_ms = expires_ms,
                                  .client_id = draft->client_id,
                                  .body = bytes_span(&sealed),
                                  .text_size = draft->text.size};
        r = messages_add(node->runtime.db, &row);
        *seq = row.seq;
    }
    bytes_deinit(&sealed);
    if (r != 0)
        return r == DB_EXISTS ? -EIO : outcome_of_store(r);
    housekeeping_touch(&node->housekeeping, expires_ms);
    delivery_touch(peer);
    peer_urge(peer);
    return 0;
}

static int note_message(void *context, const struct message_row *row)
{
    struct node_message *message = context;
    *message = (struct node_message){row->seq, row->direction, row->state};
    return 0;
}

int node_find_message(const struct node *node, const struct uuid *id, struct node_message *message)
{
    int r = messages_get(node->runtime.db, id, note_message, message);
    return r == DB_NOT_FOUND ? NODE_NO_SUCH_MESSAGE : r;
}

int node_cancel(struct node *node, const struct uuid *id)
{
    struct node_message message;
    int r = node_find_message(node, id, &message);
    if (r == 0 && (message.direction != MESSAGE_OUT || message.state != MESSAGE_QUEUED))
        return NODE_TOO_LATE;
    if (r != 0)
        return r;
    return outcome_of_store(messages_set_state(node->runtime.db, message.seq, MESSAGE_CANCELLED,
                                               NULL, loop_wall(node->runtime.loop)));
}

int node_purge(struct node *node, const struct peer *peer, uint64_t before_ms, unsigned *removed)
{
    const int64_t id = peer != NULL ? peer->row.id : 0;
    unsigned step = RETENTION_STEP;
    int r = 0;
    for (*removed = 0; r == 0 && step > 0 && *removed < NODE_PURGE_MAX; *removed += step)
        r = retention_purge(node->runtime.db, id, before_ms, loop_wall(node->runtime.loop), &step);
    return outcome_of_store(r);
}
