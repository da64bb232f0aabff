/* SPDX-License-Identifier: ISC */
/*
 * Where delivery with each peer stands.
 */
#include "store/marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/lives.h"
#include "store/noted.h"

void marks_touch(struct db *db, struct mark *mark)
{
    if (list_empty(&mark->dirty))
        list_append(&db->marks->dirty, &mark->dirty);
}

void marks_count_inbound(struct db *db, struct mark *mark, uint64_t more, uint64_t less)
{
    mark->inbound += more - less;
    db->marks->inbound += more - less;
    marks_touch(db, mark);
}

void marks_free(struct db *db)
{
    struct marks *marks = db->marks;
    if (marks == NULL)
        return;
    for (unsigned i = 0; i < marks->count; i++)
        mark_free(marks->list[i]);
    free(marks->list);
    free(marks);
    db->marks = NULL;
}

/* The first that is not before `peer`. */
static unsigned position(const struct marks *marks, int64_t peer)
{
    unsigned low = 0, high = marks->count;
    while (low < high) {
        const unsigned middle = low + (high - low) / 2;
        if (marks->list[middle]->peer < peer)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct mark *marks_get(const struct marks *marks, int64_t peer)
{
    const unsigned at = position(marks, peer);
    return at < marks->count && marks->list[at]->peer == peer ? marks->list[at] : NULL;
}

/* The mark of a peer, made if there is none; NULL without memory. */
struct mark *marks_make(struct marks *marks, int64_t peer)
{
    struct mark *mark = marks_get(marks, peer);
    if (mark != NULL)
        return mark;
    if (marks->count == marks->capacity) {
        const unsigned capacity = marks->capacity > 0 ? 2 * marks->capacity : 16;
        struct mark **list = realloc(marks->list, capacity * sizeof *list);
        if (list == NULL)
            return NULL;
        marks->list = list;
        marks->capacity = capacity;
    }
    if (mark_new(&mark, peer) < 0)
        return NULL;
    const unsigned at = position(marks, peer);
    memmove(&marks->list[at + 1], &marks->list[at], (marks->count - at) * sizeof(struct mark *));
    marks->list[at] = mark;
    marks->count++;
    return mark;
}

/* What memory believed in a turn that was undone is read anew before it is asked again. */
bool marks_fresh(struct db *db)
{
    return !db->failed && (!db->undone || marks_load(db) == 0);
}

struct mark *marks_find(struct db *db, int64_t peer)
{
    struct mark *mark = marks_fresh(db) ? marks_get(db->marks, peer) : NULL;
    return mark != NULL && mark->found ? mark : NULL;
}

int marks_add(struct db *db, int64_t peer)
{
    CLEANUP(sql_end) struct sql query = sql_write(db, "INSERT INTO peer_mark (peer) VALUES (?)");
    sql_bind_int(&query, peer);
    if (sql_run(&query) != 0)
        return query.result;
    struct mark *mark = marks_fresh(db) ? marks_make(db->marks, peer) : NULL;
    if (mark == NULL)
        return -ENOMEM;
    mark->found = true;
    return 0;
}

/* --- telling ---------------------------------------------------------------------------------- */

static int tell(struct db *db, const struct mark *mark, enum message_state state,
                struct bytes *detail)
{
    int64_t seq;
    const struct log_row entry = {.type = EVENT_MESSAGE_STATE,
                                  .peer = mark->peer,
                                  .trust_now = true,
                                  .time_ms = mark->told_ms,
                                  .state = state,
                                  .detail = bytes_span(detail),
                                  .width = log_width(bytes_span(detail))};
    if (entry.width == 0)
        return 0;
    int r = log_append(db, &entry, &seq);
    if (r == 0)
        bytes_clear(detail);
    return r;
}

int marks_tell(struct db *db, struct mark *mark)
{
    int r = tell(db, mark, MESSAGE_SENT, &mark->told_sent);
    return r == 0 ? tell(db, mark, MESSAGE_DELIVERED, &mark->told_delivered) : r;
}

int marks_tell_all(struct db *db)
{
    list_for_each_safe (node, &db->marks->telling) {
        int r = marks_tell(db, container_of(node, struct mark, telling));
        if (r != 0)
            return r;
        list_remove(node);
    }
    return 0;
}

/* --- what happens ----------------------------------------------------------------------------- */

#define ORDINARY "m.state IS NULL AND m.type = 1"

/* Ordinary messages of a peer after a seq: those that are settled, and those that are not. */
const char marks_settled_after[] =
    "SELECT m.seq, m.id, m.text_size, m.expires_ms FROM message_of_peer o JOIN log m"
    " ON m.seq = o.seq WHERE o.peer = ? AND o.type = 1 AND o.seq > ? AND " ORDINARY
    " ORDER BY o.seq";
const char marks_unsettled_after[] =
    "SELECT m.seq, m.id, m.text_size, m.expires_ms FROM log m"
    " WHERE m.peer = ? AND m.seq > ? AND " ORDINARY " ORDER BY m.seq";

void mark_item_read(struct sql *query, struct mark_item *item)
{
    item->seq = sql_int(query);
    sql_copy(query, item->id.bytes, UUID_SIZE);
    item->size = (size_t)sql_int(query);
    item->expires_ms = lives_time(query->db, item->seq, sql_int(query));
}

/* The first of them. */
static int read_first(struct db *db, const char *text, const struct mark *mark, int64_t after,
                      struct mark_item *item)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, text);
    sql_bind_int(&query, mark->peer);
    sql_bind_int(&query, after);
    if (sql_row(&query))
        mark_item_read(&query, item);
    return query.result;
}

