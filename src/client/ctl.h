/* SPDX-License-Identifier: ISC */
/*
 * One run of p2pchatctl: its global options, its streams, its connection, and how it fails.
 *
 * Whatever fails has been told to the user when the function that failed returns, and `status` is
 * what the program exits with.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <sysexits.h>

#include <jansson.h>

#include "rpc/rpc_error.h"
#include "rpc/rpc_value.h"

struct connection;
struct verb;

struct ctl {
    const struct verb *verb;
    char **arguments;   /* those of the command line, ended by NULL; or NULL */
    const char *socket; /* as given with --socket, or NULL */
    bool json;          /* objects instead of text for people, and for errors too */
    bool quiet;         /* no notes, no confirmations */
    int in;             /* where `send` reads */
    FILE *out;
    FILE *err;
    bool terminal; /* `out` is one: text from others is made harmless */
    bool watched;  /* `err` is one: somebody reads advice that is no answer */
    bool advised;  /* of an unverified peer: once is enough */
    int columns;   /* of the terminal; 0: no limit */
    bool colour;
    bool no_pager;
    pid_t pager;                   /* what `out` goes to, or 0 */
    int out_error;                 /* errno of the first failed write to `out` */
    struct connection *connection; /* NULL until ctl_connect() */
    json_int_t last_id;            /* of the last request */
    json_t *events; /* notifications that arrived while a reply was awaited, or NULL */
    int status;
};

enum { CTL_INTERRUPTED = 130 };

void ctl_deinit(struct ctl *ctl);

/* Tells the user what went wrong. Sets and returns ctl->status. */
int ctl_fail(struct ctl *ctl, enum rpc_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for what is no kind of the daemon's. */
int ctl_fail_as(struct ctl *ctl, int status, const char *kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same from the "error" of a reply. */
int ctl_fail_reply(struct ctl *ctl, const json_t *error);

/* The same for the outcome of a connection_*() function that is not 0. */
int ctl_fail_connection(struct ctl *ctl, int outcome);

/* Tells the user something on standard error, unless --quiet. */
void ctl_note(const struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Connects if that has not been done. 0 or ctl->status. */
int ctl_connect(struct ctl *ctl);

/* The same once and without telling: 0 or -errno. */
int ctl_try_connect(struct ctl *ctl);

/*
 * Connects again after the connection was lost, trying until it works (0) or `deadline_ms` on the
 * monotonic clock (CONNECTION_TIMEOUT). Or -ENOMEM. Tells of nothing.
 */
int ctl_reconnect(struct ctl *ctl, uint64_t deadline_ms);

/* Whether a reply's "error" says that the daemon is going down: one to take up with the next one.
 */
bool ctl_stopping(const json_t *error);

/* Sends a request without waiting; takes `params`, sets *id. 0 or as connection_send(). */
int ctl_request(struct ctl *ctl, const char *method, json_t *params, json_int_t *id);

/* The same for one of many, which leaves with others: see connection_queue(). */
int ctl_queue(struct ctl *ctl, const char *method, json_t *params, json_int_t *id);

/* ctl_request() with a descriptor that goes along; it stays the caller's. */
int ctl_request_with(struct ctl *ctl, const char *method, json_t *params, int descriptor,
                     json_int_t *id);

/* Tells of an "error" of a notification, {kind, message}, and sets the status of its kind. */
int ctl_fail_notified(struct ctl *ctl, const json_t *error);

/*
 * Sends a request and waits for its reply, without telling of anything. 0 with a new reference to
 * the whole reply, CONNECTION_LOST or -errno. Notifications that come first are kept in
 * ctl->events. A status has all peers, however many replies that takes.
 */
int ctl_exchange(struct ctl *ctl, const char *method, json_t *params, json_t **reply);
int ctl_exchange_with(struct ctl *ctl, const char *method, json_t *params, int descriptor,
                      json_t **reply);

/*
 * The same for verbs that wait for a daemon that goes away: 0 with a new reference to the result,
 * CONNECTION_LOST (also when it says that it is stopping), or -1 after telling.
 */
int ctl_ask(struct ctl *ctl, const char *method, json_t *params, json_t **result);

/*
 * Calls a method, connecting if need be; takes `params` (NULL is out of memory, as what builds them
 * gives it). A new reference to the result, or NULL after a failure.
 */
json_t *ctl_call(struct ctl *ctl, const char *method, json_t *params);

/* Member `key` of an object, or `missing` when it is not there or no string. */
const char *member_string(const json_t *object, const char *key, const char *missing);

/* The same for an integer; 0 when missing. */
json_int_t member_integer(const json_t *object, const char *key);
