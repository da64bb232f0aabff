/* SPDX-License-Identifier: ISC */
/*
 * Two honest daemons, and a schedule that is the worst the input can think of: when connections
 * break, ways are closed, processes die and come again, disks are full, clocks jump, keys change.
 * In the end every promise is kept.
 *
 *     input: seed of all that is left to chance (2 bytes); then steps of 2 bytes: which one, and of
 *     whom and how much
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "fuzz/fuzz.h"
#include "simulation/dice.h"
#include "simulation/ledger.h"
#include "simulation/machine.h"
#include "simulation/wire.h"

enum { MACHINES = 2, STEPS_MAX = 60, PATIENCE_MS = 40 * 60 * 1000, ROUND_MS = 10000 };

enum step {
    STEP_PASS,
    STEP_SEND,
    STEP_CANCEL,
    STEP_CUT,
    STEP_WAY,
    STEP_CRASH,
    STEP_STOP,
    STEP_FREEZE,
    STEP_DISK,
    STEP_CLOCK,
    STEP_DIAL,
    STEP_LAG,
    STEP_BACKUP,
    STEP_KINDS,
};

static struct machine machines[MACHINES];
static char folder[64];

static void remove_folder(void)
{
    rmdir(folder);
}

static void silence(const struct log_entry *entry)
{
    (void)entry;
}

/* In memory, where files cost no time, if there is such a place. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    assert(crypto_init() == 0);
    log_set_sink(silence);
    snprintf(folder, sizeof folder, "%s/p2pchat-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert(mkdtemp(folder) != NULL);
    atexit(remove_folder);
    return 0;
}

/* --- time ------------------------------------------------------------------------------------- */

static void run_until(uint64_t end_ms)
{
    while (world_complaint() == NULL) {
        struct machine *next =
            machine_due(&machines[0]) < machine_due(&machines[1]) ? &machines[0] : &machines[1];
        if (machine_due(next) > end_ms)
            break;
        world_set_time(machine_due(next));
        if (next->node == NULL)
            machine_start(next);
        else
            machine_turn(next);
    }
    world_set_time(end_ms);
}

static void pass(unsigned amount)
{
    static const unsigned times_ms[] = {1, 10, 100, 1000, 5000, 30000, 1000000, 4000000};
    run_until(world_now() + times_ms[amount % 8]);
}

/* --- what happens ----------------------------------------------------------------------------- */

static void introduce(struct machine *machine, unsigned other)
{
    const struct address address = wire_address(other, ADDRESS_PORT_DEFAULT);
    struct peer *peer;
    assert(node_peer_add(machine->node, world_name(other), &address, 1,
                         machine_key(&machines[other]), PEER_VERIFIED, &peer) == 0);
    loop_wake(&machine->loop);
}

static void write_messages(struct machine *machine, unsigned amount)
{
    static const size_t sizes[] = {1, 100, 4000, 65536};
    for (unsigned i = 0; i <= amount / 4 % 16; i++)
        ledger_send(machine->index, 1 - machine->index, sizes[amount % 4], 0);
}

/* At once, or at some point of its next turn; it comes again later. */
static void crash(struct machine *machine, unsigned amount)
{
    static const unsigned away_ms[] = {1, 1000, 5000, 60000};
    machine->fall = amount & 1 ? FALL_KILLED : FALL_POWER;
    machine->crash = amount / 2 % 4;
    if (machine->crash == CRASH_NOWHERE)
        machine_crash(machine, machine->fall);
    machine->restart_ms = world_now() + away_ms[amount / 8 % 4];
}

static void stop(struct machine *machine)
{
    if (machine->stop_ms != NEVER)
        return;
    machine_stop(machine);
    machine->restart_ms = world_now() + ROUND_MS;
}

