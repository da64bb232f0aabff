/* SPDX-License-Identifier: ISC */
/*
 * JSON-RPC 2.0 messages. No transport: lines come in and go out as bytes.
 */
#include "rpc/rpc_message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "rpc/rpc_value.h"

__attribute__((format(printf, 4, 5))) static bool complain(struct rpc_complaint *complaint,
                                                           int code, const char *kind,
                                                           const char *format, ...)
{
    va_list arguments;
    complaint->code = code;
    complaint->kind = kind;
    va_start(arguments, format);
    vsnprintf(complaint->text, sizeof complaint->text, format, arguments);
    va_end(arguments);
    return false;
}

/* --- reading ---------------------------------------------------------------------------------- */

/*
 * Whether the nesting stays within RPC_DEPTH_MAX. Looked at before parsing, because the parser
 * recurses.
 */
static bool depth_fits(struct span line)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < line.size; i++) {
        const uint8_t c = line.data[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '[') && ++depth > RPC_DEPTH_MAX)
            return false;
        else if (!in_string && (c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return true;
}

static bool complain_of_json(struct rpc_complaint *complaint, const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_duplicate_key:
        return complain(complaint, RPC_INVALID_REQUEST, NULL, "the same member twice");
    case json_error_null_character:
        return complain(complaint, RPC_INVALID_REQUEST, NULL, "a NUL character");
    case json_error_numeric_overflow:
        return complain(complaint, RPC_INVALID_REQUEST, NULL, "a number out of range");
    case json_error_out_of_memory:
        return complain(complaint, RPC_INTERNAL_ERROR, NULL, "out of memory");
    default:
        return complain(complaint, RPC_PARSE_ERROR, NULL, "not JSON (column %d)", error->column);
    }
}

