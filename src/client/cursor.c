/* SPDX-License-Identifier: ISC */
/*
 * A position in a file: one line, "PAST SEQ".
 */
#include "client/cursor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"

enum { LINE_MAX_SIZE = CURSOR_PAST_MAX + 32 };

static const uint64_t seq_max = (UINT64_C(1) << 53) - 1;

/* Reads a line, which is changed. */
static int parse(char *line, struct cursor *cursor)
{
    uint64_t seq;
    line[strcspn(line, "\n")] = '\0';
    char *space = strchr(line, ' ');
    if (space == NULL || space == line || space - line >= CURSOR_PAST_MAX)
        return -EINVAL;
    *space = '\0';
    if (number_parse(space + 1, seq_max, &seq) != 0)
        return -EINVAL;
    snprintf(cursor->past, sizeof cursor->past, "%s", line);
    cursor->seq = (json_int_t)seq;
    return 0;
}

int cursor_read(const char *path, struct cursor *cursor)
{
    struct bytes content = {0};
    int r = file_read(path, LINE_MAX_SIZE, &content);
    if (r == 0)
        r = bytes_append_u8(&content, '\0');
    if (r == 0)
        r = parse((char *)content.data, cursor);
    bytes_deinit(&content);
    return r == -EFBIG ? -EINVAL : r;
}

int cursor_write(const char *path, const struct cursor *cursor)
{
    char line[LINE_MAX_SIZE];
    const int size =
        snprintf(line, sizeof line, "%s %" JSON_INTEGER_FORMAT "\n", cursor->past, cursor->seq);
    return file_write_secret(path, SPAN(line, (size_t)size));
}
