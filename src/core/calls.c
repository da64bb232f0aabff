/* SPDX-License-Identifier: ISC */
/*
 * Requests of peers, from when they are stored until they are answered.
 */
#define LOG_COMPONENT "calls"
#include "core/calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/node_outcome.h"
#include "store/served.h"

static struct call *call_at(struct list *node)
{
    return container_of(node, struct call, node);
}

static void call_free(struct calls *calls, struct call *call)
{
    if (call->row.state == CALL_WAITING)
        calls->waiting--;
    list_remove(&call->node);
    free(call);
}

static void touch(struct calls *calls)
{
    calls->due = true;
    loop_wake(calls->runtime->loop);
}

static void on_timer(void *context)
{
    touch(context);
}

int calls_init(struct calls *calls)
{
    list_init(&calls->open);
    return timer_new(&calls->timer, calls->runtime->loop, on_timer, calls);
}

void calls_deinit(struct calls *calls)
{
    if (calls->open.next != NULL)
        list_for_each_safe (node, &calls->open)
            call_free(calls, call_at(node));
    timer_free(calls->timer);
}

struct call *calls_open(struct calls *calls, const struct call_row *row)
{
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return NULL;
    const uint64_t wall = loop_wall(calls->runtime->loop);
    const uint64_t most = (uint64_t)HEADERS_ASK_S_MAX * 1000; /* whatever the clock has done */
    const uint64_t left = row->deadline_ms > wall ? row->deadline_ms - wall : 0;
    call->row = *row;
    call->deadline_ms = loop_now(calls->runtime->loop) + (left < most ? left : most);
    if (row->state == CALL_WAITING)
        calls->waiting++;
    list_append(&calls->open, &call->node);
    touch(calls);
    return call;
}

struct call *calls_find(const struct calls *calls, const struct uuid *id)
{
    list_for_each (node, &calls->open) {
        struct call *call = call_at(node);
        if (call->row.state != CALL_ENDED && uuid_equal(&call->row.id, id))
            return call;
    }
    return NULL;
}

/* --- loading ---------------------------------------------------------------------------------- */

static int load_call(void *context, const struct call_row *row)
{
    struct calls *calls = context;
    struct call *call = calls_open(calls, row);
    if (call == NULL)
        return -ENOMEM;
    call->stored = true;
    call->before = row->state;
    call->given = row->state == CALL_CLAIMED;
    if (row->claimed)
        call->grace_ms = loop_now(calls->runtime->loop) + CALLS_GRACE_MS;
    return 0;
}

static int load_service(void *context, const struct served_row *row)
{
    struct calls *calls = context;
    struct service_terms terms = {.everybody = row->everybody,
                                  .peer_count = row->peer_count,
                                  .tofu = row->tofu,
                                  .requests_max = 1};
    struct service *service;
    memcpy(terms.peers, row->peers, row->peer_count * sizeof *row->peers);
    int r = services_add(calls->services, row->name, &terms, row->uid, true, NULL, &service);
    if (r == 0)
        service->remembered = true;
    return r < 0 ? r : 0;
}

int calls_load(struct calls *calls)
{
    struct db *db = calls->runtime->db;
    int r = db_restored(db, &calls->restored_ms);
    if (r == 0)
        r = served_each(db, load_service, calls);
    return r == 0 ? calls_each_open(db, load_call, calls) : r;
}

/* --- the end of a request --------------------------------------------------------------------- */

static int make_content(struct bytes *content, const struct call *call,
                        const struct calls_answer *answer)
{
    struct headers headers;
    headers_init(&headers);
    headers.reply_to = call->row.id;
    headers.has_result = true;
    headers.outcome = (uint8_t)answer->kind;
    headers.status = answer->status;
    return headers_append(content, &headers, answer->body);
}

/* Nobody is told who is no peer any more, or is not let in. */
static int queue_result(struct calls *calls, const struct call *call,
                        const struct calls_answer *answer)
{
    struct peer *peer = roster_by_id(calls->roster, call->row.peer);
    struct message_row row = {.kind = MESSAGE_RESULT,
                              .expires_ms = outgoing_expiry(&calls->outgoing, 0)};
    struct bytes content = {0};
    if (peer == NULL || peer->row.trust == PEER_BLOCKED)
        return 0;
    int r = make_content(&content, call, answer);
    if (r == 0)
        r = outgoing_add(&calls->outgoing, peer, bytes_span(&content), &row);
    bytes_deinit(&content);
    return r;
}

int call_end(struct calls *calls, struct call *call, const struct calls_answer *answer)
{
    struct service *service = services_find(calls->services, call->row.service);
    int r = calls_end(calls->runtime->db, call->row.seq, (uint8_t)answer->kind, answer->status);
    if (r == 0)
        r = queue_result(calls, call, answer);
    if (r != 0)
        return outcome_of_store(r);
    if (service != NULL)
        service->last = (struct service_last){true, (uint8_t)answer->kind, answer->status};
    if (call->row.state == CALL_WAITING)
        calls->waiting--;
    call->row.state = CALL_ENDED;
    touch(calls);
    return 0;
}

