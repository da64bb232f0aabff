/* SPDX-License-Identifier: ISC */
/*
 * The lives of the store.
 */
#include "store/lives.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/number.h"
#include "store/sql.h"

enum { SHORT_TAG_SIZE = 8 }; /* of a tag, in a past: enough to tell our own lives apart */

/* --- rows ------------------------------------------------------------------------------------- */

int lives_open(struct db *db)
{
    CLEANUP(sql_end) struct sql query = sql_read(db, "SELECT randomblob(16)");
    if (sql_row(&query))
        sql_copy(&query, db->tag, DB_TAG_SIZE);
    return query.result;
}

static bool is_ours(const struct db *db, const struct db_life *life)
{
    return memcmp(life->tag, db->tag, DB_TAG_SIZE) == 0;
}

int lives_load(struct db *db)
{
    CLEANUP(sql_end)
    struct sql query = sql_read(db, "SELECT first_seq, tag, shift_ms FROM life ORDER BY first_seq");
    db->life_count = 0;
    while (sql_row(&query)) {
        struct db_life *lives =
            realloc(db->lives, (db->life_count + 1) * sizeof *lives); /* seldom many */
        if (lives == NULL)
            return -ENOMEM;
        db->lives = lives;
        struct db_life *life = &lives[db->life_count++];
        life->first_seq = sql_int(&query);
        sql_copy(&query, life->tag, sizeof life->tag);
        life->shift_ms = sql_int(&query);
    }
    db->alive = db->life_count > 0 && is_ours(db, &db->lives[db->life_count - 1]);
    return query.result;
}

static int begin(struct db *db, int64_t seq)
{
    {
        CLEANUP(sql_end)
        struct sql query =
            sql_write(db, "INSERT OR REPLACE INTO life (first_seq, tag) VALUES (?, ?)");
        sql_bind_int(&query, seq);
        sql_bind_blob(&query, db->tag, DB_TAG_SIZE);
        if (sql_run(&query) != 0)
            return query.result;
    }
    return lives_load(db);
}

int lives_note(struct db *db, int64_t seq)
{
    return db->alive ? 0 : begin(db, seq);
}

int lives_part(struct db *db)
{
    return begin(db, db->dated + 1);
}

int64_t lives_first(const struct db *db)
{
    int64_t first = INT64_MAX;
    for (unsigned i = db->life_count; i > 0 && is_ours(db, &db->lives[i - 1]); i--)
        first = db->lives[i - 1].first_seq;
    return first;
}

/* The life that a seq belongs to; NULL for one from before the first. */
static const struct db_life *find_life(const struct db *db, int64_t seq)
{
    unsigned low = 0, high = db->life_count; /* the first that begins after it is in here */
    while (low < high) {
        const unsigned middle = low + (high - low) / 2;
        if (db->lives[middle].first_seq <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? &db->lives[low - 1] : NULL;
}

uint64_t lives_moved(uint64_t time_ms, int64_t by_ms)
{
    const int64_t moved = (int64_t)time_ms + by_ms;
    return moved > 0 ? (uint64_t)moved : 1;
}

uint64_t lives_time(const struct db *db, int64_t seq, int64_t time_ms)
{
    const struct db_life *life = find_life(db, seq);
    return life == NULL || time_ms == 0 ? (uint64_t)time_ms
                                        : lives_moved((uint64_t)time_ms, life->shift_ms);
}

/* --- pasts ------------------------------------------------------------------------------------ */

enum { LIFE_TEXT_MAX = 1 + 19 + 1 + 2 * SHORT_TAG_SIZE + 1 }; /* "/FIRST.TAG" and the NUL */

_Static_assert(DB_EPOCH_MAX + LIVES_IN_PAST * (LIFE_TEXT_MAX - 1) <= LIVES_PAST_MAX,
               "a past of the longest lives has its place");

/* Appends "/FIRST.TAG"; there is room. */
static size_t print_life(char *to, int64_t first, const uint8_t *tag)
{
    const size_t size = (size_t)snprintf(to, LIFE_TEXT_MAX, "/%" PRId64 ".", first);
    hex_encode(tag, SHORT_TAG_SIZE, to + size);
    return size + 2 * SHORT_TAG_SIZE;
}

void lives_past(const struct db *db, char past[static LIVES_PAST_MAX])
{
    size_t size = (size_t)snprintf(past, DB_EPOCH_MAX, "%s", db->epoch);
    unsigned count = 0;
    if (!db->alive) { /* its first row is yet to come */
        size += print_life(past + size, db->newest + 1, db->tag);
        count++;
    }
    for (unsigned i = db->life_count; i > 0 && count < LIVES_IN_PAST; i--) {
        const struct db_life *life = &db->lives[i - 1];
        if (i > 1 && memcmp(life[-1].tag, life->tag, DB_TAG_SIZE) == 0)
            continue; /* the clock was set meanwhile */
        size += print_life(past + size, life->first_seq, life->tag);
        count++;
    }
}

/* Takes the next life of a past. */
static bool read_life(const char **past, int64_t *first, char tag[static 2 * SHORT_TAG_SIZE + 1])
{
    char number[20];
    const char *at = *past;
    const size_t digits = at[0] == '/' ? strcspn(at + 1, ".") : sizeof number;
    uint64_t value;
    if (digits >= sizeof number)
        return false;
    snprintf(number, sizeof number, "%.*s", (int)digits, at + 1);
    at += 1 + digits;
    const size_t length = at[0] == '.' ? strcspn(at + 1, "/") : 0;
    if (length != 2 * SHORT_TAG_SIZE || number_parse(number, INT64_MAX, &value) != 0)
        return false;
    memcpy(tag, at + 1, length);
    tag[length] = '\0';
    *first = (int64_t)value;
    *past = at + 1 + length;
    return true;
}

static bool has_tag(const uint8_t *tag, const char *text)
{
    char own[2 * SHORT_TAG_SIZE + 1];
    hex_encode(tag, SHORT_TAG_SIZE, own);
    return strcmp(own, text) == 0;
}

/* The last seq of the life with this tag; false if there was none. */
static bool find_end(const struct db *db, const char *tag, int64_t *end)
{
    *end = INT64_MAX; /* of the one that goes on */
    if (has_tag(db->tag, tag))
        return true;
    *end = db->last; /* of the one before, if nothing was added since */
    for (unsigned i = db->life_count; i > 0; i--) {
        const struct db_life *life = &db->lives[i - 1];
        if (has_tag(life->tag, tag))
            return true;
        *end = life->first_seq - 1;
    }
    return false;
}

int64_t lives_common(const struct db *db, const char *past, int64_t seq)
{
    const size_t size = strcspn(past, "/");
    char tag[2 * SHORT_TAG_SIZE + 1];
    int64_t first, end,
        later = INT64_MAX; /* the first seq of the life after this one, over there */
    if (past[size] == '\0')
        return strcmp(past, db->epoch) == 0 ? seq : 0;
    past += size;
    while (read_life(&past, &first, tag)) {
        if (find_end(db, tag, &end)) {
            const int64_t common = end < later - 1 ? end : later - 1;
            return seq < common ? seq : common;
        }
        later = first;
    }
    return 0;
}
