/* SPDX-License-Identifier: ISC */
/*
 * The table of error kinds, as functions. Building error replies is rpc_message's business.
 */
#include "rpc/rpc_error.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *name;
    int exit_status;
    bool retryable;
} kinds[RPC_KIND_COUNT] = {
#define KIND(identifier, exit_status, retryable) {#identifier, exit_status, retryable},
#include "rpc/kinds.def"
#undef KIND
};

const char *rpc_kind_name(enum rpc_kind kind)
{
    assert(kind < RPC_KIND_COUNT);
    return kinds[kind].name;
}

int rpc_kind_exit_status(enum rpc_kind kind)
{
    assert(kind < RPC_KIND_COUNT);
    return kinds[kind].exit_status;
}

bool rpc_kind_retryable(enum rpc_kind kind)
{
    assert(kind < RPC_KIND_COUNT);
    return kinds[kind].retryable;
}
