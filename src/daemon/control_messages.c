/* SPDX-License-Identifier: ISC */
/*
 * Control methods about messages.
 */
#include <string.h>

#include "daemon/control_call.h"
#include "daemon/control_view.h"
#include "daemon/control_wait.h"
#include "rpc/rpc_value.h"

/* --- message.send ----------------------------------------------------------------------------- */

/* Whom a message is for. */
struct recipients {
    struct peer *peers[CALL_PEERS_MAX];
    unsigned count;
};

/* Those in `peers`, else the one in `peer`, else the one who is meant when nobody is named. */
static bool read_recipients(struct control_call *call, struct recipients *recipients)
{
    const json_t *names = json_object_get(call->params, "peers");
    if (names != NULL && json_array_size(names) == 0) {
        control_call_fail(call, RPC_KIND_usage, "\"peers\" names nobody");
        return false;
    }
    if (!control_call_peers(call, recipients->peers, &recipients->count))
        return false;
    if (recipients->count > 0)
        return true;
    recipients->count = 1;
    if (control_call_string(call, "peer") != NULL)
        return control_call_peer(call, "peer", &recipients->peers[0]);
    int r = node_find_only_peer(call->node, &recipients->peers[0]);
    if (r != 0)
        control_call_outcome(call, r, node_settings(call->node)->default_peer);
    return r == 0;
}

static json_t *view_accepted(const struct uuid *id, int64_t seq, const char *peer,
                             enum message_state state)
{
    char text[UUID_TEXT_MAX];
    uuid_format(id, text);
    return json_pack("{s:s, s:I, s:s, s:s}", "id", text, "seq", (json_int_t)seq, "peer", peer,
                     "state", control_view_state_name(state));
}

static int view_earlier(void *context, const struct message_row *row)
{
    rpc_value_append(context, view_accepted(&row->id, row->seq, row->peer_name, row->state));
    return 0;
}

/* What an earlier call with the same client_id was answered; false if there was none. */
static bool answer_again(struct control_call *call, const char *client_id,
                         enum control_answer *answer)
{
    json_t *list = json_array();
    int r = messages_by_client_id(node_db(call->node), client_id, view_earlier, &list);
    if (r == 0) {
        *answer = control_call_done(call, json_pack("{s:o}", "messages", list));
        return true;
    }
    json_decref(list);
    if (r == DB_NOT_FOUND)
        return false;
    *answer = control_call_outcome(call, r, NULL);
    return true;
}

/* To all or to none, so that a call that failed may be repeated. */
static bool may_send_to_all(struct control_call *call, const struct node_draft *draft,
                            const struct recipients *recipients)
{
    for (size_t i = 0; i < recipients->count; i++) {
        const struct peer *peer = recipients->peers[i];
        int r = node_may_send(call->node, peer, draft);
        if (r != 0) {
            control_call_outcome(call, r, peer->row.name);
            return false;
        }
    }
    return true;
}

static enum control_answer send_to_all(struct control_call *call, const struct node_draft *draft,
                                       const struct recipients *recipients)
{
    json_t *list = json_array();
    for (size_t i = 0; i < recipients->count; i++) {
        struct peer *peer = recipients->peers[i];
        struct uuid id;
        int64_t seq;
        int r = node_send(call->node, peer, draft, &id, &seq);
        if (r != 0) {
            json_decref(list);
            return control_call_outcome(call, r, peer->row.name);
        }
        rpc_value_append(&list, view_accepted(&id, seq, peer->row.name, MESSAGE_QUEUED));
    }
    return control_call_done(call, json_pack("{s:o}", "messages", list));
}

static uint64_t read_expiry(const struct control_call *call)
{
    int64_t after_s = control_call_integer(call, "expires_s", 0);
    return after_s < INT64_MAX / 1000 ? (uint64_t)after_s * 1000 : INT64_MAX;
}

enum control_answer control_message_send(struct control_call *call)
{
    const json_t *body = json_object_get(call->params, "body");
    const struct node_draft draft = {
        .text = SPAN(json_string_value(body), json_string_length(body)),
        .client_id = control_call_string(call, "client_id"),
        .expires_ms = read_expiry(call),
    };
    struct recipients recipients;
    enum control_answer answer;
    if (draft.client_id != NULL &&
        (draft.client_id[0] == '\0' || strlen(draft.client_id) >= CLIENT_ID_MAX))
        return control_call_fail(call, RPC_KIND_usage, "a client_id has 1 to %d bytes",
                                 CLIENT_ID_MAX - 1);
    if (draft.client_id != NULL && answer_again(call, draft.client_id, &answer))
        return answer;
    if (!read_recipients(call, &recipients) || !may_send_to_all(call, &draft, &recipients))
        return CALL_FAILED;
    return send_to_all(call, &draft, &recipients);
}

/* --- message.wait, get, cancel ---------------------------------------------------------------- */

enum control_answer control_message_wait(struct control_call *call)
{
    const char *state = control_call_string(call, "state");
    struct uuid id;
    bool sent = strcmp(state, "sent") == 0;
    if (!sent && strcmp(state, "delivered") != 0)
        return control_call_fail(call, RPC_KIND_usage, "'%.40s' is not sent or delivered", state);
    if (!control_call_id(call, &id))
        return CALL_FAILED;
    return control_wait_message(call, &id, sent ? MESSAGE_SENT : MESSAGE_DELIVERED,
                                (uint64_t)control_call_integer(call, "timeout_ms", 0));
}

struct viewing {
    const struct node *node;
    json_t *view;
};

static int view_row(void *context, const struct message_row *row)
{
    struct viewing *viewing = context;
    viewing->view = control_view_message(viewing->node, row);
    return 0;
}

static enum control_answer answer_message(struct control_call *call, const struct uuid *id)
{
    struct viewing viewing = {.node = call->node};
    int r = messages_get(node_db(call->node), id, view_row, &viewing);
    if (r != 0)
        return control_call_outcome(call, r == DB_NOT_FOUND ? NODE_NO_SUCH_MESSAGE : r,
                                    control_call_string(call, "id"));
    return control_call_done(call, viewing.view);
}

enum control_answer control_message_get(struct control_call *call)
{
    struct uuid id;
    if (!control_call_id(call, &id))
        return CALL_FAILED;
    return answer_message(call, &id);
}

enum control_answer control_message_cancel(struct control_call *call)
{
    struct uuid id;
    if (!control_call_id(call, &id))
        return CALL_FAILED;
    int r = node_cancel(call->node, &id);
    if (r != 0)
        return control_call_outcome(call, r, control_call_string(call, "id"));
    return answer_message(call, &id);
}
