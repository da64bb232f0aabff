/* SPDX-License-Identifier: ISC */
/*
 * Headers as JSON and back.
 */
#include "daemon/control_headers.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "proto/features.h"
#include "proto/headers.h"
#include "rpc/rpc_bytes.h"
#include "rpc/rpc_value.h"

/* Of bytes whose type nobody said. */
static const char any_type[] = "application/octet-stream";

/* --- out of JSON ------------------------------------------------------------------------------ */

static struct span text_of(const json_t *value)
{
    return SPAN(json_string_value(value), json_string_length(value));
}

static bool read_text(const json_t *value, struct span *text)
{
    *text = text_of(value);
    return json_is_string(value) && text->size > 0;
}

static bool read_id(const json_t *value, struct uuid *id)
{
    return json_is_string(value) && uuid_parse(json_string_value(value), id) == 0 &&
           !uuid_is_zero(id);
}

static bool read_users(const json_t *object, struct headers *headers)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object) || json_object_size(object) > HEADERS_USERS_MAX)
        return false;
    json_object_foreach((json_t *)object, name, value)
    {
        if (!json_is_string(value))
            return false;
        headers->users[headers->user_count++] =
            (struct headers_user){SPAN(name, strlen(name)), text_of(value)};
    }
    return headers_sort_users(headers);
}

static bool read_header(const char *name, const json_t *value, struct headers *headers)
{
    if (strcmp(name, "type") == 0)
        return read_text(value, &headers->type);
    if (strcmp(name, "topic") == 0)
        return read_text(value, &headers->topic);
    if (strcmp(name, "reply_to") == 0)
        return read_id(value, &headers->reply_to);
    return strcmp(name, "user") == 0 && read_users(value, headers);
}

static enum control_answer fail_header(struct control_call *call, const char *name)
{
    return control_call_fail(call, RPC_KIND_bad_header,
                             "the header %.60s can't be so, or there is none of that name; see: "
                             "man p2pchat-control",
                             name);
}

static bool read_headers(struct control_call *call, struct headers *headers)
{
    const char *name;
    json_t *value;
    headers_init(headers);
    json_object_foreach(json_object_get(call->params, "headers"), name, value)
    {
        if (!read_header(name, value, headers)) {
            fail_header(call, name);
            return false;
        }
    }
    return true;
}

bool control_headers_body(struct control_call *call, struct bytes *bytes, struct span *body)
{
    const json_t *text = json_object_get(call->params, "body");
    const json_t *encoded = json_object_get(call->params, "body_base64");
    *body = text_of(text);
    if (text != NULL && encoded != NULL) {
        control_call_fail(call, RPC_KIND_usage, "there is one body: body, or body_base64");
        return false;
    }
    if (encoded == NULL)
        return true;
    int r = rpc_bytes_read(encoded, bytes);
    if (r == -ENOMEM)
        control_call_outcome(call, r, NULL);
    else if (r != 0)
        control_call_fail(call, RPC_KIND_usage, "\"body_base64\" is no base64");
    *body = bytes_span(bytes);
    return r == 0;
}

/* Makes the content of headers and a body. */
static bool encode(struct control_call *call, const struct headers *headers, struct span body,
                   struct node_draft *draft, struct bytes *buffer)
{
    const char *flaw = headers_flaw(headers, body.size, FEATURE_HEADERS | FEATURE_CALLS);
    if (flaw != NULL) {
        fail_header(call, flaw);
        return false;
    }
    if (body.size > HEADERS_BODY_MAX) {
        control_call_outcome(call, NODE_TOO_LARGE, NULL);
        return false;
    }
    int r = headers_append(buffer, headers, body);
    if (r != 0) {
        control_call_outcome(call, r < 0 ? r : NODE_TOO_LARGE, NULL);
        return false;
    }
    draft->kind = headers->ask_s > 0 ? MESSAGE_REQUEST : MESSAGE_HEADERS;
    draft->content = bytes_span(buffer);
    return true;
}

static bool read_both(struct control_call *call, struct headers *headers, struct bytes *bytes,
                      struct span *body)
{
    if (!read_headers(call, headers) || !control_headers_body(call, bytes, body))
        return false;
    if (json_object_get(call->params, "body_base64") != NULL && headers->type.size == 0)
        headers->type = SPAN(any_type, sizeof any_type - 1);
    return true;
}

bool control_headers_ask(struct control_call *call, const char *service, uint32_t timeout_s,
                         struct node_draft *draft, struct bytes *buffer)
{
    CLEANUP(bytes_deinit) struct bytes bytes = {0};
    struct headers headers;
    struct span body;
    if (!read_both(call, &headers, &bytes, &body))
        return false;
    headers.ask_s = timeout_s;
    headers.service = SPAN(service, strlen(service));
    const char *flaw = headers_flaw(&headers, body.size, FEATURE_HEADERS | FEATURE_CALLS);
    if (flaw == NULL || strcmp(flaw, "ask") != 0)
        return encode(call, &headers, body, draft, buffer);
    control_call_fail(call, RPC_KIND_usage,
                      "a service is called like ssh: at most 64 of a-z, 0-9, '.', '_' and '-', and "
                      "not with '.', '_' or '-' first");
    return false;
}

