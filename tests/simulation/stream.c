/* SPDX-License-Identifier: ISC */
/*
 * Streams of the simulated network.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulation/dice.h"
#include "simulation/wire_state.h"

enum {
    ROOM = 96 * 1024, /* bytes that the kernels of both ends hold per direction */
    PIECES = 300,     /* permille of reads and writes that move only a part … */
    PROMPT = 300,     /* … and of writes that the kernel takes at once */
    DATA_TIMEOUT_MS = 15000,
    IDLE_PROBE_MS = 20000,
    IDLE_TIMEOUT_MS = 35000,
};

static uint64_t later(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

/* --- what is on its way ----------------------------------------------------------------------- */

static struct segment *first_segment(const struct stream *stream)
{
    if (list_empty(&stream->arriving))
        return NULL;
    return container_of(stream->arriving.next, struct segment, node);
}

/* When the next bytes are here: NEVER also while there is no way. */
static uint64_t arrival(const struct stream *stream, const struct segment *segment)
{
    if (segment == NULL || (stream->cut && segment->at_ms > stream->lost_ms) ||
        segment->at_ms > wire_parted_since(stream->here, stream->there))
        return NEVER;
    return segment->at_ms;
}

static void drop_segment(struct stream *stream, struct segment *segment)
{
    stream->arriving_size -= segment->size - segment->taken;
    list_remove(&segment->node);
    free(segment);
}

static void drop_segments(struct stream *stream)
{
    list_for_each_safe (node, &stream->arriving)
        drop_segment(stream, container_of(node, struct segment, node));
}

/* Sends bytes, or the end when there are none, to whom they may reach. */
static void put(struct stream *to, const void *data, size_t size)
{
    struct segment *segment = calloc(1, sizeof *segment + size);
    if (segment == NULL)
        abort();
    segment->sent_ms = world_now();
    segment->at_ms = world_now() + wire_delay();
    segment->end = size == 0;
    segment->size = size;
    if (size > 0)
        memcpy(segment->data, data, size);
    if (!list_empty(&to->arriving)) {
        const struct segment *last = container_of(to->arriving.previous, struct segment, node);
        segment->at_ms = later(segment->at_ms, last->at_ms);
    }
    to->arriving_size += size;
    list_append(&to->arriving, &segment->node);
}

/* When the oldest bytes left that were not acknowledged; NEVER if all were. */
static uint64_t unacknowledged_since(const struct stream *stream)
{
    if (stream->partner == NULL || stream->stray_ms != NEVER)
        return stream->stray_ms;
    list_for_each (node, &stream->partner->arriving) {
        const struct segment *segment = container_of(node, struct segment, node);
        if (arrival(stream->partner, segment) > world_now())
            return segment->sent_ms;
    }
    return NEVER;
}

/* --- the end of connections ------------------------------------------------------------------- */

void stream_orphan(struct stream *stream)
{
    if (stream->partner == NULL)
        return;
    stream->stray_ms = unacknowledged_since(stream);
    stream->partner = NULL;
    if (stream->lost_ms == NEVER)
        stream->lost_ms = world_now();
}

void stream_reset(struct stream *stream)
{
    if (!stream->cut && wire_parted_since(stream->here, stream->there) == NEVER)
        stream->reset_ms = world_now() + wire_delay();
}

/* When this end finds out that it talks to nobody, and what it is told. */
static uint64_t silence(const struct stream *stream, int *error)
{
    uint64_t parted = wire_parted_since(stream->here, stream->there);
    uint64_t since = stream->lost_ms != NEVER ? stream->lost_ms : parted;
    uint64_t sent = unacknowledged_since(stream);
    *error = ETIMEDOUT;
    if (since == NEVER)
        return NEVER;
    if (!stream->cut && parted == NEVER && wire_powered(stream->there)) {
        *error = ECONNRESET;
        return sent != NEVER ? later(sent, since) + 1 : since + IDLE_PROBE_MS;
    }
    return sent != NEVER ? later(sent, since) + DATA_TIMEOUT_MS : since + IDLE_TIMEOUT_MS;
}

static void break_off(struct stream *stream, int error)
{
    struct stream *partner = stream->partner;
    stream->error = error;
    stream->finished = stream->end_sent = true;
    stream->owed = stream->end_told;
    bytes_clear(&stream->output);
    if (partner != NULL)
        stream_orphan(partner);
    stream->partner = NULL;
    drop_segments(stream);
}

/* --- turns ------------------------------------------------------------------------------------ */

static size_t room(const struct stream *stream)
{
    size_t held = stream->partner != NULL ? stream->partner->arriving_size : 0;
    return held < ROOM ? ROOM - held : 0;
}

static uint64_t due(const struct source *source)
{
    const struct stream *stream = container_of(source, const struct stream, source);
    bool reads = !stream->paused && !stream->got_end && stream->input.size < STREAM_INPUT_MAX;
    uint64_t at = NEVER, lost;
    int error;
    if (stream->events == NULL)
        return NEVER;
    if (stream->nudged || stream->owed)
        return world_now();
    if (stream->error != 0)
        return NEVER;
    if (stream->output.size > 0 && room(stream) > 0)
        return world_now();
    if (reads)
        at = arrival(stream, first_segment(stream));
    lost = silence(stream, &error);
    at = at < lost ? at : lost;
    return at < stream->reset_ms ? at : stream->reset_ms;
}

static size_t piece(size_t size)
{
    return size > 1 && dice_chance(PIECES) ? (size_t)dice_between(1, size) : size;
}

static void send_end(struct stream *stream)
{
    if (!stream->finished || stream->end_sent || stream->output.size > 0)
        return;
    stream->end_sent = true;
    if (stream->partner != NULL)
        put(stream->partner, NULL, 0);
}

static void send_some(struct stream *stream)
{
    size_t size = stream->output.size < room(stream) ? stream->output.size : room(stream);
    if (size == 0)
        return;
    size = piece(size);
    stream->sent_size += size;
    if (stream->partner != NULL)
        put(stream->partner, stream->output.data, size);
    else if (stream->stray_ms == NEVER)
        stream->stray_ms = world_now();
    bytes_consume(&stream->output, size);
    send_end(stream);
}

static void send_and_tell(struct stream *stream)
{
    if (stream->output.size == 0)
        return;
    send_some(stream);
    if (stream->output.size <= STREAM_LOW_WATER)
        stream->events->writable(stream->context);
}

static void receive_some(struct stream *stream)
{
    struct segment *segment = first_segment(stream);
    size_t space = STREAM_INPUT_MAX - stream->input.size;
    if (space == 0 || arrival(stream, segment) > world_now())
        return;
    stream->got_end = segment->end;
    size_t size = segment->size - segment->taken;
    size = piece(size < space ? size : space);
    if (bytes_append(&stream->input, segment->data + segment->taken, size) < 0)
        abort();
    segment->taken += size;
    stream->arriving_size -= size;
    if (segment->taken == segment->size)
        drop_segment(stream, segment);
}

/* Tells the owner what there is to tell. */
static void settle(struct stream *stream)
{
    if (!stream->paused && !stream->end_told && stream->input.size > 0)
        stream->events->readable(stream->context);
    bool over = stream->error != 0 || stream->got_end;
    if (over && !stream->end_told && (!stream->paused || stream->error != 0)) {
        stream->end_told = true;
        stream->events->ended(stream->context, stream->error);
    }
    if (stream->owed) {
        stream->owed = false;
        stream->events->writable(stream->context);
    }
}

static void fire(struct source *source)
{
    struct stream *stream = container_of(source, struct stream, source);
    int error = ECONNRESET;
    stream->nudged = false;
    if (stream->error == 0)
        send_and_tell(stream);
    if (stream->error == 0 && !stream->paused && !stream->got_end)
        receive_some(stream);
    if (stream->error == 0 &&
        (stream->reset_ms <= world_now() || silence(stream, &error) <= world_now()))
        break_off(stream, error);
    settle(stream);
}

/* --- life ------------------------------------------------------------------------------------- */

static struct stream *make(struct loop *loop, unsigned there)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        abort();
    source_init(&stream->source, loop, due, fire);
    list_init(&stream->node);
    list_init(&stream->arriving);
    stream->here = loop->machine;
    stream->there = there;
    stream->lost_ms = stream->stray_ms = stream->reset_ms = NEVER;
    snprintf(stream->origin.text, sizeof stream->origin.text, "%s:%u", world_name(there),
             (unsigned)ADDRESS_PORT_DEFAULT);
    stream->origin.key[0] = (uint8_t)(there + 1);
    wire_join(stream);
    return stream;
}

