/* SPDX-License-Identifier: ISC */
/*
 * The table of control methods, and the check of a call's parameters against it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

enum rpc_access { RPC_USER, RPC_ADMIN };

struct rpc_method {
    const char *name;
    enum rpc_access access;
    const char *parameters; /* see methods.def */
    const char *help;
};

enum { RPC_COMPLAINT_MAX = 320 };

/* The whole table in the order of methods.def; a method's place in it is its number. */
extern const struct rpc_method rpc_methods[];
extern const size_t rpc_method_count;

/* Whether a descriptor is sent along with a call of it. */
bool rpc_method_takes_descriptor(const struct rpc_method *method);

/* By name, or NULL. */
const struct rpc_method *rpc_method_find(const char *name);

/*
 * Whether `params` (an object, or NULL for none) has all that the method needs, with the right
 * types, and nothing else. Otherwise false and a complaint for people.
 */
bool rpc_method_check(const struct rpc_method *method, const json_t *params,
                      char complaint[static RPC_COMPLAINT_MAX]);
