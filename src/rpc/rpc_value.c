/* SPDX-License-Identifier: ISC */
/*
 * Building JSON values whole.
 */
#include "rpc/rpc_value.h"

static void drop(json_t **value)
{
    json_decref(*value);
    *value = NULL;
}

void rpc_value_set(json_t **value, const char *name, json_t *member)
{
    if (json_object_set_new(*value, name, member) != 0)
        drop(value);
}

void rpc_value_append(json_t **value, json_t *element)
{
    if (json_array_append_new(*value, element) != 0)
        drop(value);
}
