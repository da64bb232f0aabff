/* SPDX-License-Identifier: ISC */
/*
 * All streams: who may open one, and how the work of a turn is shared among their lanes.
 */
#define LOG_COMPONENT "stream"
#include "core/streams.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/random.h"
#include "proto/features.h"
#include "proto/file_item.h"
#include "proto/record.h"

enum {
    TURN_READ_MAX = 64 * 1024,  /* bytes of frames that are opened in a turn, over all lanes … */
    TURN_WRITE_MAX = 64 * 1024, /* … and sealed: what a message may have to wait for */
    FILES_SHARE = 32 * 1024,    /* of every second turn, for lanes of files in any case */
};

void streams_init(struct streams *streams, const struct runtime *runtime,
                  const struct roster *roster)
{
    *streams = (struct streams){.runtime = runtime, .roster = roster};
    services_init(&streams->services);
    trunk_ground_init(&streams->ground, runtime);
    list_init(&streams->trunks);
    hash_init(&streams->by_peer, ((uint64_t)random_u32() << 32) | random_u32());
}

static void drop_trunk(struct streams *streams, struct trunk *trunk)
{
    hash_remove(&streams->by_peer, &trunk->by_peer);
    trunk_free(trunk);
}

void streams_deinit(struct streams *streams)
{
    list_for_each_safe (node, &streams->trunks)
        drop_trunk(streams, container_of(node, struct trunk, node));
    hash_deinit(&streams->by_peer);
    trunk_ground_deinit(&streams->ground);
    services_deinit(&streams->services);
    bytes_deinit(&streams->frame);
}

/* --- what the streams of one peer tell -------------------------------------------------------- */

static struct trunk *trunk_of(const struct channel *channel)
{
    return container_of(channel->channels, struct trunk, channels);
}

static struct streams *streams_of(const struct trunk *trunk)
{
    return container_of(trunk->channels.sending.pool, struct streams, sending);
}

static void tell(struct trunk *trunk, struct stream_news *news)
{
    const struct runtime *runtime = trunk->runtime;
    news->peer = roster_by_id(streams_of(trunk)->roster, trunk->peer);
    runtime->observer->stream(runtime->observer_context, news);
}

bool streams_share(const struct streams *streams, unsigned own, bool counted)
{
    unsigned most = (unsigned)streams->runtime->settings.max_streams;
    unsigned all = streams->count - counted;
    unsigned others = all - own;
    return all < most && own < (most - others + 1) / 2;
}

/* The class of lanes that carries a service: files have one of their own. */
static uint8_t class_of(const char *service)
{
    return strcmp(service, FILE_SERVICE) == 0 ? LANE_FOR_FILES : LANE_FOR_SERVICES;
}

/* The trunk of this class to a peer, or NULL. */
static struct trunk *find_trunk(const struct streams *streams, int64_t peer, unsigned class)
{
    struct hash_node *node = hash_first(&streams->by_peer, &peer, sizeof peer);
    for (; node != NULL; node = hash_next(&streams->by_peer, node)) {
        struct trunk *trunk = container_of(node, struct trunk, by_peer);
        if (trunk->peer == peer && trunk->class == class)
            return trunk;
    }
    return NULL;
}

/* How many streams there are with a peer. */
static unsigned streams_of_peer(const struct streams *streams, int64_t peer)
{
    unsigned count = 0;
    for (unsigned i = 0; i < LANE_CLASSES; i++) {
        const struct trunk *trunk = find_trunk(streams, peer, i);
        count += trunk != NULL ? trunk->channels.count : 0;
    }
    return count;
}

static bool is_own(const struct streams *streams, const struct channel *channel)
{
    return streams->own != NULL && strcmp(channel->service, streams->own->name) == 0;
}

