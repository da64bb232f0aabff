/* SPDX-License-Identifier: ISC */
/*
 * JSON-RPC 2.0 messages: strict reading, and building of requests, replies, errors and events.
 *
 * Functions that build return a new reference, or NULL without memory; they steal the references
 * that they are given, also when they fail (NULL in gives NULL out).
 */
#pragma once

#include <jansson.h>

#include "base/bytes.h"
#include "rpc/rpc_error.h"
#include "rpc/rpc_method.h"

enum { RPC_DEPTH_MAX = 16 };

/* A request as far as it could be understood. */
struct rpc_request {
    json_t *message;                 /* owns everything below */
    json_t *id;                      /* NULL: none was given */
    bool notification;               /* strict: wants no reply */
    const struct rpc_method *method; /* when it was understood */
    json_t *params;                  /* an object, or NULL */
};

/* What is wrong with a request, ready for rpc_error(). */
struct rpc_complaint {
    int code;         /* enum rpc_code */
    const char *kind; /* or NULL */
    char text[RPC_COMPLAINT_MAX];
};

/*
 * Understands one line: UTF-8 JSON, one object, no duplicate members, depth at most RPC_DEPTH_MAX,
 * a known method and its parameters. False with a complaint; request->id is set as far as it is
 * known. rpc_request_deinit() either way.
 */
bool rpc_request_read(struct rpc_request *request, struct span line,
                      struct rpc_complaint *complaint);
void rpc_request_deinit(struct rpc_request *request);

/* Reads one line of a server: any JSON object under the same rules; NULL if it is none. */
json_t *rpc_read(struct span line);

/* {"jsonrpc":"2.0","id":…,"method":…,"params":…}; params may be NULL. */
json_t *rpc_call(json_int_t id, const char *method, json_t *params);

/* Replies carry a copy of the request's id (null when it is NULL). */
json_t *rpc_reply(const json_t *id, json_t *result);
json_t *rpc_error(const json_t *id, int code, const char *kind, bool retryable, const char *text);
json_t *rpc_error_of_kind(const json_t *id, enum rpc_kind kind, const char *text);

/* {"jsonrpc":"2.0","method":…,"params":…}: what nobody asked for. An event is one of "event". */
json_t *rpc_notification(const char *method, json_t *params);
json_t *rpc_event(json_t *params);

/* Appends a value as JSON text by jansson's flags, and `end`. 0 or -ENOMEM with `out` unchanged. */
int rpc_dump(struct bytes *out, const json_t *value, size_t flags, char end);

/* Appends the message as one line with its LF. 0 or -ENOMEM. */
int rpc_write(struct bytes *out, const json_t *message);