static void dial(struct machine *machine, unsigned amount)
{
    struct peer *peer = machine_peer(machine, 1 - machine->index);
    if (amount & 1)
        node_peer_disconnect(peer);
    else
        node_peer_connect(peer);
    loop_wake(&machine->loop);
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
    ledger_before_restore(machine->index);
    machine_crash(machine, FALL_KILLED);
    machine_restore(machine);
    machine->backed_up = false;
    machine_start(machine);
    ledger_after_restore(machine->index);
}

static void step_clock(struct machine *machine, unsigned amount)
{
    static const int64_t steps_ms[] = {-1000, 3600000, -3600000, INT64_C(-4000000000000)};
    world_step_clock(machine->index, steps_ms[amount % 4]);
}

/* Something that happens to a machine that is up. */
static void happen(enum step step, struct machine *machine, unsigned amount)
{
    switch (step) {
    case STEP_SEND:
        write_messages(machine, amount);
        break;
    case STEP_CANCEL:
        ledger_cancel(machine->index);
        break;
    case STEP_CRASH:
        crash(machine, amount);
        break;
    case STEP_STOP:
        stop(machine);
        break;
    case STEP_FREEZE:
        machine_freeze(machine, amount * UINT64_C(500));
        break;
    case STEP_DISK:
        machine_fill_disk(machine, amount & 1);
        break;
    case STEP_CLOCK:
        step_clock(machine, amount);
        break;
    case STEP_DIAL:
        dial(machine, amount);
        break;
    case STEP_BACKUP:
        travel_in_time(machine);
        break;
    default:
        break;
    }
}

static void take_step(enum step step, unsigned amount)
{
    struct machine *machine = &machines[amount & 1];
    amount >>= 1;
    if (step == STEP_PASS)
        pass(amount);
    else if (step == STEP_CUT)
        wire_cut(amount % CUT_KINDS);
    else if (step == STEP_WAY)
        (amount & 1 ? wire_part : wire_heal)(0, 1);
    else if (step == STEP_LAG)
        wire_set_lag(1 + amount * 10);
    else if (machine->node != NULL)
        happen(step, machine, amount);
}

/* --- the play --------------------------------------------------------------------------------- */

static void begin(uint64_t seed)
{
    log_set_level(LOG_LEVEL_ERROR);
    dice_seed(seed);
    world_reset();
    wire_reset();
    wire_set_lag(20);
    ledger_reset(machines, MACHINES);
    for (unsigned i = 0; i < MACHINES; i++) {
        machine_init(&machines[i], i, folder);
        machine_start(&machines[i]);
    }
    introduce(&machines[0], 1);
    introduce(&machines[1], 0);
}

static void end_faults(void)
{
    wire_heal(0, 1);
    for (unsigned i = 0; i < MACHINES; i++) {
        struct machine *machine = &machines[i];
        machine->crash = CRASH_NOWHERE;
        machine_fill_disk(machine, false);
        if (machine->stop_ms != NEVER)
            machine_crash(machine, FALL_KILLED);
        if (machine->node == NULL)
            machine_start(machine);
        dial(machine, 0);
    }
}

static void settle(void)
{
    uint64_t end_ms = world_now() + PATIENCE_MS;
    do
        run_until(world_now() + ROUND_MS);
    while (world_now() < end_ms && world_complaint() == NULL && !ledger_done(false));
    ledger_check();
    ledger_done(true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(SPAN(data, size));
    begin(reader_u16(&input));
    for (unsigned i = 0; i < STEPS_MAX && input.left >= 2 && world_complaint() == NULL; i++) {
        enum step step = reader_u8(&input) % STEP_KINDS;
        take_step(step, reader_u8(&input));
        run_until(world_now() + 1);
    }
    end_faults();
    settle();
    for (unsigned i = 0; i < MACHINES; i++)
        machine_deinit(&machines[i]);
    if (world_complaint() != NULL)
        fprintf(stderr, "%s\n", world_complaint());
    assert(world_complaint() == NULL);
    return 0;
}
