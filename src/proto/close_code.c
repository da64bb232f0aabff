/* SPDX-License-Identifier: ISC */
/*
 * The names of close codes and their reading from the wire; what they lead to is decided elsewhere.
 */
#include "proto/close_code.h"

#include <stddef.h>

static const char *name_of(unsigned value)
{
    switch (value) {
    case CLOSE_NORMAL:
        return "closed";
    case CLOSE_GOING_AWAY:
        return "going away";
    case CLOSE_DUPLICATE:
        return "duplicate link";
    case CLOSE_REPLACED:
        return "replaced by a newer link";
    case CLOSE_IDLE_TIMEOUT:
        return "timed out";
    case CLOSE_REKEY_OVERDUE:
        return "rekey overdue";
    case CLOSE_PROTOCOL_ERROR:
        return "protocol error";
    case CLOSE_UNSUPPORTED:
        return "unsupported version or suite";
    case CLOSE_BUSY:
        return "busy";
    case CLOSE_HANDSHAKE_FAILED:
        return "handshake failed";
    case CLOSE_REFUSED:
        return "refused";
    case CLOSE_SELF:
        return "own identity";
    case CLOSE_APPROVAL_TIMEOUT:
        return "not approved in time";
    case CLOSE_INTERNAL_ERROR:
        return "internal error";
    case CLOSE_SLOW_PEER:
        return "peer too slow";
    case CLOSE_UNSUPPORTED_RECORD:
        return "unsupported record";
    case CLOSE_BAD_ITEM:
        return "bad item";
    case CLOSE_BAD_KEY:
        return "bad key";
    default:
        return NULL;
    }
}

enum close_code close_code_from_wire(uint8_t value)
{
    return name_of(value) == NULL ? CLOSE_PROTOCOL_ERROR : (enum close_code)value;
}

const char *close_code_name(enum close_code code)
{
    const char *name = name_of((unsigned)code);
    return name == NULL ? "unknown" : name;
}
