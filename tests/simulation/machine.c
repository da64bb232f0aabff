/* SPDX-License-Identifier: ISC */
/*
 * A machine with a p2pchatd on it.
 */
#include "simulation/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "simulation/dice.h"
#include "simulation/ledger.h"
#include "simulation/wire.h"
#include "store/db.h"

enum {
    STOP_MS = 3000,
    BUSY_MS = 3, /* that a turn takes at most */
};

static const struct secret store_key = {{1}};

/* Whose turn it is; NULL between turns. */
static struct machine *turning;

static void must(int r, const char *what)
{
    if (r == 0)
        return;
    fprintf(stderr, "%s: %d\n", what, r);
    abort();
}

const struct fingerprint *machine_key(const struct machine *machine)
{
    return pubkey_fingerprint(identity_pubkey(machine->self));
}

/* The keys of the machines are always the same, and read once. */
static struct identity *load_identity(unsigned index)
{
    static struct identity *identities[MACHINES_MAX];
    struct bytes pem = {0};
    char path[256];
    if (identities[index] == NULL) {
        snprintf(path, sizeof path, KEYS_DIR "/%u.pem", index + 1);
        must(file_read(path, 64 * 1024, &pem), path);
        must(identity_import(&identities[index], bytes_span(&pem), NULL), path);
        bytes_deinit(&pem);
    }
    return identities[index];
}

void machine_init(struct machine *machine, unsigned index, const char *folder)
{
    *machine = (struct machine){.index = index, .restart_ms = NEVER, .stop_ms = NEVER};
    machine->self = load_identity(index);
    machine->settings =
        (struct settings){.listen = {{wire_address(index, ADDRESS_PORT_DEFAULT)}, 1},
                          .unknown_peers = UNKNOWN_ACCEPT,
                          .unknown_peers_limit = 1000,
                          .queue_messages = 100000,
                          .inbound_limit = UINT64_MAX,
                          .inbound_total = UINT64_MAX,
                          .queue_bytes = UINT64_C(1) << 30,
                          .max_links = 4096,
                          .streams = true,
                          .max_streams = 1024};
    snprintf(machine->path, sizeof machine->path, "%s/%s.db", folder, world_name(index));
    loop_init(&machine->loop, index);
}

static void remove_files(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-journal", "-shm"};
    char name[160];
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        unlink(name);
    }
}

static void backup_path(const struct machine *machine, char path[static 160])
{
    snprintf(path, 160, "%s.backup", machine->path);
}

void machine_deinit(struct machine *machine)
{
    char backup[160];
    if (machine->node != NULL)
        machine_crash(machine, FALL_POWER);
    backup_path(machine, backup);
    remove_files(backup);
    remove_files(machine->path);
}

/* --- what the node reports -------------------------------------------------------------------- */

static void on_settled(void *context, int outcome)
{
    struct machine *machine = context;
    if (machine->loop.fall != FALL_NONE)
        return;
    if (outcome != 0)
        complain("%s failed: %s", world_name(machine->index), strerror(-outcome));
    else
        ledger_settled(machine->index);
}

static void on_presence(void *context, const struct peer *peer)
{
    const struct machine *machine = context;
    trace(machine->index, "%s is %s", peer->row.name, peer_state_name(peer->state));
}

static void on_request(void *context, const struct pending_key *request)
{
    (void)context;
    (void)request;
}

static void on_news(void *context, const struct peer *peer)
{
    (void)context;
    (void)peer;
}

static void on_merged(void *context, const struct peer *peer, int64_t former)
{
    const struct machine *machine = context;
    (void)former;
    trace(machine->index, "knows who %s is", peer->row.name);
}

static void on_stream(void *context, const struct stream_news *news)
{
    (void)context;
    (void)news;
}

static const struct observer observer = {.presence = on_presence,
                                         .request = on_request,
                                         .pong = on_news,
                                         .merged = on_merged,
                                         .stream = on_stream,
                                         .unreached = on_news};

/* --- coming up and going down ----------------------------------------------------------------- */

void machine_start(struct machine *machine)
{
    const struct node_parts parts = {.loop = &machine->loop,
                                     .space = (struct space *)(void *)machine,
                                     .self = machine->self,
                                     .store_key = &store_key,
                                     .observer = &observer,
                                     .observer_context = machine,
                                     .settled = on_settled,
                                     .settled_context = machine};
    struct node_parts with_db = parts;
    trace(machine->index, "starts");
    wire_power(machine->index, true);
    machine->restart_ms = NEVER;
    machine->loop.fall = FALL_NONE;
    must(db_open(&machine->db, machine->path), "db_open");
    with_db.db = machine->db;
    must(node_new(&machine->node, &with_db, &machine->settings), "node_new");
    must(node_listen(machine->node), "node_listen");
    node_start(machine->node);
    loop_wake(&machine->loop);
}

