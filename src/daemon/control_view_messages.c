/* SPDX-License-Identifier: ISC */
/*
 * The JSON objects of messages, of what they offer, and of stored events.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "core/body_sealer.h"
#include "core/calls.h"
#include "daemon/control_event.h"
#include "daemon/control_headers.h"
#include "daemon/control_view.h"
#include "rpc/rpc_bytes.h"
#include "rpc/rpc_value.h"

const char *control_view_state_name(enum message_state state)
{
    static const char *const names[] = {
        [MESSAGE_RECEIVED] = "received",   [MESSAGE_QUEUED] = "queued",
        [MESSAGE_SENT] = "sent",           [MESSAGE_DELIVERED] = "delivered",
        [MESSAGE_EXPIRED] = "expired",     [MESSAGE_CANCELLED] = "cancelled",
        [MESSAGE_FAILED] = "failed",       [MESSAGE_UNKNOWN] = "unknown",
        [MESSAGE_PROCESSED] = "processed",
    };
    return names[state];
}

static void add_name(json_t **object, struct span name)
{
    if (utf8_valid((const char *)name.data, name.size)) {
        rpc_value_set(object, "name", json_stringn((const char *)name.data, name.size));
        return;
    }
    char text[FILE_NAME_MAX + 1];
    for (size_t i = 0; i < name.size; i++)
        text[i] = name.data[i] < 0x80 ? (char)name.data[i] : '?';
    rpc_value_set(object, "name", json_stringn(text, name.size));
    rpc_value_set(object, "name_base64", rpc_bytes_make(name));
}

int control_view_add_offer(const struct node *node, const struct message_row *row, json_t **object)
{
    CLEANUP(bytes_deinit) struct bytes content = {0};
    struct file_offer offer;
    if (row->body.size == 0)
        return 0;
    int r = node_read_body(node, row, &content);
    if (r < 0)
        return r;
    if (r == 0 && file_offer_parse(bytes_span(&content), &offer) == 0)
        add_name(object, offer.name);
    else
        rpc_value_set(object, "damaged", json_true());
    return 0;
}

/* Adds what an item about files says. */
static void add_file(json_t **object, enum message_kind kind, struct span content)
{
    struct file_offer offer;
    struct file_end end;
    char id[UUID_TEXT_MAX];
    json_t *file = json_object();
    if (kind == MESSAGE_FILE_OFFER && file_offer_parse(content, &offer) == 0) {
        add_name(&file, offer.name);
        rpc_value_set(&file, "size", json_integer((json_int_t)offer.data_size));
        rpc_value_set(&file, "entries", json_integer(offer.entries));
    } else if (kind == MESSAGE_FILE_STATE && file_end_parse(content, &end) == 0) {
        uuid_format(&end.offer, id);
        rpc_value_set(&file, "id", json_string(id));
        rpc_value_set(&file, "state", json_string(file_end_word(end.state)));
        if (end.reason != FILE_NO_REASON)
            rpc_value_set(&file, "reason", json_string(file_reason_word(end.reason)));
    }
    rpc_value_set(object, "file", file);
}

/* Adds the content, or "damaged" when what is stored is not what was sealed. */
static void add_content(const struct node *node, json_t **object, const struct message_row *row)
{
    struct bytes content = {0};
    if (row->body.size == 0)
        return;
    int r = node_read_body(node, row, &content);
    if (r < 0)
        rpc_value_set(object, "body", NULL);
    else if (r == 0 && row->kind >= MESSAGE_FILE_OFFER)
        add_file(object, row->kind, bytes_span(&content));
    else if (r == BODY_SEALER_DAMAGED ||
             !control_headers_view(object, row->kind, bytes_span(&content)))
        rpc_value_set(object, "damaged", json_true());
    bytes_deinit(&content);
}

static void add_message_id(json_t **object, const struct message_row *row)
{
    char id[UUID_TEXT_MAX];
    uuid_format(&row->id, id);
    rpc_value_set(object, "id", json_string(id));
}

/* What it is, if it is no message for people. */
static void add_kind(const struct node *node, json_t **object, const struct message_row *row)
{
    static const char *const names[] = {
        [MESSAGE_REQUEST] = "request",        [MESSAGE_RESULT] = "result",
        [MESSAGE_CANCEL] = "cancel",          [MESSAGE_FILE_OFFER] = "offer",
        [MESSAGE_FILE_STATE] = "offer-state",
    };
    if (row->kind <= MESSAGE_HEADERS)
        return;
    rpc_value_set(object, "kind", json_string(names[row->kind]));
    if (row->kind == MESSAGE_REQUEST && row->direction == MESSAGE_OUT)
        control_view_result(node, row->seq, false, object);
}

