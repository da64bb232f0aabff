/* SPDX-License-Identifier: ISC */
/*
 * What people may ask about messages.
 */
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "core/node.h"
#include "core/node_state.h"
#include "store/queue.h"
#include "store/requests.h"

static int check_content(const struct node_draft *draft)
{
    const struct span text = draft->content;
    if (draft->kind != MESSAGE_TEXT)
        return 0;
    if (text.size == 0)
        return NODE_EMPTY;
    if (text.size > SESSION_TEXT_MAX)
        return NODE_TOO_LARGE;
    if (!utf8_valid((const char *)text.data, text.size) ||
        memchr(text.data, '\0', text.size) != NULL)
        return NODE_NOT_UTF8;
    return 0;
}

static int check_peer(struct node *node, const struct peer *peer, const struct node_draft *draft)
{
    if (node->runtime.stopping)
        return NODE_STOPPING;
    if (peer->row.trust == PEER_BLOCKED)
        return NODE_BLOCKED;
    if (peer_trust(peer) == PEER_CHANGED)
        return NODE_KEY_CHANGED;
    if (!peer_has(peer, outgoing_needs(draft->kind)))
        return NODE_NOT_SUPPORTED;
    housekeeping_look(&node->housekeeping, draft->content.size);
    if (!housekeeping_has_room(&node->housekeeping))
        return NODE_DISK_FULL;
    return outgoing_check(&node->calls.outgoing, peer, draft->content.size);
}

/* Whether each of the peers would take the text now. */
static int check_draft(struct node *node, const struct node_draft *draft, const struct peer **about)
{
    int r = check_content(draft);
    for (size_t i = 0; r == 0 && i < draft->peer_count; i++) {
        r = check_peer(node, draft->peers[i], draft);
        if (r != 0)
            *about = draft->peers[i];
    }
    return r;
}

/* Adds all messages of a draft, with seqs one after the other. */
static int add_messages(struct node *node, const struct node_draft *draft,
                        node_accepted_visit *visit, void *context, int64_t *first)
{
    struct message_row row = {.kind = draft->kind,
                              .expires_ms =
                                  outgoing_expiry(&node->calls.outgoing, draft->expires_ms),
                              .client_id = draft->client_id};
    int r = 0;
    for (size_t i = 0; r == 0 && i < draft->peer_count; i++) {
        struct peer *peer = draft->peers[i];
        r = roster_use(&node->roster, peer);
        if (r == 0)
            r = outgoing_add(&node->calls.outgoing, peer, draft->content, &row);
        if (r != 0)
            break;
        const struct node_accepted accepted = {row.id, row.seq, peer->row.name, row.state,
                                               peer_trust(peer)};
        visit(context, &accepted);
        if (i == 0)
            *first = row.seq;
    }
    housekeeping_touch(&node->housekeeping, row.expires_ms);
    return r;
}

/* --- client_ids ------------------------------------------------------------------------------- */

/* What makes two drafts the same request. */
static int digest_draft(const struct node *node, const struct node_draft *draft,
                        uint8_t digest[static REQUEST_DIGEST_SIZE])
{
    uint8_t expires[8];
    struct bytes peers = {0};
    int r = 0;
    put_u64(expires, draft->expires_ms);
    for (size_t i = 0; r == 0 && i < draft->peer_count; i++)
        r = bytes_append_u64(&peers, (uint64_t)draft->peers[i]->row.id);
    /* A text has no NUL in it: what ends in one can't be taken for one. */
    const struct span parts[] = {SPAN(expires, sizeof expires), SPAN(peers.data, peers.size),
                                 draft->content, SPAN("\0", 1)};
    if (r == 0)
        r = body_sealer_tag(node->body_sealer, "p2pchat/1 request", parts,
                            draft->kind == MESSAGE_TEXT ? 3 : 4, digest);
    bytes_deinit(&peers);
    return r;
}

struct retelling {
    node_accepted_visit *visit;
    void *context;
};

static int retell(void *context, const struct message_row *row)
{
    const struct retelling *retelling = context;
    const struct node_accepted accepted = {row->id, row->seq, row->peer_name, row->state,
                                           row->trust};
    retelling->visit(retelling->context, &accepted);
    return 0;
}

/* Tells of the messages of a request as they are now. */
static int answer_again(struct node *node, const struct request_row *request,
                        node_accepted_visit *visit, void *context)
{
    struct retelling retelling = {visit, context};
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < request->count; i++) {
        r = messages_at(node->runtime.db, request->first + i, retell, &retelling);
        if (r == DB_NOT_FOUND)
            r = 0;
    }
    return r;
}

