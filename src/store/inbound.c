/* SPDX-License-Identifier: ISC */
/*
 * How much of the disk goes to what came from a peer.
 */
#include "store/inbound.h"

#include <errno.h>

#include "store/marks.h"
#include "store/sql.h"

/* https://www.sqlite.org/fileformat2.html, "B-tree Pages" and "Cell Payload Overflow Pages". */
enum {
    PAGE = 4096,                             /* SQLite's own size, which is not changed */
    PAGE_HEAD = 8,                           /* of a leaf */
    CELL_HEAD = 9,                           /* its pointer, the payload's length and the seq */
    LOCAL_MAX = PAGE - 35,                   /* a longer payload goes to other pages … */
    LOCAL_MIN = (PAGE - 12) * 32 / 255 - 23, /* … but for so much at least */
    OVERFLOW = PAGE - 4,                     /* each of which takes so much */
    COLUMNS = 100,                           /* of a row besides the text, the seal included */
    PLACES = 40,                             /* by its id, and among those of its peer */
};

uint64_t inbound_size(size_t text_size)
{
    const size_t payload = text_size + COLUMNS;
    size_t local = payload;
    if (payload > LOCAL_MAX) {
        local = LOCAL_MIN + (payload - LOCAL_MIN) % OVERFLOW;
        local = local <= LOCAL_MAX ? local : LOCAL_MIN;
    }
    const size_t pages = (payload - local + OVERFLOW - 1) / OVERFLOW;
    const size_t rows_of_page = (PAGE - PAGE_HEAD) / (local + CELL_HEAD);
    return pages * PAGE + PAGE / (rows_of_page > 0 ? rows_of_page : 1) + PLACES;
}

/* --- counting --------------------------------------------------------------------------------- */

static void count(struct db *db, struct mark *mark, uint64_t more, uint64_t less)
{
    mark->inbound += more - less;
    db->marks->inbound += more - less;
    marks_touch(db, mark);
}

void inbound_add(struct db *db, struct mark *mark, size_t text_size)
{
    count(db, mark, inbound_size(text_size), 0);
}

void inbound_bury(struct db *db, struct mark *mark, size_t text_size)
{
    count(db, mark, INBOUND_ID_BYTES, inbound_size(text_size));
}

void inbound_forget(struct db *db, struct mark *mark)
{
    count(db, mark, 0, INBOUND_ID_BYTES);
}

void inbound_move(struct db *db, struct mark *from, struct mark *to, uint64_t bytes)
{
    count(db, to, bytes, 0);
    count(db, from, 0, bytes);
}

int inbound_bytes(struct db *db, int64_t peer, uint64_t *bytes)
{
    const struct mark *mark = peer != 0 ? marks_find(db, peer) : NULL;
    *bytes = 0;
    if (!marks_fresh(db))
        return -EIO;
    if (peer == 0)
        *bytes = db->marks->inbound;
    else if (mark != NULL)
        *bytes = mark->inbound;
    return 0;
}

/* --- for the migration ------------------------------------------------------------------------ */

static void sql_size(sqlite3_context *context, int count_of_values, sqlite3_value **values)
{
    (void)count_of_values;
    sqlite3_result_int64(context, (int64_t)inbound_size((size_t)sqlite3_value_int64(values[0])));
}

int inbound_register(sqlite3 *sqlite)
{
    return sqlite3_create_function(sqlite, "inbound_size", 1,
                                   SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                   sql_size, NULL, NULL);
}