enum rpc_kind control_view_dead_end(enum message_state state)
{
    switch (state) {
    case MESSAGE_EXPIRED:
    case MESSAGE_UNKNOWN:
        return RPC_KIND_expired;
    case MESSAGE_CANCELLED:
        return RPC_KIND_cancelled;
    case MESSAGE_FAILED:
        return RPC_KIND_rejected;
    case MESSAGE_RECEIVED:
    case MESSAGE_QUEUED:
    case MESSAGE_SENT:
    case MESSAGE_DELIVERED:
    case MESSAGE_PROCESSED:
        break;
    }
    return RPC_KIND_COUNT;
}

json_t *control_view_message(const struct node *node, const struct message_row *row)
{
    json_t *object = json_object();
    add_message_id(&object, row);
    rpc_value_set(&object, "seq", json_integer(row->seq));
    rpc_value_set(&object, "peer", json_string(row->peer_name));
    rpc_value_set(&object, "direction", json_string(row->direction == MESSAGE_IN ? "in" : "out"));
    rpc_value_set(&object, "state", json_string(control_view_state_name(row->state)));
    if (node_holds(node, row))
        rpc_value_set(&object, "held", json_true());
    add_kind(node, &object, row);
    add_content(node, &object, row);
    rpc_value_set(&object, "time", control_view_time(row->time_ms));
    rpc_value_set(&object, "sent", control_view_time(row->sent_ms));
    rpc_value_set(&object, "trust", json_string(trust_name(row->trust)));
    if (row->client_id != NULL)
        rpc_value_set(&object, "client_id", json_string(row->client_id));
    return object;
}

struct viewing {
    const struct node *node;
    json_t *view;
};

static int view_row(void *context, const struct message_row *row)
{
    struct viewing *viewing = context;
    viewing->view = control_view_message(viewing->node, row);
    return 0;
}

json_t *control_view_message_at(const struct node *node, int64_t seq)
{
    struct viewing viewing = {.node = node};
    int r = messages_at(node_db(node), seq, view_row, &viewing);
    return r == 0 ? viewing.view : json_null();
}

int control_view_message_of(const struct node *node, const struct uuid *id, json_t **view)
{
    struct viewing viewing = {.node = node};
    int r = messages_get(node_db(node), id, view_row, &viewing);
    *view = viewing.view;
    return r;
}

void control_view_result(const struct node *node, int64_t request, bool whole, json_t **object)
{
    struct call_result result;
    if (calls_find_result(node_db(node), request, &result) != 0)
        return;
    json_t *message = control_view_message_at(node, result.seq);
    json_t *view = json_pack("{s:s, s:i}", "outcome", control_result_name(result.outcome), "status",
                             (int)result.status);
    if (json_is_object(message))
        rpc_value_set(&view, "id", json_incref(json_object_get(message, "id")));
    rpc_value_set(object, "result", view);
    if (whole && json_is_object(message))
        rpc_value_set(object, "message", message);
    else
        json_decref(message);
}

/* The part of an event that is about its message. */
static json_t *view_event_message(const struct node *node, const struct event_row *event)
{
    json_t *object = json_object();
    add_message_id(&object, event->message);
    if (event->type == EVENT_MESSAGE_STATE) {
        rpc_value_set(&object, "state", json_string(control_view_state_name(event->state)));
        if (event->reason != NULL)
            rpc_value_set(&object, "reason", json_string(event->reason));
        return object;
    }
    if (event->message->kind > MESSAGE_HEADERS)
        rpc_value_set(&object, "direction",
                      json_string(event->type == EVENT_MESSAGE_RECEIVED ? "in" : "out"));
    add_content(node, &object, event->message);
    rpc_value_set(&object, "sent", control_view_time(event->message->sent_ms));
    return object;
}

json_t *control_view_event(const struct node *node, unsigned sub, const struct event_row *event)
{
    json_t *params = json_object();
    rpc_value_set(&params, "sub", json_integer(sub));
    rpc_value_set(&params, "seq", json_integer(event->seq));
    const enum message_kind kind = event->message != NULL ? event->message->kind : MESSAGE_TEXT;
    rpc_value_set(&params, "type",
                  json_string(control_event_name(control_event_type(event->type, kind))));
    rpc_value_set(&params, "time", control_view_time(event->time_ms));
    rpc_value_set(&params, "peer", json_string(event->peer_name));
    if (event->pinned)
        rpc_value_set(&params, "fingerprint", control_view_fingerprint(event->key));
    rpc_value_set(&params, "trust", json_string(trust_name(event->trust)));
    if (event->offered)
        rpc_value_set(&params, "offered", control_view_fingerprint(event->offered_key));
    if (event->message != NULL)
        rpc_value_set(&params, "message", view_event_message(node, event));
    return params;
}
