/* SPDX-License-Identifier: ISC */
/*
 * Rows of peers and of their ways and old keys.
 */
#include "store/peers.h"

#include <string.h>

#include "store/marks.h"
#include "store/sql.h"

/* Where a way is known from: peer_way.origin. */
enum way_origin {
    WAY_GIVEN = 0, /* people, by hand */
    WAY_TOLD = 1,  /* the peer itself */
    WAY_LAST = 2,  /* the latest session was by it */
};

static void bind_key(struct sql *query, bool present, const uint8_t *key)
{
    sql_bind_blob(query, present ? key : NULL, PEER_KEY_SIZE);
}

static void bind_invite(struct sql *query, const struct peer_row *row)
{
    sql_bind_blob(query, row->invited ? row->invite_sealed : NULL, PEER_INVITE_SEALED_SIZE);
}

/* What the two statements below store, in the order of their columns. */
static void bind_row(struct sql *query, const struct peer_row *row)
{
    sql_bind_text(query, row->name);
    bind_key(query, row->pinned, row->key);
    sql_bind_int(query, row->trust);
    bind_key(query, row->offered, row->offered_key);
    bind_invite(query, row);
    sql_bind_int(query, row->require_pq);
    sql_bind_int(query, (int64_t)row->created_ms);
    sql_bind_int(query, row->adopted);
}

static int add_way(struct db *db, int64_t id, enum way_origin origin, unsigned position,
                   const struct address *address, uint64_t time_ms)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "INSERT INTO peer_way (peer, origin, position, kind, value, port, time_ms)"
                      " VALUES (?, ?, ?, 0, ?, ?, nullif(?, 0))");
    sql_bind_int(&query, id);
    sql_bind_int(&query, origin);
    sql_bind_int(&query, position);
    sql_bind_blob(&query, address->host, strlen(address->host));
    sql_bind_int(&query, address->port);
    sql_bind_int(&query, (int64_t)time_ms);
    return sql_run(&query);
}

static int remove_ways(struct db *db, int64_t id, enum way_origin origin)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "DELETE FROM peer_way WHERE peer = ? AND origin = ?");
    sql_bind_int(&query, id);
    sql_bind_int(&query, origin);
    return sql_run(&query);
}

static int add_addresses(struct db *db, const struct peer_row *row)
{
    int r = 0;
    for (unsigned i = 0; i < row->address_count && r == 0; i++)
        r = add_way(db, row->id, WAY_GIVEN, i, &row->addresses[i], 0);
    return r;
}

int peers_set_last(struct db *db, int64_t id, const struct address *last, uint64_t now_ms)
{
    int r = remove_ways(db, id, WAY_LAST);
    return r == 0 && last != NULL ? add_way(db, id, WAY_LAST, 0, last, now_ms) : r;
}

int peers_set_told(struct db *db, int64_t id, const struct address *told, unsigned count,
                   uint64_t time_ms)
{
    int r = remove_ways(db, id, WAY_TOLD);
    for (unsigned i = 0; i < count && r == 0; i++)
        r = add_way(db, id, WAY_TOLD, i, &told[i], time_ms);
    return r;
}

int peers_add(struct db *db, struct peer_row *row)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "INSERT INTO peer (name, key, trust, offered_key, invite_sealed, require_pq,"
                      " created_ms, adopted) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    bind_row(&query, row);
    if (sql_run(&query) != 0)
        return query.result;
    row->id = sqlite3_last_insert_rowid(db->sqlite);
    int r = marks_add(db, row->id);
    return r == 0 ? add_addresses(db, row) : r;
}

int peers_find_removed(struct db *db, const char *name, const uint8_t *key, int64_t *id)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT id FROM peer"
                                    "  WHERE removed_ms IS NOT NULL AND (name = ? OR key = ?)"
                                    "  ORDER BY removed_ms DESC, id DESC LIMIT 1");
    sql_bind_text(&query, name);
    sql_bind_blob(&query, key, key != NULL ? PEER_KEY_SIZE : 0);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    *id = sql_int(&query);
    return query.result;
}

