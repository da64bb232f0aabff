/* SPDX-License-Identifier: ISC */
/*
 * One run of p2pchatctl. The verbs are in cmd_*.c.
 */
#include "client/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/hint.h"
#include "base/text.h"
#include "client/connection.h"
#include "client/manager.h"
#include "client/peers.h"
#include "client/service.h"
#include "rpc/rpc_message.h"
#include "rpc/rpc_path.h"

void ctl_deinit(struct ctl *ctl)
{
    connection_free(ctl->connection);
    ctl->connection = NULL;
    json_decref(ctl->events);
    ctl->events = NULL;
}

const char *member_string(const json_t *object, const char *key, const char *missing)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : missing;
}

json_int_t member_integer(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* --- failing ---------------------------------------------------------------------------------- */

static void tell_json(const struct ctl *ctl, int status, const char *kind, const char *text)
{
    CLEANUP(json_release)
    json_t *error =
        json_pack("{s:{s:i,s:s,s:s}}", "error", "code", -status, "kind", kind, "message", text);
    if (error == NULL)
        return;
    json_dumpf(error, ctl->err, JSON_COMPACT | JSON_ENSURE_ASCII);
    fputc('\n', ctl->err);
}

/*
 * What people read: commands in it name our socket, and as names and reasons may come from others
 * it is made harmless as a whole. With a NUL. 0 or -ENOMEM.
 */
static int finish_text(const struct ctl *ctl, const char *text, struct bytes *line)
{
    CLEANUP(bytes_deinit) struct bytes named = {0};
    const struct hint_reader reader = manager_reader(ctl->socket);
    int r = hint_append(&named, text, &reader);
    if (r == 0)
        r = escape_append(line, (const char *)named.data, named.size, ESCAPE_LINE);
    return r == 0 ? bytes_append_u8(line, '\0') : r;
}

__attribute__((format(printf, 4, 0))) static int fail(struct ctl *ctl, int status, const char *kind,
                                                      const char *format, va_list arguments)
{
    CLEANUP(cleanup_free) char *text = text_vformat(format, arguments);
    CLEANUP(bytes_deinit) struct bytes line = {0};
    ctl->status = status;
    if (text == NULL || finish_text(ctl, text, &line) != 0) {
        fputs("p2pchatctl: out of memory\n", ctl->err);
    } else if (ctl->json) {
        tell_json(ctl, status, kind, (const char *)line.data);
    } else {
        fprintf(ctl->err, "p2pchatctl: %s\n", (const char *)line.data);
    }
    return status;
}

int ctl_fail(struct ctl *ctl, enum rpc_kind kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail(ctl, rpc_kind_exit_status(kind), rpc_kind_name(kind), format, arguments);
    va_end(arguments);
    return ctl->status;
}

int ctl_fail_as(struct ctl *ctl, int status, const char *kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail(ctl, status, kind, format, arguments);
    va_end(arguments);
    return ctl->status;
}

int ctl_fail_reply(struct ctl *ctl, const json_t *error)
{
    const json_int_t code = member_integer(error, "code");
    enum rpc_kind kind = RPC_KIND_internal;
    int status;
    if (code < 0 && code >= -255)
        status = (int)-code;
    else if (code == RPC_METHOD_NOT_FOUND || code == RPC_INVALID_PARAMS)
        status = rpc_kind_exit_status(kind = RPC_KIND_usage);
    else
        status = rpc_kind_exit_status(kind);
    const char *name = member_string(json_object_get(error, "data"), "kind", rpc_kind_name(kind));
    const char *reason = member_string(error, "message", "the daemon refused without a reason");
    CLEANUP(cleanup_free)
    char *command = strcmp(name, rpc_kind_name(RPC_KIND_not_admin)) == 0
                        ? service_root_command(ctl->arguments, ctl->socket)
                        : NULL;
    return ctl_fail_as(ctl, status, name, "%s%s%s", reason, command != NULL ? ": " : "",
                       command != NULL ? command : "");
}

int ctl_fail_notified(struct ctl *ctl, const json_t *error)
{
    const char *name = member_string(error, "kind", "internal");
    int status = rpc_kind_exit_status(RPC_KIND_internal);
    for (enum rpc_kind kind = 0; kind < RPC_KIND_COUNT; kind++)
        if (strcmp(rpc_kind_name(kind), name) == 0)
            status = rpc_kind_exit_status(kind);
    return ctl_fail_as(ctl, status, name, "%s", member_string(error, "message", "it failed"));
}

int ctl_fail_connection(struct ctl *ctl, int outcome)
{
    if (outcome == -ENOMEM)
        return ctl_fail(ctl, RPC_KIND_internal, "out of memory");
    if (outcome < 0)
        return ctl_fail(ctl, RPC_KIND_internal, "can't wait: %s", strerror(-outcome));
    return ctl_fail_as(ctl, EX_UNAVAILABLE, "unreachable",
                       "the daemon closed the connection before it answered");
}

void ctl_note(const struct ctl *ctl, const char *format, ...)
{
    CLEANUP(bytes_deinit) struct bytes line = {0};
    va_list arguments;
    if (ctl->quiet)
        return;
    va_start(arguments, format);
    CLEANUP(cleanup_free) char *text = text_vformat(format, arguments);
    va_end(arguments);
    if (text != NULL && finish_text(ctl, text, &line) == 0)
        fprintf(ctl->err, "p2pchatctl: %s\n", (const char *)line.data);
}

/* --- connecting ------------------------------------------------------------------------------- */

static int fail_unreachable(struct ctl *ctl, const char *path, int error)
{
    CLEANUP(cleanup_free) char *remedy = service_remedy(path, error);
    return ctl_fail_as(ctl, EX_UNAVAILABLE, "unreachable", "can't reach the daemon at %s: %s (%s)",
                       path, strerror(error), remedy != NULL ? remedy : "out of memory");
}

int ctl_connect(struct ctl *ctl)
{
    if (ctl->connection != NULL)
        return 0;
    CLEANUP(cleanup_free) char *path = rpc_path_find(ctl->socket);
    if (path == NULL)
        return ctl_fail(ctl, RPC_KIND_internal, "out of memory");
    const int r = connection_open(path, &ctl->connection);
    return r == 0 ? 0 : fail_unreachable(ctl, path, -r);
}

int ctl_try_connect(struct ctl *ctl)
{
    CLEANUP(cleanup_free) char *path = rpc_path_find(ctl->socket);
    return path != NULL ? connection_open(path, &ctl->connection) : -ENOMEM;
}

int ctl_reconnect(struct ctl *ctl, uint64_t deadline_ms)
{
    static const struct backoff_plan plan = {.first_ms = 50, .limit_ms = 2000};
    struct backoff backoff = {0};
    ctl_deinit(ctl);
    for (;;) {
        const uint64_t now = clock_monotonic_ms();
        if (now >= deadline_ms)
            return CONNECTION_TIMEOUT;
        /* The process id keeps many followers from coming back in step. */
        const uint32_t wait_ms = backoff_next(&backoff, &plan, (uint32_t)getpid() * 2654435761U);
        poll(NULL, 0, deadline_ms - now < wait_ms ? (int)(deadline_ms - now) : (int)wait_ms);
        const int r = ctl_try_connect(ctl);
        if (r == 0 || r == -ENOMEM)
            return r;
    }
}

bool ctl_stopping(const json_t *error)
{
    const char *kind = member_string(json_object_get(error, "data"), "kind", "");
    return strcmp(kind, rpc_kind_name(RPC_KIND_stopping)) == 0;
}

/* --- calling ---------------------------------------------------------------------------------- */

int ctl_request_with(struct ctl *ctl, const char *method, json_t *params, int descriptor,
                     json_int_t *id)
{
    if (params == NULL)
        return -ENOMEM;
    *id = ++ctl->last_id;
    return connection_send_with(ctl->connection, rpc_call(*id, method, params), descriptor);
}

int ctl_request(struct ctl *ctl, const char *method, json_t *params, json_int_t *id)
{
    return ctl_request_with(ctl, method, params, -1, id);
}

int ctl_queue(struct ctl *ctl, const char *method, json_t *params, json_int_t *id)
{
    if (params == NULL)
        return -ENOMEM;
    *id = ++ctl->last_id;
    return connection_queue(ctl->connection, rpc_call(*id, method, params));
}

/* Keeps what is no reply for those who read events. Takes the reference. */
static int keep_event(struct ctl *ctl, json_t *message)
{
    if (json_object_get(message, "id") != NULL) {
        json_decref(message);
        return 0;
    }
    if (ctl->events == NULL)
        ctl->events = json_array();
    return json_array_append_new(ctl->events, message) == 0 ? 0 : -ENOMEM;
}

/* A request that could not be read is answered without its id. */
static bool answers(const json_t *message, json_int_t id)
{
    const json_t *its_id = json_object_get(message, "id");
    return json_is_null(its_id) || (its_id != NULL && json_integer_value(its_id) == id);
}

int ctl_exchange_with(struct ctl *ctl, const char *method, json_t *params, int descriptor,
                      json_t **reply)
{
    json_t *message;
    json_int_t id;
    int r = ctl_request_with(ctl, method, params, descriptor, &id);
    while (r == 0) {
        r = connection_receive(ctl->connection, NULL, CONNECTION_NEVER, &message);
        if (r == 0 && answers(message, id)) {
            *reply = message;
            return 0;
        }
        if (r == 0)
            r = keep_event(ctl, message);
    }
    return r;
}

/* Adds the peers of a reply of peer.list; *params asks for the next ones, NULL at the end. */
static int add_peers(json_t *peers, const json_t *reply, json_t **params)
{
    const json_t *result = json_object_get(reply, "result");
    json_t *more = json_object_get(result, "peers");
    *params = NULL;
    if (json_array_size(more) == 0)
        return 0;
    if (json_array_extend(peers, more) != 0)
        return -ENOMEM;
    return peers_more(result, params) && *params == NULL ? -ENOMEM : 0;
}

/* A status that has only some of the peers gets the others. */
static int complete(struct ctl *ctl, json_t *reply)
{
    json_t *result = json_object_get(reply, "result");
    json_t *after = json_object_get(result, "peers_after");
    json_t *params = after != NULL ? json_pack("{s:O}", "after", after) : NULL;
    int r = 0;
    while (r == 0 && params != NULL) {
        CLEANUP(json_release) json_t *more = NULL;
        r = ctl_exchange_with(ctl, "peer.list", STEAL(params), -1, &more);
        if (r == 0)
            r = add_peers(json_object_get(result, "peers"), more, &params);
    }
    json_object_del(result, "peers_after");
    return r;
}

int ctl_exchange(struct ctl *ctl, const char *method, json_t *params, json_t **reply)
{
    int r = ctl_exchange_with(ctl, method, params, -1, reply);
    if (r == 0 && (r = complete(ctl, *reply)) != 0)
        json_decref(STEAL(*reply));
    return r;
}

int ctl_ask(struct ctl *ctl, const char *method, json_t *params, json_t **result)
{
    CLEANUP(json_release) json_t *reply = NULL;
    const int outcome = ctl_exchange(ctl, method, params, &reply);
    if (outcome < 0)
        ctl_fail_connection(ctl, outcome);
    if (outcome != 0)
        return outcome < 0 ? -1 : CONNECTION_LOST;
    const json_t *error = json_object_get(reply, "error");
    if (error != NULL && ctl_stopping(error))
        return CONNECTION_LOST;
    if (error != NULL) {
        ctl_fail_reply(ctl, error);
        return -1;
    }
    *result = json_incref(json_object_get(reply, "result"));
    return 0;
}

json_t *ctl_call(struct ctl *ctl, const char *method, json_t *params)
{
    CLEANUP(json_release) json_t *reply = NULL;
    if (ctl_connect(ctl) != 0) {
        json_decref(params);
        return NULL;
    }
    const int r = ctl_exchange(ctl, method, params, &reply);
    if (r != 0) {
        ctl_fail_connection(ctl, r);
        return NULL;
    }
    json_t *value = json_object_get(reply, "result");
    if (value == NULL)
        ctl_fail_reply(ctl, json_object_get(reply, "error"));
    return json_incref(value);
}
