/* SPDX-License-Identifier: ISC */
/*
 * One run.
 */
#include "simulation/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "proto/close_code.h"
#include "simulation/dice.h"
#include "simulation/ledger.h"
#include "simulation/machine.h"
#include "simulation/wire.h"

enum {
    TURNS_PER_SECOND_MAX = 3000,
    STREAMS_MAX = 64,
    UNSENT_MAX = 256 * 1024,
    CHECK_EVERY = 250,            /* turns of any machine */
    PATIENCE_MS = 40 * 60 * 1000, /* for everything to arrive after the faults */
    REST_MS = 120 * 1000,
    REST_TURNS_MAX = 40, /* per machine, in the rest at the end */
    CROSSING_LAG_MS = 50,
    CROSSING_MS = 4000, /* less than a side waits whose link lost to another */
    PAUSE_MS = 60 * 1000,
};

static struct {
    struct machine machines[MACHINES_MAX];
    unsigned count;
    bool dials[MACHINES_MAX][MACHINES_MAX]; /* who has addresses of whom */
    uint64_t second;                        /* the present one, for counting turns */
    unsigned turns;                         /* of all machines, for checking now and then */
    bool gaps; /* a machine was restored, or a message ran out of time: a history may have holes */
    /* What this run is like, in permille of the events: */
    unsigned calm, cuts, parts, crashes, clocks, restores;
} story;

/* --- setting the scene ------------------------------------------------------------------------ */

/* Some have wrong addresses besides the right one. */
static unsigned choose_addresses(unsigned machine, struct address addresses[static 3])
{
    unsigned count = 0;
    if (dice_chance(150))
        addresses[count++] = wire_address(machine, PORT_CLOSED);
    if (dice_chance(100))
        addresses[count++] = wire_address(machine, PORT_VOID);
    addresses[count++] = wire_address(machine, ADDRESS_PORT_DEFAULT);
    return count;
}

static void introduce(unsigned here, unsigned there, bool dials, bool pinned)
{
    struct machine *machine = &story.machines[here];
    struct address addresses[3];
    unsigned count = dials ? choose_addresses(there, addresses) : 0;
    struct peer *peer;
    story.dials[here][there] = dials;
    int r = node_peer_add(machine->node, world_name(there), addresses, count,
                          pinned ? machine_key(&story.machines[there]) : NULL,
                          pinned ? PEER_VERIFIED : PEER_UNPINNED, &peer);
    if (r != 0)
        complain("%s can't add %s: %d", world_name(here), world_name(there), r);
    loop_wake(&machine->loop);
}

/*
 * Both dial, or only one, which may learn the other's key at the first contact. When both have to
 * learn it, the call of either may come before it is reached.
 */
static void introduce_pair(unsigned one, unsigned other)
{
    bool both = dice_chance(500);
    bool swap = dice_chance(500);
    unsigned dialler = swap ? other : one;
    unsigned dialled = swap ? one : other;
    bool strangers = both && dice_chance(300);
    introduce(dialler, dialled, true, !strangers && (both || dice_chance(700)));
    introduce(dialled, dialler, both, !strangers);
}

static void set_scene(const char *folder)
{
    memset(&story, 0, sizeof story);
    story.count = 2 + dice_below(MACHINES_MAX - 1);
    story.calm = dice_below(800);
    story.cuts = dice_below(300);
    story.parts = dice_below(200);
    story.crashes = dice_below(300);
    story.clocks = dice_below(100);
    story.restores = dice_chance(400) ? dice_below(60) : 0;
    wire_reset();
    wire_set_lag(1 + dice_below(dice_chance(200) ? 2000 : 150));
    ledger_reset(story.machines, story.count);
    for (unsigned i = 0; i < story.count; i++) {
        machine_init(&story.machines[i], i, folder);
        story.machines[i].settings.retention_messages = dice_chance(300) ? 30 : 0;
        machine_start(&story.machines[i]);
    }
    for (unsigned i = 0; i < story.count; i++)
        for (unsigned j = i + 1; j < story.count; j++)
            introduce_pair(i, j);
}

