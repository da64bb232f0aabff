/*
 * The JSON objects of the control interface.
 */
#include "daemon/control_view.h"

#include <string.h>

#include "base/base64.h"
#include "base/timestamp.h"
#include "core/vault.h"
#include "proto/safety_number.h"

const char *control_view_event_name(enum event_type type)
{
    switch (type) {
    case EVENT_MESSAGE_RECEIVED:
        return "message.received";
    case EVENT_MESSAGE_SENT:
        return "message.sent";
    case EVENT_MESSAGE_STATE:
        return "message.state";
    case EVENT_PEER_KEY_CHANGED:
        return "peer.key_changed";
    case EVENT_PEER_TRUST:
        return "peer.trust";
    }
    return "unknown";
}

const char *control_view_state_name(enum message_state state)
{
    static const char *const names[] = {
        [MESSAGE_RECEIVED] = "received", [MESSAGE_QUEUED] = "queued",
        [MESSAGE_SENT] = "sent",         [MESSAGE_DELIVERED] = "delivered",
        [MESSAGE_EXPIRED] = "expired",   [MESSAGE_CANCELLED] = "cancelled",
        [MESSAGE_FAILED] = "failed",     [MESSAGE_UNKNOWN] = "unknown",
    };
    return names[state];
}

json_t *control_view_time(uint64_t wall_ms)
{
    char text[TIMESTAMP_TEXT_MAX];
    timestamp_format(wall_ms, text);
    return json_string(text);
}

json_t *control_view_fingerprint(const uint8_t key[static FINGERPRINT_SIZE])
{
    struct fingerprint fingerprint;
    char text[FINGERPRINT_TEXT_MAX];
    memcpy(fingerprint.bytes, key, FINGERPRINT_SIZE);
    fingerprint_format(&fingerprint, text);
    return json_string(text);
}

static json_t *view_safety_number(const struct node *node, const uint8_t *key)
{
    struct fingerprint other;
    char text[SAFETY_NUMBER_TEXT_MAX];
    memcpy(other.bytes, key, FINGERPRINT_SIZE);
    if (safety_number_format(pubkey_fingerprint(node_pubkey(node)), &other, text) < 0)
        return NULL;
    return json_string(text);
}

static json_t *view_safety_code(const struct node *node, const uint8_t *key)
{
    struct fingerprint other;
    char text[SAFETY_NUMBER_QR_MAX];
    memcpy(other.bytes, key, FINGERPRINT_SIZE);
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
        json_array_append_new(list, json_string(text));
    }
    return list;
}

json_t *control_view_peer(const struct node *node, const struct peer *peer)
{
    struct messages_size queue = {0};
    const struct peer_row *row = &peer->row;
    json_t *object = json_object();
    messages_queue_size(node_db(node), row->id, &queue);
    json_object_set_new(object, "name", json_string(row->name));
    if (row->pinned)
        json_object_set_new(object, "fingerprint", control_view_fingerprint(row->key));
    json_object_set_new(object, "trust", json_string(trust_name(peer_trust(peer))));
    if (row->offered)
        json_object_set_new(object, "offered", control_view_fingerprint(row->offered_key));
    json_object_set_new(object, "invited", json_boolean(row->invited));
    json_object_set_new(object, "addresses",
                        control_view_addresses(row->addresses, row->address_count));
    json_object_set_new(object, "link", json_string(peer_state_name(peer->state)));
    json_object_set_new(object, "since", control_view_time(peer->since_ms));
    if (peer->rtt_ms != UINT64_MAX)
        json_object_set_new(object, "rtt_ms", json_integer((json_int_t)peer->rtt_ms));
    json_object_set_new(object, "queued", json_integer((json_int_t)queue.messages));
    if (peer->last_error[0] != '\0')
        json_object_set_new(object, "last_error", json_string(peer->last_error));
    if (row->pinned)
        json_object_set_new(object, "safety_number", view_safety_number(node, row->key));
    return object;
}

static int add_old_key(void *context, const struct peer_old_key *old)
{
    json_array_append_new(context,
                          json_pack("{s:o, s:o}", "fingerprint", control_view_fingerprint(old->key),
                                    "replaced", control_view_time(old->replaced_ms)));
    return 0;
}

static json_t *view_attempts(const struct peer *peer)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < peer->row.address_count; i++) {
        char address[ADDRESS_TEXT_MAX];
        if (peer->attempts[i].outcome == PEER_NOT_DIALLED)
            continue;
        address_format(&peer->row.addresses[i], address);
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "address", address, "error", peer->attempts[i].error));
    }
    return list;
}

int control_view_add_details(const struct node *node, const struct peer *peer, json_t *object)
{
    json_t *old_keys = json_array();
    if (peer->row.pinned)
        json_object_set_new(object, "safety_code", view_safety_code(node, peer->row.key));
    json_object_set_new(object, "attempts", view_attempts(peer));
    json_object_set_new(object, "former_keys", old_keys);
    return peers_old_keys(node_db(node), peer->row.id, add_old_key, old_keys);
}

