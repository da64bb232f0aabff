/* SPDX-License-Identifier: ISC */
/*
 * The methods service.*: names that peers may call, as long as somebody provides them.
 */
#include <string.h>

#include "base/base64.h"
#include "crypto/random.h"
#include "daemon/control_call.h"
#include "daemon/control_headers.h"
#include "rpc/rpc_value.h"

/* Reads the list of peers: names, or "*" for every trusted one. False after a complaint. */
static bool read_peers(struct control_call *call, struct service_terms *terms)
{
    const json_t *names = json_object_get(call->params, "peers");
    size_t i;
    json_t *name;
    if (json_array_size(names) == 0 || json_array_size(names) > SERVICE_PEERS_MAX) {
        control_call_fail(call, RPC_KIND_usage,
                          "name who may call it: 1 to %d peers, or \"*\" for all that are trusted",
                          SERVICE_PEERS_MAX);
        return false;
    }
    json_array_foreach(names, i, name)
    {
        struct peer *peer;
        if (strcmp(json_string_value(name), "*") == 0) {
            terms->everybody = true;
            continue;
        }
        int r = node_find_peer(call->node, json_string_value(name), &peer);
        if (r == 0)
            r = node_peer_use(call->node, peer);
        if (r != 0) {
            control_call_outcome(call, r, json_string_value(name));
            return false;
        }
        terms->peers[terms->peer_count++] = peer->row.id;
    }
    return true;
}

static bool read_terms(struct control_call *call, struct service_terms *terms)
{
    const char *trust = control_call_string(call, "trust");
    int64_t max = control_call_integer(call, "max", SERVICE_STREAMS_DEFAULT);
    if (trust != NULL && strcmp(trust, "tofu") != 0 && strcmp(trust, "verified") != 0) {
        control_call_fail(call, RPC_KIND_usage, "the trust that is needed is verified or tofu");
        return false;
    }
    if (max < 1 || max > CREDIT_STREAMS_MAX) {
        control_call_fail(call, RPC_KIND_usage, "max is 1 to %d streams at once",
                          CREDIT_STREAMS_MAX);
        return false;
    }
    *terms = (struct service_terms){
        .tofu = trust != NULL && strcmp(trust, "tofu") == 0,
        .streams = !json_is_false(json_object_get(call->params, "stream")),
        .once = json_is_true(json_object_get(call->params, "once")),
        .max = (unsigned)max,
        .requests = json_is_true(json_object_get(call->params, "ask")),
        .requests_max = (unsigned)control_call_integer(call, "max", 1),
    };
    return read_peers(call, terms);
}

/* Which requests a provider has from before, as far as there can be any. */
static bool read_running(struct control_call *call, struct calls_provider *provider,
                         struct uuid running[static CREDIT_STREAMS_MAX])
{
    const json_t *ids = json_object_get(call->params, "running");
    size_t i;
    json_t *id;
    provider->running_count = 0;
    json_array_foreach(ids, i, id)
    {
        if (i >= CREDIT_STREAMS_MAX || uuid_parse(json_string_value(id), &running[i]) != 0) {
            control_call_fail(call, RPC_KIND_usage, "\"running\" is a list of at most %d ids",
                              CREDIT_STREAMS_MAX);
            return false;
        }
        provider->running_count++;
    }
    return true;
}

/* An instance of its own for who says none: what it has claimed ends with its connection. */
static bool read_provider(struct control_call *call, struct calls_provider *provider,
                          struct uuid running[static CREDIT_STREAMS_MAX])
{
    const char *text = control_call_string(call, "instance");
    if (text != NULL && hex_decode(text, provider->instance, sizeof provider->instance) != 0) {
        control_call_fail(call, RPC_KIND_usage, "an instance is %zu hexadecimal digits",
                          2 * sizeof provider->instance);
        return false;
    }
    if (text == NULL && random_bytes(provider->instance, sizeof provider->instance) < 0) {
        control_call_fail(call, RPC_KIND_internal, "no random bytes");
        return false;
    }
    return read_running(call, provider, running);
}