int stream_pair(struct stream **from, struct loop *from_loop, struct stream **to,
                struct loop *to_loop)
{
    *from = make(from_loop, to_loop->machine);
    *to = make(to_loop, from_loop->machine);
    (*from)->partner = *to;
    (*to)->partner = *from;
    return 0;
}

/* What the other end hears of a close. */
static void say_goodbye(struct stream *stream, struct stream *partner)
{
    bool unread = stream->input.size > 0 || !list_empty(&stream->arriving);
    switch (stream->source.loop->fall) {
    case FALL_NONE:
        if (unread)
            stream_reset(partner);
        else if (!stream->end_sent)
            put(partner, NULL, 0);
        break;
    case FALL_KILLED:
        stream_reset(partner);
        break;
    case FALL_POWER:
        break;
    }
}

void stream_free(struct stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->partner != NULL) {
        say_goodbye(stream, stream->partner);
        stream_orphan(stream->partner);
    }
    drop_segments(stream);
    source_deinit(&stream->source);
    list_remove(&stream->node);
    bytes_deinit(&stream->input);
    bytes_deinit(&stream->output);
    free(stream);
}

/* --- what owners do --------------------------------------------------------------------------- */

void stream_attach(struct stream *stream, const struct stream_events *events, void *context)
{
    stream->events = events;
    stream->context = context;
    stream->nudged = true;
}

