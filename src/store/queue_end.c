/* SPDX-License-Identifier: ISC */
/*
 * How a whole queue ends, some messages at a time.
 */
#include "store/log.h"
#include "store/marks.h"
#include "store/noted.h"
#include "store/queue.h"
#include "store/settle.h"

/* The messages of one step. */
struct step {
    struct {
        int64_t seq;
        bool transmitted;
    } messages[QUEUE_END_STEP];
    unsigned count;
};

static int take(void *context, const struct message_row *row)
{
    struct step *step = context;
    step->messages[step->count].seq = row->seq;
    step->messages[step->count++].transmitted = row->transmitted;
    return 0;
}

static int name_state(struct db *db, int64_t seq, const struct uuid *previous)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE log SET state = ?, detail = ? WHERE seq = ?");
    sql_bind_int(&query, MESSAGE_UNKNOWN);
    sql_bind_blob(&query, previous->bytes, UUID_SIZE);
    sql_bind_int(&query, seq);
    return sql_run(&query);
}

/* The oldest in flight: for those behind it nothing changes. */
static int end_oldest(struct db *db, struct mark *mark, const char *reason, uint64_t now_ms)
{
    const struct mark_item item = *mark_inflight(mark, 0);
    int r = name_state(db, item.seq, mark_before(mark, 0));
    if (r == 0)
        r = noted_strike(db, item.expires_ms, item.seq);
    if (r == 0)
        r = marks_tell(db, mark);
    if (r == 0)
        r = log_append_state(db, mark->peer, item.seq, MESSAGE_UNKNOWN, reason, now_ms);
    if (r != 0)
        return r;
    mark->base = item.id;
    mark_take_oldest(mark);
    mark_leave(mark, item.size);
    return 0;
}

static int end_one(struct db *db, struct mark *mark, int64_t seq, bool transmitted,
                   const char *reason, uint64_t now_ms)
{
    if (mark->inflight_count > 0 && mark_inflight(mark, 0)->seq == seq)
        return end_oldest(db, mark, reason, now_ms);
    return queue_set_state(db, seq, transmitted ? MESSAGE_UNKNOWN : MESSAGE_CANCELLED, reason,
                           now_ms);
}

/* No message of the queue has a seq up to this one any more: the next step looks behind it. */
static void pass(struct db *db, struct mark *mark, int64_t seq)
{
    if (mark->delivered < seq)
        mark->delivered = seq;
    if (mark->sent < mark->delivered)
        mark->sent = mark->delivered;
    marks_touch(db, mark);
}

int queue_end(struct db *db, int64_t peer, const char *reason, uint64_t now_ms, bool *more)
{
    struct step step = {.count = 0};
    struct mark *mark = marks_find(db, peer);
    *more = false;
    int r = queue_each(db, peer, 0, QUEUE_END_STEP, take, &step);
    if (r != 0 || step.count == 0)
        return r;
    for (unsigned i = 0; r == 0 && i < step.count; i++)
        r = end_one(db, mark, step.messages[i].seq, step.messages[i].transmitted, reason, now_ms);
    if (r != 0)
        return r;
    pass(db, mark, step.messages[step.count - 1].seq);
    *more = mark->queue.messages > 0;
    return settle_all(db);
}
