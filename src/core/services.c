/* SPDX-License-Identifier: ISC */
/*
 * The table of services.
 */
#define LOG_COMPONENT "service"
#include "core/services.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void services_init(struct services *services)
{
    *services = (struct services){0};
    list_init(&services->list);
}

static void drop(struct services *services, struct service *service)
{
    list_remove(&service->node);
    services->count--;
    free(service);
}

void services_deinit(struct services *services)
{
    list_for_each_safe (node, &services->list)
        drop(services, container_of(node, struct service, node));
}

struct service *services_find(const struct services *services, const char *name)
{
    list_for_each (node, &services->list) {
        struct service *service = container_of(node, struct service, node);
        if (strcmp(service->name, name) == 0)
            return service;
    }
    return NULL;
}

/* The oldest name of this user that nobody provides makes room for a new one. */
static void make_room(struct services *services, uid_t uid)
{
    list_for_each_safe (node, &services->list) {
        struct service *service = container_of(node, struct service, node);
        if (services->count < SERVICES_MAX)
            return;
        if (service->server == NULL && service->running == 0 && !service->remembered &&
            service->uid == uid)
            drop(services, service);
    }
}

static int make(struct services *services, const char *name, uid_t uid, struct service **service)
{
    make_room(services, uid);
    if (services->count >= SERVICES_MAX)
        return SERVICES_FULL;
    struct service *made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    snprintf(made->name, sizeof made->name, "%s", name);
    made->uid = uid;
    list_append(&services->list, &made->node);
    services->count++;
    *service = made;
    return 0;
}

int services_add(struct services *services, const char *name, const struct service_terms *terms,
                 uid_t uid, bool admin, void *server, struct service **result)
{
    struct service *service = services_find(services, name);
    if (!service_name_valid(SPAN(name, strlen(name))))
        return SERVICES_BAD_NAME;
    if (service != NULL && service->uid != uid && !admin)
        return SERVICES_NAME_TAKEN;
    int r = service == NULL ? make(services, name, uid, &service) : 0;
    if (r != 0)
        return r;
    service->terms = *terms;
    service->server = server;
    if (server != NULL)
        log_info("%s is provided now", name);
    *result = service;
    return 0;
}

int services_remove(struct services *services, const char *name, uid_t uid, bool admin)
{
    struct service *service = services_find(services, name);
    if (service == NULL)
        return SERVICES_NONE;
    if (service->uid != uid && !admin)
        return SERVICES_NAME_TAKEN;
    drop(services, service);
    return 0;
}

void services_leave(struct services *services, const void *server)
{
    list_for_each (node, &services->list) {
        struct service *service = container_of(node, struct service, node);
        if (service->server == server)
            service->server = NULL;
    }
}

static bool is_named(const struct service_terms *terms, int64_t peer)
{
    for (unsigned i = 0; i < terms->peer_count; i++)
        if (terms->peers[i] == peer)
            return true;
    return terms->everybody;
}

void services_merge(struct services *services, int64_t from, int64_t to)
{
    list_for_each (node, &services->list) {
        struct service_terms *terms = &container_of(node, struct service, node)->terms;
        for (unsigned i = 0; i < terms->peer_count; i++)
            if (terms->peers[i] == from)
                terms->peers[i] = to;
    }
}

bool service_admits(const struct service *service, const struct peer *peer)
{
    bool known_enough = peer_trust(peer) == PEER_VERIFIED || service->terms.tofu;
    return is_named(&service->terms, peer->row.id) && peer_trusted(peer) && known_enough;
}
