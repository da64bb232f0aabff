/* SPDX-License-Identifier: ISC */
/*
 * Two ends of a set of streams, with a lane between them that breaks: whatever is on its way is
 * lost, each end finds out on its own, and both greet each other again.
 *
 * Local ends, loop and time are made here, so that a seed decides what happens in which order.
 * Checked: every byte arrives once and in order, and both ends agree on how a stream ended.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/channels.h"
#include "unit/cmocka_all.h"
#include "unit/deep.h"

enum { PIPES_MAX = 64, FRAMES_MAX = 64, STREAMS = 4, TOTAL_MAX = 200000 };

/* --- a local end, without a kernel ------------------------------------------------------------ */

/* What the program at the other end does. */
struct program {
    size_t says; /* so many bytes, then it ends its output */
    size_t said;
    size_t heard;
    uint8_t seed;  /* of what it says */
    uint8_t hears; /* the seed of what it is told */
    bool heard_end;
    bool deaf;   /* it closed its input */
    bool broken; /* it was told to stop */
    bool reset;  /* instead of ending its output */
};

struct pipe {
    const struct pipe_events *events;
    void *context;
    bool watches_read, watches_write;
    struct program *program;
};

static struct program programs[PIPES_MAX];
static struct pipe pipes[PIPES_MAX];
static uint64_t time_ms, numbers;

/* The finaliser of SplitMix64. */
static unsigned number(void)
{
    uint64_t mixed = numbers += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)(mixed >> 40);
}

static uint8_t byte_at(uint8_t seed, size_t at)
{
    return (uint8_t)(at * 31 + at / 251 + seed);
}

