/* SPDX-License-Identifier: ISC */
/*
 * All that strangers reach of a daemon: they come from some paths, say what a true peer would say,
 * or parts of it, or anything else, and go as they like. They cost little, nothing of them is kept,
 * and a peer who comes afterwards comes in.
 *
 *     input: what happens to unknown keys (1 byte); then steps of 2 bytes: which one, and of whom
 *     or how much; raw words have their bytes behind
 */
#include <string.h>

#include "core/limits.h"
#include "dialogue/party.h"
#include "fuzz/fuzz.h"
#include "fuzz/house.h"
#include "net/connector.h"
#include "net/resolver.h"
#include "proto/handshake_state.h"
#include "simulation/wire.h"

int __real_handshake_admit(struct handshake *handshake, bool approved, struct bytes *out);
int __wrap_handshake_admit(struct handshake *handshake, bool approved, struct bytes *out);

enum {
    VISITORS_MAX = 64,
    PLACES = MACHINES_MAX - 1, /* that visitors come from: all machines but the house */
    STEPS_MAX = 300,
    /* Connections with one place: its strangers, and sessions and last words of others. */
    CONNECTIONS_MAX = LIMITS_PER_ORIGIN_MAX + 16,
    PATIENCE_MS = SESSION_PENDING_TIMEOUT_MS + 30 * 1000,
    HURRY_MS = 5000,
};

/* Whose keys visitors have. */
enum { KEY_PEER = 1, KEY_BLOCKED, KEY_UNKNOWN };

enum step {
    STEP_CONNECT,
    STEP_TALK,
    STEP_LIE,
    STEP_RAW,
    STEP_FINISH,
    STEP_LEAVE,
    STEP_TURN, /* to another visitor */
    STEP_CUT,
    STEP_PASS,
    STEP_KINDS,
};

struct visitor {
    struct party party; /* what a true peer would say; without a session: nobody is there */
    struct connector *connector;
    struct stream *stream;
};

static struct {
    struct house house;
    struct loop places[PLACES];
    struct visitor visitors[VISITORS_MAX];
    unsigned latest; /* visitor, whom the next steps are about */
    uint64_t began_ms;
    int64_t last_event; /* at the beginning */
    unsigned keys_used; /* how often the house has used its private key for a visitor */
} stage;

/* The linker puts this in the place of handshake_admit(). Visitors are joiners, the house is not.
 */
int __wrap_handshake_admit(struct handshake *handshake, bool approved, struct bytes *out)
{
    stage.keys_used += handshake->role == &handshake_host;
    return __real_handshake_admit(handshake, approved, out);
}

/* --- visitors --------------------------------------------------------------------------------- */

static void on_input(void *context)
{
    struct visitor *visitor = context;
    struct span data = stream_input(visitor->stream);
    size_t used = party_hear(&visitor->party, data, 0, world_now());
    assert(used == data.size);
    stream_consume(visitor->stream, used);
}

static void on_room(void *context)
{
    (void)context;
}

static void on_end(void *context, int error)
{
    (void)context;
    (void)error;
}

static const struct stream_events stream_events = {on_input, on_room, on_end};

static void on_connected(void *context, struct stream *stream, const char *error)
{
    struct visitor *visitor = context;
    (void)error;
    visitor->connector = NULL;
    visitor->stream = stream;
    if (stream != NULL)
        stream_attach(stream, &stream_events, visitor);
}

static void leave(struct visitor *visitor)
{
    if (visitor->party.session == NULL)
        return;
    connector_cancel(visitor->connector);
    stream_free(visitor->stream);
    party_deinit(&visitor->party);
    *visitor = (struct visitor){0};
}

static void come(struct visitor *visitor, unsigned place, unsigned key)
{
    const struct session_settings settings = {.role = SESSION_JOINER, .self = house_identity(key)};
    const struct address address = wire_address(0, ADDRESS_PORT_DEFAULT);
    struct addrinfo *house = lookup_numeric(&address);
    leave(visitor);
    party_init_as(&visitor->party, &settings, world_now());
    assert(connector_start(&visitor->connector, &stage.places[place], house->ai_addr,
                           house->ai_addrlen, on_connected, visitor) == 0);
    lookup_free_addresses(house);
}

/* Says up to `size` bytes of what a true peer would say. */
static void talk(struct visitor *visitor, size_t size)
{
    struct party *party = &visitor->party;
    if (visitor->stream == NULL)
        return;
    party_speak(party, world_now());
    if (size > party->sent.size)
        size = party->sent.size;
    assert(stream_write(visitor->stream, SPAN(party->sent.data, size)) == 0);
    bytes_consume(&party->sent, size);
}

static void say(struct visitor *visitor, struct span words)
{
    if (visitor->stream != NULL)
        assert(stream_write(visitor->stream, words) == 0);
}

/* Changes a byte of what it is about to say. */
static void lie(struct visitor *visitor, unsigned place)
{
    struct party *party = &visitor->party;
    if (visitor->stream == NULL)
        return;
    party_speak(party, world_now());
    if (place < party->sent.size)
        party->sent.data[place] ^= 1;
}

/* --- time ------------------------------------------------------------------------------------- */

