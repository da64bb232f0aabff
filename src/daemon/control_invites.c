/* SPDX-License-Identifier: ISC */
/*
 * Control methods about invites.
 */
#include <string.h>

#include "base/base64.h"
#include "crypto/secret.h"
#include "daemon/control_call.h"
#include "daemon/control_view.h"
#include "daemon/control_wait.h"
#include "rpc/rpc_value.h"

enum {
    LIFETIME_DEFAULT_S = 24 * 3600,
    LIFETIME_MAX_S = 365 * 24 * 3600,
};

/* The only view of an invite that has its secret. */
static json_t *view_new_invite(const struct invite_row *row, const struct invite_uri *uri)
{
    struct bytes text = {0};
    json_t *object = NULL;
    if (invite_uri_format(uri, &text) == 0) {
        object = control_view_invite(row);
        rpc_value_set(&object, "uri", json_stringn((const char *)text.data, text.size));
        rpc_value_set(&object, "addresses",
                      control_view_addresses(uri->addresses, uri->address_count));
    }
    bytes_deinit(&text);
    return object;
}

/* The port of the first listener is that of an address without one. */
static void add_ports(struct control_call *call, struct address *addresses, unsigned count)
{
    const json_t *texts = json_object_get(call->params, "address");
    struct address listener;
    if (node_listener_count(call->node) == 0 ||
        address_parse(node_listener_name(call->node, 0), &listener) < 0)
        return;
    for (unsigned i = 0; i < count; i++)
        if (!address_has_port(json_string_value(json_array_get(texts, i))))
            addresses[i].port = listener.port;
}

enum control_answer control_invite_create(struct control_call *call)
{
    int64_t lifetime_s = control_call_integer(call, "expires_s", LIFETIME_DEFAULT_S);
    struct address addresses[PEER_ADDRESSES_MAX];
    struct node_invite wanted = {.name = control_call_string(call, "name"),
                                 .addresses = addresses,
                                 .lifetime_ms = (uint64_t)lifetime_s * 1000};
    struct invite_row row;
    struct invite_uri uri;
    if (!control_call_addresses(call, "address", addresses, &wanted.address_count))
        return CALL_FAILED;
    add_ports(call, addresses, wanted.address_count);
    if (lifetime_s < 1 || lifetime_s > LIFETIME_MAX_S)
        return control_call_fail(call, RPC_KIND_usage,
                                 "an invite is good for at least a second and at most a year");
    int r = node_invite_create(call->node, &wanted, &row, &uri);
    enum control_answer answer =
        r == 0 ? control_call_done(call, view_new_invite(&row, &uri))
        : r == NODE_NO_ADDRESS
            ? control_call_fail(call, RPC_KIND_usage,
                                "this machine has no address that others could dial: say where it "
                                "can be reached, with --address HOST:PORT")
            : control_call_outcome(call, r, wanted.name);
    secret_wipe(&row, sizeof row);
    secret_wipe(&uri, sizeof uri);
    return answer;
}

/* Puts the parameter "address" before the addresses of the invite, as far as there is room. */
static bool add_addresses(struct control_call *call, struct invite_uri *uri)
{
    struct address first[PEER_ADDRESSES_MAX];
    unsigned count;
    if (!control_call_addresses(call, "address", first, &count))
        return false;
    for (unsigned i = 0; i < uri->address_count && count < PEER_ADDRESSES_MAX; i++)
        first[count++] = uri->addresses[i];
    memcpy(uri->addresses, first, count * sizeof *first);
    uri->address_count = count;
    return true;
}

static enum control_answer take_up(struct control_call *call, const struct invite_uri *uri)
{
    const char *name = control_call_string(call, "name");
    struct peer *peer;
    int r = node_invite_accept(call->node, uri, name, &peer);
    if (r == NODE_OWN_KEY)
        return control_call_fail(call, RPC_KIND_usage,
                                 "this is an invite of our own; give it to somebody else");
    if (r != 0)
        return control_call_outcome(call, r, peer != NULL ? peer->row.name : name);
    int64_t timeout_ms = control_call_integer(call, "timeout_ms", 0);
    if (timeout_ms == 0)
        return control_call_done(call, control_view_peer(call->node, peer));
    return control_wait_pairing(call, peer, (uint64_t)timeout_ms);
}

enum control_answer control_invite_accept(struct control_call *call)
{
    struct invite_uri uri;
    const char *complaint;
    if (invite_uri_parse(control_call_string(call, "uri"), &uri, &complaint) < 0)
        return control_call_fail(call, RPC_KIND_usage, "this is no invite: %s", complaint);
    enum control_answer answer = add_addresses(call, &uri) ? take_up(call, &uri) : CALL_FAILED;
    secret_wipe(&uri, sizeof uri);
    return answer;
}

struct listing {
    json_t *list;
    uint64_t now_ms;
};

static int list_row(void *context, const struct invite_row *row)
{
    struct listing *listing = context;
    if (row->expires_ms > listing->now_ms)
        rpc_value_append(&listing->list, control_view_invite(row));
    return 0;
}

enum control_answer control_invite_list(struct control_call *call)
{
    struct listing listing = {json_array(), loop_wall(node_loop(call->node))};
    int r = invites_each(node_db(call->node), list_row, &listing);
    if (r < 0) {
        json_decref(listing.list);
        return control_call_outcome(call, r, NULL);
    }
    return control_call_done(call, json_pack("{s:o}", "invites", listing.list));
}

enum control_answer control_invite_revoke(struct control_call *call)
{
    const char *text = control_call_string(call, "id");
    uint8_t id[INVITE_ID_SIZE];
    int r = hex_decode(text, id, sizeof id) == 0 ? node_invite_revoke(call->node, id)
                                                 : NODE_NO_SUCH_INVITE;
    return r == 0 ? control_call_done(call, json_object()) : control_call_outcome(call, r, text);
}
