/* SPDX-License-Identifier: ISC */
/*
 * Requests on a stage.
 */
#include "unit/calls_rig.h"

#include <stdio.h>
#include <string.h>

#include "core/delivery.h"
#include "proto/features.h"
#include "store/queue.h"
#include "unit/cmocka_all.h"

struct stage stage;
struct peer *const alice = &stage.peers[0], *const bob = &stage.peers[1];
int server, another;

/* --- stand-ins -------------------------------------------------------------------------------- */

struct peer *roster_by_id(const struct roster *roster, int64_t id)
{
    (void)roster;
    for (unsigned i = 0; i < PEERS; i++)
        if (stage.peers[i].row.id == id)
            return &stage.peers[i];
    return NULL;
}

enum peer_trust peer_trust(const struct peer *peer)
{
    return peer->row.trust;
}

bool peer_trusted(const struct peer *peer)
{
    return peer->row.trust == PEER_TOFU || peer->row.trust == PEER_VERIFIED;
}

void peer_urge(struct peer *peer)
{
    (void)peer;
}

void peer_touch_queue(struct peer *peer)
{
    (void)peer;
}

void housekeeping_look(struct housekeeping *housekeeping, size_t size)
{
    (void)housekeeping, (void)size;
}

bool housekeeping_has_room(const struct housekeeping *housekeeping)
{
    (void)housekeeping;
    return stage.room;
}

/* --- who is told ------------------------------------------------------------------------------ */

struct claimed {
    struct uuid id;
    bool is;
};

static int note_claimed(void *context, const struct call_row *row)
{
    struct claimed *claimed = context;
    if (uuid_equal(&row->id, &claimed->id))
        claimed->is = row->state == CALL_CLAIMED;
    return 0;
}

/* What is given out is claimed on disk: a crash at this moment finds it so. */
static void on_call(void *context, const struct call *call)
{
    struct claimed claimed = {.id = call->row.id};
    (void)context;
    scratch_reopen(stage.scratch);
    stage.runtime.db = stage.scratch->db;
    assert_int_equal(calls_each_open(stage.scratch->db, note_claimed, &claimed), 0);
    assert_true(claimed.is);
    stage.given++;
    stage.last_given = (struct told){.id = call->row.id, .peer = call->row.peer};
}

static void on_call_stop(void *context, const struct call *call)
{
    (void)context;
    (void)call;
    stage.stopped++;
}

/* --- the stage -------------------------------------------------------------------------------- */

static void begin(void)
{
    stage.calls = (struct calls){.runtime = &stage.runtime,
                                 .roster = &stage.roster,
                                 .services = &stage.services,
                                 .outgoing = {&stage.runtime, stage.body_sealer},
                                 .housekeeping = &stage.housekeeping};
    services_init(&stage.services);
    assert_int_equal(calls_init(&stage.calls), 0);
    assert_int_equal(calls_load(&stage.calls), 0);
}

int stage_set_up(void **state)
{
    static const struct secret key = {{1}};
    char name[8];
    memset(&stage, 0, sizeof stage);
    assert_int_equal(scratch_set_up(state), 0);
    stage.scratch = *state;
    stage.room = true;
    fake_loop_start(1000, WALL_MS);
    stage.observer = (struct observer){.call = on_call, .call_stop = on_call_stop};
    stage.runtime.observer = &stage.observer;
    stage.runtime.db = stage.scratch->db;
    stage.runtime.settings.queue_messages = 1000;
    stage.runtime.settings.queue_bytes = 1 << 24;
    assert_int_equal(body_sealer_new(&stage.body_sealer, &key), 0);
    for (unsigned i = 0; i < PEERS; i++) {
        snprintf(name, sizeof name, "p%u", i);
        stage.peers[i].row = scratch_peer(stage.scratch, name);
        stage.peers[i].row.trust = PEER_VERIFIED;
    }
    begin();
    return 0;
}

static void end(void)
{
    calls_deinit(&stage.calls);
    services_deinit(&stage.services);
}

int stage_tear_down(void **state)
{
    end();
    body_sealer_free(stage.body_sealer);
    return scratch_tear_down(state);
}

