/* SPDX-License-Identifier: ISC */
/*
 * What goes to standard output.
 */
#include "client/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/hint.h"
#include "base/text.h"
#include "client/manager.h"
#include "client/width.h"
#include "rpc/rpc_message.h"

static void note_error(struct ctl *ctl, bool ok)
{
    if (!ok && ctl->out_error == 0)
        ctl->out_error = errno != 0 ? errno : EIO;
}

void output_bytes(struct ctl *ctl, struct span data)
{
    note_error(ctl, fwrite(data.data, 1, data.size, ctl->out) == data.size);
}

/* DEL is the one control character that JSON leaves as it is, inside strings. */
static int hide_del(struct bytes *line)
{
    static const char del[] = "\\u007F";
    struct bytes shown = {0};
    int r = 0;
    for (size_t i = 0; i < line->size && r == 0; i++)
        r = line->data[i] == '\x7f' ? bytes_append(&shown, del, sizeof del - 1)
                                    : bytes_append_u8(&shown, line->data[i]);
    bytes_deinit(line);
    *line = shown;
    return r;
}

void output_json(struct ctl *ctl, const json_t *object, char end)
{
    const size_t flags = JSON_COMPACT | (ctl->terminal ? JSON_ENSURE_ASCII : 0);
    struct bytes line = {0};
    int r = rpc_dump(&line, object, flags, end);
    if (r == 0 && ctl->terminal)
        r = hide_del(&line);
    if (r == 0)
        output_bytes(ctl, bytes_span(&line));
    else
        ctl_fail(ctl, RPC_KIND_internal, "out of memory");
    bytes_deinit(&line);
}

/* `reader` is for whom commands in it are, or NULL. */
__attribute__((format(printf, 3, 0))) static void print_line(struct ctl *ctl,
                                                             const struct hint_reader *reader,
                                                             const char *format, va_list arguments)
{
    CLEANUP(bytes_deinit) struct bytes line = {0}, named = {0};
    CLEANUP(cleanup_free) char *text = text_vformat(format, arguments);
    if (text == NULL || hint_append(&named, text, reader) != 0 ||
        escape_append(&line, (const char *)named.data, named.size, ESCAPE_LINE) != 0 ||
        bytes_append_u8(&line, '\n') != 0)
        ctl_fail(ctl, RPC_KIND_internal, "out of memory");
    else
        output_bytes(ctl, bytes_span(&line));
}

void output_line(struct ctl *ctl, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line(ctl, NULL, format, arguments);
    va_end(arguments);
}

void output_advice(struct ctl *ctl, const char *format, ...)
{
    const struct hint_reader reader = manager_reader(ctl->socket);
    va_list arguments;
    va_start(arguments, format);
    print_line(ctl, &reader, format, arguments);
    va_end(arguments);
}

bool output_list(struct ctl *ctl, const json_t *list, const char *key)
{
    size_t i;
    json_t *object;
    if (!ctl->json && !ctl->quiet)
        return false;
    json_array_foreach(list, i, object)
    {
        if (ctl->json)
            output_json(ctl, object, '\n');
        else
            output_line(ctl, "%s", member_string(object, key, "?"));
    }
    return true;
}

bool output_flush(struct ctl *ctl)
{
    note_error(ctl, fflush(ctl->out) == 0 && ferror(ctl->out) == 0);
    return ctl->out_error == 0;
}

/* --- tables ----------------------------------------------------------------------------------- */

enum {
    GAP = 2,        /* columns between two cells */
    LAST_MIN = 16,  /* what stays of the last one before others are cut */
    COLUMN_MIN = 6, /* what stays of any */
};

static char *harmless(const char *text)
{
    struct bytes out = {0};
    char *copy = NULL;
    if (text[0] == '\0')
        return strdup("-");
    if (escape_append(&out, text, strlen(text), ESCAPE_LINE) == 0)
        copy = strndup((const char *)out.data, out.size);
    bytes_deinit(&out);
    return copy;
}

static bool make_room(struct table *table)
{
    if (table->count < table->capacity)
        return true;
    const size_t capacity = table->capacity == 0 ? 64 : 2 * table->capacity;
    char **cells = reallocarray(table->cells, capacity, sizeof *cells);
    if (cells == NULL)
        return false;
    table->cells = cells;
    table->capacity = capacity;
    return true;
}

void table_add(struct table *table, const char *text)
{
    char *cell = make_room(table) ? harmless(text) : NULL;
    if (cell != NULL)
        table->cells[table->count++] = cell;
    else
        table->failed = true;
}

void table_add_number(struct table *table, json_int_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, number);
    table_add(table, text);
}

/* A cell in `width` columns, cut to it if need be; `padded` to it as well. */
static void print_cell(struct ctl *ctl, const char *cell, size_t width, bool padded)
{
    const size_t needed = width_of(cell);
    const bool cut = needed > width;
    const size_t size = cut ? width_fitting(cell, width - 1) : strlen(cell);
    const size_t used = cut ? width_of_part(cell, size) + 1 : needed;
    const int padding = padded ? (int)(width - used) + GAP : 0;
    note_error(ctl,
               fprintf(ctl->out, "%.*s%s%*s", (int)size, cell, cut ? "…" : "", padding, "") >= 0);
}

static void print_row(struct ctl *ctl, const struct table *table, const char *const *cells,
                      const size_t *widths)
{
    for (size_t i = 0; i < table->columns; i++)
        print_cell(ctl, cells[i], widths[i], i + 1 < table->columns);
    note_error(ctl, fputc('\n', ctl->out) != EOF);
}

static void measure(const struct table *table, size_t *widths)
{
    for (size_t i = 0; i < table->columns; i++)
        widths[i] = width_of(table->head[i]);
    for (size_t i = 0; i < table->count; i++) {
        const size_t width = width_of(table->cells[i]);
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
}

/* Makes columns narrower until a row fits into `limit`, but none so narrow that it says nothing. */
static void narrow(const struct table *table, size_t *widths, size_t limit)
{
    size_t total = (table->columns - 1) * GAP;
    for (size_t i = 0; i < table->columns; i++)
        total += widths[i];
    while (total > limit) {
        size_t chosen = table->columns - 1;
        for (size_t i = 0; i < table->columns && widths[table->columns - 1] <= LAST_MIN; i++)
            chosen = widths[i] > widths[chosen] ? i : chosen;
        if (widths[chosen] <= COLUMN_MIN)
            return;
        widths[chosen]--;
        total--;
    }
}

int table_print(struct ctl *ctl, const struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    if (table->failed)
        return ctl_fail(ctl, RPC_KIND_internal, "out of memory");
    measure(table, widths);
    if (ctl->columns > 0)
        narrow(table, widths, (size_t)ctl->columns);
    if (ctl->colour)
        fputs("\033[1m", ctl->out);
    print_row(ctl, table, table->head, widths);
    if (ctl->colour)
        fputs("\033[0m", ctl->out);
    for (size_t i = 0; i + table->columns <= table->count; i += table->columns)
        print_row(ctl, table, (const char *const *)table->cells + i, widths);
    return 0;
}

void table_deinit(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    table->cells = NULL;
    table->count = table->capacity = 0;
}