/* Whoever is trusted and able to may call our own service. */
static void take_own(struct streams *streams, struct trunk *trunk, struct channel *channel)
{
    const struct peer *peer = roster_by_id(streams->roster, trunk->peer);
    if (peer == NULL || !peer_trusted(peer) || !peer_has(peer, streams->own->needs))
        channels_reset(channel, LANE_NO_SERVICE);
    else if (!streams_share(streams, streams_of_peer(streams, trunk->peer) - 1, true))
        channels_reset(channel, LANE_BUSY);
    else
        streams->own->incoming(streams->own_context, channel, peer);
}

/* What is to be answered to a call, or 0 if somebody takes it. */
static uint8_t judge(struct streams *streams, struct trunk *trunk, const struct service *service)
{
    const struct peer *peer = roster_by_id(streams->roster, trunk->peer);
    if (peer == NULL || service == NULL || service->server == NULL || !service->terms.streams ||
        !service_admits(service, peer))
        return LANE_NO_SERVICE;
    if (service->running >= service->terms.max ||
        !streams_share(streams, streams_of_peer(streams, trunk->peer) - 1, false))
        return LANE_BUSY;
    return 0;
}

static void on_incoming(void *context, struct channel *channel)
{
    struct trunk *trunk = context;
    struct streams *streams = streams_of(trunk);
    struct service *service = services_find(&streams->services, channel->service);
    struct stream_news news = {.type = STREAM_INCOMING, .channel = channel, .service = service};
    bool is_here = class_of(channel->service) == trunk->class;
    uint8_t refusal = is_here ? judge(streams, trunk, service) : LANE_NO_SERVICE;
    streams->count++;
    if (is_here && is_own(streams, channel)) {
        take_own(streams, trunk, channel);
        return;
    }
    if (refusal != 0) {
        channels_reset(channel, refusal);
        return;
    }
    service->running++;
    channel->counted = true;
    tell(trunk, &news);
}

static void on_opened(void *context, struct channel *channel)
{
    const struct trunk *opened = context;
    if (is_own(streams_of(opened), channel))
        return;
    struct stream_news news = {.type = STREAM_OPENED, .channel = channel};
    tell(context, &news);
}

static void on_ended(void *context, struct channel *channel, const struct channel_end *end)
{
    struct trunk *trunk = context;
    struct streams *streams = streams_of(trunk);
    struct service *service =
        channel->counted ? services_find(&streams->services, channel->service) : NULL;
    struct stream_news news = {
        .type = STREAM_ENDED, .channel = channel, .end = end, .error = trunk->error};
    streams->count--;
    if (service != NULL && service->running > 0)
        service->running--;
    if (is_own(streams, channel))
        streams->own->ended(streams->own_context, channel, end);
    else if (channel->owner != NULL)
        tell(trunk, &news);
}

static void tell_all(struct trunk *trunk, enum stream_news_type type)
{
    list_for_each_safe (node, &trunk->channels.all) {
        struct channel *channel = container_of(node, struct channel, node);
        struct stream_news news = {.type = type, .channel = channel};
        if (channel->owner != NULL && channel->state == CHANNEL_OPEN &&
            !is_own(streams_of(trunk), channel))
            tell(trunk, &news);
    }
}

static void on_attached(void *context)
{
    struct trunk *trunk = context;
    backoff_reset(&trunk->backoff);
    trunk->error[0] = '\0';
    tell_all(trunk, STREAM_ATTACHED);
}

static void on_detached(void *context)
{
    tell_all(context, STREAM_DETACHED);
}

static void on_touched(void *context)
{
    trunk_touch(context);
}

static const struct channels_events channels_events = {on_incoming, on_opened,   on_ended,
                                                       on_attached, on_detached, on_touched};

/* --- trunks ----------------------------------------------------------------------------------- */

/* Whether the session with the peer can carry lanes. */
static bool can_stream(const struct link *link)
{
    return link_open(link) && (session_features(link->session) & FEATURE_STREAMS) != 0;
}

