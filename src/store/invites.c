/* SPDX-License-Identifier: ISC */
/*
 * Rows of invites.
 */
#include "store/invites.h"

#include "store/sql.h"

int invites_add(struct db *db, const struct invite_row *row)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "INSERT INTO invite (id, secret, sealed, name, created_ms, expires_ms)"
                      " VALUES (?, zeroblob(16), ?, ?, ?, ?)");
    sql_bind_blob(&query, row->id, sizeof row->id);
    sql_bind_blob(&query, row->sealed, sizeof row->sealed);
    sql_bind_text(&query, row->name);
    sql_bind_int(&query, (int64_t)row->created_ms);
    sql_bind_int(&query, (int64_t)row->expires_ms);
    return sql_run(&query);
}

static void read_row(struct sql *query, struct invite_row *row)
{
    sql_copy(query, row->id, sizeof row->id);
    sql_copy(query, row->sealed, sizeof row->sealed);
    sql_copy_text(query, row->name, sizeof row->name);
    row->created_ms = (uint64_t)sql_int(query);
    row->expires_ms = (uint64_t)sql_int(query);
}

int invites_get(struct db *db, const uint8_t id[static INVITE_ROW_ID_SIZE], struct invite_row *row)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT id, sealed, name, created_ms, expires_ms FROM invite WHERE id = ?");
    sql_bind_blob(&query, id, INVITE_ROW_ID_SIZE);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    read_row(&query, row);
    return query.result;
}

int invites_remove(struct db *db, const uint8_t id[static INVITE_ROW_ID_SIZE])
{
    CLEANUP(sql_end) struct sql query = sql_write(db, "DELETE FROM invite WHERE id = ?");
    sql_bind_blob(&query, id, INVITE_ROW_ID_SIZE);
    if (sql_run(&query) != 0)
        return query.result;
    return sqlite3_changes(db->sqlite) > 0 ? 0 : DB_NOT_FOUND;
}

int invites_expire(struct db *db, uint64_t now_ms)
{
    CLEANUP(sql_end) struct sql query = sql_write(db, "DELETE FROM invite WHERE expires_ms <= ?");
    sql_bind_int(&query, (int64_t)now_ms);
    return sql_run(&query);
}

int invites_each(struct db *db, int (*visit)(void *context, const struct invite_row *row),
                 void *context)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT id, sealed, name, created_ms, expires_ms FROM invite"
                                    " ORDER BY created_ms, id");
    while (sql_row(&query)) {
        struct invite_row row;
        read_row(&query, &row);
        if (query.result != 0)
            break;
        int r = visit(context, &row);
        if (r < 0)
            return r;
    }
    return query.result;
}

/* --- secrets that are not sealed yet ---------------------------------------------------------- */

/* How the next plain secret of a table is found, and how its sealed form is stored instead. */
static const struct plain {
    const char *next; /* selects the row's id, the secret's owner, and the secret */
    const char *seal;
} plain[] = {
    {"SELECT id, key, invite_secret FROM peer WHERE invite_secret IS NOT NULL LIMIT 1",
     "UPDATE peer SET invite_sealed = ?, invite_secret = NULL WHERE id = ?"},
    {"SELECT id, id, secret FROM invite WHERE sealed IS NULL LIMIT 1",
     "UPDATE invite SET sealed = ?, secret = zeroblob(16) WHERE id = ?"},
};

/* Seals the next secret of a table. 0, DB_NOT_FOUND (there is none), DB_FULL, -EIO or -errno. */
static int seal_next(struct db *db, bool given, invites_seal *seal, void *context)
{
    uint8_t id[INVITE_ROW_ID_SIZE], key[PEER_KEY_SIZE] = {0};
    uint8_t secret[PEER_INVITE_SIZE], sealed[PEER_INVITE_SEALED_SIZE];
    int64_t place = 0;
    CLEANUP(sql_end) struct sql query = sql_read(db, plain[given].next);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    if (given)
        sql_copy(&query, id, sizeof id);
    else
        place = sql_int(&query);
    sql_copy(&query, given ? id : key, given ? sizeof id : sizeof key);
    sql_copy(&query, secret, sizeof secret);
    int r = query.result;
    if (r == 0)
        r = seal(context, given, given ? SPAN(id, sizeof id) : SPAN(key, sizeof key), secret,
                 sealed);
    if (r != 0)
        return r;
    CLEANUP(sql_end) struct sql write = sql_write(db, plain[given].seal);
    sql_bind_blob(&write, sealed, sizeof sealed);
    if (given)
        sql_bind_blob(&write, id, sizeof id);
    else
        sql_bind_int(&write, place);
    return sql_run(&write);
}

int invites_seal_all(struct db *db, invites_seal *seal, void *context)
{
    int r = 0;
    for (int given = 0; r == 0 && given <= 1; given++) {
        while ((r = seal_next(db, given != 0, seal, context)) == 0)
            db->scrub = true;
        if (r == DB_NOT_FOUND)
            r = 0;
    }
    return r;
}
