/* SPDX-License-Identifier: ISC */
/*
 * The queue over long random histories, beside a model that keeps every message with its state in
 * an array: sessions that come and go, acknowledgements, messages that are taken back, expire or
 * fail, peers that turn out to be one, full disks and crashes. After each commit every state, size,
 * place and event is as the model has it.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/expiry.h"
#include "store/handover.h"
#include "store/retention.h"
#include "store/settle.h"
#include "store/sql.h"
#include "unit/deep.h"
#include "unit/scratch_db.h"

enum {
    PEERS = 4, /* the last is handed over at some time */
    MESSAGES_MAX = 400,
    EVENTS_MAX = 4000,
    STEPS = 700,
    HISTORIES = 12,
    HISTORIES_DEEP = 1500,
};

struct item {
    unsigned peer;
    enum message_direction direction;
    enum message_state state;
    uint64_t expires_ms;
    int64_t seq;
    unsigned ticket; /* 0: never transmitted */
    struct uuid previous;
};

/* What a crash takes back to the last commit. */
struct durable {
    struct item items[MESSAGES_MAX];
    unsigned count;
    unsigned tickets;
    struct uuid last_out[PEERS], last_in[PEERS];
    bool handed_over;
};

struct told {
    unsigned item;
    enum message_state state;
};

struct session {
    struct queue_session queue;
    unsigned given[MESSAGES_MAX];
    unsigned given_count, acked;
};

struct history {
    struct scratch *scratch;
    int64_t peers[PEERS];
    struct durable now, committed;
    struct session sessions[PEERS];
    struct told told[EVENTS_MAX]; /* since the commit */
    unsigned told_count;
    int64_t last_event;
    uint64_t time_ms;
    uint64_t random;
};

static unsigned pick(struct history *history, unsigned below)
{
    history->random = history->random * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)((history->random >> 33) % below);
}

static bool in_queue(const struct item *item)
{
    return item->direction == MESSAGE_OUT &&
           (item->state == MESSAGE_QUEUED || item->state == MESSAGE_SENT);
}

static void set(struct history *history, unsigned n, enum message_state state)
{
    history->now.items[n].state = state;
    assert_true(history->told_count < EVENTS_MAX);
    history->told[history->told_count++] = (struct told){n, state};
}

static struct item *item_of(struct history *history, const struct uuid *id, unsigned *n)
{
    *n = get_u32(id->bytes + UUID_SIZE - 4);
    assert_in_range(*n, 0, history->now.count - 1);
    return &history->now.items[*n];
}

/* --- what happens ----------------------------------------------------------------------------- */

static void do_add(struct history *history)
{
    struct durable *now = &history->now;
    if (now->count == MESSAGES_MAX)
        return;
    const unsigned n = now->count;
    unsigned peer = pick(history, PEERS);
    if (peer == PEERS - 1 && now->handed_over)
        peer = 0;
    const enum message_direction direction = pick(history, 4) == 0 ? MESSAGE_IN : MESSAGE_OUT;
    struct message_row row = scratch_message(history->peers[peer], direction, n);
    row.time_ms = history->time_ms;
    if (direction == MESSAGE_OUT && pick(history, 3) != 0)
        row.expires_ms =
            history->time_ms + (pick(history, 4) != 0 ? 5000 : 1 + pick(history, 9000));
    assert_int_equal(messages_add(history->scratch->db, &row), 0);
    now->items[n] = (struct item){.peer = peer,
                                  .direction = direction,
                                  .state = row.state,
                                  .expires_ms = row.expires_ms,
                                  .seq = row.seq};
    if (direction == MESSAGE_IN)
        now->last_in[peer] = row.id;
    now->count++;
}

