/* SPDX-License-Identifier: ISC */
/*
 * Names of events.
 */
#include "daemon/control_event.h"

#include <string.h>

#include "base/suggest.h"

static const char *stored_name(enum event_type type)
{
    switch (type) {
    case EVENT_MESSAGE_RECEIVED:
        return "message.received";
    case EVENT_MESSAGE_SENT:
        return "message.sent";
    case EVENT_MESSAGE_STATE:
        return "message.state";
    case EVENT_PEER_KEY_CHANGED:
        return "peer.key_changed";
    case EVENT_PEER_TRUST:
        return "peer.trust";
    case EVENT_PEER_MOVED:
        return "peer.moved";
    case EVENT_PEER_CLONED:
        return "peer.cloned";
    case EVENT_IDENTITY_CLONED:
        return "identity.cloned";
    }
    return NULL;
}

static const char *const passing_names[] = {
    [TYPE_ONLINE] = "peer.online",
    [TYPE_OFFLINE] = "peer.offline",
    [TYPE_REQUEST] = "peer.request",
    [TYPE_STOPPING] = "daemon.stopping",
    [TYPE_MESSAGE_REQUEST] = "message.request",
    [TYPE_MESSAGE_RESULT] = "message.result",
    [TYPE_FILE_OFFERED] = "file.offered",
    [TYPE_FILE_STATE] = "file.state",
};

unsigned control_event_type(enum event_type type, enum message_kind kind)
{
    if (type != EVENT_MESSAGE_RECEIVED && type != EVENT_MESSAGE_SENT)
        return type;
    switch (kind) {
    case MESSAGE_REQUEST:
        return TYPE_MESSAGE_REQUEST;
    case MESSAGE_RESULT:
        return TYPE_MESSAGE_RESULT;
    case MESSAGE_CANCEL:
        return TYPE_COUNT;
    case MESSAGE_FILE_OFFER:
        return TYPE_FILE_OFFERED;
    case MESSAGE_FILE_STATE:
        return TYPE_FILE_STATE;
    case MESSAGE_TEXT:
    case MESSAGE_HEADERS:
        break;
    }
    return type;
}

const char *control_event_name(unsigned type)
{
    return type <= EVENT_LAST ? stored_name((enum event_type)type) : passing_names[type];
}

static bool is_called(unsigned type, const char *name)
{
    return control_event_name(type) != NULL && strcmp(control_event_name(type), name) == 0;
}

bool control_event_types(struct control_call *call, unsigned *types)
{
    const json_t *names = json_object_get(call->params, "types");
    size_t index;
    json_t *value;
    *types = names == NULL ? ~0u : 0;
    json_array_foreach(names, index, value)
    {
        struct suggestion word = suggest_for(json_string_value(value));
        unsigned type = 0;
        for (; type < TYPE_COUNT && !is_called(type, word.word); type++)
            if (control_event_name(type) != NULL)
                suggest_offer(&word, control_event_name(type));
        if (type == TYPE_COUNT) {
            control_call_fail(call, RPC_KIND_usage, "there are no events of type '%.60s'; %s%s%s",
                              word.word, word.best != NULL ? "did you mean " : "see: ",
                              word.best != NULL ? word.best : "p2pchatctl help follow",
                              word.best != NULL ? "?" : "");
            return false;
        }
        *types |= 1u << type;
    }
    return true;
}
