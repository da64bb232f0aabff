/*
 * A host with a p2pchatd on it.
 */
#include "simulation/host.h"

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
static struct host *turning;

static void must(int r, const char *what)
{
    if (r == 0)
        return;
    fprintf(stderr, "%s: %d\n", what, r);
    abort();
}

const struct fingerprint *host_key(const struct host *host)
{
    return pubkey_fingerprint(identity_pubkey(host->self));
}

/* The keys of the hosts are always the same, and read once. */
static struct identity *load_identity(unsigned index)
{
    static struct identity *identities[HOSTS_MAX];
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

void host_init(struct host *host, unsigned index, const char *folder)
{
    *host = (struct host){.index = index, .restart_ms = NEVER, .stop_ms = NEVER};
    host->self = load_identity(index);
    host->settings = (struct settings){.listen = {{wire_address(index, ADDRESS_PORT_DEFAULT)}, 1},
                                       .unknown_peers = UNKNOWN_ACCEPT,
                                       .queue_messages = 100000,
                                       .queue_bytes = UINT64_C(1) << 30,
                                       .max_links = 4096};
    snprintf(host->path, sizeof host->path, "%s/%s.db", folder, world_name(index));
    loop_init(&host->loop, index);
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

static void backup_path(const struct host *host, char path[static 160])
{
    snprintf(path, 160, "%s.backup", host->path);
}

void host_deinit(struct host *host)
{
    char backup[160];
    if (host->node != NULL)
        host_crash(host, FALL_POWER);
    backup_path(host, backup);
    remove_files(backup);
    remove_files(host->path);
}

/* --- what the node reports -------------------------------------------------------------------- */

static void on_settled(void *context, int outcome)
{
    struct host *host = context;
    if (host->loop.fall != FALL_NONE)
        return;
    if (outcome != 0)
        complain("%s failed: %s", world_name(host->index), strerror(-outcome));
    else
        ledger_settled(host->index);
}

static void on_presence(void *context, const struct peer *peer)
{
    const struct host *host = context;
    trace(host->index, "%s is %s", peer->row.name, peer_state_name(peer->state));
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
    const struct host *host = context;
    (void)former;
    trace(host->index, "knows who %s is", peer->row.name);
}

static const struct observer observer = {.settled = on_settled,
                                         .presence = on_presence,
                                         .request = on_request,
                                         .pong = on_news,
                                         .merged = on_merged,
                                         .unreached = on_news};

/* --- coming up and going down ----------------------------------------------------------------- */

void host_start(struct host *host)
{
    const struct node_parts parts = {.loop = &host->loop,
                                     .space = (struct space *)(void *)host,
                                     .self = host->self,
                                     .store_key = &store_key,
                                     .observer = &observer,
                                     .observer_context = host};
    struct node_parts with_db = parts;
    trace(host->index, "starts");
    wire_power(host->index, true);
    host->restart_ms = NEVER;
    host->loop.fall = FALL_NONE;
    must(db_open(&host->db, host->path), "db_open");
    with_db.db = host->db;
    must(node_new(&host->node, &with_db, &host->settings), "node_new");
    must(node_listen(host->node), "node_listen");
    node_start(host->node);
    loop_wake(&host->loop);
}

static void take_down(struct host *host)
{
    node_free(host->node);
    db_close(host->db);
    host->node = NULL;
    host->db = NULL;
    host->crash = CRASH_NOWHERE;
    host->stop_ms = NEVER;
    host->loop.woken = false;
    ledger_host_down(host->index);
}

void host_crash(struct host *host, enum fall fall)
{
    trace(host->index, "%s", fall == FALL_POWER ? "loses power" : "is killed");
    host->loop.fall = fall;
    wire_power(host->index, fall != FALL_POWER);
    take_down(host);
}

void host_stop(struct host *host)
{
    trace(host->index, "stops");
    node_stop(host->node);
    host->stop_ms = world_now() + STOP_MS;
    loop_wake(&host->loop);
}

/* --- turns ------------------------------------------------------------------------------------ */

uint64_t host_due(const struct host *host)
{
    if (host->node == NULL)
        return host->restart_ms;
    uint64_t due = loop_due(&host->loop);
    if (host->stop_ms < due)
        due = host->stop_ms;
    return due > host->busy_until_ms ? due : host->busy_until_ms;
}

void host_freeze(struct host *host, uint64_t for_ms)
{
    trace(host->index, "stands still for %llu ms", (unsigned long long)for_ms);
    host->busy_until_ms = world_now() + for_ms;
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

void host_turn(struct host *host)
{
    bool cut_short = host->crash == CRASH_IN_CALLBACKS;
    turning = host;
    host->turns++;
    loop_serve(&host->loop, cut_short || dice_chance(200) ? dice_below(6) : UINT32_MAX);
    if (!cut_short)
        node_turn_end(host->node);
    turning = NULL;
    host->busy_until_ms = world_now() + dice_below(BUSY_MS + 1);
    if (cut_short || host->loop.fall != FALL_NONE)
        host_crash(host, host->fall);
    else if (host->stop_ms != NEVER && (node_stopped(host->node) || world_now() >= host->stop_ms))
        take_down(host);
}

/* --- the disk --------------------------------------------------------------------------------- */

bool __wrap_space_check(struct space *space);

/* The linker puts this in the place of space_check(). */
bool __wrap_space_check(struct space *space)
{
    return !((const struct host *)(const void *)space)->disk_full;
}

void host_fill_disk(struct host *host, bool full)
{
    if (host->disk_full != full)
        trace(host->index, "%s", full ? "has a full disk" : "has room on its disk again");
    host->disk_full = full;
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

void host_back_up(struct host *host)
{
    char backup[160];
    trace(host->index, "is backed up");
    backup_path(host, backup);
    copy_database(host->path, backup);
    host->backed_up = true;
}

void host_restore(struct host *host)
{
    char backup[160];
    trace(host->index, "is restored from its backup");
    backup_path(host, backup);
    copy_database(backup, host->path);
}

struct peer *host_peer(const struct host *host, unsigned other)
{
    return roster_by_name(node_roster(host->node), world_name(other));
}