static uint64_t earliest_due(void)
{
    uint64_t due = loop_due(&stage.house.loop);
    for (unsigned i = 0; i < PLACES; i++)
        if (loop_due(&stage.places[i]) < due)
            due = loop_due(&stage.places[i]);
    return due;
}

static void pass(uint64_t ms)
{
    uint64_t end_ms = world_now() + ms;
    for (uint64_t due; (due = earliest_due()) <= end_ms;) {
        world_set_time(due);
        house_work(&stage.house);
        for (unsigned i = 0; i < PLACES; i++)
            loop_serve(&stage.places[i], UINT32_MAX);
    }
    world_set_time(end_ms);
}

/* --- what must hold --------------------------------------------------------------------------- */

/* Uses of our private key: some at once, and some more as time passes. */
static unsigned key_budget(void)
{
    unsigned seconds = (unsigned)((world_now() - stage.began_ms) / 1000) + 1;
    return LIMITS_STRANGER_KEYS_BURST + LIMITS_PEER_KEYS_BURST +
           seconds * (LIMITS_STRANGER_KEYS_PER_S + LIMITS_PEER_KEYS_PER_S);
}

static void check(void)
{
    const struct settings *settings = node_settings(stage.house.node);
    const struct pending_keys *requests = node_pending_keys(stage.house.node);
    unsigned peers = 0;
    roster_each (peer, node_roster(stage.house.node))
        peers++;
    for (unsigned i = 0; i < PLACES; i++)
        assert(wire_connections(0, i + 1) <= CONNECTIONS_MAX);
    assert(stage.keys_used <= key_budget());
    assert(requests->count <= (settings->unknown_peers == UNKNOWN_ASK ? 1U : 0U));
    if (settings->unknown_peers == UNKNOWN_ACCEPT)
        assert(peers <= 3);
    else
        assert(peers == 2 && events_last(node_db(stage.house.node)) == stage.last_event);
}

/* Connections that say nothing more are gone in time; the peer's alone may stay. */
static void expect_silence_to_end(void)
{
    pass(PATIENCE_MS);
    check();
    assert(wire_streams(0) <= 2);
}

static void expect_peer_to_come_in(void)
{
    struct visitor *peer = &stage.visitors[0];
    uint64_t end_ms = world_now() + HURRY_MS;
    for (unsigned i = 0; i < VISITORS_MAX; i++)
        leave(&stage.visitors[i]);
    come(peer, 0, KEY_PEER);
    while (peer->party.opened == 0 && world_now() < end_ms) {
        pass(10);
        talk(peer, SIZE_MAX);
    }
    assert(peer->party.opened == 1 && peer->party.ended == 0);
    leave(peer);
}

/* --- the play --------------------------------------------------------------------------------- */

static void add_peers(struct house *house)
{
    struct peer *peer;
    assert(node_peer_add(house->node, "peer", NULL, 0, house_fingerprint(KEY_PEER), PEER_VERIFIED,
                         &peer) == 0);
    assert(node_peer_add(house->node, "blocked", NULL, 0, house_fingerprint(KEY_BLOCKED),
                         PEER_VERIFIED, &peer) == 0);
    assert(node_peer_block(house->node, peer) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    house_set_up(add_peers);
    return 0;
}

static void take_step(enum step step, unsigned amount, struct reader *input)
{
    static const unsigned times_ms[] = {1, 10, 100, 1000, 3000, 6000, 11000, 100000};
    struct visitor *visitor = &stage.visitors[stage.latest];
    switch (step) {
    case STEP_CONNECT:
        stage.latest = (stage.latest + 1) % VISITORS_MAX;
        come(&stage.visitors[stage.latest], amount / 3 % PLACES, KEY_PEER + amount % 3);
        pass(5);
        break;
    case STEP_TALK:
        talk(visitor, (size_t)amount * amount);
        pass(5);
        break;
    case STEP_LIE:
        lie(visitor, amount * 8);
        break;
    case STEP_RAW:
        amount = amount < input->left ? amount : (unsigned)input->left;
        say(visitor, SPAN(reader_take(input, amount), amount));
        break;
    case STEP_FINISH:
        if (visitor->stream != NULL)
            stream_finish(visitor->stream);
        break;
    case STEP_LEAVE:
        leave(visitor);
        break;
    case STEP_TURN:
        stage.latest = amount % VISITORS_MAX;
        break;
    case STEP_CUT:
        wire_cut(amount % CUT_KINDS);
        break;
    case STEP_PASS:
        pass(times_ms[amount % 8]);
        break;
    case STEP_KINDS:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct house_plan plan = {.settings = house_settings()};
    struct reader input = reader_of(SPAN(data, size));
    memset(&stage, 0, sizeof stage);
    plan.settings.unknown_peers = reader_u8(&input) % (UNKNOWN_ACCEPT + 1);
    house_init(&stage.house);
    house_open(&stage.house, &plan);
    for (unsigned i = 0; i < PLACES; i++)
        loop_init(&stage.places[i], i + 1);
    stage.began_ms = world_now();
    stage.last_event = events_last(stage.house.db);
    for (unsigned i = 0; i < STEPS_MAX && input.left >= 2; i++) {
        enum step step = reader_u8(&input) % STEP_KINDS;
        take_step(step, reader_u8(&input), &input);
        check();
    }
    expect_silence_to_end();
    expect_peer_to_come_in();
    house_deinit(&stage.house);
    return 0;
}