static int end_as(struct calls *calls, struct call *call, enum result_kind kind)
{
    const struct calls_answer answer = {.kind = kind};
    return call_end(calls, call, &answer);
}

/* --- deciding --------------------------------------------------------------------------------- */

static void tell_to_stop(const struct calls *calls, struct call *call)
{
    if (!call->stopping || call->stop_told || !call->given || call->server == NULL)
        return;
    call->stop_told = true;
    calls->runtime->observer->call_stop(calls->runtime->observer_context, call);
}

/* What the time decides. */
static int look_at_time(struct calls *calls, struct call *call, uint64_t now)
{
    if (call->row.state == CALL_WAITING && now >= call->deadline_ms)
        return end_as(calls, call, RESULT_LATE);
    if (call->row.state != CALL_CLAIMED)
        return 0;
    if (call->server == NULL && now >= call->grace_ms)
        return end_as(calls, call, RESULT_INTERRUPTED);
    if (now >= call->deadline_ms)
        call->stopping = true;
    tell_to_stop(calls, call);
    return 0;
}

static int look_at_times(struct calls *calls, uint64_t now)
{
    int r = 0;
    list_for_each (node, &calls->open)
        if (r == 0)
            r = look_at_time(calls, call_at(node), now);
    return r;
}

/* Who may call is asked again now: it may have waited for days. */
static int claim(struct calls *calls, struct call *call, struct service *service)
{
    const struct peer *peer = roster_by_id(calls->roster, call->row.peer);
    if (peer == NULL || !service_admits(service, peer))
        return end_as(calls, call, RESULT_REFUSED);
    int r = calls_claim(calls->runtime->db, call->row.seq, service->instance);
    if (r != 0)
        return outcome_of_store(r);
    memcpy(call->row.claim, service->instance, CALL_CLAIM_SIZE);
    call->row.state = CALL_CLAIMED;
    call->server = service->server;
    calls->waiting--;
    return 0;
}

static unsigned count_of(const struct calls *calls, const char *name, const void *server)
{
    unsigned count = 0;
    list_for_each (node, &calls->open) {
        const struct call *call = call_at(node);
        count += call->row.state == CALL_CLAIMED && call->server == server &&
                 strcmp(call->row.service, name) == 0;
    }
    return count;
}

/* Gives the provider of a service as many as it takes. */
static int feed(struct calls *calls, struct service *service)
{
    unsigned running = count_of(calls, service->name, service->server);
    int r = 0;
    list_for_each (node, &calls->open) {
        struct call *call = call_at(node);
        if (r != 0 || running >= service->terms.requests_max)
            break;
        if (call->row.state != CALL_WAITING || strcmp(call->row.service, service->name) != 0)
            continue;
        r = claim(calls, call, service);
        running += call->row.state == CALL_CLAIMED;
    }
    return r;
}

static int feed_all(struct calls *calls)
{
    int r = 0;
    list_for_each (node, &calls->services->list) {
        struct service *service = container_of(node, struct service, node);
        if (r == 0 && calls->waiting > 0 && service->server != NULL && service->terms.requests)
            r = feed(calls, service);
    }
    return r;
}

/* The next time at which something happens by itself. */
static void arm(struct calls *calls)
{
    uint64_t next = UINT64_MAX;
    list_for_each (node, &calls->open) {
        const struct call *call = call_at(node);
        uint64_t at = call->stopping ? UINT64_MAX : call->deadline_ms;
        if (call->row.state == CALL_CLAIMED && call->server == NULL && call->grace_ms < at)
            at = call->grace_ms;
        if (call->row.state != CALL_ENDED && at < next)
            next = at;
    }
    if (next != UINT64_MAX)
        timer_arm_at(calls->timer, next);
    else
        timer_disarm(calls->timer);
}

int calls_pump(struct calls *calls)
{
    const uint64_t now = loop_now(calls->runtime->loop);
    if (!calls->due || calls->runtime->stopping)
        return 0;
    calls->due = false;
    if (list_empty(&calls->open))
        return 0;
    housekeeping_look(calls->housekeeping, 0);
    if (!housekeeping_has_room(calls->housekeeping)) {
        timer_arm_at(calls->timer, now + CALLS_RETRY_MS);
        return 0;
    }
    int r = look_at_times(calls, now);
    if (r == 0)
        r = feed_all(calls);
    arm(calls);
    return r;
}

/* --- the end of the turn ---------------------------------------------------------------------- */

void calls_committed(struct calls *calls)
{
    list_for_each_safe (node, &calls->open) {
        struct call *call = call_at(node);
        if (call->row.state == CALL_ENDED) {
            call_free(calls, call);
            continue;
        }
        call->stored = true;
        call->before = call->row.state;
        if (call->row.state != CALL_CLAIMED || call->given || call->server == NULL)
            continue;
        call->given = true;
        calls->runtime->observer->call(calls->runtime->observer_context, call);
        tell_to_stop(calls, call);
    }
}

