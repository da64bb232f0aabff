/* SPDX-License-Identifier: ISC */
/*
 * The two ends of channels_rig.h: local ends, loop and time without a kernel.
 */
#include "unit/channels_rig.h"

#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct rig_program rig_programs[RIG_PIPES_MAX];
struct rig_side rig_sides[2];

static uint64_t time_ms;
static unsigned (*number)(void);

static unsigned number_below(unsigned limit)
{
    return number() % limit;
}

/* --- a local end, without a kernel ------------------------------------------------------------ */

struct pipe {
    const struct pipe_events *events;
    void *context;
    bool watches_read, watches_write;
    struct rig_program *program;
};

static struct pipe pipes[RIG_PIPES_MAX];
static bool distrusted; /* see rig_distrust() */

static uint8_t byte_at(uint8_t seed, size_t at)
{
    return (uint8_t)(at * 31 + at / 251 + seed);
}

int pipe_new(struct pipe **pipe, struct loop *loop, int fd, const struct pipe_events *events,
             void *context)
{
    (void)loop;
    if (fd < 0 || fd >= RIG_PIPES_MAX)
        return -ENOTSOCK;
    pipes[fd] = (struct pipe){.events = events, .context = context, .program = &rig_programs[fd]};
    *pipe = &pipes[fd];
    return 0;
}

void pipe_free(struct pipe *pipe)
{
    if (pipe != NULL)
        memset(pipe, 0, sizeof *pipe);
}

void pipe_watch(struct pipe *pipe, bool readable, bool writable)
{
    pipe->watches_read = readable;
    pipe->watches_write = writable;
}

static size_t a_part_of(size_t size)
{
    return 1 + number() % size;
}

ssize_t pipe_receive(struct pipe *pipe, struct iovec *pieces, int count)
{
    struct rig_program *program = pipe->program;
    size_t moved = 0, left = program->says - program->said;
    if (number_below(4) == 0)
        return -EAGAIN;
    if (left == 0)
        return program->reset ? -ECONNRESET : 0;
    left = a_part_of(left);
    for (int i = 0; i < count && left > 0; i++) {
        size_t size = pieces[i].iov_len < left ? pieces[i].iov_len : left;
        for (size_t j = 0; j < size; j++)
            ((uint8_t *)pieces[i].iov_base)[j] = byte_at(program->seed, program->said++);
        moved += size;
        left -= size;
    }
    return (ssize_t)moved;
}

ssize_t pipe_send(struct pipe *pipe, struct iovec *pieces, int count)
{
    struct rig_program *program = pipe->program;
    size_t moved = 0;
    if (program->deaf)
        return -EPIPE;
    if (number_below(4) == 0)
        return -EAGAIN;
    for (int i = 0; i < count; i++) {
        size_t size = a_part_of(pieces[i].iov_len);
        for (size_t j = 0; j < size; j++)
            assert(((const uint8_t *)pieces[i].iov_base)[j] ==
                       byte_at(program->hears, program->heard++) ||
                   distrusted);
        moved += size;
        if (size < pieces[i].iov_len)
            break;
    }
    return (ssize_t)moved;
}

void pipe_finish(struct pipe *pipe)
{
    pipe->program->heard_end = true;
}

void pipe_refuse(struct pipe *pipe)
{
    pipe->program->broken = true;
}

bool pipe_is_unix(const struct pipe *pipe)
{
    return pipe != NULL;
}

bool pipe_gone(const struct pipe *pipe)
{
    return pipe->program->deaf;
}

uint64_t loop_now(const struct loop *loop)
{
    (void)loop;
    return time_ms;
}

void rig_poll(unsigned which)
{
    struct pipe *pipe = &pipes[which % RIG_PIPES_MAX];
    if (pipe->watches_read && number_below(2) == 0) {
        pipe->watches_read = false;
        pipe->events->readable(pipe->context);
    } else if (pipe->watches_write) {
        pipe->watches_write = false;
        pipe->events->writable(pipe->context);
    }
}

/* --- two ends and a lane ---------------------------------------------------------------------- */

struct wire {
    struct bytes frames[RIG_FRAMES_MAX];
    size_t first, count;
};