/* There is no kernel to hold more, and nobody sends descriptors along. */
void stream_set_bulk(struct stream *stream, bool background)
{
    (void)background;
    (void)stream;
}

void stream_accept_descriptors(struct stream *stream)
{
    (void)stream;
}

int stream_take_descriptor(struct stream *stream, uint64_t *end)
{
    (void)stream;
    *end = 0;
    return -1;
}

unsigned stream_drop_descriptors(struct stream *stream, uint64_t position)
{
    (void)stream;
    (void)position;
    return 0;
}

struct span stream_input(const struct stream *stream)
{
    return bytes_span(&stream->input);
}

void stream_consume(struct stream *stream, size_t size)
{
    bytes_consume(&stream->input, size);
}

void stream_pause(struct stream *stream, bool paused)
{
    if (stream->paused && !paused)
        stream->nudged = true;
    stream->paused = paused;
}

int stream_write(struct stream *stream, struct span data)
{
    if (stream->source.loop->fall != FALL_NONE)
        return 0;
    if (stream->finished) {
        stream->owed = true;
        return 0;
    }
    if (bytes_append(&stream->output, data.data, data.size) < 0)
        return -ENOMEM;
    wire_note_unsent(stream->output.size);
    if (dice_chance(PROMPT))
        send_some(stream);
    return 0;
}

/* What a write has not sent by chance goes now, or does not: the kernel may be full. */
void stream_push(struct stream *stream)
{
    if (stream->source.loop->fall == FALL_NONE && !stream->finished && stream->output.size > 0 &&
        dice_chance(PROMPT))
        send_some(stream);
}

size_t stream_unsent(const struct stream *stream)
{
    return stream->output.size;
}

void stream_finish(struct stream *stream)
{
    if (stream->finished || stream->source.loop->fall != FALL_NONE)
        return;
    stream->finished = true;
    send_end(stream);
}

const struct origin *stream_origin(const struct stream *stream)
{
    return &stream->origin;
}

uid_t stream_user(const struct stream *stream)
{
    (void)stream;
    return (uid_t)-1;
}

/* Nothing is ever sent again here. */
struct pulse_facts stream_pulse(const struct stream *stream)
{
    uint64_t under_way = 0;
    if (stream->partner == NULL)
        return (struct pulse_facts){0};
    list_for_each (node, &stream->partner->arriving) {
        const struct segment *segment = container_of(node, struct segment, node);
        if (arrival(stream->partner, segment) > world_now())
            under_way += segment->size;
    }
    return (struct pulse_facts){.arrivals = stream->sent_size - under_way};
}

bool stream_gone(const struct stream *stream)
{
    return stream->partner == NULL;
}