void calls_undone(struct calls *calls)
{
    list_for_each_safe (node, &calls->open) {
        struct call *call = call_at(node);
        if (!call->stored) {
            call_free(calls, call);
            continue;
        }
        if (call->row.state == CALL_WAITING)
            calls->waiting--;
        if (call->before == CALL_WAITING)
            calls->waiting++;
        call->row.state = call->before;
        if (call->before == CALL_WAITING)
            call->server = NULL;
    }
    touch(calls);
}

/* --- providers -------------------------------------------------------------------------------- */

static bool is_running(const struct calls_provider *provider, const struct uuid *id)
{
    for (size_t i = 0; i < provider->running_count; i++)
        if (uuid_equal(&provider->running[i], id))
            return true;
    return false;
}

static int remember(struct calls *calls, struct service *service)
{
    const struct service_terms *terms = &service->terms;
    struct served_row row = {.name = service->name,
                             .uid = service->uid,
                             .tofu = terms->tofu,
                             .everybody = terms->everybody,
                             .peer_count = terms->peer_count};
    memcpy(row.peers, terms->peers, terms->peer_count * sizeof *terms->peers);
    int r = served_put(calls->runtime->db, &row);
    service->remembered = r == 0;
    return outcome_of_store(r);
}

int calls_forget(struct calls *calls, const char *service)
{
    int r = outcome_of_store(served_remove(calls->runtime->db, service));
    list_for_each (node, &calls->open) {
        struct call *call = call_at(node);
        if (r == 0 && call->row.state == CALL_WAITING && strcmp(call->row.service, service) == 0)
            r = end_as(calls, call, RESULT_REFUSED);
    }
    return r;
}

/* What the instance has claimed and does not have never reached it. */
static int take_up(struct calls *calls, struct service *service,
                   const struct calls_provider *provider)
{
    int r = 0;
    list_for_each (node, &calls->open) {
        struct call *call = call_at(node);
        if (r != 0 || call->row.state != CALL_CLAIMED ||
            strcmp(call->row.service, service->name) != 0 ||
            memcmp(call->row.claim, provider->instance, CALL_CLAIM_SIZE) != 0)
            continue;
        if (is_running(provider, &call->row.id)) {
            call->server = service->server;
            call->stop_told = false;
        } else {
            r = end_as(calls, call, RESULT_INTERRUPTED);
        }
    }
    return r;
}

int calls_serve(struct calls *calls, struct service *service, const struct calls_provider *provider)
{
    touch(calls);
    int r = 0;
    if (!service->terms.requests) {
        if (service->remembered)
            r = calls_forget(calls, service->name);
        service->remembered = service->remembered && r != 0;
        return r;
    }
    memcpy(service->instance, provider->instance, CALL_CLAIM_SIZE);
    r = remember(calls, service);
    return r == 0 ? take_up(calls, service, provider) : r;
}

int calls_leave(struct calls *calls, const void *server)
{
    int r = 0;
    list_for_each (node, &calls->open) {
        struct call *call = call_at(node);
        if (call->server != server)
            continue;
        call->server = NULL;
        /* With a daemon that stops it only has to wait for the next one. */
        if (r == 0 && call->row.state == CALL_CLAIMED && !calls->runtime->stopping)
            r = end_as(calls, call, RESULT_INTERRUPTED);
    }
    return r;
}

int calls_drop(struct calls *calls, int64_t peer)
{
    int r = 0;
    list_for_each (node, &calls->open) {
        struct call *call = call_at(node);
        if (r != 0 || call->row.peer != peer || call->row.state == CALL_ENDED)
            continue;
        call->stopping = call->row.state == CALL_CLAIMED;
        tell_to_stop(calls, call);
        r = end_as(calls, call, call->stopping ? RESULT_INTERRUPTED : RESULT_REFUSED);
    }
    return r;
}

int calls_answer(struct calls *calls, const void *server, const struct uuid *id,
                 const struct calls_answer *answer)
{
    struct call *call = calls_find(calls, id);
    if (call != NULL && call->row.state == CALL_CLAIMED && call->given && call->server == server)
        return call_end(calls, call, answer);
    if (call != NULL)
        return CALLS_OVER;
    /* Said again, because our answer was lost with a daemon: it is as it was. */
    int r = calls_ended_as(calls->runtime->db, id, (uint8_t)answer->kind, answer->status);
    return r == DB_NOT_FOUND ? CALLS_OVER : r;
}

void calls_count(const struct calls *calls, const char *service, unsigned *waiting,
                 unsigned *running)
{
    *waiting = *running = 0;
    list_for_each (node, &calls->open) {
        const struct call *call = call_at(node);
        if (strcmp(call->row.service, service) != 0)
            continue;
        *waiting += call->row.state == CALL_WAITING;
        *running += call->row.state == CALL_CLAIMED;
    }
}
