/* SPDX-License-Identifier: ISC */
/*
 * Control methods about peers.
 */
#define LOG_COMPONENT "control"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/control_listing.h"
#include "daemon/control_view.h"
#include "daemon/control_wait.h"
#include "rpc/rpc_value.h"

enum {
    PING_TIMEOUT_MS = 10000, /* as long as a session in silence waits for a PONG */
    STEP_PEERS_MAX = 32,     /* listed in one turn */
};

/* --- peer.list -------------------------------------------------------------------------------- */

struct peer_listing {
    struct listing listing;
    int64_t after; /* the id of the last peer that was looked at */
};

static struct peer_listing *peers_at(struct listing *listing)
{
    return container_of(listing, struct peer_listing, listing);
}

/* Who comes next, also when the last one has gone meanwhile; ids grow. */
static struct peer *next_peer(const struct roster *roster, int64_t after)
{
    const struct peer *last = roster_by_id(roster, after);
    struct peer *next = last != NULL ? roster_next(roster, last) : roster_first(roster);
    while (last == NULL && next != NULL && next->row.id <= after)
        next = roster_next(roster, next);
    return next;
}

static int step_peers(struct listing *listing)
{
    struct peer_listing *peers = peers_at(listing);
    const struct roster *roster = node_roster(listing->node);
    struct peer *peer = next_peer(roster, peers->after);
    for (unsigned i = 0; i < STEP_PEERS_MAX && peer != NULL; i++) {
        peer_note_shown(peer);
        int r = control_listing_take(listing, control_view_peer(listing->node, peer));
        if (r != 0)
            return r;
        peers->after = peer->row.id;
        peer = roster_next(roster, peer);
    }
    return peer != NULL ? -EAGAIN : 0;
}

static json_t *conclude_peers(struct listing *listing)
{
    json_t *result = json_pack("{s:o}", "peers", STEAL(listing->found));
    if (listing->cut)
        rpc_value_set(&result, "after", json_integer(peers_at(listing)->after));
    return result;
}

static void free_peers(struct listing *listing)
{
    free(peers_at(listing));
}

static const struct listing_kind peers_kind = {step_peers, conclude_peers, free_peers};

enum control_answer control_peer_list(struct control_call *call)
{
    struct peer_listing *peers = calloc(1, sizeof *peers);
    if (peers == NULL)
        return control_listing_begin(call, NULL);
    peers->listing.kind = &peers_kind;
    peers->after = control_call_integer(call, "after", 0);
    return control_listing_begin(call, &peers->listing);
}

/* --- single peers ----------------------------------------------------------------------------- */

/* The peer as it is now, or why the node would not. */
static enum control_answer answer_peer(struct control_call *call, int outcome, const char *subject,
                                       struct peer *peer)
{
    if (outcome != 0)
        return control_call_outcome(call, outcome, subject);
    peer_note_shown(peer);
    return control_call_done(call, control_view_peer(call->node, peer));
}

enum control_answer control_peer_get(struct control_call *call)
{
    struct peer *peer;
    int r = 0;
    if (control_call_string(call, "name") == NULL)
        r = node_find_only_peer(call->node, &peer);
    else if (!control_call_peer(call, "name", &peer))
        return CALL_FAILED;
    if (r != 0)
        return control_call_no_default(call, r);
    peer_note_shown(peer);
    json_t *view = control_view_peer(call->node, peer);
    r = control_view_add_details(call->node, peer, &view);
    if (r < 0) {
        json_decref(view);
        return control_call_outcome(call, r, NULL);
    }
    return control_call_done(call, view);
}

/* The parameter, if it is there. */
static int take_require_pq(const struct control_call *call, struct peer *peer)
{
    const json_t *value = json_object_get(call->params, "require_pq");
    return value == NULL ? 0 : node_peer_require_pq(call->node, peer, json_is_true(value));
}

