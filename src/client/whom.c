/* SPDX-License-Identifier: ISC */
/*
 * Peers by their keys, then by their names.
 */
#include "client/whom.h"

#include <errno.h>

#include "base/cleanup.h"

/* The present name of one; a new reference, or NULL with *r set. */
static json_t *name_now(struct ctl *ctl, json_t *peer, int *r)
{
    CLEANUP(json_release) json_t *reply = NULL;
    json_t *name = json_object_get(peer, "name"), *now = NULL;
    const char *fingerprint = member_string(peer, "fingerprint", NULL);
    if (fingerprint != NULL) {
        *r = ctl_exchange(ctl, "peer.get", json_pack("{s:s}", "name", fingerprint), &reply);
        if (*r != 0)
            return NULL;
        now = json_object_get(json_object_get(reply, "result"), "name");
    }
    return json_incref(now != NULL ? now : name);
}

int whom_now(struct ctl *ctl, const json_t *peers, json_t **names)
{
    CLEANUP(json_release) json_t *list = json_array();
    int r = list != NULL ? 0 : -ENOMEM;
    size_t i;
    json_t *peer;
    json_array_foreach(peers, i, peer)
    {
        json_t *name = name_now(ctl, peer, &r);
        if (r == 0 && json_array_append_new(list, name) != 0)
            r = -ENOMEM;
        if (r != 0)
            return r;
    }
    if (r == 0)
        *names = json_incref(list);
    return r;
}
