/* SPDX-License-Identifier: ISC */
/*
 * Followers.
 */
#include "daemon/control_follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "daemon/control_client.h"
#include "daemon/control_event.h"
#include "daemon/control_view.h"
#include "rpc/rpc_value.h"
#include "store/consumers.h"

enum {
    FOLLOWER_WALK_MAX = 1000, /* events looked at in one turn, wanted or not */
};

struct follower {
    struct list node;
    struct control_client *client;
    unsigned sub;
    int64_t cursor;                /* seq of the last event sent or skipped */
    int64_t common, parted;        /* it was told of events between, which never happened here */
    unsigned types;                /* bit set of the kinds it wants */
    int64_t peers[CALL_PEERS_MAX]; /* ids of the peers it wants; none: all */
    unsigned peer_count;
    char consumer[CONSUMER_NAME_MAX]; /* whose position the store keeps; "" for nobody */
    bool taken_over;   /* another follower has its consumer now: it is to be told and ended */
    bool live;         /* goes on after the backlog */
    bool finished;     /* was sent all that it wanted; stays to be acknowledged */
    bool caught_up;    /* follow.live was sent */
    bool presence_due; /* a change of presence did not fit */
};

static bool wants_peer(const struct follower *follower, int64_t peer)
{
    if (follower->peer_count == 0 || peer == 0)
        return true;
    for (unsigned i = 0; i < follower->peer_count; i++)
        if (follower->peers[i] == peer)
            return true;
    return false;
}

static bool wants(const struct follower *follower, unsigned type, int64_t peer)
{
    return type < TYPE_COUNT && (follower->types & 1u << type) != 0 && wants_peer(follower, peer);
}

static unsigned type_of(const struct event_row *event)
{
    const bool message = event->message != NULL;
    return control_event_type(event->type, message ? event->message->kind : MESSAGE_TEXT);
}

static void follower_free(struct follower *follower)
{
    list_remove(&follower->node);
    follower->client->follower_count--;
    free(follower);
}

static bool has_room(const struct follower *follower)
{
    return stream_unsent(follower->client->stream) < CONTROL_OUTPUT_MAX;
}

/* Whether it is told of what is not stored. */
static bool is_live(const struct follower *follower)
{
    return follower->caught_up && !follower->finished;
}

static void send(struct follower *follower, json_t *params)
{
    control_client_send(follower->client, rpc_event(params));
}

/* --- the backlog and what follows it ---------------------------------------------------------- */

/* An event about following itself, at the position of the follower. */
static json_t *make_note(const struct follower *follower, const char *type)
{
    json_t *params =
        control_view_passing_event(follower->client->control->node, follower->sub, type, NULL);
    rpc_value_set(&params, "seq", json_integer(follower->cursor));
    return params;
}

/* Goes to `cursor`, and tells that the events between were not seen. */
static void send_gap(struct follower *follower, int64_t from, int64_t to, int64_t cursor,
                     const char *reason)
{
    follower->cursor = cursor;
    json_t *params = make_note(follower, "follow.gap");
    rpc_value_set(&params, "from", json_integer(from));
    rpc_value_set(&params, "to", json_integer(to));
    rpc_value_set(&params, "reason", json_string(reason));
    send(follower, params);
}

/* Seqs have no holes but those of what was removed: so nothing is left out in silence. */
static void skip_to(struct follower *follower, int64_t seq)
{
    if (follower->cursor < seq)
        send_gap(follower, follower->cursor + 1, seq, seq, "removed");
}

/* One walk through the events. */
struct walk {
    struct follower *follower;
    unsigned events;
    bool unfinished;
};

static int send_event(void *context, const struct event_row *event)
{
    struct walk *walk = context;
    struct follower *follower = walk->follower;
    if (!has_room(follower) || walk->events == FOLLOWER_WALK_MAX) {
        walk->unfinished = true;
        return 1;
    }
    walk->events++;
    skip_to(follower, event->seq - 1);
    if (wants(follower, type_of(event), event->peer))
        send(follower, control_view_event(follower->client->control->node, follower->sub, event));
    follower->cursor = event->seq;
    return 0;
}

