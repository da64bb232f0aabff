/* SPDX-License-Identifier: ISC */
/*
 * The daemon removes some messages per call, so that it is there for others in between.
 */
#include "client/purge.h"

int purge_all(struct ctl *ctl, const json_t *params, json_int_t *removed)
{
    bool more = true;
    *removed = 0;
    while (more) {
        CLEANUP(json_release)
        json_t *result = ctl_call(ctl, "history.purge", json_deep_copy(params));
        if (result == NULL)
            return ctl->status;
        *removed += member_integer(result, "removed");
        more = json_is_true(json_object_get(result, "more"));
    }
    return 0;
}