int peers_next_removed(struct db *db, int64_t after, int64_t *id)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT id FROM peer WHERE id > ? AND removed_ms IS NOT NULL"
                                    " ORDER BY id LIMIT 1");
    sql_bind_int(&query, after);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    *id = sql_int(&query);
    return query.result;
}

/* The key of a peer that is not removed. 0, DB_NOT_FOUND or -EIO. */
static int find_key(struct db *db, int64_t id, bool *pinned, uint8_t key[static PEER_KEY_SIZE])
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT key FROM peer WHERE id = ? AND removed_ms IS NULL");
    sql_bind_int(&query, id);
    if (!sql_row(&query))
        return query.result != 0 ? query.result : DB_NOT_FOUND;
    *pinned = sql_copy(&query, key, PEER_KEY_SIZE);
    return query.result;
}

static int add_old_key(struct db *db, int64_t id, const uint8_t key[static PEER_KEY_SIZE],
                       uint64_t now_ms)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "INSERT INTO peer_old_key (peer, key, replaced_ms) VALUES (?, ?, ?)");
    sql_bind_int(&query, id);
    sql_bind_blob(&query, key, PEER_KEY_SIZE);
    sql_bind_int(&query, (int64_t)now_ms);
    return sql_run(&query);
}

int peers_old_keys(struct db *db, int64_t id,
                   int (*visit)(void *context, const struct peer_old_key *old), void *context)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT key, replaced_ms FROM peer_old_key WHERE peer = ? ORDER BY id");
    sql_bind_int(&query, id);
    while (sql_row(&query)) {
        struct peer_old_key old;
        sql_copy(&query, old.key, sizeof old.key);
        old.replaced_ms = (uint64_t)sql_int(&query);
        if (query.result != 0)
            break;
        int r = visit(context, &old);
        if (r < 0)
            return r;
    }
    return query.result;
}

static int update_row(struct db *db, const struct peer_row *row)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(
        db, "UPDATE peer SET name = ?, key = ?, trust = ?, offered_key = ?, invite_sealed = ?,"
            " require_pq = ?, created_ms = ?, adopted = ? WHERE id = ?");
    bind_row(&query, row);
    sql_bind_int(&query, row->id);
    return sql_run(&query);
}

int peers_update(struct db *db, const struct peer_row *row, uint64_t now_ms)
{
    bool was_pinned = false;
    uint8_t old_key[PEER_KEY_SIZE];
    int r = find_key(db, row->id, &was_pinned, old_key);
    if (r == 0)
        r = update_row(db, row);
    bool same = row->pinned && memcmp(old_key, row->key, PEER_KEY_SIZE) == 0;
    if (r == 0 && was_pinned && !same)
        r = add_old_key(db, row->id, old_key, now_ms);
    if (r == 0)
        r = remove_ways(db, row->id, WAY_GIVEN);
    if (r == 0)
        r = add_addresses(db, row);
    return r;
}

int peers_set_features(struct db *db, int64_t id, uint32_t features)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE peer SET features = ? WHERE id = ?");
    sql_bind_int(&query, features);
    sql_bind_int(&query, id);
    return sql_run(&query);
}

int peers_set_used(struct db *db, int64_t id)
{
    CLEANUP(sql_end)
    struct sql query = sql_write(db, "UPDATE peer SET adopted = 0 WHERE id = ?");
    sql_bind_int(&query, id);
    return sql_run(&query);
}

/* All zero is NULL. */
static void bind_instance(struct sql *query, const uint8_t instance[static PEER_INSTANCE_SIZE])
{
    const bool none = bytes_all_zero(instance, PEER_INSTANCE_SIZE);
    sql_bind_blob(query, none ? NULL : instance, PEER_INSTANCE_SIZE);
}

