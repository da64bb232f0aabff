/*
 * Unknown keys that wait for a person's yes.
 */
#include "core/requests.h"

#include <stdio.h>
#include <stdlib.h>

void requests_init(struct requests *requests)
{
    list_init(&requests->list);
    requests->count = 0;
}

void requests_deinit(struct requests *requests)
{
    list_for_each_safe (node, &requests->list)
        requests_remove(requests, container_of(node, struct request, node));
}

struct request *requests_find(const struct requests *requests,
                              const struct fingerprint *fingerprint)
{
    list_for_each (node, &requests->list) {
        struct request *request = container_of(node, struct request, node);
        if (fingerprint_equal(&request->fingerprint, fingerprint))
            return request;
    }
    return NULL;
}

static bool make_room(struct requests *requests)
{
    if (requests->count < REQUESTS_MAX)
        return true;
    list_for_each (node, &requests->list) {
        struct request *oldest = container_of(node, struct request, node);
        if (oldest->link == NULL) {
            requests_remove(requests, oldest);
            return true;
        }
    }
    return false;
}

struct request *requests_add(struct requests *requests, const struct fingerprint *fingerprint,
                             const char *origin, struct link *link, uint64_t wall_ms)
{
    struct request *request = requests_find(requests, fingerprint);
    if (request == NULL) {
        if (!make_room(requests))
            return NULL;
        request = calloc(1, sizeof *request);
        if (request == NULL)
            return NULL;
        request->fingerprint = *fingerprint;
        request->since_ms = wall_ms;
        list_append(&requests->list, &request->node);
        requests->count++;
    }
    snprintf(request->origin, sizeof request->origin, "%s", origin);
    request->link = link;
    return request;
}

void requests_remove(struct requests *requests, struct request *request)
{
    list_remove(&request->node);
    requests->count--;
    free(request);
}

void requests_forget_link(struct requests *requests, const struct link *link)
{
    list_for_each (node, &requests->list) {
        struct request *request = container_of(node, struct request, node);
        if (request->link == link)
            request->link = NULL;
    }
}

unsigned requests_waiting(const struct requests *requests)
{
    unsigned waiting = 0;
    list_for_each (node, &requests->list)
        waiting += container_of(node, struct request, node)->link != NULL;
    return waiting;
}
