/* SPDX-License-Identifier: ISC */
/*
 * Events of the daemon from a position on. The position is kept here; the daemon forgets it with
 * the connection.
 */
#include "client/follower.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "client/connection.h"
#include "client/whom.h"

/* From here on the cursor says where to begin, in whatever store the daemon has by now. */
static int set_beginning(const struct follower *follower)
{
    const struct cursor *cursor = &follower->cursor;
    int r = json_object_set_new(follower->params, "after", json_integer(cursor->seq));
    if (r == 0 && cursor->past[0] != '\0')
        r = json_object_set_new(follower->params, "past", json_string(cursor->past));
    return r == 0 ? 0 : (ctl_fail_connection(follower->ctl, -ENOMEM), -1);
}

/*
 * Where the daemon begins. A consumer begins anew at what it has acknowledged, and was shown more.
 */
static void take_beginning(struct follower *follower, bool again, const char *past, json_int_t from)
{
    struct cursor *cursor = &follower->cursor;
    snprintf(cursor->past, sizeof cursor->past, "%s", past);
    if (!again || json_object_get(follower->params, "consumer") == NULL)
        cursor->seq = from;
}

/* Asks for the peers by the names that they have now. 0, CONNECTION_LOST, or -1 after telling. */
static int rename_peers(struct follower *follower)
{
    json_t *names;
    if (json_array_size(follower->peers) == 0)
        return 0;
    int r = whom_now(follower->ctl, follower->peers, &names);
    if (r == 0 && json_object_set_new(follower->params, "peers", names) != 0)
        r = -ENOMEM;
    if (r < 0)
        return ctl_fail_connection(follower->ctl, r), -1;
    return r;
}

/* 0, CONNECTION_LOST, or -1 after telling. */
static int subscribe(struct follower *follower, bool again)
{
    CLEANUP(json_release) json_t *hello = NULL, *followed = NULL;
    int r = ctl_ask(follower->ctl, "hello", json_object(), &hello);
    if (r != 0)
        return r;
    if (again && set_beginning(follower) != 0)
        return -1;
    r = rename_peers(follower);
    if (r == 0)
        r = ctl_ask(follower->ctl, "follow", json_incref(follower->params), &followed);
    if (r != 0)
        return r;
    follower->sub = member_integer(followed, "sub");
    json_decref(follower->peers);
    follower->peers = json_incref(json_object_get(followed, "peers"));
    take_beginning(follower, again, member_string(hello, "past", ""),
                   member_integer(followed, "from"));
    return 0;
}

/* From here on the cursor says where to begin. */
static void forget_beginning(json_t *params)
{
    json_object_del(params, "lines");
    json_object_del(params, "since");
}

/* Waits for the daemon and subscribes: at the beginning, or `again` where it had come to. */
static int resume(struct follower *follower, bool again, uint64_t deadline_ms)
{
    int r;
    if (clock_monotonic_ms() >= deadline_ms)
        return FOLLOWER_TIMEOUT; /* only a look at what has come: the next call finds it lost, too
                                  */
    if (follower->ctl->connection != NULL) /* else that was said, and waited for, before */
        ctl_note(follower->ctl, "lost the connection to the daemon, waiting for it");
    do {
        r = ctl_reconnect(follower->ctl, deadline_ms);
        if (r == CONNECTION_TIMEOUT)
            return FOLLOWER_TIMEOUT;
        if (r < 0)
            return ctl_fail_connection(follower->ctl, r), -1;
        r = subscribe(follower, again);
    } while (r == CONNECTION_LOST);
    return r == 0 ? FOLLOWER_RESUMED : -1;
}

int follower_init(struct follower *follower, struct ctl *ctl, json_t *params,
                  const struct cursor *cursor, uint64_t deadline_ms)
{
    *follower = (struct follower){.ctl = ctl, .params = params};
    if (params == NULL)
        return ctl_fail_connection(ctl, -ENOMEM), -1;
    if (cursor != NULL) {
        follower->cursor = *cursor;
        forget_beginning(params);
    }
    if (ctl_connect(ctl) != 0)
        return -1;
    int r = subscribe(follower, cursor != NULL);
    if (r == CONNECTION_LOST)
        r = resume(follower, cursor != NULL, deadline_ms);
    forget_beginning(params);
    return r == FOLLOWER_RESUMED ? 0 : r;
}

void follower_deinit(struct follower *follower)
{
    json_decref(follower->params);
    json_decref(follower->peers);
    follower->params = follower->peers = NULL;
}

/* The next message of any kind. 0, a connection_outcome or -errno. */
static int receive(const struct follower *follower, uint64_t deadline_ms, json_t **message)
{
    struct ctl *ctl = follower->ctl;
    /* No events are asked for: only that the reader of a pipe is gone. */
    struct pollfd out = {.fd = fileno(ctl->out)};
    if (json_array_size(ctl->events) > 0) {
        *message = json_incref(json_array_get(ctl->events, 0));
        json_array_remove(ctl->events, 0);
        return 0;
    }
    if (ctl->connection == NULL)
        return CONNECTION_LOST;
    return connection_receive(ctl->connection, follower->for_output ? &out : NULL, deadline_ms,
                              message);
}

/*
 * Moves the cursor. False for an event that was handed out before: a consumer's stream begins anew
 * at what it has acknowledged.
 */
static bool note_position(struct follower *follower, const json_t *event)
{
    const json_int_t seq = member_integer(event, "seq");
    const bool about_following = strncmp(member_string(event, "type", ""), "follow.", 7) == 0;
    const bool restored = strcmp(member_string(event, "reason", ""), "restored") == 0;
    if (seq == 0)
        return true; /* not stored */
    if (seq <= follower->cursor.seq && !about_following)
        return json_object_get(follower->params, "consumer") == NULL;
    if (seq > follower->cursor.seq || (about_following && restored))
        follower->cursor.seq = seq;
    return true;
}

int follower_next(struct follower *follower, uint64_t deadline_ms, json_t **event)
{
    for (;;) {
        CLEANUP(json_release) json_t *message = NULL;
        const int r = receive(follower, deadline_ms, &message);
        if (r == CONNECTION_TIMEOUT)
            return FOLLOWER_TIMEOUT;
        if (r == CONNECTION_OTHER)
            return FOLLOWER_UNWANTED;
        if (r == CONNECTION_LOST)
            return resume(follower, true, deadline_ms);
        if (r < 0)
            return ctl_fail_connection(follower->ctl, r), -1;

        json_t *params = json_object_get(message, "params");
        if (params == NULL || !note_position(follower, params))
            continue;
        *event = json_incref(params);
        return 0;
    }
}

int follower_acknowledge(struct follower *follower)
{
    CLEANUP(json_release) json_t *result = NULL;
    return ctl_ask(follower->ctl, "follow.ack",
                   json_pack("{s:I, s:I}", "sub", follower->sub, "seq", follower->cursor.seq),
                   &result) < 0
               ? -1
               : 0;
}
