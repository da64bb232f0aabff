/* SPDX-License-Identifier: ISC */
/*
 * Messages out of standard input. Lines keep every byte but their end.
 */
#include "client/input.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024 };

void input_deinit(struct input *input)
{
    bytes_deinit(&input->buffer);
    input->taken = 0;
}

int input_read(struct input *input)
{
    ssize_t size;
    bytes_consume(&input->buffer, input->taken);
    input->taken = 0;
    if (bytes_reserve(&input->buffer, READ_SIZE) != 0)
        return -ENOMEM;
    do
        size = read(input->fd, input->buffer.data + input->buffer.size, READ_SIZE);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return -errno;
    input->buffer.size += (size_t)size;
    input->ended = size == 0;
    return 0;
}

static struct span what_is_left(const struct input *input)
{
    if (input->buffer.data == NULL)
        return (struct span){0};
    return SPAN(input->buffer.data + input->taken, input->buffer.size - input->taken);
}

/* A line without the CR that programs of other systems end it with. */
static struct span without_cr(struct span line)
{
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

/* No LF in what is left: it may be the last line, or the beginning of one that is too long. */
static int unfinished_line(struct input *input, struct span rest, struct span *line)
{
    if (!input->ended && rest.size <= INPUT_TEXT_MAX && !input->skipping)
        return INPUT_NONE;
    input->taken = input->buffer.size;
    if (input->skipping)
        return input->ended ? INPUT_END : INPUT_NONE;
    if (rest.size > INPUT_TEXT_MAX) {
        input->skipping = true;
        input->lines++;
        return INPUT_TOO_LONG;
    }
    *line = without_cr(rest);
    input->lines++;
    return rest.size > 0 ? 0 : INPUT_END;
}

int input_line(struct input *input, struct span *line)
{
    for (;;) {
        const struct span rest = what_is_left(input);
        const uint8_t *end = rest.size > 0 ? memchr(rest.data, '\n', rest.size) : NULL;
        if (end == NULL)
            return unfinished_line(input, rest, line);
        const size_t size = (size_t)(end - rest.data);
        input->taken += size + 1;
        if (input->skipping) {
            input->skipping = false;
            continue;
        }
        *line = without_cr(SPAN(rest.data, size));
        input->lines++;
        return line->size <= INPUT_TEXT_MAX ? 0 : INPUT_TOO_LONG;
    }
}

int input_all(struct input *input, bool exact, struct span *text)
{
    while (!input->ended && input->buffer.size <= INPUT_TEXT_MAX + 1) {
        const int r = input_read(input);
        if (r != 0)
            return r;
    }
    *text = bytes_span(&input->buffer);
    if (!exact && text->size > 0 && text->data[text->size - 1] == '\n')
        text->size--;
    return text->size <= INPUT_TEXT_MAX ? 0 : INPUT_TOO_LONG;
}
