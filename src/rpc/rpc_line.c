/* SPDX-License-Identifier: ISC */
/*
 * Lines out of a byte stream.
 *
 *     buffer  | handed out | no LF in here | not looked at yet |
 *             0         taken          scanned              size
 */
#include "rpc/rpc_line.h"

#include <assert.h>
#include <string.h>

void rpc_line_deinit(struct rpc_line *line)
{
    bytes_deinit(&line->buffer);
    line->taken = line->scanned = 0;
}

int rpc_line_feed(struct rpc_line *line, struct span data)
{
    /* Once per feed, so that many lines in one feed don't move the rest many times. */
    bytes_consume(&line->buffer, line->taken);
    line->scanned -= line->taken;
    line->taken = 0;
    return bytes_append(&line->buffer, data.data, data.size);
}

bool rpc_line_waiting(struct rpc_line *line)
{
    const struct bytes *buffer = &line->buffer;
    if (line->scanned < buffer->size) {
        const uint8_t *end =
            memchr(buffer->data + line->scanned, '\n', buffer->size - line->scanned);
        line->scanned = end != NULL ? (size_t)(end - buffer->data) : buffer->size;
    }
    return line->scanned < buffer->size;
}

int rpc_line_next(struct rpc_line *line, struct span *text)
{
    const size_t limit = line->limit != 0 ? line->limit : RPC_LINE_MAX;
    const struct bytes *buffer = &line->buffer;
    assert(line->taken <= line->scanned && line->scanned <= buffer->size);
    const bool whole = rpc_line_waiting(line);
    size_t size = line->scanned - line->taken;
    if (size > limit)
        return RPC_LINE_TOO_LONG;
    if (!whole)
        return RPC_LINE_NONE;

    const uint8_t *start = buffer->data + line->taken;
    line->taken = ++line->scanned;
    if (size > 0 && start[size - 1] == '\r')
        size--;
    *text = SPAN(start, size);
    return 0;
}