/* The trunk of this class to a peer, made if there is none. 0 or -errno. */
static int take_trunk(struct streams *streams, struct peer *peer, uint8_t class,
                      struct trunk **result)
{
    const struct fingerprint *own = runtime_fingerprint(streams->runtime);
    const struct channels_parts parts = {
        .loop = streams->runtime->loop,
        .events = &channels_events,
        .sending = &streams->sending,
        .receiving = &streams->receiving,
        .odd = memcmp(own->bytes, peer->row.key, PEER_KEY_SIZE) < 0,
        .streams_max = (unsigned)streams->runtime->settings.max_streams,
    };
    *result = find_trunk(streams, peer->row.id, class);
    if (*result != NULL)
        return 0;
    int r = trunk_new(result, &streams->ground, peer->row.id, class, &parts);
    if (r < 0)
        return r;
    list_append(&streams->trunks, &(*result)->node);
    hash_add(&streams->by_peer, &(*result)->by_peer, &peer->row.id, sizeof peer->row.id);
    if (peer->link != NULL && can_stream(peer->link))
        trunk_session_up(*result, peer->link);
    return 0;
}

void streams_session_up(struct streams *streams, struct peer *peer, struct link *link)
{
    for (unsigned i = 0; i < LANE_CLASSES; i++) {
        struct trunk *trunk = find_trunk(streams, peer->row.id, i);
        if (trunk != NULL && can_stream(link))
            trunk_session_up(trunk, link);
        else if (trunk != NULL)
            channels_end_all(&trunk->channels, LANE_LOST);
    }
}

/* Whether this end of a session also ends what it carried. */
static bool is_final(const struct link_end *end)
{
    return end->coded && (end->code == CLOSE_NORMAL || end->code == CLOSE_GOING_AWAY ||
                          end->code == CLOSE_REFUSED);
}

void streams_session_down(struct streams *streams, struct peer *peer, const struct link_end *end)
{
    for (unsigned i = 0; i < LANE_CLASSES; i++) {
        struct trunk *trunk = find_trunk(streams, peer->row.id, i);
        if (trunk != NULL)
            trunk_session_down(trunk, is_final(end));
    }
}

void streams_lane_record(struct streams *streams, struct peer *peer, struct span record)
{
    struct trunk *trunk;
    if (take_trunk(streams, peer, record.data[RECORD_HEADER_SIZE], &trunk) == 0)
        trunk_hear(trunk, record);
}

void streams_rekeyed(struct streams *streams, struct peer *peer)
{
    for (unsigned i = 0; i < LANE_CLASSES; i++) {
        struct trunk *trunk = find_trunk(streams, peer->row.id, i);
        if (trunk != NULL)
            trunk_rekeyed(trunk);
    }
}

bool streams_attach(struct streams *streams, struct stream *stream,
                    const uint8_t frame[static LANE_ATTACH_SIZE])
{
    return trunk_attach(&streams->ground, stream, frame);
}

/* --- the work of a turn ----------------------------------------------------------------------- */

/* A step of one lane's work, as far as the budget goes. */
typedef void lane_step(struct streams *streams, struct trunk *trunk, size_t *budget);

static void read_step(struct streams *streams, struct trunk *trunk, size_t *budget)
{
    (void)streams;
    trunk->unread = trunk_read(trunk, budget);
}

static void write_step(struct streams *streams, struct trunk *trunk, size_t *budget)
{
    trunk->unwritten = trunk_write(trunk, &streams->frame, budget);
}

static void step_class(struct streams *streams, struct list *working, enum lane_class class,
                       lane_step *step, size_t *budget)
{
    list_for_each (node, working) {
        struct trunk *trunk = container_of(node, struct trunk, touched);
        if (trunk->class == class)
            step(streams, trunk, budget);
    }
}

/* Services come before files, but for a fourth that files have in any case. */
static void step_all(struct streams *streams, struct list *working, lane_step *step, size_t budget)
{
    const size_t share = streams->turn % 2 == 1 ? FILES_SHARE : 0;
    size_t left = share;
    step_class(streams, working, LANE_FOR_FILES, step, &left);
    budget -= share - left;
    step_class(streams, working, LANE_FOR_SERVICES, step, &budget);
    step_class(streams, working, LANE_FOR_FILES, step, &budget);
}

