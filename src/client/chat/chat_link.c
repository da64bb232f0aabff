/* SPDX-License-Identifier: ISC */
/*
 * A chat's side of the daemon.
 */
#include "client/chat/chat_link.h"

#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "client/connection.h"
#include "client/whom.h"

/* Follows on a new connection: from the cursor, or from now when there is none. */
static int subscribe(struct chat_link *link)
{
    CLEANUP(json_release) json_t *hello = NULL, *followed = NULL, *names = NULL, *params = NULL;
    CLEANUP(json_release) json_t *peers = json_pack("[O]", link->peer);
    int r = ctl_ask(link->ctl, "hello", json_object(), &hello);
    if (r == 0 && (r = whom_now(link->ctl, peers, &names)) < 0)
        ctl_fail_connection(link->ctl, r);
    if (r != 0)
        return r;
    params = json_pack("{s:O,s:[s,s,s,s,s,s,s,s]}", "peers", names, "types", "message.received",
                       "message.sent", "message.state", "peer.online", "peer.offline",
                       "peer.key_changed", "peer.trust", "daemon.stopping");
    if (link->past != NULL) {
        json_object_set_new(params, "after", json_integer(link->cursor));
        json_object_set(params, "past", link->past);
    }
    json_decref(link->past);
    link->past = json_incref(json_object_get(hello, "past"));
    r = ctl_ask(link->ctl, "follow", json_incref(params), &followed);
    if (r == 0)
        link->cursor = member_integer(followed, "from");
    return r;
}

int chat_link_init(struct chat_link *link, struct ctl *ctl, json_t *peer)
{
    *link =
        (struct chat_link){.ctl = ctl, .peer = json_incref(peer), .deadline_ms = CONNECTION_NEVER};
    if (ctl_connect(ctl) != 0)
        return ctl->status;
    const int r = subscribe(link);
    if (r == CONNECTION_LOST)
        ctl_fail_connection(ctl, r);
    return r == 0 ? 0 : ctl->status;
}

void chat_link_deinit(struct chat_link *link)
{
    json_decref(link->past);
    json_decref(link->peer);
    link->past = link->peer = NULL;
}

const char *chat_link_name(const struct chat_link *link)
{
    return member_string(link->peer, "name", "?");
}

const char *chat_link_who(const struct chat_link *link)
{
    return member_string(link->peer, "fingerprint", chat_link_name(link));
}

void chat_link_learn(struct chat_link *link, json_t *peer)
{
    json_incref(peer);
    json_decref(link->peer);
    link->peer = peer;
}

bool chat_link_connected(const struct chat_link *link)
{
    return link->ctl->connection != NULL;
}

/* Gives up the connection; the next try is after a growing while. */
static void lose(struct chat_link *link)
{
    static const struct backoff_plan plan = {.first_ms = 50, .limit_ms = 2000};
    ctl_deinit(link->ctl);
    link->retry_ms = clock_monotonic_ms() +
                     backoff_next(&link->backoff, &plan, (uint32_t)getpid() * 2654435761U);
}

bool chat_link_ask(struct chat_link *link, const char *method, json_t *params, json_int_t *id)
{
    if (!chat_link_connected(link)) {
        json_decref(params);
        return false;
    }
    /* If it is lost, the next wait will see it. */
    return ctl_request(link->ctl, method, params, id) == 0;
}

static int reconnect(struct chat_link *link)
{
    int r = ctl_try_connect(link->ctl) == 0 ? subscribe(link) : CONNECTION_LOST;
    if (r == CONNECTION_LOST) {
        lose(link);
        return 0;
    }
    backoff_reset(&link->backoff);
    return r == 0 ? CHAT_LINK_BACK : -1;
}

/* Waits for typing until it is time to try again. 0: keep waiting. */
static int wait_for_daemon(struct chat_link *link, struct pollfd *typed)
{
    const uint64_t now = clock_monotonic_ms();
    if (now >= link->retry_ms)
        return reconnect(link);
    return poll(typed, 1, (int)(link->retry_ms - now)) > 0 ? CHAT_LINK_TYPED : 0;
}

/* Takes what came while a reply was awaited, else what comes next. As connection_receive(). */
static int receive(struct ctl *ctl, struct pollfd *typed, uint64_t deadline_ms, json_t **message)
{
    if (json_array_size(ctl->events) == 0)
        return connection_receive(ctl->connection, typed, deadline_ms, message);
    *message = json_incref(json_array_get(ctl->events, 0));
    json_array_remove(ctl->events, 0);
    return 0;
}

int chat_link_next(struct chat_link *link, struct pollfd *typed, json_t **message)
{
    while (!chat_link_connected(link)) {
        const int r = wait_for_daemon(link, typed);
        if (r != 0)
            return r;
    }
    const int r = receive(link->ctl, typed, link->deadline_ms, message);
    if (r == CONNECTION_OTHER)
        return CHAT_LINK_TYPED;
    if (r < 0)
        return ctl_fail_connection(link->ctl, r), -1;
    if (r != 0) {
        lose(link);
        return CHAT_LINK_LOST;
    }
    const json_int_t seq = member_integer(json_object_get(*message, "params"), "seq");
    if (seq > link->cursor)
        link->cursor = seq;
    return 0;
}
