/* SPDX-License-Identifier: ISC */
/*
 * Where a list of peers goes on.
 */
#include "client/peers.h"

bool peers_more(const json_t *result, json_t **params)
{
    const json_t *after = json_object_get(result, "after");
    if (after == NULL)
        return false;
    *params = json_pack("{s:I}", "after", json_integer_value(after));
    return true;
}
