/* SPDX-License-Identifier: ISC */
/*
 * The house: one node on a copy of a database that is made once.
 */
#include "fuzz/house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "fuzz/fuzz.h"
#include "simulation/dice.h"
#include "simulation/wire.h"
#include "store/db.h"

enum { TURNS_MAX = 10000, STORE_MAX = 4 * 1024 * 1024 };

static const struct secret store_key = {{1}};

static struct {
    struct identity *identities[HOUSE_KEYS];
    char path[128];       /* of the database */
    struct bytes content; /* of it, at each beginning */
} made;

const struct identity *house_identity(unsigned index)
{
    return made.identities[index];
}

const struct fingerprint *house_fingerprint(unsigned index)
{
    return pubkey_fingerprint(identity_pubkey(made.identities[index]));
}

static void load_identities(void)
{
    for (unsigned i = 0; i < HOUSE_KEYS; i++) {
        struct bytes pem = {0};
        char path[256];
        snprintf(path, sizeof path, KEYS_DIR "/%u.pem", i + 1);
        assert(file_read(path, IDENTITY_PEM_MAX, &pem) == 0);
        assert(identity_import(&made.identities[i], bytes_span(&pem), NULL) == 0);
        bytes_deinit(&pem);
    }
}

/* --- the store -------------------------------------------------------------------------------- */

static void remove_store(void)
{
    char log[160];
    snprintf(log, sizeof log, "%s-wal", made.path);
    unlink(log);
    unlink(made.path);
}

static void restore(void)
{
    FILE *file = fopen(made.path, "wb");
    assert(file != NULL);
    assert(fwrite(made.content.data, 1, made.content.size, file) == made.content.size);
    assert(fclose(file) == 0);
}

/* In memory, where files cost no time, if there is such a place. */
static void choose_path(void)
{
    snprintf(made.path, sizeof made.path, "%s/p2pchat-fuzz-%d.db",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (int)getpid());
    atexit(remove_store);
}

static void silence(const struct log_entry *entry)
{
    (void)entry;
}

void house_set_up(void (*furnish)(struct house *house))
{
    const struct house_plan plan = {.settings = house_settings()};
    struct house house;
    assert(crypto_init() == 0);
    log_set_sink(silence);
    load_identities();
    choose_path();
    remove_store();
    house_init(&house);
    house_open(&house, &plan);
    furnish(&house);
    house_work(&house);
    house_deinit(&house);
    assert(file_read(made.path, STORE_MAX, &made.content) == 0);
}

/* --- what the node reports -------------------------------------------------------------------- */

static void on_settled(void *context, int outcome)
{
    const struct house *house = context;
    assert(outcome == 0);
    if (house->plan->settled != NULL)
        house->plan->settled(house->plan->settled_context);
}

static void on_presence(void *context, const struct peer *peer)
{
    (void)context;
    (void)peer;
}

static void on_request(void *context, const struct pending_key *request)
{
    (void)context;
    (void)request;
}

static void on_merged(void *context, const struct peer *peer, int64_t former)
{
    (void)context;
    (void)peer;
    (void)former;
}

static void on_stream(void *context, const struct stream_news *news)
{
    (void)context;
    (void)news;
}

static const struct observer deaf = {.presence = on_presence,
                                     .request = on_request,
                                     .pong = on_presence,
                                     .merged = on_merged,
                                     .stream = on_stream,
                                     .unreached = on_presence};

/* --- life ------------------------------------------------------------------------------------- */

struct settings house_settings(void)
{
    return (struct settings){.listen = {{wire_address(0, ADDRESS_PORT_DEFAULT)}, 1},
                             .unknown_peers = UNKNOWN_ASK,
                             .unknown_peers_limit = 16,
                             .queue_messages = 1000,
                             .inbound_limit = UINT64_MAX,
                             .inbound_total = UINT64_MAX,
                             .queue_bytes = 10 * 1024 * 1024,
                             .max_links = 4096,
                             .streams = true,
                             .max_streams = 1024};
}

void house_init(struct house *house)
{
    *house = (struct house){0};
    log_set_level(LOG_LEVEL_ERROR);
    dice_seed(1);
    world_reset();
    wire_reset();
    wire_set_lag(1);
    loop_init(&house->loop, 0);
    restore();
    assert(db_open(&house->db, made.path) == 0);
}

void house_open(struct house *house, const struct house_plan *plan)
{
    const struct node_parts parts = {.loop = &house->loop,
                                     .db = house->db,
                                     .self = made.identities[HOUSE_KEY],
                                     .store_key = &store_key,
                                     .observer = plan->observer != NULL ? plan->observer : &deaf,
                                     .observer_context = plan->observer_context,
                                     .settled = on_settled,
                                     .settled_context = house};
    house->plan = plan;
    assert(node_new(&house->node, &parts, &plan->settings) == 0);
    assert(node_listen(house->node) == 0);
    node_start(house->node);
    loop_wake(&house->loop);
}

void house_deinit(struct house *house)
{
    node_free(house->node);
    db_close(house->db);
    if (made.content.data != NULL)
        remove_store();
}

void house_work(struct house *house)
{
    unsigned turns = 0;
    while (loop_due(&house->loop) <= world_now()) {
        assert(turns++ < TURNS_MAX);
        loop_serve(&house->loop, UINT32_MAX);
        node_turn_end(house->node);
        if (house->plan->turned != NULL)
            house->plan->turned(house->plan->settled_context);
    }
}
