/* SPDX-License-Identifier: ISC */
/*
 * What a message takes of the disk.
 */
#include "store/footprint.h"

#include <sqlite3.h>
#include <stddef.h>

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

uint64_t footprint_of(uint64_t text_size)
{
    const uint64_t payload = text_size + COLUMNS;
    uint64_t local = payload;
    if (payload > LOCAL_MAX) {
        local = LOCAL_MIN + (payload - LOCAL_MIN) % OVERFLOW;
        local = local <= LOCAL_MAX ? local : LOCAL_MIN;
    }
    const uint64_t pages = (payload - local + OVERFLOW - 1) / OVERFLOW;
    const uint64_t rows_of_page = (PAGE - PAGE_HEAD) / (local + CELL_HEAD);
    return pages * PAGE + PAGE / (rows_of_page > 0 ? rows_of_page : 1) + PLACES;
}

/* --- for the migration ------------------------------------------------------------------------ */

static void sql_size(sqlite3_context *context, int count_of_values, sqlite3_value **values)
{
    (void)count_of_values;
    sqlite3_result_int64(context, (int64_t)footprint_of((uint64_t)sqlite3_value_int64(values[0])));
}

int footprint_register(sqlite3 *sqlite)
{
    return sqlite3_create_function(sqlite, "inbound_size", 1,
                                   SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                   sql_size, NULL, NULL);
}
