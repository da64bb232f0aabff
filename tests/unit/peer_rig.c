/* SPDX-License-Identifier: ISC */
/*
 * A peer on a stage.
 */
#include "unit/peer_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"
#include "net/local_address.h"
#include "unit/cmocka_all.h"

struct stage stage;

/* --- stand-ins -------------------------------------------------------------------------------- */

uint32_t random_u32(void)
{
    return UINT32_MAX / 2;
}

bool local_address_has_ipv6(void)
{
    return false;
}

const struct fingerprint *runtime_fingerprint(const struct runtime *runtime)
{
    static const struct fingerprint own = {{OWN}};
    (void)runtime;
    return &own;
}

bool runtime_cloned(const struct runtime *runtime, uint64_t sign_ms)
{
    (void)runtime;
    return sign_ms != 0;
}

int queue_size(struct db *db, int64_t peer, struct messages_size *size)
{
    (void)db, (void)peer;
    *size = (struct messages_size){.messages = stage.queued};
    return 0;
}

int peers_set_last(struct db *db, int64_t id, const struct address *last, uint64_t now_ms)
{
    (void)db, (void)id, (void)now_ms;
    stage.stored++;
    snprintf(stage.last, sizeof stage.last, "%s", last != NULL ? last->host : "");
    return 0;
}

enum session_role session_role(const struct session *session)
{
    return session->role;
}

bool session_indirect(const struct session *session)
{
    return session->indirect;
}

const struct origin *stream_origin(const struct stream *stream)
{
    return &stream->origin;
}

bool links_stays(const struct link *link, const struct fingerprint *own)
{
    (void)link, (void)own;
    return stage.stays;
}

void link_close(struct link *link, enum close_code code)
{
    assert_int_equal(code, CLOSE_NORMAL);
    assert_non_null(link->peer);
    stage.closed++;
}

const char *link_end_text(const struct link_end *end, char *text, size_t size)
{
    (void)end, (void)text, (void)size;
    return "it ended";
}

int round_start(struct round **round, const struct round_parts *parts)
{
    if (stage.start_error != 0)
        return stage.start_error;
    *round = calloc(1, sizeof **round);
    assert_non_null(*round);
    (*round)->events = parts->events;
    (*round)->peer = parts->peer;
    (*round)->priority = parts->priority;
    (*round)->way_count = parts->way_count;
    memcpy((*round)->ways, parts->ways, parts->way_count * sizeof *parts->ways);
    stage.round = *round;
    stage.rounds++;
    return 0;
}

void round_free(struct round *round)
{
    if (round != NULL && round == stage.round)
        stage.round = NULL;
    free(round);
}

struct link *round_attempt(const struct round *round)
{
    return round->attempt;
}

uint64_t round_since(const struct round *round)
{
    (void)round;
    return fake_loop.now_ms;
}

bool round_settle(struct round *round, const struct link *link)
{
    if (round->attempt == link)
        round->attempt = NULL;
    return round->attempt != NULL;
}

void round_move(struct round *round, struct peer *peer)
{
    round->peer = peer;
}

enum redial_event round_event_of(const struct link_end *end)
{
    return end->code == CLOSE_REFUSED ? REDIAL_REFUSED : REDIAL_FAILED;
}

static void report_unreached(void *context, const struct peer *peer)
{
    (void)context;
    assert_ptr_equal(peer, stage.peer);
    stage.unreached++;
}

/* --- the beginning and the end ---------------------------------------------------------------- */

const struct peer_row bob = {.id = 1,
                             .name = "bob",
                             .pinned = true,
                             .trust = PEER_TOFU,
                             .key = {OWN + 1},
                             .addresses = {{.host = "203.0.113.1", .port = 8766}},
                             .address_count = 1};

int peer_stage_set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(START_MS, WALL_MS);
    list_init(&stage.stirred);
    stage.observer.unreached = report_unreached;
    stage.runtime.observer = &stage.observer;
    stage.runtime.stirred = &stage.stirred;
    stage.link = (struct link){.session = &stage.session, .stream = &stage.stream};
    snprintf(stage.stream.origin.text, ADDRESS_TEXT_MAX, "198.51.100.9:8766");
    return peer_new(&stage.peer, &stage.runtime, &stage.links, &bob);
}

int peer_stage_tear_down(void **state)
{
    (void)state;
    peer_free(stage.peer);
    return 0;
}