static enum control_answer fail_service(struct control_call *call, int outcome, const char *name)
{
    switch (outcome) {
    case SERVICES_NAME_TAKEN:
        return control_call_fail(call, RPC_KIND_name_taken,
                                 "the service %.64s belongs to another user", name);
    case SERVICES_FULL:
        return control_call_fail(call, RPC_KIND_queue_full,
                                 "there are too many services; see: p2pchatctl rpc service.list");
    case SERVICES_BAD_NAME:
        return control_call_fail(call, RPC_KIND_usage,
                                 "a service is called like ssh: at most 64 of a-z, 0-9, '.', '_' "
                                 "and '-', and not with '.', '_' or '-' first");
    case SERVICES_NONE:
        return control_call_fail(call, RPC_KIND_no_service, "there is no service %.64s", name);
    default:
        return control_call_fail(call, RPC_KIND_internal, "out of memory");
    }
}

enum control_answer control_service_add(struct control_call *call)
{
    struct services *services = &node_streams(call->node)->services;
    const char *name = control_call_string(call, "name");
    struct control_client *client = call->client;
    struct service_terms terms;
    struct service *service;
    struct uuid running[CREDIT_STREAMS_MAX];
    struct calls_provider provider;
    if (!read_terms(call, &terms) || !read_provider(call, &provider, running))
        return CALL_FAILED;
    int r = services_add(services, name, &terms, stream_user(client->stream), client->admin, client,
                         &service);
    if (r != 0)
        return fail_service(call, r, name);
    provider.running = running;
    r = calls_serve(node_calls(call->node), service, &provider);
    if (r != 0)
        return control_call_outcome(call, r, NULL);
    return control_call_done(call, json_pack("{s:s}", "name", name));
}

enum control_answer control_service_remove(struct control_call *call)
{
    const char *name = control_call_string(call, "name");
    const struct control_client *client = call->client;
    int r = services_remove(&node_streams(call->node)->services, name, stream_user(client->stream),
                            client->admin);
    if (r != 0)
        return fail_service(call, r, name);
    r = calls_forget(node_calls(call->node), name);
    if (r != 0)
        return control_call_outcome(call, r, NULL);
    return control_call_done(call, json_object());
}

static json_t *view_peers(const struct control_call *call, const struct service_terms *terms)
{
    json_t *names = json_array();
    if (terms->everybody)
        json_array_append_new(names, json_string("*"));
    for (unsigned i = 0; i < terms->peer_count; i++) {
        const struct peer *peer = roster_by_id(node_roster(call->node), terms->peers[i]);
        if (peer != NULL)
            json_array_append_new(names, json_string(peer->row.name));
    }
    return names;
}

/* How it is with requests, of a service that takes some. */
static void view_requests(const struct control_call *call, const struct service *service,
                          json_t **view)
{
    unsigned waiting, running;
    if (!service->remembered)
        return;
    calls_count(node_calls(call->node), service->name, &waiting, &running);
    json_t *requests = json_pack("{s:i,s:i}", "waiting", (int)waiting, "running", (int)running);
    if (service->last.known)
        rpc_value_set(&requests, "last",
                      json_pack("{s:s,s:i}", "outcome", control_result_name(service->last.kind),
                                "status", (int)service->last.status));
    rpc_value_set(view, "requests", requests);
}

enum control_answer control_service_list(struct control_call *call)
{
    const struct services *services = &node_streams(call->node)->services;
    json_t *list = json_array();
    list_for_each (node, &services->list) {
        const struct service *service = container_of(node, struct service, node);
        json_t *view = json_pack(
            "{s:s,s:o,s:s,s:I,s:I,s:b,s:I}", "name", service->name, "peers",
            view_peers(call, &service->terms), "trust", service->terms.tofu ? "tofu" : "verified",
            "max", (json_int_t)service->terms.max, "running", (json_int_t)service->running,
            "provided", service->server != NULL, "uid", (json_int_t)service->uid);
        view_requests(call, service, &view);
        rpc_value_append(&list, view);
    }
    return control_call_done(call, json_pack("{s:o}", "services", list));
}
