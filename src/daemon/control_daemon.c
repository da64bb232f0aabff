/* SPDX-License-Identifier: ISC */
/*
 * Control methods about the daemon itself.
 */

#include "base/log.h"
#include "daemon/control_call.h"
#include "daemon/control_follow.h"
#include "daemon/control_network.h"
#include "daemon/control_view.h"
#include "daemon/version.h"
#include "rpc/rpc_value.h"
#include "store/lives.h"
#include "store/queue.h"

enum control_answer control_hello(struct control_call *call)
{
    const struct db *db = node_db(call->node);
    char past[LIVES_PAST_MAX];
    lives_past(db, past);
    json_t *result = json_pack("{s:s, s:s, s:s, s:b}", "daemon", "p2pchatd", "epoch", db_epoch(db),
                               "past", past, "admin", (int)call->client->admin);
    version_view(&result);
    return control_call_done(call, result);
}

static json_t *view_listeners(const struct node *node)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < node_listener_count(node); i++) {
        struct address address;
        if (address_parse(node_listener_name(node, i), &address) == 0)
            rpc_value_append(&list, json_pack("{s:s, s:i, s:b}", "address", address.host, "port",
                                              (int)address.port, "inherited",
                                              (int)node_listeners_inherited(node)));
    }
    return list;
}

static json_t *view_followers(const struct control *control)
{
    json_t *list = json_array();
    list_for_each (node, &control->clients)
        control_follow_view(container_of(node, struct control_client, node), &list);
    return list;
}

/* Of the latest sign that another machine has our key; NULL without. */
static json_t *view_clone(const struct node *node)
{
    const struct clones *clones = node_clones(node);
    const uint64_t sign_ms = clones->runtime->cloned_ms;
    if (!runtime_cloned(clones->runtime, sign_ms))
        return NULL;
    return json_pack("{s:o, s:s}", "time", control_view_time(sign_ms), "source", clones->source);
}

static json_t *view_size(const struct messages_size *size)
{
    return json_pack("{s:I, s:I}", "messages", (json_int_t)size->messages, "bytes",
                     (json_int_t)size->bytes);
}

enum control_answer control_status(struct control_call *call)
{
    struct node *node = call->node;
    struct db *db = node_db(node);
    struct messages_size stored, queued;
    int r = messages_count(db, &stored);
    if (r == 0)
        r = queue_size(db, 0, &queued);
    if (r < 0)
        return control_call_outcome(call, r, NULL);
    const struct control *control = call->control;
    json_t *store = view_size(&stored);
    rpc_value_set(&store, "directory",
                  json_string(control->owner->directory(control->owner_context)));
    rpc_value_set(&store, "inbound_bytes", control_view_inbound(node, 0));
    rpc_value_set(&store, "inbound_full", json_boolean(node_inbound_spent(node)));
    rpc_value_set(&store, "file_bytes", json_integer((json_int_t)db_size(db)));
    if (node_space(node) != NULL)
        rpc_value_set(&store, "free_bytes", json_integer((json_int_t)space_left(node_space(node))));
    uint64_t uptime = (loop_now(call->control->loop) - call->control->started_ms) / 1000;
    json_t *result = json_pack(
        "{s:s, s:s, s:o, s:o*, s:o, s:I, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:i}", "version",
        VERSION, "epoch", db_epoch(db), "fingerprint",
        control_view_fingerprint(pubkey_fingerprint(node_pubkey(node))->bytes), "cloned",
        view_clone(node), "suites", control_view_suites(), "uptime_s", (json_int_t)uptime,
        "listeners", view_listeners(node), "network", control_network_view(node), "queue",
        view_size(&queued), "store", store, "last_seq", (json_int_t)events_last(db), "followers",
        view_followers(call->control), "consumers", control_follow_consumers(call->control),
        "requests", (int)node_pending_keys(node)->count);
    control_view_peers(node, &result);
    return control_call_done(call, result);
}

enum control_answer control_identity_get(struct control_call *call)
{
    const struct pubkey *key = node_pubkey(call->node);
    struct bytes pem = {0};
    int r = pubkey_export(key, &pem);
    json_t *result = NULL;
    if (r == 0)
        result = json_pack("{s:o, s:s%, s:s, s:i}", "fingerprint",
                           control_view_fingerprint(pubkey_fingerprint(key)->bytes), "public_key",
                           pem.data, pem.size, "algorithm", "RSA", "bits",
                           (int)pubkey_modulus_size(key) * 8);
    bytes_deinit(&pem);
    const struct control *control = call->control;
    uint64_t created_ms = control->owner->identity_created(control->owner_context);
    if (created_ms != 0)
        rpc_value_set(&result, "created", control_view_time(created_ms));
    return control_call_done(call, result);
}

enum control_answer control_config_get(struct control_call *call)
{
    const struct control *control = call->control;
    return control_call_done(call, control->owner->settings(control->owner_context));
}

enum control_answer control_daemon_reload(struct control_call *call)
{
    const struct control *control = call->control;
    char complaint[sizeof call->text];
    if (control->owner->reload(control->owner_context, complaint, sizeof complaint) < 0)
        return control_call_fail(call, RPC_KIND_usage, "the old settings stay: %.400s", complaint);
    return control_call_done(call, json_object());
}

enum control_answer control_daemon_stop(struct control_call *call)
{
    call->control->owner->stop(call->control->owner_context);
    return control_call_done(call, json_object());
}

enum control_answer control_log_level(struct control_call *call)
{
    const char *name = control_call_string(call, "level");
    enum log_level level;
    if (name != NULL && log_level_parse(name, &level) < 0)
        return control_call_fail(call, RPC_KIND_usage,
                                 "'%.40s' is not error, warning, notice, info or debug", name);
    if (name != NULL)
        log_set_level(level);
    return control_call_done(call, json_pack("{s:s}", "level", log_level_name(log_get_level())));
}