bool control_headers_read(struct control_call *call, struct node_draft *draft, struct bytes *buffer)
{
    CLEANUP(bytes_deinit) struct bytes bytes = {0};
    struct headers headers;
    struct span body;
    if (!read_both(call, &headers, &bytes, &body))
        return false;
    if (!headers_empty(&headers))
        return encode(call, &headers, body, draft, buffer);
    draft->kind = MESSAGE_TEXT;
    draft->content = body;
    return true;
}

/* --- into JSON -------------------------------------------------------------------------------- */

static const char *const result_names[] = {
    [RESULT_EXITED] = "exited",
    [RESULT_SIGNALLED] = "signalled",
    [RESULT_REFUSED] = "refused",
    [RESULT_LATE] = "late",
    [RESULT_INTERRUPTED] = "interrupted",
    [RESULT_TOO_LARGE] = "too_large",
    [RESULT_CANCELLED] = "cancelled",
    [RESULT_FAILED] = "failed",
    [RESULT_BUSY] = "busy",
    [RESULT_GIVEN_UP] = "given_up",
};

const char *control_result_name(uint8_t outcome)
{
    return result_names[outcome <= RESULT_GIVEN_UP ? outcome : RESULT_FAILED];
}

/* Text is what the bytes say, not the type. */
static bool is_text(struct span body)
{
    return body.size == 0 || (memchr(body.data, '\0', body.size) == NULL &&
                              utf8_valid((const char *)body.data, body.size));
}

static void add_text(json_t **object, const char *name, struct span text)
{
    if (text.size > 0)
        rpc_value_set(object, name, json_stringn((const char *)text.data, text.size));
}

static void add_number(json_t **object, const char *name, uint32_t number)
{
    if (number > 0)
        rpc_value_set(object, name, json_integer(number));
}

static void add_users(json_t **object, const struct headers *headers)
{
    json_t *users = json_object();
    if (headers->user_count == 0) {
        json_decref(users);
        return;
    }
    for (unsigned i = 0; i < headers->user_count; i++) {
        const struct headers_user *user = &headers->users[i];
        char name[HEADERS_NAME_MAX + 1];
        memcpy(name, user->name.data, user->name.size);
        name[user->name.size] = '\0';
        rpc_value_set(&users, name, json_stringn((const char *)user->value.data, user->value.size));
    }
    rpc_value_set(object, "user", users);
}

static void add_unknown(json_t **object, const struct headers *headers)
{
    json_t *tags = json_array();
    if (headers->unknown_count == 0) {
        json_decref(tags);
        return;
    }
    for (unsigned i = 0; i < headers->unknown_count; i++)
        rpc_value_append(&tags, json_integer(headers->unknown[i]));
    rpc_value_set(object, "unknown", tags);
}

static json_t *view_headers(const struct headers *headers)
{
    json_t *object = json_object();
    char id[UUID_TEXT_MAX];
    add_text(&object, "type", headers->type);
    add_text(&object, "topic", headers->topic);
    add_text(&object, "key", headers->key);
    if (!uuid_is_zero(&headers->reply_to)) {
        uuid_format(&headers->reply_to, id);
        rpc_value_set(&object, "reply_to", json_string(id));
    }
    if (headers->priority != PRIORITY_NORMAL)
        rpc_value_set(&object, "priority",
                      json_string(headers->priority == PRIORITY_HIGH ? "high" : "low"));
    add_number(&object, "forget_s", headers->forget_s);
    add_users(&object, headers);
    add_unknown(&object, headers);
    return object;
}

bool control_headers_view(json_t **object, enum message_kind kind, struct span content)
{
    struct headers headers;
    struct span body = content;
    if (kind != MESSAGE_TEXT) {
        if (headers_parse(content, FEATURE_HEADERS | FEATURE_CALLS, &headers, &body) != 0)
            return false;
        rpc_value_set(object, "headers", view_headers(&headers));
        add_text(object, "service", headers.service);
        add_number(object, "timeout_s", headers.ask_s);
        if (headers.has_result)
            rpc_value_set(object, "result",
                          json_pack("{s:s, s:i}", "outcome", control_result_name(headers.outcome),
                                    "status", (int)headers.status));
        rpc_value_set(object, "size", json_integer((json_int_t)body.size));
    }
    if (is_text(body))
        rpc_value_set(object, "body", json_stringn((const char *)body.data, body.size));
    else
        rpc_value_set(object, "body_base64", rpc_bytes_make(body));
    return true;
}
