/* SPDX-License-Identifier: ISC */
/*
 * Transfers as the control interface shows them, and what may be wrong with them.
 */
#include "daemon/control_transfers.h"

#include <errno.h>
#include <string.h>

#include "daemon/control_view.h"
#include "rpc/rpc_value.h"

enum control_answer control_transfer_fail(struct control_call *call, int outcome, const char *peer)
{
    switch (outcome) {
    case FILES_OFF:
    case STREAMS_OFF:
        return control_call_fail(call, RPC_KIND_not_supported,
                                 "files go by streams, which are switched off here: streams in "
                                 "p2pchatd.conf");
    case FILES_BUSY:
    case STREAMS_BUSY:
        return control_call_fail(call, RPC_KIND_busy,
                                 "it is being fetched already, or too many transfers go on; try "
                                 "again later");
    case FILES_SHORT:
        return control_call_fail(call, RPC_KIND_changed,
                                 "less came, or was taken, than was said at the start");
    case FILES_TOO_LARGE:
        return control_call_fail(call, RPC_KIND_too_large,
                                 "a transfer has at most 256 GiB and 1,048,576 entries; send it in "
                                 "parts");
    case FILES_DISK_FULL:
        return control_call_fail(call, RPC_KIND_disk_full,
                                 "the disk of p2pchatd has no room for a copy");
    case FILES_SPOOL_FULL:
        return control_call_fail(call, RPC_KIND_spool_full,
                                 "more files wait for a peer than spool-limit in p2pchatd.conf "
                                 "allows; see: p2pchatctl files");
    case FILES_GONE:
        return control_call_fail(call, RPC_KIND_gone, "%s does not offer it any more", peer);
    case FILES_DAMAGED:
        return control_call_fail(call, RPC_KIND_damaged,
                                 "what came from %s is not what was offered", peer);
    case FILES_LOST:
        return control_call_fail(call, RPC_KIND_lost, "the connection to %s was lost", peer);
    case FILES_TIMEOUT:
        return control_call_fail(call, RPC_KIND_peer_offline,
                                 "%s does not answer now; why: p2pchatctl doctor", peer);
    case FILES_NO_SUCH:
        return control_call_fail(call, RPC_KIND_no_such_file,
                                 "no such transfer; see: p2pchatctl files -a");
    case FILES_ENDED:
        return control_call_fail(call, RPC_KIND_gone, "the transfer has ended already");
    case STREAMS_NOT_SUPPORTED:
    case NODE_NOT_SUPPORTED:
        return control_call_fail(call, RPC_KIND_not_supported,
                                 "%s's p2pchatd can't take files, as it said when we met it last; "
                                 "it needs a newer one, and streams switched on",
                                 peer);
    case -ENOTSOCK:
        return control_call_fail(call, RPC_KIND_bad_descriptor,
                                 "only a connected stream socket (UNIX or TCP) can be handed over");
    default:
        return outcome < 0 ? control_call_fail(call, RPC_KIND_store_error, "%s", strerror(-outcome))
                           : control_call_outcome(call, outcome, peer);
    }
}

/* --- what there is to see --------------------------------------------------------------------- */

struct naming {
    const struct node *node;
    json_t **object;
    enum message_state state;
};

static int add_offer(void *context, const struct message_row *row)
{
    struct naming *naming = context;
    naming->state = row->state;
    return control_view_add_offer(naming->node, row, naming->object);
}

static const char *state_of(const struct transfer_row *row, enum message_state offer, bool moves)
{
    if (row->state != TRANSFER_OPEN)
        return file_end_word((uint8_t)row->state);
    if (moves)
        return "moving";
    if (row->direction == MESSAGE_IN || offer == MESSAGE_DELIVERED)
        return "offered";
    return "queued";
}

/* The view of a transfer; NULL without memory. *r is -errno of the store. */
json_t *control_transfer_view(struct control *control, const struct transfer_row *row, int *r)
{
    json_t *object = json_object();
    struct naming naming = {.node = control->node, .object = &object};
    char id[UUID_TEXT_MAX];
    const uint64_t moved = files_moved(node_files(control->node), row->seq);
    uuid_format(&row->id, id);
    rpc_value_set(&object, "id", json_string(id));
    rpc_value_set(&object, "seq", json_integer(row->seq));
    rpc_value_set(&object, "peer", json_string(row->peer_name));
    rpc_value_set(&object, "direction", json_string(row->direction == MESSAGE_IN ? "in" : "out"));
    *r = messages_at(node_db(control->node), row->seq, add_offer, &naming);
    if (*r == DB_NOT_FOUND)
        *r = 0;
    rpc_value_set(&object, "state", json_string(state_of(row, naming.state, moved > 0)));
    if (row->reason[0] != '\0')
        rpc_value_set(&object, "reason", json_string(row->reason));
    rpc_value_set(&object, "size", json_integer((json_int_t)row->data_size));
    rpc_value_set(&object, "manifest_size", json_integer((json_int_t)row->manifest_size));
    rpc_value_set(&object, "entries", json_integer(row->entries));
    rpc_value_set(&object, "chunk_size", json_integer((json_int_t)1 << row->chunk_log2));
    rpc_value_set(&object, "moved", json_integer((json_int_t)moved));
    rpc_value_set(&object, "time", control_view_time(row->time_ms));
    return object;
}

/* The transfer of the call's id, of one direction or (-1) of either, first one that came in. */
bool control_transfer_find(struct control_call *call, int direction, struct transfer_row *row)
{
    struct uuid id;
    int r = DB_NOT_FOUND;
    if (!control_call_id(call, &id))
        return false;
    if (direction != MESSAGE_OUT)
        r = transfers_find(node_db(call->node), &id, 0, MESSAGE_IN, row);
    if (r == DB_NOT_FOUND && direction != MESSAGE_IN)
        r = transfers_find(node_db(call->node), &id, 0, MESSAGE_OUT, row);
    if (r != 0)
        control_transfer_fail(call, r == DB_NOT_FOUND ? FILES_NO_SUCH : r, NULL);
    return r == 0;
}

enum control_answer control_file_get(struct control_call *call)
{
    struct transfer_row row;
    int r;
    if (!control_transfer_find(call, -1, &row))
        return CALL_FAILED;
    json_t *object = control_transfer_view(call->control, &row, &r);
    if (r == 0)
        return control_call_done(call, object);
    json_decref(object);
    return control_transfer_fail(call, r, NULL);
}

struct listing_files {
    struct control *control;
    json_t *list;
};

static int list_one(void *context, const struct transfer_row *row)
{
    struct listing_files *listing = context;
    int r;
    rpc_value_append(&listing->list, control_transfer_view(listing->control, row, &r));
    return r;
}

enum control_answer control_file_list(struct control_call *call)
{
    struct listing_files listing = {call->control, json_array()};
    const bool ended = json_is_true(json_object_get(call->params, "ended"));
    int r = transfers_each(node_db(call->node), ended, list_one, &listing);
    if (r == 0)
        return control_call_done(call, json_pack("{s:o}", "transfers", listing.list));
    json_decref(listing.list);
    return control_transfer_fail(call, r, NULL);
}
