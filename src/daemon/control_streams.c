/* SPDX-License-Identifier: ISC */
/*
 * The methods stream.* and service.*, and the notifications "stream".
 */
#define LOG_COMPONENT "control"
#include "daemon/control_streams.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/control_call.h"
#include "daemon/control_client.h"

enum { OPEN_TIMEOUT_MS = 30000 };

/* A stream that somebody here opened or provides. */
struct control_stream {
    struct list node; /* in control->streams */
    struct control *control;
    uint64_t number; /* what clients call it */
    struct channel *channel;
    struct control_client *client; /* who opened or provides it; NULL: it has gone */
    uid_t uid;
    bool incoming;
    bool accepted;
    bool opening;         /* the call that opens it waits for its answer: */
    json_t *id;           /* its id */
    bool silent;          /* it was a notification */
    struct timer *timer;  /* until it is given up */
    uint64_t detached_ms; /* 0: it has a lane */
};

static struct control_stream *stream_at(struct list *node)
{
    return container_of(node, struct control_stream, node);
}

static void entry_free(struct control_stream *entry)
{
    list_remove(&entry->node);
    timer_free(entry->timer);
    json_decref(entry->id);
    free(entry);
}

static struct control_stream *entry_new(struct control_client *client)
{
    struct control_stream *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->control = client->control;
    entry->number = ++client->control->last_stream;
    entry->client = client;
    entry->uid = stream_user(client->stream);
    list_append(&client->control->streams, &entry->node);
    return entry;
}

/*
 * Whether this client's user may have one more stream, which the node has `counted` already or not;
 * whoever administers may.
 */
static bool has_share(const struct control_client *client, bool counted)
{
    const uid_t uid = stream_user(client->stream);
    unsigned own = 0;
    list_for_each (node, &client->control->streams)
        own += stream_at(node)->uid == uid;
    return client->admin || streams_share(node_streams(client->control->node), own, counted);
}

/* --- telling ---------------------------------------------------------------------------------- */

/* What people call a peer that may be none any more. */
static const char *peer_name(const struct peer *peer)
{
    return peer != NULL ? peer->row.name : "a former peer";
}

static const char *direction(const struct channel *channel)
{
    return channel->opener ? "out" : "in";
}

/* Why a stream ended that did not end well: a kind and a text for people. */
static enum rpc_kind explain(const struct channel *channel, const struct stream_news *news,
                             char *text, size_t size)
{
    const char *name = peer_name(news->peer);
    switch (news->end->code) {
    case LANE_NO_SERVICE:
        snprintf(text, size, "%s has no service %s for us", name, channel->service);
        return RPC_KIND_no_service;
    case LANE_BUSY:
        snprintf(text, size, "%s has too many streams now; try again later", name);
        return RPC_KIND_busy;
    case LANE_CANCELLED:
        snprintf(text, size, "the stream was closed%s", news->end->by_peer ? " over there" : "");
        return RPC_KIND_cancelled;
    case LANE_LOST:
        snprintf(text, size, "the connection to %s was lost for too long, or one side restarted",
                 name);
        return RPC_KIND_lost;
    case LANE_TIMEOUT:
        snprintf(text, size, "nobody at %s took the stream in time", name);
        return RPC_KIND_timeout;
    case LANE_REFUSED:
        snprintf(text, size, "%s does not trust us any more", name);
        return RPC_KIND_rejected;
    default:
        snprintf(text, size, "the program or connection behind %s failed", channel->service);
        return RPC_KIND_service_failed;
    }
}

static json_t *view_error(enum rpc_kind kind, const char *text)
{
    return json_pack("{s:s,s:s}", "kind", rpc_kind_name(kind), "message", text);
}

/* Adds how it ended to a notification. */
static void add_end(json_t *params, const struct channel *channel, const struct stream_news *news)
{
    const struct channel_exit *exit = &channel->exit;
    char text[512];
    json_object_set_new(params, "sent", json_integer((json_int_t)channel->out_sent));
    json_object_set_new(params, "received", json_integer((json_int_t)channel_received(channel)));
    if (!news->end->well) {
        enum rpc_kind kind = explain(channel, news, text, sizeof text);
        json_object_set_new(params, "error", view_error(kind, text));
    } else if (exit->known && exit->kind == LANE_EXIT_STATUS) {
        json_object_set_new(params, "status", json_integer(exit->value));
    } else if (exit->known && exit->kind == LANE_EXIT_SIGNAL) {
        json_object_set_new(params, "signal", json_integer(exit->value));
    } else if (exit->known) {
        json_object_set_new(
            params, "error",
            view_error(RPC_KIND_service_failed, "the program over there ended nobody knows how"));
    }
}