/* Sends what there is. Whether that was all. */
static bool catch_up(struct follower *follower)
{
    struct control *control = follower->client->control;
    struct db *db = node_db(control->node);
    struct walk walk = {.follower = follower};
    const int64_t last = events_last(db);
    if (follower->cursor > last) /* the store was restored from a backup */
        send_gap(follower, last + 1, follower->cursor, last, "restored");
    else if (follower->parted > 0)
        send_gap(follower, follower->common + 1, follower->parted, follower->cursor, "restored");
    follower->parted = 0;
    if (follower->cursor < last && events_each(db, follower->cursor, send_event, &walk) < 0)
        return false;
    if (walk.unfinished && has_room(follower))
        loop_wake(control->loop);
    if (walk.unfinished)
        return false;
    skip_to(follower, last);
    return has_room(follower);
}

static void send_passing(struct follower *follower, unsigned type, const struct peer *peer)
{
    if (wants(follower, type, peer != NULL ? peer->row.id : 0))
        send(follower, control_view_passing_event(follower->client->control->node, follower->sub,
                                                  control_event_name(type), peer));
}

static void send_presence(struct follower *follower, const struct peer *peer)
{
    send_passing(follower, peer->state == PEER_ONLINE ? TYPE_ONLINE : TYPE_OFFLINE, peer);
}

static void send_live(struct follower *follower)
{
    send(follower, make_note(follower, "follow.live"));
    follower->caught_up = true;
}

/* That was all; but a consumer has yet to acknowledge it. */
static void finish(struct follower *follower)
{
    if (follower->consumer[0] != '\0')
        follower->finished = true;
    else
        follower_free(follower);
}

static void pump(struct follower *follower)
{
    if (follower->taken_over) {
        send(follower, make_note(follower, "follow.taken_over"));
        follower_free(follower);
        return;
    }
    if (follower->finished || !catch_up(follower))
        return;
    if (!follower->caught_up)
        send_live(follower);
    if (!follower->live) {
        finish(follower);
        return;
    }
    if (follower->presence_due) {
        follower->presence_due = false;
        roster_each (peer, node_roster(follower->client->control->node))
            send_presence(follower, peer);
    }
}

void control_follow_pump(struct control_client *client)
{
    list_for_each_safe (node, &client->followers)
        pump(container_of(node, struct follower, node));
}

void control_follow_presence(struct control_client *client, const struct peer *peer)
{
    list_for_each (node, &client->followers) {
        struct follower *follower = container_of(node, struct follower, node);
        if (!is_live(follower))
            continue;
        if (has_room(follower))
            send_presence(follower, peer);
        else
            follower->presence_due = true;
    }
}

void control_follow_merged(struct control_client *client, const struct peer *peer, int64_t former)
{
    list_for_each (node, &client->followers) {
        struct follower *follower = container_of(node, struct follower, node);
        for (unsigned i = 0; i < follower->peer_count; i++)
            if (follower->peers[i] == former) {
                follower->peers[i] = peer->row.id;
                follower->presence_due = true;
            }
    }
}

void control_follow_request(struct control_client *client, const struct pending_key *request)
{
    const struct node *node_here = client->control->node;
    list_for_each (node, &client->followers) {
        struct follower *follower = container_of(node, struct follower, node);
        if (!is_live(follower) || !has_room(follower) || !wants(follower, TYPE_REQUEST, 0))
            continue; /* the list of requests has it, too */
        json_t *params = control_view_passing_event(node_here, follower->sub,
                                                    control_event_name(TYPE_REQUEST), NULL);
        rpc_value_set(&params, "fingerprint", control_view_fingerprint(request->fingerprint.bytes));
        rpc_value_set(&params, "request", control_view_request(node_here, request));
        send(follower, params);
    }
}

void control_follow_stopping(struct control_client *client)
{
    list_for_each (node, &client->followers)
        send_passing(container_of(node, struct follower, node), TYPE_STOPPING, NULL);
}

void control_follow_forget(struct control_client *client)
{
    list_for_each_safe (node, &client->followers)
        follower_free(container_of(node, struct follower, node));
}