int pipe_new(struct pipe **pipe, struct loop *loop, int fd, const struct pipe_events *events,
             void *context)
{
    (void)loop;
    if (fd < 0 || fd >= PIPES_MAX)
        return -ENOTSOCK;
    pipes[fd] = (struct pipe){.events = events, .context = context, .program = &programs[fd]};
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
    struct program *program = pipe->program;
    size_t moved = 0, left = program->says - program->said;
    if (number() % 4 == 0)
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
    struct program *program = pipe->program;
    size_t moved = 0;
    if (program->deaf)
        return -EPIPE;
    if (number() % 4 == 0)
        return -EAGAIN;
    for (int i = 0; i < count; i++) {
        size_t size = a_part_of(pieces[i].iov_len);
        for (size_t j = 0; j < size; j++)
            assert_int_equal(((const uint8_t *)pieces[i].iov_base)[j],
                             byte_at(program->hears, program->heard++));
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

/* --- two ends and a lane ---------------------------------------------------------------------- */

struct side {
    struct channels channels;
    bool seen_cut; /* it knows that the lane is gone */
    unsigned ended_well, ended_badly, incoming, opened;
    uint8_t last_code;
    struct channel_exit last_exit;
    unsigned refuse; /* answer OPENs with this code */
    bool exits;
};

struct wire {
    struct bytes frames[FRAMES_MAX];
    size_t first, count;
};

static struct side sides[2];
static struct wire wires[2]; /* to that side */
static struct credit_pool pools[4];
static unsigned next_fd, cuts_left;
static bool attached[2];

static unsigned number_below(unsigned limit)
{
    return number() % limit;
}

static void on_incoming(void *context, struct channel *channel)
{
    struct side *side = context;
    side->incoming++;
    if (side->refuse != 0) {
        channels_reset(channel, (uint8_t)side->refuse);
        return;
    }
    /* The opener's descriptor was the one with this number less one. */
    unsigned fd = (unsigned)(channel->service[0] - 'a') * 2 + 1;
    assert_int_equal(channels_accept(channel, (int)fd, side->exits), 0);
}

static void on_opened(void *context, struct channel *channel)
{
    struct side *side = context;
    (void)channel;
    side->opened++;
}

static void on_ended(void *context, struct channel *channel, const struct channel_end *end)
{
    struct side *side = context;
    side->ended_well += end->well;
    side->ended_badly += !end->well;
    side->last_code = end->code;
    side->last_exit = channel->exit;
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
                                         .context = &sides[me],
                                         .sending = &pools[2 * me],
                                         .receiving = &pools[2 * me + 1],
                                         .odd = me == 0,
                                         .streams_max = CREDIT_STREAMS_MAX};
    sides[me] = (struct side){0};
    assert_int_equal(channels_init(&sides[me].channels, &parts), 0);
}

static void world_init(uint64_t seed)
{
    numbers = seed;
    memset(programs, 0, sizeof programs);
    memset(pipes, 0, sizeof pipes);
    memset(pools, 0, sizeof pools);
    memset(attached, 0, sizeof attached);
    time_ms = 1000000;
    next_fd = cuts_left = 0;
    side_init(0);
    side_init(1);
}

static void wire_clear(struct wire *wire)
{
    while (wire->count > 0) {
        bytes_deinit(&wire->frames[wire->first++ % FRAMES_MAX]);
        wire->count--;
    }
}

static void world_deinit(void)
{
    for (unsigned i = 0; i < 2; i++) {
        channels_deinit(&sides[i].channels);
        wire_clear(&wires[i]);
        assert_int_equal(pools[2 * i].granted + pools[2 * i + 1].granted, 0);
        assert_int_equal(pools[2 * i].sharers + pools[2 * i + 1].sharers, 0);
    }
}

static void attach(unsigned me)
{
    if (!attached[me])
        channels_attach(&sides[me].channels);
    attached[me] = true;
}

static void detach(unsigned me)
{
    if (attached[me])
        channels_detach(&sides[me].channels);
    attached[me] = false;
}

/* Builds a frame of `me`. */
static void say(unsigned me)
{
    struct wire *wire = &wires[1 - me];
    struct bytes frame = {0};
    if (wire->count == FRAMES_MAX || !attached[me] || !channels_have_output(&sides[me].channels))
        return;
    assert_int_equal(lane_frame_begin(&frame), 0);
    assert_int_equal(channels_fill(&sides[me].channels, &frame, LANE_RECORDS_MAX), 0);
    assert_true(frame.size - LANE_FRAME_START <= LANE_RECORDS_MAX);
    if (frame.size == LANE_FRAME_START) {
        bytes_deinit(&frame);
        return;
    }
    assert_true(
        lane_records_check(SPAN(frame.data + LANE_FRAME_START, frame.size - LANE_FRAME_START)));
    wire->frames[(wire->first + wire->count++) % FRAMES_MAX] = frame;
}

static int take(unsigned me, struct span records)
{
    struct reader reader = reader_of(records);
    struct lane_record record;
    int r = 0;
    while (r == 0 && lane_record_next(&reader, &record))
        r = channels_take(&sides[me].channels, &record);
    return r;
}

static void hear(unsigned me)
{
    struct wire *wire = &wires[me];
    if (wire->count == 0 || !attached[me])
        return;
    struct bytes frame = wire->frames[wire->first++ % FRAMES_MAX];
    wire->count--;
    int r = take(me, SPAN(frame.data + LANE_FRAME_START, frame.size - LANE_FRAME_START));
    if (r != 0)
        print_message("%s\n", sides[me].channels.complaint);
    assert_int_equal(r, 0);
    bytes_deinit(&frame);
}

/* The kernel tells of one local end. */
static void poll_pipe(void)
{
    struct pipe *pipe = &pipes[number_below(PIPES_MAX)];
    if (pipe->watches_read && number_below(2) == 0) {
        pipe->watches_read = false;
        pipe->events->readable(pipe->context);
    } else if (pipe->watches_write) {
        pipe->watches_write = false;
        pipe->events->writable(pipe->context);
    }
}

/* The lane breaks: what is on its way is lost; only one side notices at once. */
static void cut(void)
{
    if (cuts_left == 0)
        return;
    cuts_left--;
    wire_clear(&wires[0]);
    wire_clear(&wires[1]);
    detach(number_below(2));
}

/* A side without a lane makes the other see that its own is gone, too. */
static void mend(void)
{
    if (attached[0] && attached[1])
        return;
    wire_clear(&wires[0]);
    wire_clear(&wires[1]);
    for (unsigned i = 0; i < 2; i++) {
        detach(i);
        attach(i);
    }
}

static void step(void)
{
    unsigned me = number_below(2);
    switch (number_below(40)) {
    case 0:
        cut();
        break;
    case 1:
        mend();
        break;
    case 2:
        channels_reap(&sides[me].channels);
        break;
    case 3 ... 12:
        say(me);
        break;
    case 13 ... 22:
        hear(me);
        break;
    default:
        poll_pipe();
        break;
    }
}

static bool at_rest(void)
{
    return sides[0].channels.count == 0 && sides[1].channels.count == 0;
}

static void run(unsigned steps_max)
{
    for (unsigned i = 0; i < steps_max && !at_rest(); i++)
        step();
    for (unsigned i = 0; i < 2000 && at_rest(); i++) {
        say(i % 2); /* last answers */
        hear(i % 2);
    }
}

/* A stream whose opener says `there` bytes and is told `back` bytes. */
static struct channel *open_stream(unsigned me, size_t there, size_t back)
{
    struct channel *channel;
    const char name[] = {(char)('a' + next_fd / 2), '\0'};
    uint8_t seed = (uint8_t)(next_fd * 17);
    programs[next_fd] = (struct program){.says = there, .seed = seed, .hears = (uint8_t)(seed + 1)};
    programs[next_fd + 1] =
        (struct program){.says = back, .seed = (uint8_t)(seed + 1), .hears = seed};
    assert_int_equal(channels_open(&sides[me].channels, name, true, (int)next_fd, &channel), 0);
    next_fd += 2;
    return channel;
}

static void assert_whole(unsigned fd)
{
    assert_int_equal(programs[fd].heard, programs[fd + 1].says);
    assert_int_equal(programs[fd + 1].heard, programs[fd].says);
    assert_true(programs[fd].heard_end && programs[fd + 1].heard_end);
}

static void transfer(uint64_t seed)
{
    world_init(seed);
    attach(0);
    attach(1);
    cuts_left = number_below(30);
    for (unsigned i = 0; i < STREAMS; i++)
        open_stream(number_below(2), number_below(3) == 0 ? 0 : number_below(TOTAL_MAX),
                    number_below(3) == 0 ? 0 : number_below(TOTAL_MAX));
    run(2000000);
    if (!at_rest())
        print_message("seed %llu is not at rest\n", (unsigned long long)seed);
    assert_true(at_rest());
    for (unsigned i = 0; i < STREAMS; i++)
        assert_whole(2 * i);
    assert_int_equal(sides[0].ended_well, STREAMS);
    assert_int_equal(sides[1].ended_well, STREAMS);
    world_deinit();
}

static void test_every_byte_arrives_once_whatever_breaks(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= (deep() ? 3000 : 60); seed++)
        transfer(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_arrives_once_whatever_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