/* Which message the session has to be given next: -1 for none. */
static int expected(const struct history *history, unsigned peer)
{
    const struct session *session = &history->sessions[peer];
    int best = -1;
    for (unsigned n = 0; n < history->now.count; n++) {
        const struct item *item = &history->now.items[n];
        bool given = item->peer != peer || !in_queue(item);
        for (unsigned i = 0; i < session->given_count; i++)
            given = given || session->given[i] == n;
        if (given)
            continue;
        const struct item *other = best >= 0 ? &history->now.items[best] : NULL;
        if (other == NULL || (item->ticket != 0 ? other->ticket == 0 || item->ticket < other->ticket
                                                : other->ticket == 0 && item->seq < other->seq))
            best = (int)n;
    }
    return best;
}

struct giving {
    struct history *history;
    unsigned peer;
    unsigned room;
};

static int give(void *context, const struct message_row *row)
{
    struct giving *giving = context;
    struct history *history = giving->history;
    struct db *db = history->scratch->db;
    unsigned n;
    struct item *item = item_of(history, &row->id, &n);
    assert_int_equal(n, expected(history, giving->peer));
    assert_int_equal(row->transmitted, item->ticket != 0);
    if (item->ticket != 0)
        assert_true(uuid_equal(&row->previous, &item->previous));
    if (giving->room == 0)
        return 1;
    giving->room--;
    if (pick(history, 40) == 0) {
        assert_int_equal(queue_set_state(db, row->seq, MESSAGE_FAILED, "why", 1), 0);
        set(history, n, MESSAGE_FAILED);
        return 0;
    }
    struct session *session = &history->sessions[giving->peer];
    session->given[session->given_count++] = n;
    if (item->ticket != 0)
        return 0;
    struct uuid last;
    assert_int_equal(messages_last(db, row->peer, MESSAGE_OUT, &last), 0);
    assert_true(uuid_equal(&last, &history->now.last_out[giving->peer]));
    assert_int_equal(queue_set_transmitted(db, row->seq, &last, 2), 0);
    item->ticket = ++history->now.tickets;
    item->previous = last;
    history->now.last_out[giving->peer] = row->id;
    set(history, n, MESSAGE_SENT);
    return 0;
}

static void do_give(struct history *history)
{
    const unsigned peer = pick(history, PEERS - 1); /* the last one never has a session */
    struct giving giving = {history, peer, pick(history, 6)};
    const unsigned room = giving.room;
    assert_int_equal(queue_each_due(history->scratch->db, history->peers[peer],
                                    &history->sessions[peer].queue, give, &giving),
                     0);
    if (giving.room > 0 && room > 0)
        assert_int_equal(expected(history, peer), -1);
}

static void do_acknowledge(struct history *history)
{
    struct session *session = &history->sessions[pick(history, PEERS - 1)];
    for (unsigned i = pick(history, 4); i > 0 && session->acked < session->given_count; i--) {
        const unsigned n = session->given[session->acked++];
        assert_int_equal(queue_set_state(history->scratch->db, history->now.items[n].seq,
                                         MESSAGE_DELIVERED, NULL, 3),
                         0);
        set(history, n, MESSAGE_DELIVERED);
    }
}

static void do_end_session(struct history *history)
{
    history->sessions[pick(history, PEERS - 1)] = (struct session){0};
}

/* Takes back one that was never transmitted, or gives one up that was. */
static void do_end_one(struct history *history, enum message_state from, enum message_state to)
{
    if (history->now.count == 0)
        return;
    const unsigned n = pick(history, history->now.count);
    const struct item *item = &history->now.items[n];
    if (item->direction != MESSAGE_OUT || item->state != from)
        return;
    assert_int_equal(queue_set_state(history->scratch->db, item->seq, to, "ended", 4), 0);
    set(history, n, to);
}

static void do_expire(struct history *history)
{
    unsigned count, expected_count = 0;
    history->time_ms += pick(history, 3000);
    assert_int_equal(expiry_apply(history->scratch->db, history->time_ms, &count), 0);
    for (unsigned n = 0; n < history->now.count; n++) {
        const struct item *item = &history->now.items[n];
        if (!in_queue(item) || item->expires_ms == 0 || item->expires_ms > history->time_ms)
            continue;
        expected_count++;
        set(history, n, item->state == MESSAGE_SENT ? MESSAGE_UNKNOWN : MESSAGE_EXPIRED);
    }
    assert_int_equal(count, expected_count);
}