/* --- going on --------------------------------------------------------------------------------- */

static void check_bounds(void)
{
    if (wire_most_unsent() > UNSENT_MAX)
        complain("%zu bytes unsent on one stream", wire_most_unsent());
    for (unsigned i = 0; i < story.count; i++)
        if (wire_streams(i) > STREAMS_MAX)
            complain("%s has %u streams", world_name(i), wire_streams(i));
}

/* More turns than this in a second are a loop that never sleeps. */
static void count_turn(struct machine *machine)
{
    if (world_now() / 1000 != machine->second) {
        machine->second = world_now() / 1000;
        machine->turns_in_second = 0;
    }
    if (++machine->turns_in_second > TURNS_PER_SECOND_MAX)
        complain("%s does not come to rest", world_name(machine->index));
}

static struct machine *next_machine(void)
{
    struct machine *next = NULL;
    for (unsigned i = 0; i < story.count; i++)
        if (next == NULL || machine_due(&story.machines[i]) < machine_due(next))
            next = &story.machines[i];
    return next;
}

/* Lets the machines go on until a time, or until a promise is broken. */
static void run_until(uint64_t end_ms)
{
    while (world_complaint() == NULL) {
        struct machine *machine = next_machine();
        if (machine_due(machine) > end_ms)
            break;
        world_set_time(machine_due(machine));
        if (machine->node == NULL) {
            machine_start(machine);
            continue;
        }
        machine_turn(machine);
        count_turn(machine);
        if (++story.turns % CHECK_EVERY == 0) {
            ledger_check();
            check_bounds();
        }
    }
    world_set_time(end_ms);
}

/* --- what happens ----------------------------------------------------------------------------- */

static unsigned other_than(unsigned machine)
{
    return (machine + 1 + dice_below(story.count - 1)) % story.count;
}

static void write_messages(struct machine *machine)
{
    unsigned count = dice_chance(100) ? 1 + dice_below(40) : 1 + dice_below(4);
    while (machine->node != NULL && count-- > 0)
        ledger_send(machine->index, other_than(machine->index),
                    (size_t)(dice_chance(50) ? dice_between(1000, 65536) : dice_between(1, 200)),
                    dice_chance(50) ? dice_between(1000, 60000) : 0);
}

static void crash(struct machine *machine)
{
    enum fall fall = dice_chance(600) ? FALL_KILLED : FALL_POWER;
    uint64_t away_ms = dice_chance(700) ? dice_between(1, 5000) : dice_between(5000, 120000);
    switch (dice_below(5)) {
    case 0:
        machine_crash(machine, fall);
        break;
    case 1:
        machine_stop(machine);
        break;
    case 2:
        machine->crash = CRASH_IN_CALLBACKS;
        break;
    case 3:
        machine->crash = CRASH_BEFORE_COMMIT;
        break;
    case 4:
        machine->crash = CRASH_AFTER_COMMIT;
        break;
    }
    machine->fall = fall;
    machine->restart_ms = world_now() + away_ms;
}

/* A backup is taken, or the last one put back. */
static void travel_in_time(struct machine *machine)
{
    if (db_dirty(machine->db))
        return;
    if (!machine->backed_up) {
        machine_back_up(machine);
        return;
    }
    story.gaps = true;
    ledger_before_restore(machine->index);
    machine_crash(machine, dice_chance(500) ? FALL_KILLED : FALL_POWER);
    machine_restore(machine);
    machine->backed_up = false;
    machine_start(machine);
    ledger_after_restore(machine->index);
}

