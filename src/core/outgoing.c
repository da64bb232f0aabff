/* SPDX-License-Identifier: ISC */
/*
 * Messages into the queue of a peer.
 */
#include "core/outgoing.h"

#include <errno.h>

#include "core/node_outcome.h"
#include "core/sealed_message.h"
#include "crypto/random.h"
#include "proto/features.h"
#include "store/queue.h"

uint32_t outgoing_needs(enum message_kind kind)
{
    switch (kind) {
    case MESSAGE_TEXT:
        return 0;
    case MESSAGE_HEADERS:
        return FEATURE_HEADERS;
    case MESSAGE_FILE_OFFER:
    case MESSAGE_FILE_STATE:
        return FEATURE_FILES;
    case MESSAGE_REQUEST:
    case MESSAGE_RESULT:
    case MESSAGE_CANCEL:
        break;
    }
    return FEATURE_HEADERS | FEATURE_CALLS;
}

int outgoing_check(const struct outgoing *outgoing, const struct peer *peer, size_t size)
{
    const struct settings *settings = &outgoing->runtime->settings;
    struct messages_size queue;
    int r = queue_size(outgoing->runtime->db, peer->row.id, &queue);
    if (r < 0)
        return r;
    const bool full =
        queue.messages >= settings->queue_messages || queue.bytes + size > settings->queue_bytes;
    return full ? NODE_QUEUE_FULL : 0;
}

uint64_t outgoing_expiry(const struct outgoing *outgoing, uint64_t after_ms)
{
    const uint64_t now = loop_wall(outgoing->runtime->loop);
    const uint64_t after = after_ms != 0 ? after_ms : outgoing->runtime->settings.expire_ms;
    return after != 0 && after < INT64_MAX - now ? now + after : 0;
}

static int make_id(const struct outgoing *outgoing, struct uuid *id)
{
    uint8_t random[UUID_RANDOM_SIZE];
    int r = random_bytes(random, sizeof random);
    if (r == 0)
        *id = uuid_make(loop_wall(outgoing->runtime->loop), random);
    return r;
}

int outgoing_add(const struct outgoing *outgoing, struct peer *peer, struct span content,
                 struct message_row *row)
{
    row->direction = MESSAGE_OUT;
    row->state = MESSAGE_QUEUED;
    row->peer = peer->row.id;
    row->trust = peer->row.trust;
    row->needs = outgoing_needs(row->kind);
    row->time_ms = row->sent_ms = loop_wall(outgoing->runtime->loop);
    int r = make_id(outgoing, &row->id);
    if (r == 0)
        r = sealed_message_add(outgoing->runtime->db, outgoing->body_sealer, row, content);
    if (r != 0)
        return r == DB_EXISTS ? -EIO : outcome_of_store(r);
    peer_touch_queue(peer);
    peer_urge(peer);
    return 0;
}