/* Any JSON value that keeps to our rules, or NULL with a complaint. */
static json_t *parse(struct span line, struct rpc_complaint *complaint)
{
    if (!utf8_valid((const char *)line.data, line.size)) {
        complain(complaint, RPC_PARSE_ERROR, NULL, "not UTF-8");
        return NULL;
    }
    if (!depth_fits(line)) {
        complain(complaint, RPC_INVALID_REQUEST, NULL, "nested more than %d deep", RPC_DEPTH_MAX);
        return NULL;
    }
    json_error_t error;
    json_t *value = json_loadb((const char *)line.data, line.size,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (value == NULL)
        complain_of_json(complaint, &error);
    return value;
}

static bool read_object(struct rpc_request *request, struct span line,
                        struct rpc_complaint *complaint)
{
    request->message = parse(line, complaint);
    if (request->message == NULL)
        return false;
    if (json_is_array(request->message))
        return complain(complaint, RPC_INVALID_REQUEST, "batch_unsupported",
                        "batches are not supported: send one request per line");
    if (!json_is_object(request->message))
        return complain(complaint, RPC_INVALID_REQUEST, NULL, "a request is an object");
    return true;
}

static bool read_envelope(struct rpc_request *request, struct rpc_complaint *complaint)
{
    json_t *id = json_object_get(request->message, "id");
    if (id != NULL && !json_is_string(id) && !json_is_number(id) && !json_is_null(id))
        return complain(complaint, RPC_INVALID_REQUEST, NULL,
                        "\"id\" must be a string or a number");
    request->id = id;

    const json_t *version = json_object_get(request->message, "jsonrpc");
    if (version == NULL)
        return true;
    if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
        return complain(complaint, RPC_INVALID_REQUEST, NULL, "\"jsonrpc\" must be \"2.0\"");
    request->notification =
        id == NULL && json_is_string(json_object_get(request->message, "method"));
    return true;
}

static bool complain_method(struct rpc_complaint *complaint, const char *name)
{
    struct suggestion word = suggest_for(name);
    char shown[64];
    for (size_t i = 0; i < rpc_method_count; i++)
        suggest_offer(&word, rpc_methods[i].name);
    escape_copy(shown, sizeof shown, name, ESCAPE_LINE);
    return complain(complaint, RPC_METHOD_NOT_FOUND, rpc_kind_name(RPC_KIND_usage),
                    "no method \"%s\"; %s%s%s", shown,
                    word.best != NULL ? "did you mean " : "see: ",
                    word.best != NULL ? word.best : "p2pchatctl rpc", word.best != NULL ? "?" : "");
}

static bool read_call(struct rpc_request *request, struct rpc_complaint *complaint)
{
    const json_t *name = json_object_get(request->message, "method");
    if (!json_is_string(name))
        return complain(complaint, RPC_INVALID_REQUEST, NULL, "\"method\" must be a string");

    const struct rpc_method *method = rpc_method_find(json_string_value(name));
    if (method == NULL)
        return complain_method(complaint, json_string_value(name));
    json_t *params = json_object_get(request->message, "params");
    if (!rpc_method_check(method, params, complaint->text)) {
        complaint->code = RPC_INVALID_PARAMS;
        complaint->kind = rpc_kind_name(RPC_KIND_usage);
        return false;
    }
    request->method = method;
    request->params = params;
    return true;
}

bool rpc_request_read(struct rpc_request *request, struct span line,
                      struct rpc_complaint *complaint)
{
    *request = (struct rpc_request){0};
    return read_object(request, line, complaint) && read_envelope(request, complaint) &&
           read_call(request, complaint);
}

void rpc_request_deinit(struct rpc_request *request)
{
    json_decref(request->message);
    *request = (struct rpc_request){0};
}

json_t *rpc_read(struct span line)
{
    struct rpc_complaint complaint;
    CLEANUP(json_release) json_t *message = parse(line, &complaint);
    return json_is_object(message) ? STEAL(message) : NULL;
}

/* --- building --------------------------------------------------------------------------------- */

static json_t *new_message(void)
{
    json_t *message = json_object();
    rpc_value_set(&message, "jsonrpc", json_string("2.0"));
    return message;
}

static json_t *new_reply(const json_t *id)
{
    json_t *message = new_message();
    rpc_value_set(&message, "id", id != NULL ? json_copy((json_t *)id) : json_null());
    return message;
}

json_t *rpc_call(json_int_t id, const char *method, json_t *params)
{
    json_t *message = new_message();
    rpc_value_set(&message, "id", json_integer(id));
    rpc_value_set(&message, "method", json_string(method));
    if (params != NULL)
        rpc_value_set(&message, "params", params);
    return message;
}

json_t *rpc_reply(const json_t *id, json_t *result)
{
    json_t *message = new_reply(id);
    rpc_value_set(&message, "result", result);
    return message;
}

json_t *rpc_error(const json_t *id, int code, const char *kind, bool retryable, const char *text)
{
    json_t *error = json_object();
    rpc_value_set(&error, "code", json_integer(code));
    rpc_value_set(&error, "message", json_string(text));
    if (kind != NULL) {
        json_t *data = json_object();
        rpc_value_set(&data, "kind", json_string(kind));
        rpc_value_set(&data, "retryable", json_boolean(retryable));
        rpc_value_set(&error, "data", data);
    }
    json_t *message = new_reply(id);
    rpc_value_set(&message, "error", error);
    return message;
}

json_t *rpc_error_of_kind(const json_t *id, enum rpc_kind kind, const char *text)
{
    return rpc_error(id, -rpc_kind_exit_status(kind), rpc_kind_name(kind), rpc_kind_retryable(kind),
                     text);
}

json_t *rpc_notification(const char *method, json_t *params)
{
    json_t *message = new_message();
    rpc_value_set(&message, "method", json_string(method));
    rpc_value_set(&message, "params", params);
    return message;
}

json_t *rpc_event(json_t *params)
{
    return rpc_notification("event", params);
}

/* Where a dump goes, and whether some of it is missing: jansson 2.14 forgets it of a member's name.
 */
struct dump {
    struct bytes *out;
    int error;
};

static int append_dump(const char *text, size_t size, void *context)
{
    struct dump *dump = context;
    if (dump->error == 0)
        dump->error = bytes_append(dump->out, text, size);
    return dump->error;
}

int rpc_dump(struct bytes *out, const json_t *value, size_t flags, char end)
{
    struct dump dump = {.out = out};
    const size_t before = out->size;
    int r = json_dump_callback(value, append_dump, &dump, flags);
    append_dump(&end, 1, &dump);
    if (r == 0 && dump.error == 0)
        return 0;
    out->size = before;
    return -ENOMEM;
}

int rpc_write(struct bytes *out, const json_t *message)
{
    return rpc_dump(out, message, JSON_COMPACT, '\n');
}