int node_send(struct node *node, const struct node_draft *draft, node_accepted_visit *visit,
              void *context, const struct peer **about)
{
    struct request_row known = {.uid = draft->uid, .client_id = draft->client_id};
    struct request_row request = known;
    *about = NULL;
    if (draft->client_id != NULL) {
        int r = digest_draft(node, draft, request.digest);
        if (r == 0)
            r = requests_find(node->runtime.db, &known);
        if (r == 0 && known.compared &&
            memcmp(known.digest, request.digest, sizeof known.digest) != 0)
            return NODE_CONFLICT;
        if (r != DB_NOT_FOUND)
            return r == 0 ? answer_again(node, &known, visit, context) : r;
    }
    int r = check_draft(node, draft, about);
    if (r == 0)
        r = add_messages(node, draft, visit, context, &request.first);
    if (r != 0 || draft->client_id == NULL)
        return r;
    request.count = (uint32_t)draft->peer_count;
    request.time_ms = loop_wall(node->runtime.loop);
    return outcome_of_store(requests_add(node->runtime.db, &request));
}

bool node_holds(const struct node *node, const struct message_row *row)
{
    if (row->direction == MESSAGE_OUT && row->state == MESSAGE_SENT)
        return row->unreadable;
    if (row->direction != MESSAGE_OUT || row->state != MESSAGE_QUEUED)
        return false;
    const struct peer *peer = roster_by_id(&node->roster, row->peer);
    return row->unreadable || (peer != NULL && !peer_has(peer, row->needs));
}

struct finding {
    const struct node *node;
    struct node_message *message;
};

static int note_message(void *context, const struct message_row *row)
{
    const struct finding *finding = context;
    *finding->message = (struct node_message){.seq = row->seq,
                                              .peer = row->peer,
                                              .direction = row->direction,
                                              .kind = row->kind,
                                              .state = row->state,
                                              .held = node_holds(finding->node, row),
                                              .unreadable = row->unreadable};
    return 0;
}

int node_find_message(const struct node *node, const struct uuid *id, struct node_message *message)
{
    struct finding finding = {node, message};
    int r = messages_get(node->runtime.db, id, note_message, &finding);
    return r == DB_NOT_FOUND ? NODE_NO_SUCH_MESSAGE : r;
}

int node_message_at(const struct node *node, int64_t seq, struct node_message *message)
{
    struct finding finding = {node, message};
    int r = messages_at(node->runtime.db, seq, note_message, &finding);
    return r == DB_NOT_FOUND ? 0 : r;
}

/* A request that was transmitted is taken back by another message, which can't overtake it. */
static int ask_back(struct node *node, const struct uuid *id, const struct node_message *message)
{
    struct peer *peer = roster_by_id(&node->roster, message->peer);
    struct message_row row = {.kind = MESSAGE_CANCEL,
                              .expires_ms = outgoing_expiry(&node->calls.outgoing, 0)};
    struct bytes content = {0};
    if (peer == NULL)
        return NODE_TOO_LATE;
    int r = outgoing_check(&node->calls.outgoing, peer, HEADERS_SIZE_MAX);
    if (r == 0)
        r = calls_cancel_content(&content, id);
    if (r == 0)
        r = outgoing_add(&node->calls.outgoing, peer, bytes_span(&content), &row);
    bytes_deinit(&content);
    return r;
}

int node_cancel(struct node *node, const struct uuid *id)
{
    struct node_message message = {0};
    int r = node_find_message(node, id, &message);
    if (r != 0)
        return r;
    const bool queued = message.direction == MESSAGE_OUT && message.state == MESSAGE_QUEUED;
    const bool open = message.state == MESSAGE_SENT || message.state == MESSAGE_DELIVERED ||
                      message.state == MESSAGE_UNKNOWN;
    if (message.direction == MESSAGE_OUT && message.kind == MESSAGE_REQUEST && open &&
        !message.unreadable)
        return ask_back(node, id, &message);
    if (!queued && !(message.held && message.state == MESSAGE_SENT))
        return NODE_TOO_LATE;
    return outcome_of_store(queue_set_state(
        node->runtime.db, message.seq, queued ? MESSAGE_CANCELLED : MESSAGE_UNKNOWN,
        queued ? NULL : "it was transmitted, and given up here", loop_wall(node->runtime.loop)));
}

/* Whether the queue of a removed peer is yet to end: then there is more to purge. */
static bool is_being_removed(const struct node *node, int64_t peer)
{
    struct messages_size queue = {0};
    return peer != 0 && roster_by_id(&node->roster, peer) == NULL &&
           queue_size(node->runtime.db, peer, &queue) == 0 && queue.messages > 0;
}

int node_purge(struct node *node, int64_t peer, uint64_t before_ms, unsigned *removed, bool *more)
{
    struct space *space = node->housekeeping.space;
    const bool roomy = space == NULL || space_left(space) >= NODE_PURGE_ROOM;
    const unsigned most = roomy ? NODE_PURGE_MAX : 1;
    unsigned step = RETENTION_STEP;
    int r = 0;
    for (*removed = 0; r == 0 && step > 0 && *removed < most; *removed += step)
        r = retention_purge(node->runtime.db, peer, before_ms, loop_wall(node->runtime.loop),
                            &step);
    *more = step > 0 || (r == 0 && is_being_removed(node, peer));
    return outcome_of_store(r);
}