static void take_down(struct machine *machine)
{
    node_free(machine->node);
    db_close(machine->db);
    machine->node = NULL;
    machine->db = NULL;
    machine->crash = CRASH_NOWHERE;
    machine->stop_ms = NEVER;
    machine->loop.woken = false;
    ledger_machine_down(machine->index);
}

void machine_crash(struct machine *machine, enum fall fall)
{
    trace(machine->index, "%s", fall == FALL_POWER ? "loses power" : "is killed");
    machine->loop.fall = fall;
    wire_power(machine->index, fall != FALL_POWER);
    take_down(machine);
}

void machine_stop(struct machine *machine)
{
    trace(machine->index, "stops");
    node_stop(machine->node);
    machine->stop_ms = world_now() + STOP_MS;
    loop_wake(&machine->loop);
}

/* --- turns ------------------------------------------------------------------------------------ */

uint64_t machine_due(const struct machine *machine)
{
    if (machine->node == NULL)
        return machine->restart_ms;
    uint64_t due = loop_due(&machine->loop);
    if (machine->stop_ms < due)
        due = machine->stop_ms;
    return due > machine->busy_until_ms ? due : machine->busy_until_ms;
}

void machine_freeze(struct machine *machine, uint64_t for_ms)
{
    trace(machine->index, "stands still for %llu ms", (unsigned long long)for_ms);
    machine->busy_until_ms = world_now() + for_ms;
}

int __real_db_commit(struct db *db);
int __wrap_db_commit(struct db *db);

/* The linker puts this in the place of db_commit(). */
int __wrap_db_commit(struct db *db)
{
    enum crash_point crash = turning != NULL ? turning->crash : CRASH_NOWHERE;
    int r = crash == CRASH_BEFORE_COMMIT ? 0 : __real_db_commit(db);
    if (crash != CRASH_NOWHERE)
        turning->loop.fall = turning->fall;
    return r;
}

void machine_turn(struct machine *machine)
{
    bool cut_short = machine->crash == CRASH_IN_CALLBACKS;
    turning = machine;
    machine->turns++;
    loop_serve(&machine->loop, cut_short || dice_chance(200) ? dice_below(6) : UINT32_MAX);
    if (!cut_short)
        node_turn_end(machine->node);
    turning = NULL;
    machine->busy_until_ms = world_now() + dice_below(BUSY_MS + 1);
    if (cut_short || machine->loop.fall != FALL_NONE)
        machine_crash(machine, machine->fall);
    else if (machine->stop_ms != NEVER &&
             (node_stopped(machine->node) || world_now() >= machine->stop_ms))
        take_down(machine);
}

/* --- the disk --------------------------------------------------------------------------------- */

bool __wrap_space_check(struct space *space, int64_t spare);

/* The linker puts this in the place of space_check(). */
bool __wrap_space_check(struct space *space, int64_t spare)
{
    (void)spare;
    return !((const struct machine *)(const void *)space)->disk_full;
}

/* Nor is it a space whose mark could be set. */
void __wrap_space_set_share(struct space *space, uint64_t percent);
void __wrap_space_set_share(struct space *space, uint64_t percent)
{
    (void)space;
    (void)percent;
}

void machine_fill_disk(struct machine *machine, bool full)
{
    if (machine->disk_full != full)
        trace(machine->index, "%s", full ? "has a full disk" : "has room on its disk again");
    machine->disk_full = full;
}

/* --- backups ---------------------------------------------------------------------------------- */

static void copy_file(const char *from, const char *to, const char *ending)
{
    struct bytes content = {0};
    char name[192];
    FILE *file;
    snprintf(name, sizeof name, "%s%s", to, ending);
    unlink(name);
    snprintf(name, sizeof name, "%s%s", from, ending);
    if (access(name, F_OK) < 0)
        return;
    must(file_read(name, 64 * 1024 * 1024, &content), name);
    snprintf(name, sizeof name, "%s%s", to, ending);
    file = fopen(name, "wb");
    if (file == NULL || fwrite(content.data, 1, content.size, file) != content.size ||
        fclose(file) != 0)
        must(-1, name);
    bytes_deinit(&content);
}

static void copy_database(const char *from, const char *to)
{
    copy_file(from, to, "");
    copy_file(from, to, "-wal");
}

void machine_back_up(struct machine *machine)
{
    char backup[160];
    trace(machine->index, "is backed up");
    backup_path(machine, backup);
    copy_database(machine->path, backup);
    machine->backed_up = true;
}

void machine_restore(struct machine *machine)
{
    char backup[160];
    trace(machine->index, "is restored from its backup");
    backup_path(machine, backup);
    copy_database(backup, machine->path);
}

struct peer *machine_peer(const struct machine *machine, unsigned other)
{
    return roster_by_name(node_roster(machine->node), world_name(other));
}