json_t *control_view_invite(const struct invite_row *row)
{
    char id[2 * INVITE_ROW_ID_SIZE + 1];
    hex_encode(row->id, sizeof row->id, id);
    json_t *object = json_object();
    json_object_set_new(object, "id", json_string(id));
    if (row->name[0] != '\0')
        json_object_set_new(object, "name", json_string(row->name));
    json_object_set_new(object, "created", control_view_time(row->created_ms));
    json_object_set_new(object, "expires", control_view_time(row->expires_ms));
    return object;
}

json_t *control_view_request(const struct node *node, const struct request *request)
{
    json_t *object = json_object();
    json_object_set_new(object, "fingerprint",
                        control_view_fingerprint(request->fingerprint.bytes));
    json_object_set_new(object, "address", json_string(request->origin));
    json_object_set_new(object, "since", control_view_time(request->since_ms));
    json_object_set_new(object, "waiting", json_boolean(request->link != NULL));
    json_object_set_new(object, "safety_number",
                        view_safety_number(node, request->fingerprint.bytes));
    return object;
}

/* Adds a member. An object that lacks one for want of memory is none: NULL from there on. */
static void add(json_t **object, const char *name, json_t *value)
{
    if (json_object_set_new(*object, name, value) == 0)
        return;
    json_decref(*object);
    *object = NULL;
}

/* Adds "body", or "damaged" when what is stored is not what was sealed. */
static void add_body(const struct node *node, json_t **object, const struct message_row *row)
{
    struct bytes text = {0};
    if (row->body.size == 0)
        return;
    int r = node_read_body(node, row, &text);
    if (r == VAULT_DAMAGED)
        add(object, "damaged", json_true());
    else
        add(object, "body", r == 0 ? json_stringn((const char *)text.data, text.size) : NULL);
    bytes_deinit(&text);
}

static void add_message_id(json_t **object, const struct message_row *row)
{
    char id[UUID_TEXT_MAX];
    uuid_format(&row->id, id);
    add(object, "id", json_string(id));
}

json_t *control_view_message(const struct node *node, const struct message_row *row)
{
    json_t *object = json_object();
    add_message_id(&object, row);
    add(&object, "seq", json_integer(row->seq));
    add(&object, "peer", json_string(row->peer_name));
    add(&object, "direction", json_string(row->direction == MESSAGE_IN ? "in" : "out"));
    add(&object, "state", json_string(control_view_state_name(row->state)));
    add_body(node, &object, row);
    add(&object, "time", control_view_time(row->time_ms));
    add(&object, "sent", control_view_time(row->sent_ms));
    add(&object, "trust", json_string(trust_name(row->trust)));
    if (row->client_id != NULL)
        add(&object, "client_id", json_string(row->client_id));
    return object;
}

/* The part of an event that is about its message. */
static json_t *view_event_message(const struct node *node, const struct event_row *event)
{
    json_t *object = json_object();
    add_message_id(&object, event->message);
    if (event->type == EVENT_MESSAGE_STATE) {
        add(&object, "state", json_string(control_view_state_name(event->state)));
        if (event->reason != NULL)
            add(&object, "reason", json_string(event->reason));
        return object;
    }
    add_body(node, &object, event->message);
    add(&object, "sent", control_view_time(event->message->sent_ms));
    return object;
}

json_t *control_view_event(const struct node *node, unsigned sub, const struct event_row *event)
{
    json_t *params = json_object();
    add(&params, "sub", json_integer(sub));
    add(&params, "seq", json_integer(event->seq));
    add(&params, "type", json_string(control_view_event_name(event->type)));
    add(&params, "time", control_view_time(event->time_ms));
    add(&params, "peer", json_string(event->peer_name));
    if (event->pinned)
        add(&params, "fingerprint", control_view_fingerprint(event->key));
    add(&params, "trust", json_string(trust_name(event->trust)));
    if (event->offered)
        add(&params, "offered", control_view_fingerprint(event->offered_key));
    if (event->message != NULL)
        add(&params, "message", view_event_message(node, event));
    return params;
}

json_t *control_view_passing_event(const struct node *node, unsigned sub, const char *type,
                                   const struct peer *peer)
{
    json_t *params = json_object();
    json_object_set_new(params, "sub", json_integer(sub));
    json_object_set_new(params, "type", json_string(type));
    json_object_set_new(params, "time", control_view_time(loop_wall(node_loop(node))));
    if (peer == NULL)
        return params;
    json_object_set_new(params, "peer", json_string(peer->row.name));
    if (peer->row.pinned)
        json_object_set_new(params, "fingerprint", control_view_fingerprint(peer->row.key));
    json_object_set_new(params, "trust", json_string(trust_name(peer_trust(peer))));
    return params;
}
