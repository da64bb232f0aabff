/* SPDX-License-Identifier: ISC */
/*
 * The JSON objects of the control interface.
 */
#include "daemon/control_view.h"

#include <string.h>

#include "base/base64.h"
#include "base/timestamp.h"
#include "proto/features.h"
#include "proto/safety_number.h"
#include "rpc/rpc_value.h"
#include "store/inbound.h"
#include "store/queue.h"

/* Beside other things, as they are sent: some two hundred, which keep nobody waiting. */
enum { PEERS_BYTES_MAX = 128 * 1024 };

json_t *control_view_time(uint64_t wall_ms)
{
    char text[TIMESTAMP_TEXT_MAX];
    timestamp_format(wall_ms, text);
    return json_string(text);
}

static struct fingerprint fingerprint_of(const uint8_t key[static FINGERPRINT_SIZE])
{
    struct fingerprint fingerprint;
    memcpy(fingerprint.bytes, key, FINGERPRINT_SIZE);
    return fingerprint;
}

json_t *control_view_fingerprint(const uint8_t key[static FINGERPRINT_SIZE])
{
    const struct fingerprint fingerprint = fingerprint_of(key);
    char text[FINGERPRINT_TEXT_MAX];
    fingerprint_format(&fingerprint, text);
    return json_string(text);
}

static json_t *view_safety_number(const struct node *node, const uint8_t *key)
{
    const struct fingerprint other = fingerprint_of(key);
    char text[SAFETY_NUMBER_TEXT_MAX];
    if (safety_number_format(pubkey_fingerprint(node_pubkey(node)), &other, text) < 0)
        return NULL;
    return json_string(text);
}

static json_t *view_safety_code(const struct node *node, const uint8_t *key)
{
    const struct fingerprint other = fingerprint_of(key);
    char text[SAFETY_NUMBER_QR_MAX];
    if (safety_number_qr(pubkey_fingerprint(node_pubkey(node)), &other, text) < 0)
        return NULL;
    return json_string(text);
}

json_t *control_view_addresses(const struct address *addresses, unsigned count)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < count; i++) {
        char text[ADDRESS_TEXT_MAX];
        address_format(&addresses[i], text);
        rpc_value_append(&list, json_string(text));
    }
    return list;
}

static json_t *view_queue(const struct node *node, const struct peer_row *row)
{
    struct messages_size queue;
    return queue_size(node_db(node), row->id, &queue) == 0
               ? json_integer((json_int_t)queue.messages)
               : NULL;
}

/* How many of them can't be read from the store; nothing where all can. */
static void view_unreadable(const struct node *node, const struct peer_row *row, json_t **object)
{
    uint64_t count;
    if (queue_unreadable(node_db(node), row->id, &count) == 0 && count > 0)
        rpc_value_set(object, "damaged", json_integer((json_int_t)count));
}

json_t *control_view_inbound(const struct node *node, int64_t peer)
{
    uint64_t bytes;
    return inbound_bytes(node_db(node), peer, &bytes) == 0 ? json_integer((json_int_t)bytes) : NULL;
}

/* Where the peer says that it is. */
static json_t *view_told(const struct peer *peer)
{
    struct address told[TOLD_MAX];
    for (unsigned i = 0; i < peer->hearsay.count; i++)
        told[i] = peer->hearsay.ways[i].address;
    return control_view_addresses(told, peer->hearsay.count);
}

/* Why there is no link, and what is done about it. */
static void view_dialling(const struct peer *peer, json_t **object)
{
    rpc_value_set(object, "disconnected", json_boolean(peer->silenced));
    rpc_value_set(object, "failed_dials", json_integer(peer->failed_dials));
    rpc_value_set(object, "refused", json_boolean(peer->redial.refusals > 0 && !peer_full(peer)));
    if (peer->redial.displaced)
        rpc_value_set(object, "displaced", json_true());
    if (attempts_any(&peer->attempts, ATTEMPT_SELF))
        rpc_value_set(object, "leads_to", json_string("self"));
    else if (attempts_any(&peer->attempts, ATTEMPT_OTHER_KEY))
        rpc_value_set(object, "leads_to", json_string("other"));
    if (peer->state == PEER_BACKOFF)
        rpc_value_set(object, "next_dial", control_view_time(peer->next_dial_ms));
    if (peer->last_error[0] == '\0')
        return;
    rpc_value_set(object, "last_error", json_string(peer->last_error));
    rpc_value_set(object, "last_error_time", control_view_time(peer->error_ms));
}

