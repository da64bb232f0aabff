/* SPDX-License-Identifier: ISC */
/*
 * Unknown keys that wait for a person's yes.
 */
#include "core/pending_keys.h"

#include <stdio.h>
#include <stdlib.h>

void pending_keys_init(struct pending_keys *pending_keys)
{
    list_init(&pending_keys->list);
    pending_keys->count = 0;
}

void pending_keys_deinit(struct pending_keys *pending_keys)
{
    list_for_each_safe (node, &pending_keys->list)
        pending_keys_remove(pending_keys, container_of(node, struct pending_key, node));
}

struct pending_key *pending_keys_find(const struct pending_keys *pending_keys,
                                      const struct fingerprint *fingerprint)
{
    list_for_each (node, &pending_keys->list) {
        struct pending_key *request = container_of(node, struct pending_key, node);
        if (fingerprint_equal(&request->fingerprint, fingerprint))
            return request;
    }
    return NULL;
}

static bool make_room(struct pending_keys *pending_keys)
{
    if (pending_keys->count < PENDING_KEYS_MAX)
        return true;
    list_for_each (node, &pending_keys->list) {
        struct pending_key *oldest = container_of(node, struct pending_key, node);
        if (oldest->link == NULL) {
            pending_keys_remove(pending_keys, oldest);
            return true;
        }
    }
    return false;
}

struct pending_key *pending_keys_add(struct pending_keys *pending_keys,
                                     const struct fingerprint *fingerprint, const char *origin,
                                     struct link *link, uint64_t wall_ms)
{
    struct pending_key *request = pending_keys_find(pending_keys, fingerprint);
    if (request == NULL) {
        if (!make_room(pending_keys))
            return NULL;
        request = calloc(1, sizeof *request);
        if (request == NULL)
            return NULL;
        request->fingerprint = *fingerprint;
        request->since_ms = wall_ms;
        list_append(&pending_keys->list, &request->node);
        pending_keys->count++;
    }
    snprintf(request->origin, sizeof request->origin, "%s", origin);
    request->link = link;
    return request;
}

void pending_keys_remove(struct pending_keys *pending_keys, struct pending_key *request)
{
    list_remove(&request->node);
    pending_keys->count--;
    free(request);
}

void pending_keys_forget_link(struct pending_keys *pending_keys, const struct link *link)
{
    list_for_each (node, &pending_keys->list) {
        struct pending_key *request = container_of(node, struct pending_key, node);
        if (request->link == link)
            request->link = NULL;
    }
}

unsigned pending_keys_waiting(const struct pending_keys *pending_keys)
{
    unsigned waiting = 0;
    list_for_each (node, &pending_keys->list)
        waiting += container_of(node, struct pending_key, node)->link != NULL;
    return waiting;
}