void control_follow_view(const struct control_client *client, json_t **list)
{
    int64_t last = events_last(node_db(client->control->node));
    list_for_each (node, &client->followers) {
        const struct follower *follower = container_of(node, struct follower, node);
        json_t *view = json_pack("{s:i, s:I}", "sub", (int)follower->sub, "lag",
                                 (json_int_t)(last - follower->cursor));
        if (follower->consumer[0] != '\0')
            rpc_value_set(&view, "consumer", json_string(follower->consumer));
        rpc_value_append(list, view);
    }
}

/* The follower that has a consumer; NULL if nobody reads for it. */
static struct follower *find_reader(const struct control *control, const char *consumer)
{
    list_for_each (client_node, &control->clients) {
        struct control_client *client = container_of(client_node, struct control_client, node);
        list_for_each (node, &client->followers) {
            struct follower *follower = container_of(node, struct follower, node);
            if (strcmp(follower->consumer, consumer) == 0)
                return follower;
        }
    }
    return NULL;
}

struct consumer_listing {
    const struct control *control;
    json_t *list;
};

static int view_consumer(void *context, const struct consumer_row *row)
{
    struct consumer_listing *listing = context;
    const int64_t last = events_last(node_db(listing->control->node));
    rpc_value_append(&listing->list,
                     json_pack("{s:s, s:I, s:I, s:b, s:o}", "name", row->name, "seq",
                               (json_int_t)row->seq, "lag",
                               (json_int_t)(last > row->seq ? last - row->seq : 0), "active",
                               find_reader(listing->control, row->name) != NULL, "used",
                               control_view_time(row->used_ms)));
    return 0;
}

json_t *control_follow_consumers(const struct control *control)
{
    struct consumer_listing listing = {control, json_array()};
    consumers_each(node_db(control->node), view_consumer, &listing);
    return listing.list;
}

/* --- the methods ------------------------------------------------------------------------------ */

/* `peers` are as many as follower->peer_count says. */
static bool read_peers(struct control_call *call, struct follower *follower,
                       struct peer *peers[static CALL_PEERS_MAX])
{
    if (!control_call_peers(call, peers, &follower->peer_count))
        return false;
    for (unsigned i = 0; i < follower->peer_count; i++)
        follower->peers[i] = peers[i]->row.id;
    return true;
}

static bool is_wanted(void *context, enum event_type type, enum message_kind kind, int64_t peer)
{
    return wants(context, control_event_type(type, kind), peer);
}

/* Where the newest events begin that it wants; messages alone are found by an index. */
static int find_tail(struct db *db, struct follower *follower, int64_t lines)
{
    const unsigned count = lines < UINT32_MAX ? (unsigned)lines : UINT32_MAX;
    if (follower->types == 1u << EVENT_MESSAGE_RECEIVED && follower->peer_count <= 1)
        return events_tail(db, follower->peers[0], count, &follower->cursor);
    return events_tail_of(db, is_wanted, follower, count, &follower->cursor);
}

/* The start: `after`, the newest `lines` events that are wanted, `since` a time, or now. */
static bool read_start(struct control_call *call, struct follower *follower)
{
    struct db *db = node_db(call->node);
    const char *since = control_call_string(call, "since");
    int64_t lines = control_call_integer(call, "lines", -1);
    uint64_t since_ms;
    int r = 0;
    follower->cursor = control_call_position(call, events_last(db), &follower->parted);
    follower->common = follower->cursor;
    if (since != NULL && timestamp_parse(since, &since_ms) < 0) {
        control_call_fail(call, RPC_KIND_usage, "'%.60s' is not a time", since);
        return false;
    }
    if (since != NULL)
        r = events_since(db, since_ms, &follower->cursor);
    else if (lines >= 0)
        r = find_tail(db, follower, lines);
    if (r < 0)
        control_call_outcome(call, r, NULL);
    return r == 0;
}