static int note_result(void *context, const struct message_row *row)
{
    struct bytes content = {0};
    struct headers headers;
    struct span body;
    struct told *told = &stage.results[stage.result_count];
    (void)context;
    if (row->kind != MESSAGE_RESULT || row->direction != MESSAGE_OUT)
        return 0;
    assert_in_range(stage.result_count, 0, RESULTS_MAX - 1);
    assert_int_equal(body_sealer_open(stage.body_sealer, row, &content), 0);
    assert_int_equal(
        headers_parse(bytes_span(&content), FEATURE_HEADERS | FEATURE_CALLS, &headers, &body), 0);
    *told = (struct told){headers.reply_to, row->peer, headers.outcome, headers.status, ""};
    if (body.size > 0)
        memcpy(told->body, body.data, body.size);
    stage.result_count++;
    bytes_deinit(&content);
    return 0;
}

void turn(void)
{
    assert_int_equal(calls_pump(&stage.calls), 0);
    scratch_commit(stage.scratch);
    calls_committed(&stage.calls);
    stage.result_count = 0;
    for (unsigned i = 0; i < PEERS; i++)
        assert_int_equal(
            queue_each(stage.scratch->db, stage.peers[i].row.id, 0, RESULTS_MAX, note_result, NULL),
            0);
}

void turn_at(uint64_t now_ms)
{
    while (fake_loop_step(now_ms))
        ;
    turn();
}

void undo(void)
{
    scratch_reopen(stage.scratch);
    stage.runtime.db = stage.scratch->db;
    calls_undone(&stage.calls);
}

void crash(void)
{
    end();
    scratch_reopen(stage.scratch);
    stage.runtime.db = stage.scratch->db;
    begin();
}

void assert_result(unsigned index, unsigned n, enum result_kind outcome)
{
    const struct uuid id = scratch_id(n);
    assert_in_range(index + 1, 1, stage.result_count);
    assert_true(uuid_equal(&stage.results[index].id, &id));
    assert_int_equal(stage.results[index].outcome, outcome);
}

void ask(struct peer *peer, unsigned n)
{
    struct message_row row = scratch_message(peer->row.id, MESSAGE_IN, n);
    struct headers headers;
    headers_init(&headers);
    headers.ask_s = ASK_S;
    headers.service = SPAN("it", 2);
    row.kind = MESSAGE_REQUEST;
    row.time_ms = row.sent_ms = loop_wall(NULL);
    assert_int_equal(messages_add(stage.scratch->db, &row), 0);
    assert_int_equal(calls_take(&stage.calls, peer, &row, &headers), 0);
}

void cancel(struct peer *peer, unsigned n)
{
    const struct message_row row = {.kind = MESSAGE_CANCEL};
    const struct headers headers = {.cancel = true, .reply_to = scratch_id(n)};
    assert_int_equal(calls_take(&stage.calls, peer, &row, &headers), 0);
}

void serve(void *by, uint8_t instance, const unsigned *running, size_t count)
{
    const struct service_terms terms = {.everybody = true, .requests = true, .requests_max = 2};
    struct uuid ids[8];
    struct service *service;
    for (size_t i = 0; i < count; i++)
        ids[i] = scratch_id(running[i]);
    const struct calls_provider provider = {{instance}, ids, count};
    assert_int_equal(services_add(&stage.services, "it", &terms, 1000, false, by, &service), 0);
    assert_int_equal(calls_serve(&stage.calls, service, &provider), 0);
}

int answer(const void *by, unsigned n, uint8_t status)
{
    const struct uuid id = scratch_id(n);
    const struct calls_answer what = {RESULT_EXITED, status, SPAN("out", 3)};
    return calls_answer(&stage.calls, by, &id, &what);
}

void assert_counts(unsigned waiting, unsigned running)
{
    unsigned is_waiting, is_running;
    calls_count(&stage.calls, "it", &is_waiting, &is_running);
    assert_int_equal(is_waiting, waiting);
    assert_int_equal(is_running, running);
    assert_int_equal(stage.calls.waiting, waiting);
}
