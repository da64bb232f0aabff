/* SPDX-License-Identifier: ISC */
/*
 * Ownership by scope: variables that release what they hold when they go out of scope.
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>

/* Calls fn(&variable) when the variable goes out of scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/*
 * Defines a clean-up function `name` for variables of pointer type `type`, releasing by `release`.
 */
#define DEFINE_CLEANUP(type, name, release) \
    static inline void name(type *variable) \
    {                                       \
        if (*variable != NULL)              \
            release(*variable);             \
    }

/* For CLEANUP(): frees what the variable, a pointer from malloc(), points to. */
static inline void cleanup_free(void *variable)
{
    free(*(void **)variable);
}

/* The value of `pointer`, which becomes NULL: hands ownership out of a scope. */
#define STEAL(pointer)                  \
    __extension__({                     \
        __auto_type stolen = (pointer); \
        (pointer) = NULL;               \
        stolen;                         \
    })