/* Tells the client about its stream. */
static void notify(const struct control_stream *entry, const char *type, json_t *params)
{
    json_object_set_new(params, "stream", json_integer((json_int_t)entry->number));
    json_object_set_new(params, "type", json_string(type));
    if (entry->client != NULL)
        control_client_notify(entry->client, rpc_notification("stream", params));
    else
        json_decref(params);
}

/* Answers the call that opens it. Takes the message. */
static void answer(struct control_stream *entry, json_t *message)
{
    entry->opening = false;
    timer_disarm(entry->timer);
    if (entry->client != NULL) {
        entry->client->wait_count--;
        if (!entry->silent) {
            control_client_reply(entry->client, entry->id, message);
            return;
        }
    }
    json_decref(message);
}

/* --- what happens ----------------------------------------------------------------------------- */

static void on_incoming(struct control *control, const struct stream_news *news)
{
    char key[FINGERPRINT_TEXT_MAX];
    struct control_client *server = news->service->server;
    struct control_stream *entry = has_share(server, true) ? entry_new(server) : NULL;
    if (entry == NULL) {
        channels_reset(news->channel, LANE_BUSY);
        return;
    }
    (void)control;
    entry->incoming = true;
    entry->channel = news->channel;
    news->channel->owner = entry;
    fingerprint_format(link_fingerprint(news->peer->link), key);
    notify(entry, "incoming",
           json_pack("{s:s,s:s,s:s,s:s}", "service", news->service->name, "peer",
                     news->peer->row.name, "fingerprint", key, "trust",
                     trust_name(peer_trust(news->peer))));
    if (news->service->terms.once)
        news->service->server = NULL;
}

static void on_opened(struct control_stream *entry, const struct stream_news *news)
{
    log_event(LOG_LEVEL_INFO, "stream-opened", peer_name(news->peer), "stream to %s opened",
              entry->channel->service);
    answer(entry, rpc_reply(entry->id, json_pack("{s:I,s:s}", "stream", (json_int_t)entry->number,
                                                 "peer", peer_name(news->peer))));
}

static void on_ended(struct control_stream *entry, const struct stream_news *news)
{
    char text[512];
    enum rpc_kind kind;
    const struct channel *channel = entry->channel;
    if (entry->opening) {
        kind = explain(channel, news, text, sizeof text);
        answer(entry, rpc_error_of_kind(entry->id, kind, text));
        entry_free(entry);
        return;
    }
    log_event(LOG_LEVEL_INFO, "stream-ended", peer_name(news->peer), "stream %s %s ended",
              channel->opener ? "to" : "of", channel->service);
    json_t *params = json_object();
    add_end(params, channel, news);
    notify(entry, "ended", params);
    entry_free(entry);
}

void control_stream_news(void *context, const struct stream_news *news)
{
    struct control *control = context;
    struct control_stream *entry = news->channel->owner;
    switch (news->type) {
    case STREAM_INCOMING:
        on_incoming(control, news);
        break;
    case STREAM_OPENED:
        on_opened(entry, news);
        break;
    case STREAM_DETACHED:
        entry->detached_ms = loop_now(control->loop);
        notify(entry, "detached", json_object());
        break;
    case STREAM_ATTACHED:
        if (entry->detached_ms != 0)
            notify(entry, "attached", json_object());
        entry->detached_ms = 0;
        break;
    case STREAM_ENDED:
        news->channel->owner = NULL;
        on_ended(entry, news);
        break;
    }
}

void control_streams_forget(struct control_client *client)
{
    struct control *control = client->control;
    services_leave(&node_streams(control->node)->services, client);
    list_for_each_safe (node, &control->streams) {
        struct control_stream *entry = stream_at(node);
        if (entry->client != client)
            continue;
        if (entry->opening)
            client->wait_count--;
        entry->client = NULL;
        if (entry->opening)
            channels_reset(entry->channel, LANE_CANCELLED);
        else if (entry->incoming && !entry->accepted)
            channels_reset(entry->channel, LANE_FAILED);
        else if (entry->incoming)
            channel_set_exit(entry->channel, LANE_EXIT_UNKNOWN, 0);
    }
}