static void step_clock(struct machine *machine)
{
    static const int64_t steps_ms[] = {-1000,
                                       1000,
                                       3600000,
                                       -3600000,
                                       INT64_C(315360000000),
                                       INT64_C(-315360000000),
                                       INT64_C(-4000000000000)};
    int64_t step = steps_ms[dice_below(sizeof steps_ms / sizeof *steps_ms)];
    trace(machine->index, "clock steps by %lld ms", (long long)step);
    world_step_clock(machine->index, step);
}

static void bother_peer(struct machine *machine, struct peer *peer)
{
    switch (dice_below(4)) {
    case 0:
        trace(machine->index, "disconnects %s", peer->row.name);
        node_peer_disconnect(peer);
        break;
    case 1:
    case 2:
        trace(machine->index, "connects %s", peer->row.name);
        node_peer_connect(peer);
        break;
    case 3:
        node_peer_ping(machine->node, peer);
        break;
    }
    loop_wake(&machine->loop);
}

static void part_or_heal(unsigned one, unsigned other)
{
    if (dice_chance(400))
        wire_part(one, other);
    else
        wire_heal(one, other);
}

/* Whether this is among the first `permille` of what the dice left. */
static bool falls_on(unsigned *throw, unsigned permille)
{
    bool hit = *throw < permille;
    *throw -= hit ? 0 : permille;
    return hit;
}