/* Lets go of those that have nothing left to do. */
static void settle_all(struct streams *streams, struct list *working)
{
    list_for_each_safe (node, working) {
        struct trunk *trunk = container_of(node, struct trunk, touched);
        bool goes_on = trunk->again || trunk->unread || trunk->unwritten;
        list_remove(&trunk->touched);
        trunk_settle(trunk);
        if (trunk_done(trunk, roster_by_id(streams->roster, trunk->peer) == NULL))
            drop_trunk(streams, trunk);
        else if (goes_on)
            trunk_touch(trunk);
    }
}

/* The first lane of this turn is the last one of the next. */
static void rotate(struct list *working)
{
    struct list *first = working->next;
    list_remove(first);
    list_append(working, first);
}

void streams_turn(struct streams *streams)
{
    struct list working;
    if (list_empty(&streams->ground.touched))
        return;
    list_init(&working);
    list_move_all(&streams->ground.touched, &working);
    list_for_each (node, &working)
        container_of(node, struct trunk, touched)->again = false;
    streams->turn++;
    step_all(streams, &working, read_step, TURN_READ_MAX);
    step_all(streams, &working, write_step, TURN_WRITE_MAX);
    rotate(&working);
    settle_all(streams, &working);
    if (list_empty(&streams->trunks))
        bytes_deinit(&streams->frame);
}

void streams_stop(struct streams *streams)
{
    list_for_each (node, &streams->trunks)
        channels_end_all(&container_of(node, struct trunk, node)->channels, LANE_LOST);
}

/* --- what may be asked ------------------------------------------------------------------------ */

/* Whether the peer may be called. 0 or an outcome. */
static int check_peer(const struct streams *streams, const struct peer *peer)
{
    enum peer_trust trust = peer_trust(peer);
    if (!streams->runtime->settings.streams)
        return STREAMS_OFF;
    if (trust == PEER_BLOCKED)
        return NODE_BLOCKED;
    if (trust == PEER_CHANGED)
        return NODE_KEY_CHANGED;
    if (!peer_trusted(peer))
        return NODE_NO_KEY;
    if (peer->link != NULL && link_open(peer->link))
        return can_stream(peer->link) ? 0 : STREAMS_NOT_SUPPORTED;
    const bool could = !peer->row.met || (peer->row.features & FEATURE_STREAMS) != 0;
    return could ? 0 : STREAMS_NOT_SUPPORTED;
}

int streams_open(struct streams *streams, struct peer *peer, const char *service, bool resumes,
                 int fd, void *owner, struct channel **channel)
{
    struct trunk *trunk;
    int r = check_peer(streams, peer);
    if (r == 0)
        r = take_trunk(streams, peer, class_of(service), &trunk);
    if (r == 0 && !streams_share(streams, streams_of_peer(streams, peer->row.id), false))
        r = STREAMS_BUSY;
    if (r != 0) {
        close(fd);
        return r;
    }
    r = channels_open(&trunk->channels, service, resumes, fd, channel);
    if (r == CHANNELS_BUSY)
        return STREAMS_BUSY;
    if (r == 0) {
        streams->count++;
        (*channel)->owner = owner;
        peer_urge(peer);
    }
    return r;
}

const struct peer *streams_peer(const struct streams *streams, const struct channel *channel)
{
    return roster_by_id(streams->roster, trunk_of(channel)->peer);
}

const char *streams_error(const struct channel *channel)
{
    return trunk_of(channel)->error;
}

void streams_each(struct streams *streams, void (*each)(void *context, struct channel *channel),
                  void *context)
{
    list_for_each (node, &streams->trunks) {
        struct trunk *trunk = container_of(node, struct trunk, node);
        list_for_each_safe (one, &trunk->channels.all)
            each(context, container_of(one, struct channel, node));
    }
}
