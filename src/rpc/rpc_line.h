/* SPDX-License-Identifier: ISC */
/*
 * Lines out of a byte stream: LF ends one, and none may exceed a limit.
 */
#pragma once

#include "base/bytes.h"
#include "base/outcome.h"

enum { RPC_LINE_MAX = 1024 * 1024 }; /* bytes of a request, without the LF */

/* What has been received and not yet taken. All zero is an empty one. */
struct rpc_line {
    size_t limit; /* bytes of a line, without the LF; 0 stands for RPC_LINE_MAX */
    struct bytes buffer;
    size_t taken;   /* bytes of complete lines already handed out */
    size_t scanned; /* bytes known to hold no LF that has not been handed out */
};

enum rpc_line_outcome {
    RPC_LINE_NONE = OUTCOME_RPC_LINE, /* no whole line yet */
    RPC_LINE_TOO_LONG, /* more bytes than allowed without LF: the stream is unusable */
};

void rpc_line_deinit(struct rpc_line *line);

/* Adds received bytes; lines handed out before become invalid. 0 or -ENOMEM. */
int rpc_line_feed(struct rpc_line *line, struct span data);

/* Whether a whole line is there, however long. */
bool rpc_line_waiting(struct rpc_line *line);

/*
 * The next line without its LF (and without a CR before it), valid until the next call. 0 or an
 * rpc_line_outcome.
 */
int rpc_line_next(struct rpc_line *line, struct span *text);