static void happen(void)
{
    struct machine *machine = &story.machines[dice_below(story.count)];
    unsigned other = other_than(machine->index);
    unsigned throw = dice_below(1000);
    if (machine->node == NULL || dice_chance(story.calm))
        return;
    if (falls_on(&throw, story.cuts))
        wire_cut(dice_below(CUT_KINDS));
    else if (falls_on(&throw, story.parts))
        part_or_heal(machine->index, other);
    else if (falls_on(&throw, story.crashes) && machine->stop_ms == NEVER)
        crash(machine);
    else if (falls_on(&throw, story.clocks))
        step_clock(machine);
    else if (falls_on(&throw, story.restores))
        travel_in_time(machine);
    else if (falls_on(&throw, 30))
        machine_freeze(machine, dice_between(1000, dice_chance(200) ? 60000 : 5000));
    else if (falls_on(&throw, 30))
        bother_peer(machine, machine_peer(machine, other));
    else if (falls_on(&throw, 20))
        ledger_cancel(machine->index);
    else if (falls_on(&throw, 30))
        machine_fill_disk(machine, dice_chance(500));
    else
        write_messages(machine);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void end_faults(void)
{
    trace(MACHINES_MAX, "no more faults");
    for (unsigned i = 0; i < story.count; i++) {
        struct machine *machine = &story.machines[i];
        for (unsigned j = 0; j < i; j++)
            wire_heal(i, j);
        machine->crash = CRASH_NOWHERE;
        machine_fill_disk(machine, false);
        if (machine->stop_ms != NEVER)
            machine_crash(machine, FALL_KILLED);
        if (machine->node == NULL)
            machine_start(machine);
        for (unsigned j = 0; j < story.count; j++)
            if (j != i) /* one that was disconnected is kept away until then, also when it dials */
                node_peer_connect(machine_peer(machine, j));
        loop_wake(&machine->loop);
    }
}

/* Whether every pair has a session. */
static bool all_online(bool complaining)
{
    bool all = true;
    for (unsigned i = 0; i < story.count; i++)
        for (unsigned j = 0; j < story.count; j++) {
            if (j == i)
                continue;
            enum peer_state state = machine_peer(&story.machines[i], j)->state;
            all = all && state == PEER_ONLINE && wire_connections(i, j) == 1;
            if (complaining && state != PEER_ONLINE)
                complain("%s sees %s %s", world_name(i), world_name(j), peer_state_name(state));
        }
    return all;
}

/* Everything promised arrives, and the machines find each other. */
static void settle(void)
{
    uint64_t end = world_now() + PATIENCE_MS;
    do
        run_until(world_now() + 10000);
    while (world_now() < end && world_complaint() == NULL &&
           !(all_online(false) && ledger_done(false)));
    all_online(true);
    ledger_check();
    ledger_done(true);
    check_bounds();
}

/* Once all is settled, nobody has anything to do. */
static void rest(void)
{
    unsigned turns[MACHINES_MAX];
    for (unsigned i = 0; i < story.count; i++)
        turns[i] = story.machines[i].turns;
    run_until(world_now() + REST_MS);
    all_online(true);
    for (unsigned i = 0; i < story.count; i++) {
        turns[i] = story.machines[i].turns - turns[i];
        if (turns[i] > REST_TURNS_MAX)
            complain("%s took %u turns while nothing happened", world_name(i), turns[i]);
        for (unsigned j = 0; j < i; j++)
            if (wire_connections(i, j) != 1)
                complain("%u connections between %s and %s", wire_connections(i, j), world_name(i),
                         world_name(j));
    }
}

/* A pair of machines that know each other by one good address each. */
static bool choose_dialling_pair(struct peer **one, struct peer **other)
{
    unsigned i = dice_below(story.count), j = other_than(i);
    *one = machine_peer(&story.machines[i], j);
    *other = machine_peer(&story.machines[j], i);
    return (*one)->row.address_count == 1 && (*other)->row.address_count == 1;
}

/*
 * Two machines dial each other at the same time: one of the two connections stays, without another
 * try.
 */
static void cross_dials(void)
{
    struct peer *one, *other;
    if (!choose_dialling_pair(&one, &other))
        return;
    trace(MACHINES_MAX, "dials cross");
    wire_set_lag(CROSSING_LAG_MS);
    node_peer_disconnect(one);
    node_peer_disconnect(other);
    run_until(world_now() + PAUSE_MS);
    node_peer_connect(one);
    node_peer_connect(other);
    run_until(world_now() + CROSSING_MS);
    all_online(true);
}

/* Why no link between honest machines ever ends. */
static const enum close_code suspicious[] = {
    CLOSE_PROTOCOL_ERROR,     CLOSE_HANDSHAKE_FAILED, CLOSE_INTERNAL_ERROR, CLOSE_SLOW_PEER,
    CLOSE_UNSUPPORTED_RECORD, CLOSE_REKEY_OVERDUE,    CLOSE_BAD_ITEM,       CLOSE_BAD_KEY,
};

static void on_log(const struct log_entry *entry)
{
    const char *event = entry->event != NULL ? entry->event : "";
    trace(MACHINES_MAX, "%s%s%s: %s", entry->component, entry->peer != NULL ? " " : "",
          entry->peer != NULL ? entry->peer : "", entry->message);
    if (strcmp(event, "message-expired") == 0)
        story.gaps = true;
    if (strcmp(event, "history-note") == 0 && !story.gaps)
        complain("noted without a reason: %s", entry->message);
    for (size_t i = 0; i < sizeof suspicious / sizeof *suspicious; i++)
        if (strstr(entry->message, close_code_name(suspicious[i])) != NULL)
            complain("no fault explains: %s", entry->message);
}

const char *story_run(uint64_t seed, const char *folder)
{
    unsigned events;
    log_set_level(LOG_LEVEL_DEBUG);
    log_set_sink(on_log);
    dice_seed(seed);
    world_reset();
    set_scene(folder);
    events = 100 + dice_below(200);
    while (events-- > 0 && world_complaint() == NULL) {
        run_until(world_now() + dice_between(1, dice_chance(300) ? 10000 : 600));
        happen();
    }
    end_faults();
    settle();
    if (world_complaint() == NULL)
        rest();
    if (world_complaint() == NULL)
        cross_dials();
    trace(MACHINES_MAX, "%u messages accepted", ledger_accepted());
    for (unsigned i = 0; i < story.count; i++)
        machine_deinit(&story.machines[i]);
    return world_complaint();
}
