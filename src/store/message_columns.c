/* SPDX-License-Identifier: ISC */
/*
 * Messages as queries give them.
 */
#include "store/message_columns.h"

#include "store/lives.h"
#include "store/log.h"
#include "store/marks.h"

/* What a message that is a stray has of its own. */
static void read_stray(struct sql *from, struct message_row *row)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(from->db, "SELECT state, prev, needs FROM extra WHERE seq = ?");
    sql_bind_int(&query, row->seq);
    if (sql_row(&query)) {
        row->state = (enum message_state)sql_enum(&query, MESSAGE_SENT);
        row->transmitted = sql_copy(&query, row->previous.bytes, UUID_SIZE);
        row->transmitted = row->transmitted || row->state == MESSAGE_SENT;
        const int64_t needs = sql_int(&query);
        row->needs = (uint32_t)needs;
        row->unreadable = needs >= NEEDS_REPAIR;
        if (query.result == 0 && row->state != MESSAGE_RECEIVED)
            return;
    }
    from->result = query.result != 0 ? query.result : sql_damage(from->db, "state");
}

/* The state of an ordinary message. */
static void read_marks(struct sql *from, struct message_row *row)
{
    const struct mark *mark = marks_find(from->db, row->peer);
    if (mark == NULL) {
        from->result = sql_damage(from->db, "peer");
        return;
    }
    row->transmitted = row->seq <= mark->sent;
    row->state = row->seq <= mark->delivered ? MESSAGE_DELIVERED
                 : row->transmitted          ? MESSAGE_SENT
                                             : MESSAGE_QUEUED;
}

void message_read(struct sql *query, struct message_row *row)
{
    *row = (struct message_row){.seq = sql_int(query)};
    row->direction = (enum message_direction)sql_enum(query, MESSAGE_OUT);
    row->peer = sql_int(query);
    sql_copy_text(query, row->peer_name, sizeof row->peer_name);
    row->pinned = sql_copy(query, row->peer_key, PEER_KEY_SIZE);
    row->trust = (enum peer_trust)sql_enum(query, PEER_BLOCKED);
    row->time_ms = lives_time(query->db, row->seq, sql_int(query));
    const bool by_marks = sql_is_null(query);
    const int state = sql_enum(query, LOG_STRAY);
    row->kind = (enum message_kind)sql_enum(query, MESSAGE_FILE_STATE);
    row->needs = (uint32_t)sql_int(query);
    sql_copy(query, row->id.bytes, UUID_SIZE);
    const bool sent_elsewhen = !sql_is_null(query);
    const uint64_t sent_ms = (uint64_t)sql_int(query);
    row->sent_ms = sent_elsewhen ? sent_ms : row->time_ms;
    row->expires_ms = lives_time(query->db, row->seq, sql_int(query));
    row->text_size = (size_t)sql_int(query);
    row->client_id = sql_text(query);
    if (row->direction == MESSAGE_OUT)
        row->transmitted = sql_copy(query, row->previous.bytes, UUID_SIZE);
    else
        sql_blob(query);
    row->body = sql_blob(query);
    row->stray = state == LOG_STRAY;
    if (query->result != 0)
        return;
    row->state = (enum message_state)state;
    if (row->stray)
        read_stray(query, row);
    else if (!message_state_exists(state))
        query->result = sql_damage(query->db, "state");
    else if (by_marks && row->direction == MESSAGE_OUT)
        read_marks(query, row);
}

int message_walk(struct sql *query, unsigned limit, messages_visit *visit, void *context,
                 unsigned *counted)
{
    while (*counted < limit && sql_row(query)) {
        struct message_row row;
        message_read(query, &row);
        if (query->result != 0)
            break;
        int r = visit(context, &row);
        if (r < 0)
            return r;
        if (r == 0)
            ++*counted;
    }
    return query->result;
}