enum control_answer control_peer_add(struct control_call *call)
{
    const char *name = control_call_string(call, "name");
    struct address addresses[PEER_ADDRESSES_MAX];
    struct fingerprint key;
    struct peer *peer = NULL;
    unsigned count;
    bool has_key = control_call_string(call, "fingerprint") != NULL;
    if (!control_call_addresses(call, "address", addresses, &count) ||
        (has_key && !control_call_fingerprint(call, "fingerprint", &key)))
        return CALL_FAILED;
    if (!has_key && count == 0)
        return control_call_fail(
            call, RPC_KIND_usage,
            "say where the peer is, with an address like host:8766, or what its "
            "fingerprint is");
    int r = node_check_pq(json_is_true(json_object_get(call->params, "require_pq")));
    if (r == 0)
        r = node_peer_add(call->node, name, addresses, count, has_key ? &key : NULL, PEER_VERIFIED,
                          &peer);
    if (r == 0)
        r = take_require_pq(call, peer);
    return answer_peer(call, r, name, peer);
}

enum control_answer control_peer_rename(struct control_call *call)
{
    const char *to = control_call_string(call, "to");
    struct peer *peer;
    if (!control_call_peer(call, "name", &peer))
        return CALL_FAILED;
    const struct peer_row row = peer->row;
    const int r = node_peer_rename(call->node, peer, to);
    if (r == 0)
        log_info("peer %s was renamed to %s by user %u", row.name, to,
                 (unsigned)call->client->user);
    enum control_answer answer = answer_peer(call, r, to, peer);
    const char *outdated = node_outdated_default(call->node);
    const char *now = node_settings(call->node)->default_peer;
    if (answer == CALL_DONE && outdated != NULL && strcmp(now, to) == 0)
        rpc_value_set(&call->result, "default_peer", json_string(outdated));
    return answer;
}

enum control_answer control_peer_set(struct control_call *call)
{
    struct address addresses[PEER_ADDRESSES_MAX];
    struct peer *peer;
    unsigned count;
    if (!control_call_peer(call, "name", &peer) ||
        !control_call_addresses(call, "address", addresses, &count))
        return CALL_FAILED;
    const bool has_addresses = json_object_get(call->params, "address") != NULL;
    if (!has_addresses && json_object_get(call->params, "require_pq") == NULL)
        return control_call_fail(call, RPC_KIND_usage,
                                 "say what to change: addresses, or whether to require a "
                                 "post-quantum suite");
    int r = take_require_pq(call, peer);
    if (r == 0 && has_addresses)
        r = node_peer_set_addresses(call->node, peer, addresses, count);
    return answer_peer(call, r, peer->row.name, peer);
}

enum control_answer control_peer_remove(struct control_call *call)
{
    struct peer *peer;
    if (!control_call_peer(call, "name", &peer))
        return CALL_FAILED;
    const struct peer_row row = peer->row;
    struct messages_size queue;
    int r = node_peer_remove(call->node, peer);
    if (r == 0)
        r = queue_size(node_db(call->node), row.id, &queue);
    if (r != 0)
        return control_call_outcome(call, r, control_call_string(call, "name"));
    log_info("peer %s was removed by user %u", row.name, (unsigned)call->client->user);
    json_t *result = json_object();
    if (queue.messages > 0)
        rpc_value_set(&result, "queued", json_integer((json_int_t)queue.messages));
    return control_call_done(call, result);
}

enum control_answer control_peer_verify(struct control_call *call)
{
    const char *number = control_call_string(call, "safety_number");
    bool has_key = control_call_string(call, "fingerprint") != NULL;
    struct fingerprint key;
    struct peer *peer;
    if (!control_call_peer(call, "name", &peer) ||
        (has_key && !control_call_fingerprint(call, "fingerprint", &key)))
        return CALL_FAILED;
    if (has_key == (number != NULL))
        return control_call_fail(call, RPC_KIND_usage,
                                 "say what to compare: a fingerprint or a safety number");
    int r = has_key ? node_peer_verify(call->node, peer, &key)
                    : node_peer_verify_number(call->node, peer, number);
    if (r == NODE_MISMATCH)
        return control_call_fail(call, RPC_KIND_mismatch,
                                 "this is not the %s of the key that we know %s by: somebody may "
                                 "be in between; nothing was changed",
                                 has_key ? "fingerprint" : "safety number", peer->row.name);
    return answer_peer(call, r, peer->row.name, peer);
}