static struct wire wires[2]; /* to that side */
static struct credit_pool pools[4];
static unsigned next_fd, cuts_left, waits_left;
static bool attached[2];

/* Which of the opened streams this is. */
static unsigned index_of(const struct channel *channel)
{
    return (unsigned)(channel->service[0] - 'a');
}

/* Every other one has a program that ends with a status. */
static void on_incoming(void *context, struct channel *channel)
{
    const unsigned index = index_of(channel);
    (void)context;
    if (2 * index < next_fd)
        assert(channels_accept(channel, (int)(2 * index + 1), index % 2 == 1) == 0);
    else
        channels_reset(channel, LANE_NO_SERVICE);
}

/* Whoever has said and heard everything ends. */
static void end_programs(unsigned me)
{
    list_for_each_safe (node, &rig_sides[me].channels.all) {
        struct channel *channel = container_of(node, struct channel, node);
        const struct rig_program *program = &rig_programs[2 * index_of(channel) + 1];
        if (!channel->opener && channel->exits && program->heard_end &&
            program->said == program->says)
            channel_set_exit(channel, LANE_EXIT_STATUS, index_of(channel));
    }
}

static void on_ended(void *context, struct channel *channel, const struct channel_end *end)
{
    struct rig_side *side = context;
    if (end->well && channel->opener && channel->exits)
        assert(channel->exit.known && channel->exit.value == index_of(channel));
    if (end->well)
        side->well[side->ended_well++ % RIG_PIPES_MAX] = channel->id;
    else
        side->ended_badly++;
}

static void on_opened(void *context, struct channel *channel)
{
    (void)context;
    (void)channel;
}

static void on_nothing(void *context)
{
    (void)context;
}

static const struct channels_events events = {on_incoming, on_opened,  on_ended,
                                              on_nothing,  on_nothing, on_nothing};

static void side_init(unsigned me)
{
    const struct channels_parts parts = {.events = &events,
                                         .context = &rig_sides[me],
                                         .sending = &pools[2 * me],
                                         .receiving = &pools[2 * me + 1],
                                         .odd = me == 0,
                                         .streams_max = CREDIT_STREAMS_MAX};
    rig_sides[me] = (struct rig_side){0};
    assert(channels_init(&rig_sides[me].channels, &parts) == 0);
}

static void attach(unsigned me)
{
    if (!attached[me])
        channels_attach(&rig_sides[me].channels);
    attached[me] = true;
}

static void detach(unsigned me)
{
    if (attached[me])
        channels_detach(&rig_sides[me].channels);
    attached[me] = false;
}

void rig_begin(unsigned (*decides)(void))
{
    number = decides;
    memset(rig_programs, 0, sizeof rig_programs);
    memset(pipes, 0, sizeof pipes);
    memset(pools, 0, sizeof pools);
    memset(attached, 0, sizeof attached);
    time_ms = 1000000;
    distrusted = false;
    next_fd = cuts_left = waits_left = 0;
    side_init(0);
    side_init(1);
    attach(0);
    attach(1);
}

void rig_distrust(void)
{
    distrusted = true;
}

void rig_allow(unsigned cuts, unsigned waits)
{
    cuts_left = cuts;
    waits_left = waits;
}

static void wire_clear(struct wire *wire)
{
    while (wire->count > 0) {
        bytes_deinit(&wire->frames[wire->first++ % RIG_FRAMES_MAX]);
        wire->count--;
    }
}

void rig_end(void)
{
    for (unsigned i = 0; i < 2; i++) {
        channels_deinit(&rig_sides[i].channels);
        wire_clear(&wires[i]);
        assert(pools[2 * i].granted == 0 && pools[2 * i + 1].granted == 0);
        assert(pools[2 * i].sharers == 0 && pools[2 * i + 1].sharers == 0);
    }
}

bool rig_frame(unsigned me, struct bytes *frame)
{
    if (!attached[me] || !channels_have_output(&rig_sides[me].channels))
        return false;
    assert(lane_frame_begin(frame) == 0);
    assert(channels_fill(&rig_sides[me].channels, frame, LANE_RECORDS_MAX) == 0);
    const size_t size = frame->size - LANE_FRAME_START;
    assert(size <= LANE_RECORDS_MAX);
    assert(lane_records_check(SPAN(frame->data + LANE_FRAME_START, size)));
    return size > 0;
}