/* --- streams ---------------------------------------------------------------------------------- */

/* Outcomes of streams.h as complaints. */
static enum control_answer fail_open(struct control_call *call, int outcome,
                                     const struct peer *peer)
{
    const char *name = peer->row.name;
    switch (outcome) {
    case STREAMS_NOT_SUPPORTED:
        return control_call_fail(
            call, RPC_KIND_not_supported,
            "%s's p2pchatd can't do streams or has them switched off, as it said when "
            "we met it last",
            name);
    case STREAMS_OFF:
        return control_call_fail(call, RPC_KIND_not_supported,
                                 "streams are switched off here: streams in p2pchatd.conf");
    case STREAMS_BUSY:
        return control_call_fail(call, RPC_KIND_busy,
                                 "too many streams are open; see: p2pchatctl streams");
    case -ENOTSOCK:
        return control_call_fail(call, RPC_KIND_bad_descriptor,
                                 "only a connected stream socket (UNIX or TCP) can be handed over");
    default:
        return outcome < 0 ? control_call_fail(call, RPC_KIND_internal, "%s", strerror(-outcome))
                           : control_call_outcome(call, outcome, name);
    }
}

/* The descriptor of the call, which is the caller's then. False: there is none. */
static bool take_socket(struct control_call *call, int *fd)
{
    *fd = call->descriptor;
    call->descriptor = -1;
    if (*fd < 0)
        control_call_fail(call, RPC_KIND_bad_descriptor,
                          "a connected socket must be sent along with this line (SCM_RIGHTS)");
    return *fd >= 0;
}

static void on_timeout(void *context)
{
    struct control_stream *entry = context;
    char text[512];
    const char *error = streams_error(entry->channel);
    const struct peer *peer = streams_peer(node_streams(entry->control->node), entry->channel);
    bool online = peer != NULL && peer->state == PEER_ONLINE;
    if (online)
        snprintf(text, sizeof text, "%s",
                 error[0] != '\0' ? error : "no second connection to the peer in time");
    else
        snprintf(text, sizeof text, "%s is not online; why: p2pchatctl doctor", peer_name(peer));
    answer(entry,
           rpc_error_of_kind(entry->id, online ? RPC_KIND_no_lane : RPC_KIND_peer_offline, text));
    entry->channel->owner = NULL;
    channels_reset(entry->channel, LANE_CANCELLED);
    entry_free(entry);
}

enum control_answer control_stream_open(struct control_call *call)
{
    const json_t *resume = json_object_get(call->params, "resume");
    int64_t timeout_ms = control_call_integer(call, "timeout_ms", OPEN_TIMEOUT_MS);
    const char *service = control_call_string(call, "service");
    struct peer *peer;
    int fd;
    if (!control_call_peer(call, "peer", &peer) || !take_socket(call, &fd))
        return CALL_FAILED;
    call->descriptor = fd;
    if (!service_name_valid(SPAN(service, strlen(service))))
        return control_call_fail(call, RPC_KIND_usage,
                                 "a service is called like ssh: a-z, 0-9, '.', '_' and '-'");
    if (!has_share(call->client, false))
        return fail_open(call, STREAMS_BUSY, peer);
    struct control_stream *entry = entry_new(call->client);
    if (entry == NULL || timer_new(&entry->timer, call->control->loop, on_timeout, entry) < 0) {
        if (entry != NULL)
            entry_free(entry);
        return control_call_done(call, NULL);
    }
    call->descriptor = -1;
    int r = node_peer_use(call->node, peer);
    if (r != 0) {
        entry_free(entry);
        close(fd);
        return fail_open(call, r, peer);
    }
    r = streams_open(node_streams(call->node), peer, service, resume != json_false(), fd, entry,
                     &entry->channel);
    if (r != 0) {
        entry_free(entry);
        return fail_open(call, r, peer);
    }
    entry->opening = true;
    entry->id = json_deep_copy(call->id);
    entry->silent = call->notification;
    call->client->wait_count++;
    timer_arm_at(entry->timer, loop_now(call->control->loop) + (uint64_t)timeout_ms);
    return CALL_LATER;
}

