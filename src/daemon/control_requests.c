/* SPDX-License-Identifier: ISC */
/*
 * The methods message.ask and service.answer, and the notifications "request".
 */
#define LOG_COMPONENT "control"
#include "daemon/control_requests.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/control_client.h"
#include "daemon/control_headers.h"
#include "daemon/control_view.h"
#include "rpc/rpc_bytes.h"
#include "rpc/rpc_value.h"

enum { ASK_TIMEOUT_S = 60 };

/* --- asking ----------------------------------------------------------------------------------- */

static void note_accepted(void *context, const struct node_accepted *accepted)
{
    char id[UUID_TEXT_MAX];
    json_t **object = context;
    uuid_format(&accepted->id, id);
    *object = json_pack("{s:s, s:I, s:s, s:s}", "id", id, "seq", (json_int_t)accepted->seq, "peer",
                        accepted->peer, "state", control_view_state_name(accepted->state));
}

enum control_answer control_message_ask(struct control_call *call)
{
    CLEANUP(bytes_deinit) struct bytes content = {0};
    const int64_t timeout_s = control_call_integer(call, "timeout_s", ASK_TIMEOUT_S);
    struct peer *peer;
    const struct peer *about;
    json_t *accepted = NULL;
    struct node_draft draft = {.uid = call->client->user,
                               .client_id = control_call_string(call, "client_id"),
                               .peers = &peer,
                               .peer_count = 1};
    if (timeout_s < 1 || timeout_s > HEADERS_ASK_S_MAX)
        return control_call_fail(call, RPC_KIND_usage, "a timeout is 1 to %d seconds",
                                 HEADERS_ASK_S_MAX);
    if (draft.client_id != NULL &&
        (draft.client_id[0] == '\0' || strlen(draft.client_id) >= CLIENT_ID_MAX))
        return control_call_fail(call, RPC_KIND_usage, "a client_id has 1 to %d bytes",
                                 CLIENT_ID_MAX - 1);
    if (!control_headers_ask(call, control_call_string(call, "service"), (uint32_t)timeout_s,
                             &draft, &content) ||
        !control_call_peer(call, "peer", &peer))
        return CALL_FAILED;
    draft.expires_ms = (uint64_t)timeout_s * 1000;
    int r = node_send(call->node, &draft, note_accepted, &accepted, &about);
    if (r == 0)
        return control_call_done(call, accepted);
    json_decref(accepted);
    if (r == NODE_NOT_SUPPORTED)
        return control_call_fail(call, RPC_KIND_not_supported,
                                 "the p2pchat of %.64s is too old for requests; upgrade it",
                                 peer->row.name);
    return control_call_outcome(call, r, peer->row.name);
}

/* --- answering -------------------------------------------------------------------------------- */

static bool read_answer(struct control_call *call, struct calls_answer *answer)
{
    static const uint8_t kinds[] = {RESULT_EXITED, RESULT_SIGNALLED, RESULT_TOO_LARGE,
                                    RESULT_FAILED};
    const char *outcome = control_call_string(call, "outcome");
    const int64_t status = control_call_integer(call, "status", 0);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        answer->kind = kinds[i];
        answer->status = (uint8_t)status;
        if (strcmp(outcome, control_result_name(kinds[i])) == 0 && status <= UINT8_MAX)
            return true;
    }
    control_call_fail(call, RPC_KIND_usage,
                      "the outcome is exited, signalled, too_large or failed, and the status at "
                      "most 255");
    return false;
}

enum control_answer control_service_answer(struct control_call *call)
{
    CLEANUP(bytes_deinit) struct bytes bytes = {0};
    struct calls_answer answer;
    struct uuid id;
    if (!control_call_id(call, &id) || !read_answer(call, &answer) ||
        !control_headers_body(call, &bytes, &answer.body))
        return CALL_FAILED;
    if (answer.body.size > HEADERS_BODY_MAX)
        return control_call_outcome(call, NODE_TOO_LARGE, NULL);
    int r = calls_answer(node_calls(call->node), call->client, &id, &answer);
    if (r == CALLS_OVER)
        return control_call_fail(call, RPC_KIND_late,
                                 "the request %s was decided without this answer",
                                 control_call_string(call, "id"));
    if (r != 0)
        return control_call_outcome(call, r, NULL);
    return control_call_done(call, json_object());
}

/* --- providers -------------------------------------------------------------------------------- */

static void notify(const struct call *call, const char *type, json_t *params)
{
    char id[UUID_TEXT_MAX];
    uuid_format(&call->row.id, id);
    rpc_value_set(&params, "type", json_string(type));
    rpc_value_set(&params, "id", json_string(id));
    rpc_value_set(&params, "service", json_string(call->row.service));
    control_client_notify(call->server, rpc_notification("request", params));
}

void control_request_given(void *context, const struct call *call)
{
    const struct control *control = context;
    const struct peer *peer = roster_by_id(node_roster(control->node), call->row.peer);
    const uint64_t now = loop_now(control->loop);
    const uint64_t left = call->deadline_ms > now ? call->deadline_ms - now : 0;
    json_t *params = json_object();
    if (peer != NULL) {
        rpc_value_set(&params, "peer", json_string(peer->row.name));
        rpc_value_set(&params, "trust", json_string(trust_name(peer_trust(peer))));
        if (peer->row.pinned)
            rpc_value_set(&params, "fingerprint", control_view_fingerprint(peer->row.key));
    }
    rpc_value_set(&params, "timeout_ms", json_integer((json_int_t)left));
    rpc_value_set(&params, "message", control_view_message_at(control->node, call->row.seq));
    notify(call, "incoming", params);
}

void control_request_stop(void *context, const struct call *call)
{
    (void)context;
    notify(call, "cancel", json_object());
}

void control_requests_forget(struct control_client *client)
{
    struct node *node = client->control->node;
    /* What a full disk undoes is done again when the turn ends: the client is gone then, too. */
    int r = calls_leave(node_calls(node), client);
    if (r < 0)
        log_error("requests of a client that left: %s", strerror(-r));
}
