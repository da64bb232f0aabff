/*
 * What goes to standard output.
 */
#include "client/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

static void note_error(struct ctl *ctl, bool ok)
{
    if (!ok && ctl->out_error == 0)
        ctl->out_error = errno != 0 ? errno : EIO;
}

void output_bytes(struct ctl *ctl, struct span data)
{
    note_error(ctl, fwrite(data.data, 1, data.size, ctl->out) == data.size);
}

static int append(const char *text, size_t size, void *bytes)
{
    return bytes_append(bytes, text, size);
}

void output_json(struct ctl *ctl, const json_t *object, char end)
{
    const size_t flags = JSON_COMPACT | (ctl->terminal ? JSON_ENSURE_ASCII : 0);
    struct bytes line = {0};

    if (json_dump_callback(object, append, &line, flags) != 0 || bytes_append(&line, &end, 1) != 0)
        ctl_fail(ctl, RPC_KIND_internal, "out of memory");
    else
        output_bytes(ctl, bytes_span(&line));
    bytes_deinit(&line);
}

void output_line(struct ctl *ctl, const char *format, ...)
{
    struct bytes line = {0};
    char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    const int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (size < 0 || escape_append(&line, text, (size_t)size, ESCAPE_LINE) != 0 ||
        bytes_append_u8(&line, '\n') != 0)
        ctl_fail(ctl, RPC_KIND_internal, "out of memory");
    else
        output_bytes(ctl, bytes_span(&line));
    if (size >= 0)
        free(text);
    bytes_deinit(&line);
}

bool output_flush(struct ctl *ctl)
{
    note_error(ctl, fflush(ctl->out) == 0);
    return ctl->out_error == 0;
}

size_t output_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += (*text & 0xC0) != 0x80; /* all but UTF-8 continuation bytes */
    return width;
}

/* --- tables ----------------------------------------------------------------------------------- */

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

static void print_row(struct ctl *ctl, const struct table *table, const char *const *cells,
                      const size_t *widths)
{
    for (size_t i = 0; i < table->columns; i++) {
        const bool last = i + 1 == table->columns;
        const int padding = last ? 0 : (int)(widths[i] - output_width(cells[i])) + 2;
        note_error(ctl, fprintf(ctl->out, "%s%*s", cells[i], padding, "") >= 0);
    }
    note_error(ctl, fputc('\n', ctl->out) != EOF);
}

int table_print(struct ctl *ctl, const struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};

    if (table->failed)
        return ctl_fail(ctl, RPC_KIND_internal, "out of memory");
    for (size_t i = 0; i < table->columns; i++)
        widths[i] = output_width(table->head[i]);
    for (size_t i = 0; i < table->count; i++) {
        const size_t width = output_width(table->cells[i]);
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
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