static struct control_stream *find(const struct control_call *call)
{
    uint64_t number = (uint64_t)control_call_integer(call, "stream", 0);
    list_for_each (node, &call->control->streams)
        if (stream_at(node)->number == number)
            return stream_at(node);
    return NULL;
}

static enum control_answer fail_no_stream(struct control_call *call)
{
    return control_call_fail(call, RPC_KIND_usage, "no such stream; see: p2pchatctl streams");
}

/* An incoming stream of this very connection, or NULL. */
static struct control_stream *find_own(const struct control_call *call)
{
    struct control_stream *entry = find(call);
    return entry != NULL && entry->incoming && entry->client == call->client ? entry : NULL;
}

enum control_answer control_stream_accept(struct control_call *call)
{
    struct control_stream *entry = find_own(call);
    bool exits = json_is_true(json_object_get(call->params, "status"));
    int fd;
    if (entry == NULL || entry->accepted)
        return fail_no_stream(call);
    if (!take_socket(call, &fd))
        return CALL_FAILED;
    int r = channels_accept(entry->channel, fd, exits);
    if (r < 0)
        return fail_open(call, r, streams_peer(node_streams(call->node), entry->channel));
    entry->accepted = true;
    log_event(LOG_LEVEL_INFO, "stream-opened",
              peer_name(streams_peer(node_streams(call->node), entry->channel)),
              "stream of %s opened", entry->channel->service);
    return control_call_done(call, json_object());
}

enum control_answer control_stream_refuse(struct control_call *call)
{
    struct control_stream *entry = find_own(call);
    bool busy = json_is_true(json_object_get(call->params, "busy"));
    if (entry == NULL || entry->accepted)
        return fail_no_stream(call);
    channels_reset(entry->channel, busy ? LANE_BUSY : LANE_FAILED);
    return control_call_done(call, json_object());
}

enum control_answer control_stream_exit(struct control_call *call)
{
    struct control_stream *entry = find_own(call);
    const json_t *status = json_object_get(call->params, "status");
    const json_t *number = json_object_get(call->params, "signal");
    if ((status == NULL) == (number == NULL))
        return control_call_fail(call, RPC_KIND_usage, "either a status or a signal");
    json_int_t value = json_integer_value(status != NULL ? status : number);
    if (value > 255)
        return control_call_fail(call, RPC_KIND_usage, "at most 255");
    /* The stream may be over already: then nobody wants to know. */
    if (entry != NULL)
        channel_set_exit(entry->channel, status != NULL ? LANE_EXIT_STATUS : LANE_EXIT_SIGNAL,
                         (uint32_t)value);
    return control_call_done(call, json_object());
}

static const char *state_name(const struct control_stream *entry)
{
    switch (entry->channel->state) {
    case CHANNEL_WAITING:
    case CHANNEL_OPENING:
        return "opening";
    case CHANNEL_ASKED:
        return "asked";
    case CHANNEL_OPEN:
    case CHANNEL_ENDED:
        break;
    }
    return entry->detached_ms != 0 ? "detached" : "open";
}

static bool may_see(const struct control_call *call, const struct control_stream *entry)
{
    return call->client->admin || entry->uid == stream_user(call->client->stream);
}

static json_t *view(const struct control_call *call, const struct control_stream *entry)
{
    const struct channel *channel = entry->channel;
    uint64_t waits =
        entry->detached_ms != 0 ? loop_now(call->control->loop) - entry->detached_ms : 0;
    return json_pack("{s:I,s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "stream", (json_int_t)entry->number,
                     "peer", peer_name(streams_peer(node_streams(call->node), channel)), "service",
                     channel->service, "direction", direction(channel), "state", state_name(entry),
                     "sent", (json_int_t)channel->out_sent, "received",
                     (json_int_t)channel_received(channel), "detached_ms", (json_int_t)waits);
}

enum control_answer control_stream_list(struct control_call *call)
{
    json_t *list = json_array();
    list_for_each (node, &call->control->streams)
        if (may_see(call, stream_at(node)))
            json_array_append_new(list, view(call, stream_at(node)));
    return control_call_done(call, json_pack("{s:o}", "streams", list));
}

enum control_answer control_stream_close(struct control_call *call)
{
    struct control_stream *entry = find(call);
    if (entry == NULL || !may_see(call, entry))
        return fail_no_stream(call);
    channels_reset(entry->channel, LANE_CANCELLED);
    return control_call_done(call, json_object());
}