enum control_answer control_peer_block(struct control_call *call)
{
    struct fingerprint key;
    struct peer *peer;
    if (control_call_string(call, "name") != NULL) {
        if (!control_call_peer(call, "name", &peer))
            return CALL_FAILED;
        return answer_peer(call, node_peer_block(call->node, peer), peer->row.name, peer);
    }
    if (control_call_string(call, "fingerprint") == NULL)
        return control_call_fail(call, RPC_KIND_usage, "say whom: a name or a fingerprint");
    if (!control_call_fingerprint(call, "fingerprint", &key))
        return CALL_FAILED;
    const char *text = control_call_string(call, "fingerprint");
    int r = node_find_peer(call->node, text, &peer);
    r = r == 0 ? node_peer_block(call->node, peer) : node_request_block(call->node, &key, &peer);
    return answer_peer(call, r, text, peer);
}

enum control_answer control_peer_unblock(struct control_call *call)
{
    struct peer *peer;
    if (!control_call_peer(call, "name", &peer))
        return CALL_FAILED;
    return answer_peer(call, node_peer_unblock(call->node, peer), peer->row.name, peer);
}

enum control_answer control_peer_accept(struct control_call *call)
{
    const char *name = control_call_string(call, "name");
    struct fingerprint key;
    struct peer *peer;
    if (!control_call_fingerprint(call, "fingerprint", &key))
        return CALL_FAILED;
    int r = node_accept(call->node, name, &key, &peer);
    bool about_key = r == NODE_NO_SUCH_REQUEST || name == NULL;
    return answer_peer(call, r, about_key ? control_call_string(call, "fingerprint") : name, peer);
}

enum control_answer control_peer_requests(struct control_call *call)
{
    json_t *list = json_array();
    list_for_each (node, &node_pending_keys(call->node)->list)
        rpc_value_append(
            &list, control_view_request(call->node, container_of(node, struct pending_key, node)));
    return control_call_done(call, json_pack("{s:o}", "requests", list));
}

enum control_answer control_peer_reject(struct control_call *call)
{
    struct fingerprint key;
    if (!control_call_fingerprint(call, "fingerprint", &key))
        return CALL_FAILED;
    int r = node_request_reject(call->node, &key);
    if (r != 0)
        return control_call_outcome(call, r, control_call_string(call, "fingerprint"));
    log_info("key %s was rejected by user %u", control_call_string(call, "fingerprint"),
             (unsigned)call->client->user);
    return control_call_done(call, json_object());
}

enum control_answer control_peer_connect(struct control_call *call)
{
    struct peer *peer;
    if (!control_call_peer(call, "name", &peer))
        return CALL_FAILED;
    return answer_peer(call, node_peer_connect(peer), peer->row.name, peer);
}

enum control_answer control_peer_disconnect(struct control_call *call)
{
    struct peer *peer;
    if (!control_call_peer(call, "name", &peer))
        return CALL_FAILED;
    node_peer_disconnect(peer);
    return answer_peer(call, node_peer_use(call->node, peer), peer->row.name, peer);
}

enum control_answer control_peer_ping(struct control_call *call)
{
    struct peer *peer;
    if (!control_call_peer(call, "name", &peer))
        return CALL_FAILED;
    int r = node_peer_ping(call->node, peer);
    if (r != 0)
        return control_call_outcome(call, r, peer->row.name);
    /* A link without an answer for so long is closed; to wait longer makes no sense. */
    int64_t timeout_ms = control_call_integer(call, "timeout_ms", PING_TIMEOUT_MS);
    if (timeout_ms > PING_TIMEOUT_MS)
        timeout_ms = PING_TIMEOUT_MS;
    return control_wait_pong(call, peer, (uint64_t)timeout_ms);
}