int peers_set_instances(struct db *db, const struct peer_row *row)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "UPDATE peer SET instance = ?, instance_before = ? WHERE id = ?");
    bind_instance(&query, row->instance);
    bind_instance(&query, row->instance_before);
    sql_bind_int(&query, row->id);
    return sql_run(&query);
}

int peers_remove(struct db *db, int64_t id, uint64_t now_ms)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_write(db, "UPDATE peer SET removed_ms = ? WHERE id = ? AND removed_ms IS NULL");
    sql_bind_int(&query, (int64_t)now_ms);
    sql_bind_int(&query, id);
    if (sql_run(&query) != 0)
        return query.result;
    if (sqlite3_changes(db->sqlite) == 0)
        return DB_NOT_FOUND;
    int r = remove_ways(db, id, WAY_GIVEN);
    if (r == 0)
        r = remove_ways(db, id, WAY_TOLD);
    return r == 0 ? remove_ways(db, id, WAY_LAST) : r;
}

static void read_address(struct sql *query, struct address *address)
{
    sql_copy_text(query, address->host, sizeof address->host);
    address->port = (uint16_t)sql_int(query);
}

static int read_ways(struct db *db, struct peer_row *row)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT origin, value, port FROM peer_way"
                     " WHERE peer = ? AND origin IN (0, 2) ORDER BY origin, position");
    sql_bind_int(&query, row->id);
    while (sql_row(&query)) {
        if (sql_enum(&query, WAY_LAST) == WAY_LAST)
            read_address(&query, &row->last);
        else if (row->address_count < PEER_ADDRESSES_MAX)
            read_address(&query, &row->addresses[row->address_count++]);
    }
    return query.result;
}

int peers_get_told(struct db *db, int64_t id, struct address told[static PEER_TOLD_MAX],
                   uint64_t *time_ms)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT value, port, coalesce(time_ms, 0) FROM peer_way"
                                    " WHERE peer = ? AND origin = 1 ORDER BY position");
    int count = 0;
    sql_bind_int(&query, id);
    while (count < PEER_TOLD_MAX && sql_row(&query)) {
        read_address(&query, &told[count++]);
        *time_ms = (uint64_t)sql_int(&query);
    }
    return query.result != 0 ? query.result : count;
}

static int read_row(struct sql *query, struct peer_row *row)
{
    *row = (struct peer_row){.id = sql_int(query)};
    sql_copy_text(query, row->name, sizeof row->name);
    row->pinned = sql_copy(query, row->key, PEER_KEY_SIZE);
    row->trust = (enum peer_trust)sql_enum(query, PEER_BLOCKED);
    row->offered = sql_copy(query, row->offered_key, PEER_KEY_SIZE);
    row->invited = sql_copy(query, row->invite_sealed, PEER_INVITE_SEALED_SIZE);
    row->require_pq = sql_int(query) != 0;
    row->created_ms = (uint64_t)sql_int(query);
    row->met = !sql_is_null(query);
    row->features = (uint32_t)sql_int(query);
    sql_copy(query, row->instance, PEER_INSTANCE_SIZE);
    sql_copy(query, row->instance_before, PEER_INSTANCE_SIZE);
    row->adopted = sql_int(query) != 0;
    return query->result == 0 ? read_ways(query->db, row) : query->result;
}

int peers_each(struct db *db, int (*visit)(void *context, const struct peer_row *row),
               void *context)
{
    CLEANUP(sql_end)
    struct sql query =
        sql_read(db, "SELECT id, name, key, trust, offered_key, invite_sealed, require_pq,"
                     " created_ms, features, instance, instance_before, adopted FROM peer"
                     " WHERE removed_ms IS NULL ORDER BY id");
    while (sql_row(&query)) {
        struct peer_row row;
        int r = read_row(&query, &row);
        if (r == 0)
            r = visit(context, &row);
        if (r < 0)
            return r;
    }
    return query.result;
}
