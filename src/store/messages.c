/* SPDX-License-Identifier: ISC */
/*
 * Rows of messages.
 */
#include "store/messages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/events.h"
#include "store/inbound.h"
#include "store/lives.h"
#include "store/log.h"
#include "store/marks.h"
#include "store/message_columns.h"
#include "store/noted.h"

/* --- reading ---------------------------------------------------------------------------------- */

/* Visits the row of a query for one. 0, DB_NOT_FOUND or -errno. */
static int visit_one(struct sql *query, messages_visit *visit, void *context)
{
    struct message_row row;
    if (!sql_row(query))
        return query->result != 0 ? query->result : DB_NOT_FOUND;
    message_read(query, &row);
    int r = query->result == 0 ? visit(context, &row) : query->result;
    return r < 0 ? r : 0;
}

int messages_get(struct db *db, const struct uuid *id, messages_visit *visit, void *context)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, SELECT_MESSAGES "WHERE m.id = ? ORDER BY m.type DESC, m.seq LIMIT 1");
    sql_bind_blob(&query, id->bytes, UUID_SIZE);
    return visit_one(&query, visit, context);
}

int messages_find(struct db *db, int64_t peer, enum message_direction direction,
                  const struct uuid *id, messages_visit *visit, void *context)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, SELECT_MESSAGES "WHERE m.id = ? AND m.peer = ? AND m.type = ?");
    sql_bind_blob(&query, id->bytes, UUID_SIZE);
    sql_bind_int(&query, peer);
    sql_bind_int(&query, direction);
    return visit_one(&query, visit, context);
}

/* The columns of a message of which there is only the tombstone `m`. */
#define TOMBSTONE_COLUMNS                                                                      \
    "m.seq, m.type, m.peer, p.name, p.key, p.trust, 0, m.state, NULL, NULL, m.id, NULL, 0, 0," \
    " NULL, NULL, NULL"

int messages_at(struct db *db, int64_t seq, messages_visit *visit, void *context)
{
    int r;
    {
        CLEANUP(sql_end)
        struct sql query = sql_read(db, SELECT_MESSAGES "WHERE m.seq = ? AND m.type <= 1");
        sql_bind_int(&query, seq);
        r = visit_one(&query, visit, context);
    }
    if (r != DB_NOT_FOUND)
        return r;
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT " TOMBSTONE_COLUMNS " FROM tombstone m JOIN peer p"
                                    " ON p.id = m.peer WHERE m.seq = ?");
    sql_bind_int(&query, seq);
    return visit_one(&query, visit, context);
}

/* --- adding ----------------------------------------------------------------------------------- */

/* Whether a message with this id was removed. 0, DB_NOT_FOUND or -EIO. */
static int find_tombstone(struct db *db, int64_t peer, enum message_direction direction,
                          const struct uuid *id)
{
    /* Ids grow with the time: a new one is seldom looked for. */
    if (memcmp(id->bytes, db->newest_tombstone.bytes, UUID_SIZE) > 0)
        return DB_NOT_FOUND;
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT 1 FROM tombstone WHERE id = ? AND peer = ? AND type = ?");
    sql_bind_blob(&query, id->bytes, UUID_SIZE);
    sql_bind_int(&query, peer);
    sql_bind_int(&query, direction);
    return sql_row(&query) ? 0 : query.result != 0 ? query.result : DB_NOT_FOUND;
}

static int find_message(struct db *db, int64_t peer, enum message_direction direction,
                        const struct uuid *id)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT 1 FROM log WHERE id = ? AND peer = ? AND type = ?");
    sql_bind_blob(&query, id->bytes, UUID_SIZE);
    sql_bind_int(&query, peer);
    sql_bind_int(&query, direction);
    return sql_row(&query) ? 0 : query.result != 0 ? query.result : DB_NOT_FOUND;
}

int messages_known(struct db *db, int64_t peer, enum message_direction direction,
                   const struct uuid *id)
{
    struct mark *mark = marks_find(db, peer); /* which reads what it has to, after a lost turn */
    int r = mark != NULL ? find_message(db, peer, direction, id) : DB_NOT_FOUND;
    if (r == DB_NOT_FOUND)
        r = find_tombstone(db, peer, direction, id);
    return r == DB_NOT_FOUND && db->failed ? -EIO : r;
}

int messages_last(struct db *db, int64_t peer, enum message_direction direction, struct uuid *id)
{
    const struct mark *mark = marks_find(db, peer);
    if (mark == NULL)
        return db->failed ? -EIO : DB_NOT_FOUND;
    *id = direction == MESSAGE_IN ? mark->last_in : mark->last_out;
    return 0;
}