const struct bytes *rig_say(unsigned me)
{
    struct wire *wire = &wires[1 - me];
    struct bytes frame = {0};
    if (wire->count == RIG_FRAMES_MAX || !rig_frame(me, &frame)) {
        bytes_deinit(&frame);
        return NULL;
    }
    struct bytes *place = &wire->frames[(wire->first + wire->count++) % RIG_FRAMES_MAX];
    *place = frame;
    return place;
}

void rig_hear(unsigned me)
{
    struct wire *wire = &wires[me];
    struct lane_record record;
    int r = 0;
    if (wire->count == 0 || !attached[me])
        return;
    struct bytes frame = wire->frames[wire->first++ % RIG_FRAMES_MAX];
    wire->count--;
    struct reader reader =
        reader_of(SPAN(frame.data + LANE_FRAME_START, frame.size - LANE_FRAME_START));
    while (r == 0 && lane_record_next(&reader, &record))
        r = channels_take(&rig_sides[me].channels, &record);
    if (r != 0)
        fprintf(stderr, "%s\n", rig_sides[me].channels.complaint);
    assert(r == 0);
    bytes_deinit(&frame);
}

static void clear_wires(void)
{
    wire_clear(&wires[0]);
    wire_clear(&wires[1]);
}

void rig_cut(unsigned me)
{
    clear_wires();
    detach(me);
}

/* Only one side notices at once. */
static void cut(void)
{
    if (cuts_left == 0)
        return;
    cuts_left--;
    rig_cut(number_below(2));
}

/* A side without a lane makes the other see that its own is gone, too. */
void rig_mend(void)
{
    if (attached[0] && attached[1])
        return;
    clear_wires();
    for (unsigned i = 0; i < 2; i++) {
        detach(i);
        attach(i);
    }
}

void rig_wait(uint64_t ms)
{
    time_ms += ms;
    for (unsigned i = 0; i < 2; i++)
        if (channels_deadline(&rig_sides[i].channels) <= time_ms)
            channels_tick(&rig_sides[i].channels);
}

/* Time passes; enough for a stream without a lane if it happens twice. */
static void pass_time(void)
{
    if (waits_left == 0)
        return;
    waits_left--;
    rig_wait(CHANNEL_DETACHED_MAX_MS / 2 + 1);
}

void rig_step(void)
{
    unsigned me = number_below(2);
    switch (number_below(40)) {
    case 0:
        cut();
        break;
    case 1:
        rig_mend();
        break;
    case 2:
        channels_reap(&rig_sides[me].channels);
        break;
    case 3 ... 12:
        rig_say(me);
        break;
    case 13 ... 22:
        rig_hear(me);
        break;
    case 23:
        pass_time();
        break;
    case 24:
        end_programs(me);
        break;
    default:
        rig_poll(number());
        break;
    }
}

bool rig_at_rest(void)
{
    return rig_sides[0].channels.count == 0 && rig_sides[1].channels.count == 0;
}

void rig_run(unsigned steps_max)
{
    for (unsigned i = 0; i < steps_max && !rig_at_rest(); i++)
        rig_step();
    for (unsigned i = 0; i < 2000 && rig_at_rest(); i++) {
        rig_say(i % 2); /* last answers */
        rig_hear(i % 2);
    }
}

unsigned rig_open(unsigned me, size_t there, size_t back, bool resumes)
{
    struct channel *channel;
    const unsigned pair = next_fd;
    const char name[] = {(char)('a' + pair / 2), '\0'};
    uint8_t seed = (uint8_t)(pair * 17);
    rig_programs[pair] =
        (struct rig_program){.says = there, .seed = seed, .hears = (uint8_t)(seed + 1)};
    rig_programs[pair + 1] =
        (struct rig_program){.says = back, .seed = (uint8_t)(seed + 1), .hears = seed};
    assert(channels_open(&rig_sides[me].channels, name, resumes, (int)pair, &channel) == 0);
    next_fd += 2;
    return pair;
}