/* Where the consumer stands: it goes on there, or begins where the call says. */
static bool read_consumer(struct control_call *call, struct follower *follower)
{
    struct db *db = node_db(call->node);
    const char *name = control_call_string(call, "consumer");
    if (name == NULL)
        return true;
    if (name[0] == '\0' || strlen(name) >= CONSUMER_NAME_MAX) {
        control_call_fail(call, RPC_KIND_usage, "a consumer's name has 1 to %d bytes",
                          CONSUMER_NAME_MAX - 1);
        return false;
    }
    int r = consumers_find(db, name, &follower->cursor);
    const struct consumer_row row = {name, follower->cursor, loop_wall(call->control->loop)};
    if (r == 0 || r == DB_NOT_FOUND)
        r = consumers_set(db, &row);
    if (r != 0) {
        control_call_outcome(call, outcome_of_store(r), name);
        return false;
    }
    snprintf(follower->consumer, sizeof follower->consumer, "%s", name);
    return true;
}

/* A consumer has one reader: the last one to come, for the one before may hang. */
static void take_over(const struct control *control, const char *consumer)
{
    struct follower *before = consumer[0] != '\0' ? find_reader(control, consumer) : NULL;
    if (before == NULL)
        return;
    before->consumer[0] = '\0';
    before->taken_over = true;
    loop_wake(control->loop);
}

enum control_answer control_follow(struct control_call *call)
{
    struct control_client *client = call->client;
    const json_t *live = json_object_get(call->params, "live");
    struct peer *peers[CALL_PEERS_MAX];
    if (client->follower_count == CONTROL_FOLLOWERS_MAX)
        return control_call_fail(call, RPC_KIND_rate_limited,
                                 "too many followers on one connection");
    struct follower *follower = calloc(1, sizeof *follower);
    if (follower == NULL)
        return control_call_done(call, NULL);
    if (!control_event_types(call, &follower->types) || !read_peers(call, follower, peers) ||
        !read_start(call, follower) || !read_consumer(call, follower)) {
        free(follower);
        return CALL_FAILED;
    }
    take_over(call->control, follower->consumer);
    follower->client = client;
    follower->live = live == NULL || json_is_true(live);
    follower->sub = ++client->last_sub;
    list_append(&client->followers, &follower->node);
    client->follower_count++;
    return control_call_done(call,
                             json_pack("{s:i, s:I, s:o}", "sub", (int)follower->sub, "from",
                                       (json_int_t)follower->cursor, "peers",
                                       control_view_named_peers(peers, follower->peer_count)));
}

/* The subscription that the call is about. NULL: call->kind and text say why not. */
static struct follower *find_subscription(struct control_call *call)
{
    const int64_t sub = control_call_integer(call, "sub", 0);
    list_for_each (node, &call->client->followers) {
        struct follower *follower = container_of(node, struct follower, node);
        if (follower->sub == sub)
            return follower;
    }
    control_call_fail(call, RPC_KIND_usage, "there is no subscription %lld", (long long)sub);
    return NULL;
}

enum control_answer control_follow_ack(struct control_call *call)
{
    const struct follower *follower = find_subscription(call);
    if (follower == NULL)
        return CALL_FAILED;
    const struct consumer_row row = {follower->consumer, control_call_integer(call, "seq", 0),
                                     loop_wall(call->control->loop)};
    if (follower->consumer[0] == '\0')
        return control_call_fail(call, RPC_KIND_usage, "this subscription has no consumer");
    if (row.seq > follower->cursor)
        return control_call_fail(call, RPC_KIND_usage, "event %lld was not sent yet",
                                 (long long)row.seq);
    int r = consumers_set(node_db(call->node), &row);
    if (r != 0)
        return control_call_outcome(call, outcome_of_store(r), row.name);
    return control_call_done(call, json_object());
}

enum control_answer control_follow_stop(struct control_call *call)
{
    struct follower *follower = find_subscription(call);
    int r = 0;
    if (follower == NULL)
        return CALL_FAILED;
    if (follower->consumer[0] != '\0' && json_is_true(json_object_get(call->params, "forget")))
        r = consumers_remove(node_db(call->node), follower->consumer);
    if (r < 0 || r == DB_FULL)
        return control_call_outcome(call, outcome_of_store(r), follower->consumer);
    follower_free(follower);
    return control_call_done(call, json_object());
}
