/* SPDX-License-Identifier: ISC */
/*
 * What peers say about requests: they ask, answer, and take back.
 */
#define LOG_COMPONENT "calls"
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "core/calls.h"
#include "core/node_outcome.h"
#include "proto/features.h"
#include "store/queue.h"

enum message_kind calls_kind(struct span content, struct headers *headers)
{
    struct span body;
    if (headers_parse(content, FEATURE_HEADERS | FEATURE_CALLS, headers, &body) != 0)
        return MESSAGE_HEADERS; /* the session would not have taken it */
    if (headers->ask_s > 0)
        return MESSAGE_REQUEST;
    if (headers->has_result)
        return MESSAGE_RESULT;
    return headers->cancel ? MESSAGE_CANCEL : MESSAGE_HEADERS;
}

/* --- requests --------------------------------------------------------------------------------- */

static unsigned count_waiting(const struct calls *calls, const struct peer *peer)
{
    unsigned count = 0;
    list_for_each (node, &calls->open) {
        const struct call *call = container_of(node, struct call, node);
        count += call->row.state == CALL_WAITING && call->row.peer == peer->row.id;
    }
    return count;
}

static bool is_crowded(const struct calls *calls, const struct peer *peer)
{
    const unsigned own = count_waiting(calls, peer);
    return own >= CALLS_WAITING_PEER_MAX || calls->waiting >= CALLS_WAITING_MAX ||
           (calls->waiting >= CALLS_WAITING_CROWD && own >= CALLS_WAITING_FEW);
}

/* What is to be answered at once; RESULT_EXITED: nothing yet. */
static enum result_kind judge(const struct calls *calls, const struct peer *peer,
                              const struct message_row *row, const char *name)
{
    const struct service *service = services_find(calls->services, name);
    if (service == NULL || !service->remembered || !service_admits(service, peer))
        return RESULT_REFUSED;
    /* It was written before the store was copied: the original may have run it. */
    if (row->sent_ms < calls->restored_ms)
        return RESULT_INTERRUPTED;
    return calls_find(calls, &row->id) != NULL || is_crowded(calls, peer) ? RESULT_BUSY
                                                                          : RESULT_EXITED;
}

static int take_request(struct calls *calls, struct peer *peer, const struct message_row *row,
                        const struct headers *headers)
{
    struct call_row made = {.seq = row->seq,
                            .peer = row->peer,
                            .id = row->id,
                            .state = CALL_WAITING,
                            .deadline_ms = row->time_ms + (uint64_t)headers->ask_s * 1000};
    memcpy(made.service, headers->service.data, headers->service.size);
    int r = outgoing_check(&calls->outgoing, peer, HEADERS_BODY_MAX);
    if (r < 0)
        return r;
    const bool mute = r == NODE_QUEUE_FULL;
    const enum result_kind verdict = judge(calls, peer, row, made.service);
    r = calls_add(calls->runtime->db, &made);
    if (r == 0 && mute) {
        log_event(LOG_LEVEL_WARNING, "request-unanswered", peer->row.name,
                  "a request is not taken: the queue for its answers is full");
        r = calls_end(calls->runtime->db, made.seq, RESULT_BUSY, 0);
    }
    if (r != 0 || mute)
        return outcome_of_store(r);
    struct call *call = calls_open(calls, &made);
    if (call == NULL)
        return -ENOMEM;
    if (verdict == RESULT_EXITED)
        return 0;
    const struct calls_answer answer = {.kind = verdict};
    return call_end(calls, call, &answer);
}

static int take_cancel(struct calls *calls, const struct peer *peer, const struct headers *headers)
{
    const struct calls_answer answer = {.kind = RESULT_CANCELLED};
    struct call *call = calls_find(calls, &headers->reply_to);
    if (call == NULL || call->row.peer != peer->row.id)
        return 0;
    if (call->row.state == CALL_WAITING)
        return call_end(calls, call, &answer);
    call->stopping = true;
    calls->due = true;
    return 0;
}

/* --- results ---------------------------------------------------------------------------------- */

/* A request of ours to this peer, if that is what the id names. */
struct search {
    const struct peer *peer;
    struct message_row found;
};

static int note_request(void *context, const struct message_row *row)
{
    struct search *search = context;
    if (row->direction == MESSAGE_OUT && row->kind == MESSAGE_REQUEST &&
        row->peer == search->peer->row.id)
        search->found = (struct message_row){.seq = row->seq, .peer = row->peer};
    return 0;
}

/* 0, DB_NOT_FOUND (there is no such request, or it is answered) or -errno. */
static int find_unanswered(const struct calls *calls, struct search *search, const struct uuid *id)
{
    struct db *db = calls->runtime->db;
    struct call_result known;
    int r = messages_get(db, id, note_request, search);
    if (r == 0 && search->found.seq == 0)
        return DB_NOT_FOUND;
    if (r == 0)
        r = calls_find_result(db, search->found.seq, &known) == DB_NOT_FOUND ? 0 : DB_NOT_FOUND;
    return r;
}

int calls_awaits(const struct calls *calls, const struct peer *peer, const struct headers *headers)
{
    struct search search = {.peer = peer};
    return find_unanswered(calls, &search, &headers->reply_to);
}

static int take_result(struct calls *calls, const struct peer *peer, const struct message_row *row,
                       const struct headers *headers)
{
    struct search search = {.peer = peer};
    const struct call_result result = {headers->outcome, headers->status, row->seq};
    int r = find_unanswered(calls, &search, &headers->reply_to);
    if (r == DB_NOT_FOUND) {
        log_event(LOG_LEVEL_INFO, "stray-result", peer->row.name,
                  "a result that nothing here waits for");
        return 0;
    }
    if (r == 0)
        r = queue_set_state(calls->runtime->db, search.found.seq, MESSAGE_PROCESSED, NULL,
                            loop_wall(calls->runtime->loop));
    if (r == 0)
        r = calls_set_result(calls->runtime->db, &search.found, &result);
    return outcome_of_store(r);
}

/* --- both ------------------------------------------------------------------------------------- */

int calls_take(struct calls *calls, struct peer *peer, const struct message_row *row,
               const struct headers *headers)
{
    switch (row->kind) {
    case MESSAGE_REQUEST:
        return take_request(calls, peer, row, headers);
    case MESSAGE_RESULT:
        return take_result(calls, peer, row, headers);
    case MESSAGE_CANCEL:
        return take_cancel(calls, peer, headers);
    case MESSAGE_TEXT:
    case MESSAGE_HEADERS:
    case MESSAGE_FILE_OFFER:
    case MESSAGE_FILE_STATE:
        break;
    }
    return 0;
}

int calls_cancel_content(struct bytes *content, const struct uuid *id)
{
    struct headers headers;
    headers_init(&headers);
    headers.reply_to = *id;
    headers.cancel = true;
    return headers_append(content, &headers, SPAN(NULL, 0));
}