/* A message that expires before one that was accepted earlier is noted apart. */
static int note_expiry(struct db *db, const struct mark *mark, const struct message_row *row)
{
    if (row->expires_ms >= mark->latest_ms)
        return 0;
    return noted_add(db, row->expires_ms, row->seq);
}

static void count_in(struct db *db, struct mark *mark, const struct message_row *row)
{
    const struct mark_item item = {row->seq, row->id, row->expires_ms, row->text_size};
    mark->stored.messages++;
    mark->stored.bytes += row->text_size;
    if (row->direction == MESSAGE_IN) {
        mark->last_in = row->id;
        inbound_add(db, mark, row->text_size);
    } else {
        mark_queue(mark, &item);
    }
    marks_touch(db, mark);
}

int messages_add(struct db *db, struct message_row *row)
{
    struct mark *mark = marks_find(db, row->peer);
    const enum message_state first =
        row->direction == MESSAGE_IN ? MESSAGE_RECEIVED : MESSAGE_QUEUED;
    if (mark == NULL || row->state != first)
        return db->failed ? -EIO : -EINVAL;
    int r = find_tombstone(db, row->peer, row->direction, &row->id);
    if (r != DB_NOT_FOUND)
        return r == 0 ? DB_EXISTS : r;
    const struct log_row entry = {.type = row->direction == MESSAGE_IN ? EVENT_MESSAGE_RECEIVED
                                                                       : EVENT_MESSAGE_SENT,
                                  .peer = row->peer,
                                  .trust = row->trust,
                                  .time_ms = row->time_ms,
                                  .message = row,
                                  .width = 1};
    r = log_append(db, &entry, &row->seq);
    if (r == 0 && row->direction == MESSAGE_OUT)
        r = note_expiry(db, mark, row);
    if (r == 0)
        count_in(db, mark, row);
    return r;
}

/* --- the newest ------------------------------------------------------------------------------- */

/* A visit that leaves out what is not of the time asked for. */
struct search {
    const struct messages_filter *filter;
    messages_visit *visit;
    void *context;
};

static int visit_in_time(void *context, const struct message_row *row)
{
    const struct search *search = context;
    const struct messages_filter *filter = search->filter;
    if (row->time_ms < filter->since_ms ||
        (filter->until_ms != 0 && row->time_ms >= filter->until_ms))
        return 1;
    return search->visit(search->context, row);
}

/* The messages with seqs between, of all peers. */
static const char newest_of_all[] =
    SELECT_MESSAGES "WHERE m.type <= 1 AND m.seq > ?2 AND m.seq < ?3 ORDER BY m.seq DESC";

/* Of one peer: what is not settled, and what is. */
static const char newest_unsettled[] = SELECT_MESSAGES
    "WHERE m.peer = ?1 AND m.type <= 1 AND m.seq > ?2 AND m.seq < ?3 ORDER BY m.seq DESC";
static const char newest_settled[] =
    "SELECT " MESSAGE_COLUMNS " FROM ("
    " SELECT seq FROM message_of_peer WHERE peer = ?1 AND type = 0 AND seq > ?2 AND seq < ?3"
    " UNION ALL"
    " SELECT seq FROM message_of_peer WHERE peer = ?1 AND type = 1 AND seq > ?2 AND seq < ?3"
    " ORDER BY seq DESC) o CROSS JOIN log m ON m.seq = o.seq JOIN peer p ON p.id = m.peer";

static int walk_newest(struct db *db, const char *text, const struct search *search, int64_t after,
                       int64_t before, unsigned *counted)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, text);
    sql_bind_int(&query, search->filter->peer);
    sql_bind_int(&query, after);
    sql_bind_int(&query, before);
    return message_walk(&query, search->filter->limit, visit_in_time, (void *)search, counted);
}

/*
 * The newest of the queue are gathered in portions: what a portion costs does not grow with the
 * queue, and one is more than a caller looks at in a turn.
 */
enum { PORTION = 1024 };

/* Seqs of messages, and between which ones they are. */
struct portion {
    int64_t list[2 * PORTION];
    size_t count;
    int64_t after, before;
};

/* Of one peer: what is not settled, and what is, each the newest first. */
static const char queued_unsettled[] =
    "SELECT m.seq FROM log m WHERE m.peer = ?1 AND m.type = 1 AND m.seq > ?2 AND m.seq < ?3"
    " AND m.state IS NULL ORDER BY m.seq DESC LIMIT ?4";
static const char queued_settled[] =
    "SELECT o.seq FROM message_of_peer o JOIN log m ON m.seq = o.seq WHERE o.peer = ?1"
    " AND o.type = 1 AND o.seq > ?2 AND o.seq < ?3 AND m.state IS NULL ORDER BY o.seq DESC"
    " LIMIT ?4";
