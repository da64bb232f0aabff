/* SPDX-License-Identifier: ISC */
/*
 * Connections before their first bytes.
 */
#define LOG_COMPONENT "doorway"
#include "core/doorway.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/streams.h"
#include "crypto/random.h"

struct visitor {
    struct list node;
    struct doorway *doorway;
    struct stream *stream;
    uint64_t since_ms;
    bool gone;
};

static uint64_t now(const struct doorway *doorway)
{
    return loop_now(doorway->runtime->loop);
}

static void on_timer(void *context)
{
    struct doorway *doorway = context;
    loop_wake(doorway->runtime->loop); /* the end of the turn looks at all of them */
}

int doorway_init(struct doorway *doorway, const struct runtime *runtime, struct links *links,
                 struct streams *streams)
{
    *doorway = (struct doorway){.runtime = runtime, .links = links, .streams = streams};
    list_init(&doorway->visitors);
    return timer_new(&doorway->timer, runtime->loop, on_timer, doorway);
}

/* Takes it off the list; the connection is the caller's. */
static struct stream *dismiss(struct visitor *visitor)
{
    struct stream *stream = visitor->stream;
    list_remove(&visitor->node);
    visitor->doorway->count--;
    free(visitor);
    return stream;
}

void doorway_deinit(struct doorway *doorway)
{
    if (doorway->runtime == NULL)
        return;
    list_for_each_safe (node, &doorway->visitors)
        stream_free(dismiss(container_of(node, struct visitor, node)));
    timer_free(doorway->timer);
}

static void on_readable(void *context)
{
    const struct visitor *visitor = context;
    loop_wake(visitor->doorway->runtime->loop);
}

static void on_ended(void *context, int error)
{
    struct visitor *visitor = context;
    (void)error;
    visitor->gone = true;
    loop_wake(visitor->doorway->runtime->loop);
}

static const struct stream_events stream_events = {on_readable, on_readable, on_ended};

/* Closes one at random that had time enough, to make room. Whether there was one. */
static bool turn_one_out(struct doorway *doorway)
{
    struct visitor *victim = NULL;
    uint32_t seen = 0;
    list_for_each (node, &doorway->visitors) {
        struct visitor *visitor = container_of(node, struct visitor, node);
        if (now(doorway) - visitor->since_ms < LIMITS_EVICTABLE_AGE_MS)
            continue;
        seen++;
        if (random_u32() % seen == 0)
            victim = visitor;
    }
    if (victim != NULL)
        stream_free(dismiss(victim));
    return victim != NULL;
}

static bool may_enter(struct doorway *doorway, const struct origin *origin)
{
    unsigned from_there = 0;
    list_for_each (node, &doorway->visitors) {
        const struct visitor *visitor = container_of(node, struct visitor, node);
        from_there +=
            memcmp(stream_origin(visitor->stream)->key, origin->key, ORIGIN_KEY_SIZE) == 0;
    }
    if (doorway->count >= LIMITS_STRANGERS_MAX && !turn_one_out(doorway))
        return false;
    return links_admit_stranger(doorway->links, origin, doorway->count, from_there, now(doorway));
}

void doorway_enter(struct doorway *doorway, struct stream *stream)
{
    struct visitor *visitor = NULL;
    if (!doorway->runtime->stopping && may_enter(doorway, stream_origin(stream)))
        visitor = calloc(1, sizeof *visitor);
    if (visitor == NULL) {
        stream_free(stream);
        return;
    }
    *visitor = (struct visitor){.doorway = doorway, .stream = stream, .since_ms = now(doorway)};
    list_append(&doorway->visitors, &visitor->node);
    doorway->count++;
    stream_attach(stream, &stream_events, visitor);
    loop_wake(doorway->runtime->loop);
}

/* An ATTACH that is whole is right, or its connection goes without a word. */
static void lead_to_lane(struct visitor *visitor)
{
    struct doorway *doorway = visitor->doorway;
    struct span data = stream_input(visitor->stream);
    uint8_t frame[LANE_ATTACH_SIZE];
    if (data.size < sizeof frame)
        return;
    memcpy(frame, data.data, sizeof frame);
    struct stream *stream = dismiss(visitor);
    stream_consume(stream, sizeof frame);
    if (!streams_attach(doorway->streams, stream, frame))
        stream_free(stream);
}

/* Passes it on if it has said enough. */
static void look_at(struct visitor *visitor)
{
    struct span data = stream_input(visitor->stream);
    struct links *links = visitor->doorway->links;
    if (data.size < FRAME_HEADER_SIZE)
        return;
    if (lane_attach_begins(data.data))
        lead_to_lane(visitor);
    else
        (void)links_host(links, dismiss(visitor)); /* without memory for it, it is gone as well */
}

void doorway_turn_end(struct doorway *doorway)
{
    uint64_t deadline = UINT64_MAX;
    list_for_each_safe (node, &doorway->visitors) {
        struct visitor *visitor = container_of(node, struct visitor, node);
        uint64_t until = visitor->since_ms + SESSION_HELLO_TIMEOUT_MS;
        if (now(doorway) >= until || (visitor->gone && stream_input(visitor->stream).size == 0))
            stream_free(dismiss(visitor));
        else
            look_at(visitor);
    }
    if (!list_empty(&doorway->visitors))
        deadline = container_of(doorway->visitors.next, struct visitor, node)->since_ms +
                   SESSION_HELLO_TIMEOUT_MS;
    timer_arm_at(doorway->timer, deadline);
}
