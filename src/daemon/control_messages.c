/* SPDX-License-Identifier: ISC */
/*
 * Control methods about messages.
 */
#include <string.h>

#include "base/cleanup.h"
#include "core/trust.h"
#include "daemon/control_call.h"
#include "daemon/control_headers.h"
#include "daemon/control_view.h"
#include "daemon/control_wait.h"
#include "rpc/rpc_value.h"

/* --- message.send ----------------------------------------------------------------------------- */

/* The messages of a call. */
struct accepting {
    json_t *list;
    enum rpc_kind dead_end; /* of one that was accepted before and came to nothing */
};

static void view_accepted(void *context, const struct node_accepted *accepted)
{
    struct accepting *accepting = context;
    char text[UUID_TEXT_MAX];
    uuid_format(&accepted->id, text);
    if (accepting->dead_end == RPC_KIND_COUNT)
        accepting->dead_end = control_view_dead_end(accepted->state);
    rpc_value_append(&accepting->list, json_pack("{s:s, s:I, s:s, s:s, s:s}", "id", text, "seq",
                                                 (json_int_t)accepted->seq, "peer", accepted->peer,
                                                 "state", control_view_state_name(accepted->state),
                                                 "trust", trust_name(accepted->trust)));
}

enum control_answer control_message_send(struct control_call *call)
{
    CLEANUP(bytes_deinit) struct bytes content = {0};
    struct call_recipients recipients = {0};
    const struct peer *about;
    struct node_draft draft;
    if (!control_call_draft(call, &draft) || !control_headers_read(call, &draft, &content) ||
        !control_call_recipients(call, &draft, &recipients))
        return CALL_FAILED;
    struct accepting accepting = {json_array(), RPC_KIND_COUNT};
    int r = node_send(call->node, &draft, view_accepted, &accepting, &about);
    if (r == 0 && accepting.dead_end == RPC_KIND_COUNT)
        return control_call_done(call, json_pack("{s:o}", "messages", accepting.list));
    json_decref(accepting.list);
    if (r == 0)
        return control_call_fail(call, accepting.dead_end,
                                 "the message of this client_id has left the queue undelivered; to "
                                 "send it again, choose another one");
    return control_call_outcome(call, r, about != NULL ? about->row.name : NULL);
}

/* --- message.wait, get, cancel ---------------------------------------------------------------- */

enum control_answer control_message_wait(struct control_call *call)
{
    const char *state = control_call_string(call, "state");
    struct uuid id;
    enum message_state wanted = MESSAGE_DELIVERED;
    if (strcmp(state, "sent") == 0)
        wanted = MESSAGE_SENT;
    else if (strcmp(state, "processed") == 0)
        wanted = MESSAGE_PROCESSED;
    else if (strcmp(state, "delivered") != 0)
        return control_call_fail(call, RPC_KIND_usage,
                                 "'%.40s' is not sent, delivered or processed", state);
    if (!control_call_id(call, &id))
        return CALL_FAILED;
    const int64_t timeout_ms = control_call_integer(call, "timeout_ms", -1);
    return control_wait_message(call, &id, wanted,
                                timeout_ms < 0 ? CONTROL_WAIT_FOR_EVER : (uint64_t)timeout_ms);
}

static enum control_answer answer_message(struct control_call *call, const struct uuid *id)
{
    json_t *view;
    int r = control_view_message_of(call->node, id, &view);
    if (r != 0)
        return control_call_outcome(call, r == DB_NOT_FOUND ? NODE_NO_SUCH_MESSAGE : r,
                                    control_call_string(call, "id"));
    return control_call_done(call, view);
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