/* What protects the session, while there is one. */
static void view_suite(const struct peer *peer, json_t **object)
{
    if (peer->state == PEER_ONLINE)
        rpc_value_set(object, "suite", json_integer(session_suite(peer->link->session)));
}

/* What its program can do, once it was met. */
static void view_features(const struct peer_row *row, json_t **object)
{
    if (!row->met)
        return;
    json_t *list = json_array();
    for (unsigned bit = 0; bit < 32; bit++)
        if ((row->features >> bit & 1) != 0 && features_name(bit) != NULL)
            rpc_value_append(&list, json_string(features_name(bit)));
    rpc_value_set(object, "features", list);
}

json_t *control_view_peer(const struct node *node, const struct peer *peer)
{
    const struct peer_row *row = &peer->row;
    json_t *object = json_object();
    rpc_value_set(&object, "name", json_string(row->name));
    if (row->pinned)
        rpc_value_set(&object, "fingerprint", control_view_fingerprint(row->key));
    rpc_value_set(&object, "trust", json_string(trust_name(peer_trust(peer))));
    if (row->offered)
        rpc_value_set(&object, "offered", control_view_fingerprint(row->offered_key));
    if (runtime_cloned(peer->runtime, peer->cloned_ms))
        rpc_value_set(&object, "cloned", control_view_time(peer->cloned_ms));
    if (row->adopted)
        rpc_value_set(&object, "adopted", json_true());
    rpc_value_set(&object, "invited", json_boolean(row->invited));
    rpc_value_set(&object, "require_pq", json_boolean(row->require_pq));
    rpc_value_set(&object, "addresses", control_view_addresses(row->addresses, row->address_count));
    rpc_value_set(&object, "told", view_told(peer));
    rpc_value_set(&object, "link", json_string(peer_state_name(peer->state)));
    rpc_value_set(&object, "since", control_view_time(peer->since_ms));
    view_suite(peer, &object);
    view_features(row, &object);
    if (peer->rtt_ms != UINT64_MAX)
        rpc_value_set(&object, "rtt_ms", json_integer((json_int_t)peer->rtt_ms));
    rpc_value_set(&object, "queued", view_queue(node, row));
    view_unreadable(node, row, &object);
    rpc_value_set(&object, "inbound_bytes", control_view_inbound(node, row->id));
    rpc_value_set(&object, "inbound_full", json_boolean(peer_full(peer)));
    view_dialling(peer, &object);
    if (row->pinned)
        rpc_value_set(&object, "safety_number", view_safety_number(node, row->key));
    return object;
}

json_t *control_view_named_peers(struct peer *const *peers, unsigned count)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < count; i++) {
        const struct peer_row *row = &peers[i]->row;
        json_t *object = json_pack("{s:s}", "name", row->name);
        if (row->pinned)
            rpc_value_set(&object, "fingerprint", control_view_fingerprint(row->key));
        rpc_value_append(&list, object);
    }
    return list;
}

json_t *control_view_suites(void)
{
    json_t *list = json_array();
    for (int suite = SUITE_CLASSIC; suite <= SUITE_HYBRID; suite++)
        if ((exchange_suites() & SUITE_BIT(suite)) != 0)
            rpc_value_append(&list, json_integer(suite));
    return list;
}

void control_view_peers(const struct node *node, json_t **reply)
{
    json_t *list = json_array();
    size_t bytes = 0;
    int64_t after = 0;
    roster_each (peer, node_roster(node)) {
        json_t *view = control_view_peer(node, peer);
        bytes += json_dumpb(view, NULL, 0, JSON_COMPACT) + 1;
        if (bytes > PEERS_BYTES_MAX && json_array_size(list) > 0) {
            json_decref(view);
            rpc_value_set(reply, "peers_after", json_integer(after));
            break;
        }
        peer_note_shown(peer);
        rpc_value_append(&list, view);
        after = peer->row.id;
    }
    rpc_value_set(reply, "peers", list);
}