static const char queued_strays[] =
    "SELECT seq FROM extra WHERE peer = ?1 AND state IN (1, 2) AND seq > ?2 AND seq < ?3";

static int newest_first(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

/* Leaves the newest; from then on older ones are not even looked for. */
static void tighten(struct portion *portion)
{
    if (portion->count > 0)
        qsort(portion->list, portion->count, sizeof *portion->list, newest_first);
    if (portion->count < PORTION)
        return;
    portion->count = PORTION;
    portion->after = portion->list[PORTION - 1];
}

static int gather(struct db *db, const char *text, int64_t peer, int64_t after,
                  struct portion *portion)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, text);
    sql_bind_int(&query, peer);
    sql_bind_int(&query, after > portion->after ? after : portion->after);
    sql_bind_int(&query, portion->before);
    if (text != queued_strays)
        sql_bind_int(&query, PORTION);
    while (sql_row(&query)) {
        const int64_t seq = sql_int(&query);
        if (portion->count == 2 * PORTION)
            tighten(portion);
        if (seq > portion->after)
            portion->list[portion->count++] = seq;
    }
    return query.result;
}

static int gather_peer(struct db *db, const struct mark *mark, struct portion *portion)
{
    const int64_t unsettled = mark->delivered > db->settled ? mark->delivered : db->settled;
    int r = 0;
    if (mark_has_ordinary(mark) && portion->before > unsettled)
        r = gather(db, queued_unsettled, mark->peer, unsettled, portion);
    if (r == 0 && mark_has_ordinary(mark) && db->settled > mark->delivered)
        r = gather(db, queued_settled, mark->peer, mark->delivered, portion);
    if (r == 0 && mark->strays > 0)
        r = gather(db, queued_strays, mark->peer, 0, portion);
    return r;
}

/* The newest in the queue of one peer (0: of all) between the portion's seqs. */
static int fill(struct db *db, int64_t peer, struct portion *portion)
{
    if (!marks_fresh(db))
        return -EIO;
    int r = 0;
    for (unsigned i = 0; r == 0 && i < db->marks->count; i++) {
        const struct mark *mark = db->marks->list[i];
        if (mark->queue.messages > 0 && (peer == 0 || mark->peer == peer))
            r = gather_peer(db, mark, portion);
    }
    tighten(portion);
    return r;
}

static int walk_portion(struct db *db, const struct search *search, const struct portion *portion,
                        unsigned *counted)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < portion->count && *counted < search->filter->limit; i++) {
        CLEANUP(sql_end) struct sql query = sql_read(db, SELECT_MESSAGES "WHERE m.seq = ?");
        sql_bind_int(&query, portion->list[i]);
        r = message_walk(&query, search->filter->limit, visit_in_time, (void *)search, counted);
    }
    return r;
}

static int walk_queue(struct db *db, const struct search *search, int64_t after, int64_t before)
{
    unsigned counted = 0;
    for (;;) {
        struct portion portion = {.count = 0, .after = after, .before = before};
        int r = fill(db, search->filter->peer, &portion);
        if (r == 0)
            r = walk_portion(db, search, &portion, &counted);
        if (r != 0 || portion.count < PORTION || counted >= search->filter->limit)
            return r;
        before = portion.list[PORTION - 1];
    }
}

int messages_newest(struct db *db, const struct messages_filter *filter, messages_visit *visit,
                    void *context)
{
    const struct search search = {filter, visit, context};
    const int64_t before = filter->before_seq != 0 ? filter->before_seq : INT64_MAX;
    unsigned counted = 0;
    int64_t after = 0;
    /* So that the search does not walk through all older rows. */
    int r = filter->since_ms > 0 ? events_since(db, filter->since_ms, &after) : 0;
    if (after < filter->after_seq)
        after = filter->after_seq;
    if (r != 0)
        return r;
    if (filter->queued_only)
        return walk_queue(db, &search, after, before);
    if (filter->peer == 0)
        return walk_newest(db, newest_of_all, &search, after, before, &counted);
    const int64_t settled = db->settled;
    if (before > settled)
        r = walk_newest(db, newest_unsettled, &search, after > settled ? after : settled, before,
                        &counted);
    if (r == 0 && after < settled)
        r = walk_newest(db, newest_settled, &search, after,
                        before <= settled ? before : settled + 1, &counted);
    return r;
}

int messages_count(struct db *db, struct messages_size *size)
{
    *size = (struct messages_size){0};
    if (!marks_fresh(db))
        return -EIO;
    for (unsigned i = 0; i < db->marks->count; i++) {
        size->messages += db->marks->list[i]->stored.messages;
        size->bytes += db->marks->list[i]->stored.bytes;
    }
    return 0;
}