static int reseal(void *context, const struct message_row *row, struct bytes *body)
{
    (void)context;
    return bytes_append(body, row->body.data, row->body.size);
}

static void do_hand_over(struct history *history)
{
    if (history->now.handed_over || pick(history, 20) != 0)
        return;
    struct handover handover = {.from = history->peers[PEERS - 1], .to = history->peers[0]};
    for (bool more = true; more;)
        assert_int_equal(handover_step(history->scratch->db, &handover, reseal, NULL, &more), 0);
    history->now.handed_over = true;
    for (unsigned n = 0; n < history->now.count; n++)
        if (history->now.items[n].peer == PEERS - 1)
            history->now.items[n].peer = 0;
}

/* --- what holds after a commit ---------------------------------------------------------------- */

static int check_event(void *context, const struct event_row *event)
{
    struct history *history = context;
    unsigned n, i = 0;
    assert_int_equal(event->seq, history->last_event + 1);
    history->last_event = event->seq;
    assert_non_null(event->message);
    item_of(history, &event->message->id, &n);
    if (event->type != EVENT_MESSAGE_STATE)
        return 0;
    while (i < history->told_count &&
           (history->told[i].item != n || history->told[i].state != event->state))
        i++;
    assert_in_range(i, 0, history->told_count - 1);
    history->told[i].item = UINT_MAX; /* each once */
    return 0;
}

static int check_row(void *context, const struct message_row *row)
{
    struct history *history = context;
    unsigned n;
    const struct item *item = item_of(history, &row->id, &n);
    assert_int_equal(row->seq, item->seq);
    assert_int_equal(row->peer, history->peers[item->peer]);
    if (row->state != item->state)
        fail_msg("message %u is %d and not %d", n, row->state, item->state);
    return 0;
}

static int count_row(void *context, const struct message_row *row)
{
    (void)row;
    ++*(unsigned *)context;
    return 0;
}

static void check_peer(struct history *history, unsigned peer)
{
    struct db *db = history->scratch->db;
    struct messages_size size;
    struct uuid last;
    unsigned queued = 0, all = 0, listed = 0, walked = 0;
    for (unsigned n = 0; n < history->now.count; n++) {
        queued += history->now.items[n].peer == peer && in_queue(&history->now.items[n]);
        all += history->now.items[n].peer == peer;
    }
    const struct messages_filter filter = {
        .peer = history->peers[peer], .queued_only = true, .limit = UINT_MAX};
    struct messages_filter everything = filter;
    everything.queued_only = false;
    assert_int_equal(queue_size(db, history->peers[peer], &size), 0);
    assert_int_equal(size.messages, queued);
    assert_int_equal(messages_newest(db, &filter, count_row, &listed), 0);
    assert_int_equal(listed, queued);
    assert_int_equal(queue_each(db, history->peers[peer], 0, UINT_MAX, count_row, &walked), 0);
    assert_int_equal(walked, queued);
    listed = 0;
    assert_int_equal(messages_newest(db, &everything, count_row, &listed), 0);
    assert_int_equal(listed, all);
    assert_int_equal(messages_last(db, history->peers[peer], MESSAGE_IN, &last), 0);
    assert_true(uuid_equal(&last, &history->now.last_in[peer]));
}

static void check_expiry(struct history *history)
{
    uint64_t next, first = 0;
    assert_int_equal(expiry_next(history->scratch->db, &next), 0);
    for (unsigned n = 0; n < history->now.count; n++) {
        const struct item *item = &history->now.items[n];
        if (in_queue(item) && item->expires_ms != 0 && (first == 0 || item->expires_ms < first))
            first = item->expires_ms;
    }
    if (first != 0)
        assert_in_range(next, 1, first);
    else
        assert_int_equal(next, 0);
}