int marks_find_next(struct db *db, struct mark *mark)
{
    if (mark->next.seq != 0)
        return 0;
    if (mark->queue.messages - mark->strays == mark->inflight_count)
        return 0;
    const int64_t after = mark->sent > db->settled ? mark->sent : db->settled;
    int r = read_first(db, marks_settled_after, mark, mark->sent, &mark->next);
    if (r == 0 && mark->next.seq == 0)
        r = read_first(db, marks_unsettled_after, mark, after, &mark->next);
    return r;
}

static void start_telling(struct db *db, struct mark *mark, uint64_t now_ms)
{
    if (list_empty(&mark->telling))
        list_append(&db->marks->telling, &mark->telling);
    mark->told_ms = now_ms;
}

/* Adds a message to what will be told; in rows of a bounded size. */
static int tell_of(struct db *db, struct mark *mark, struct bytes *detail, int64_t seq,
                   uint64_t now_ms)
{
    int r = log_runs(bytes_span(detail)) < LOG_RUNS_MAX ? sql_begin(db) : marks_tell(db, mark);
    if (r != 0)
        return r;
    start_telling(db, mark, now_ms);
    return log_put(detail, seq);
}

int marks_transmit(struct db *db, struct mark *mark, uint64_t now_ms)
{
    const struct mark_item item = mark->next;
    if (mark->inflight_count == 0)
        mark->base = mark->last_out;
    int r = tell_of(db, mark, &mark->told_sent, item.seq, now_ms);
    if (r == 0)
        r = mark_transmit(mark, &item);
    if (r != 0)
        return r;
    marks_touch(db, mark);
    mark->sent = item.seq;
    mark->last_out = item.id;
    mark->next.seq = 0;
    return 0;
}

int marks_deliver(struct db *db, struct mark *mark, uint64_t now_ms)
{
    const struct mark_item item = *mark_inflight(mark, 0);
    int r = tell_of(db, mark, &mark->told_delivered, item.seq, now_ms);
    if (r == 0)
        r = noted_strike(db, item.expires_ms, item.seq);
    if (r != 0)
        return r;
    marks_touch(db, mark);
    mark->delivered = item.seq;
    mark->base = item.id;
    mark_take_oldest(mark);
    mark_leave(mark, item.size);
    return 0;
}