static int add_old_key(void *context, const struct peer_old_key *old)
{
    rpc_value_append(context,
                     json_pack("{s:o, s:o}", "fingerprint", control_view_fingerprint(old->key),
                               "replaced", control_view_time(old->replaced_ms)));
    return 0;
}

static json_t *view_attempts(const struct peer *peer)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < peer->row.address_count; i++) {
        const struct address *given = &peer->row.addresses[i];
        const struct attempt *attempt = attempts_find(&peer->attempts, given);
        char address[ADDRESS_TEXT_MAX];
        if (attempt == NULL)
            continue;
        address_format(given, address);
        rpc_value_append(&list,
                         json_pack("{s:s, s:s, s:o}", "address", address, "error", attempt->error,
                                   "time", control_view_time(attempt->time_ms)));
    }
    return list;
}

/* The session that there is, or when the last one ended, and what went over them. */
static void view_sessions(const struct peer *peer, json_t **object)
{
    if (peer->state == PEER_ONLINE) {
        rpc_value_set(object, "remote", json_string(stream_origin(peer->link->stream)->text));
        rpc_value_set(object, "dialled",
                      json_boolean(session_role(peer->link->session) == SESSION_JOINER));
    } else if (peer->seen_ms > 0) {
        rpc_value_set(object, "last_seen", control_view_time(peer->seen_ms));
    }
    rpc_value_set(object, "received", json_integer((json_int_t)peer->received));
    rpc_value_set(object, "delivered", json_integer((json_int_t)peer->delivered));
}

int control_view_add_details(const struct node *node, const struct peer *peer, json_t **object)
{
    json_t *old_keys = json_array();
    int r = peers_old_keys(node_db(node), peer->row.id, add_old_key, &old_keys);
    if (peer->row.pinned)
        rpc_value_set(object, "safety_code", view_safety_code(node, peer->row.key));
    view_sessions(peer, object);
    rpc_value_set(object, "attempts", view_attempts(peer));
    rpc_value_set(object, "former_keys", old_keys);
    return r;
}

json_t *control_view_invite(const struct invite_row *row)
{
    char id[2 * INVITE_ROW_ID_SIZE + 1];
    hex_encode(row->id, sizeof row->id, id);
    json_t *object = json_object();
    rpc_value_set(&object, "id", json_string(id));
    if (row->name[0] != '\0')
        rpc_value_set(&object, "name", json_string(row->name));
    rpc_value_set(&object, "created", control_view_time(row->created_ms));
    rpc_value_set(&object, "expires", control_view_time(row->expires_ms));
    return object;
}

json_t *control_view_request(const struct node *node, const struct pending_key *request)
{
    json_t *object = json_object();
    rpc_value_set(&object, "fingerprint", control_view_fingerprint(request->fingerprint.bytes));
    rpc_value_set(&object, "address", json_string(request->origin));
    rpc_value_set(&object, "since", control_view_time(request->since_ms));
    rpc_value_set(&object, "waiting", json_boolean(request->link != NULL));
    rpc_value_set(&object, "safety_number", view_safety_number(node, request->fingerprint.bytes));
    return object;
}

json_t *control_view_passing_event(const struct node *node, unsigned sub, const char *type,
                                   const struct peer *peer)
{
    json_t *params = json_object();
    rpc_value_set(&params, "sub", json_integer(sub));
    rpc_value_set(&params, "type", json_string(type));
    rpc_value_set(&params, "time", control_view_time(loop_wall(node_loop(node))));
    if (peer == NULL)
        return params;
    rpc_value_set(&params, "peer", json_string(peer->row.name));
    if (peer->row.pinned)
        rpc_value_set(&params, "fingerprint", control_view_fingerprint(peer->row.key));
    rpc_value_set(&params, "trust", json_string(trust_name(peer_trust(peer))));
    view_suite(peer, &params);
    return params;
}