static void check_all(struct history *history)
{
    struct db *db = history->scratch->db;
    for (unsigned n = 0; n < history->now.count; n++) {
        const struct uuid id = scratch_id(n);
        assert_int_equal(messages_get(db, &id, check_row, history), 0);
    }
    for (unsigned peer = 0; peer < PEERS; peer++)
        check_peer(history, peer);
    check_expiry(history);
    assert_int_equal(scratch_stored(history->scratch), history->now.count);
}

static void do_commit(struct history *history)
{
    if (pick(history, 4) == 0)
        assert_int_equal(settle_all(history->scratch->db), 0);
    scratch_commit(history->scratch);
    assert_int_equal(events_each(history->scratch->db, history->last_event, check_event, history),
                     0);
    for (unsigned i = 0; i < history->told_count; i++)
        assert_int_equal(history->told[i].item, UINT_MAX);
    history->told_count = 0;
    history->committed = history->now;
    check_all(history);
}

/* Memory and sessions are gone; the disk is as it was committed. */
static void go_back(struct history *history)
{
    history->now = history->committed;
    history->told_count = 0;
    memset(history->sessions, 0, sizeof history->sessions);
    check_all(history);
}

static void do_crash(struct history *history)
{
    scratch_reopen(history->scratch);
    go_back(history);
}

static void do_fill_the_disk(struct history *history)
{
    struct db *db = history->scratch->db;
    static const uint8_t body[4096];
    int r = 0;
    scratch_execute(history->scratch, "PRAGMA max_page_count = 1"); /* as many as there are */
    for (unsigned n = 0; r == 0 && n < 100; n++) {
        struct message_row row = scratch_message(history->peers[0], MESSAGE_IN, MESSAGES_MAX + n);
        row.body = SPAN(body, sizeof body);
        r = messages_add(db, &row);
    }
    assert_int_equal(r, DB_FULL);
    assert_int_equal(db_commit(db), DB_FULL);
    scratch_execute(history->scratch, "PRAGMA max_page_count = 100000");
    go_back(history);
}

static void do_step(struct history *history)
{
    switch (pick(history, 16)) {
    case 0:
    case 1:
    case 2:
    case 3:
        do_add(history);
        break;
    case 4:
    case 5:
    case 6:
        do_give(history);
        break;
    case 7:
    case 8:
        do_acknowledge(history);
        break;
    case 9:
        do_end_session(history);
        break;
    case 10:
        do_end_one(history, MESSAGE_QUEUED, MESSAGE_CANCELLED);
        break;
    case 11:
        if (pick(history, 6) == 0)
            do_end_one(history, MESSAGE_SENT, MESSAGE_FAILED);
        else
            do_hand_over(history);
        break;
    case 12:
        if (pick(history, 5) == 0)
            do_expire(history);
        break;
    case 13:
    case 14:
        do_commit(history);
        break;
    case 15:
        if (pick(history, 4) == 0)
            pick(history, 2) == 0 ? do_crash(history) : do_fill_the_disk(history);
        break;
    }
}

static void live(struct history *history, uint64_t seed)
{
    void *state;
    assert_int_equal(scratch_set_up(&state), 0);
    *history = (struct history){.scratch = state, .random = seed, .time_ms = 1000000};
    scratch_execute(history->scratch, "PRAGMA synchronous = OFF"); /* for speed */
    for (unsigned i = 0; i < PEERS; i++) {
        char name[8];
        snprintf(name, sizeof name, "peer%u", i);
        history->peers[i] = scratch_peer(history->scratch, name).id;
    }
    do_commit(history);
    for (unsigned i = 0; i < STEPS; i++)
        do_step(history);
    do_commit(history);
    do_crash(history);
    assert_int_equal(scratch_tear_down(&state), 0);
}

static void test_every_history_is_as_the_model_has_it(void **state)
{
    const unsigned count = deep() ? HISTORIES_DEEP : HISTORIES;
    struct history *history = malloc(sizeof *history);
    assert_non_null(history);
    (void)state;
    for (unsigned seed = 1; seed <= count; seed++) {
        printf("seed %u\n", seed);
        live(history, seed);
    }
    deep_result("%u random histories of the queue, each as a model has it", count);
    free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_history_is_as_the_model_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
