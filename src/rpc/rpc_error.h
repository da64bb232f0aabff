/* SPDX-License-Identifier: ISC */
/*
 * Errors of the control interface: the reserved codes of JSON-RPC 2.0 and our kinds.
 *
 * An application error's code is minus the exit status that p2pchatctl ends with.
 */
#pragma once

#include <stdbool.h>

enum rpc_code {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
};

enum rpc_kind {
#define KIND(identifier, exit_status, retryable) RPC_KIND_##identifier,
#include "rpc/kinds.def"
#undef KIND
    RPC_KIND_COUNT
};

/* "no_such_peer" … */
const char *rpc_kind_name(enum rpc_kind kind);
int rpc_kind_exit_status(enum rpc_kind kind);
bool rpc_kind_retryable(enum rpc_kind kind);
