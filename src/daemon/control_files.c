/* SPDX-License-Identifier: ISC */
/*
 * The methods file.*.
 */
#include "daemon/control_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/control_call.h"
#include "daemon/control_client.h"
#include "daemon/control_transfers.h"
#include "proto/features.h"
#include "rpc/rpc_bytes.h"
#include "rpc/rpc_value.h"

/* A call that is answered later: one that sends, fetches or waits. */
struct file_call {
    struct list node; /* in control->files */
    struct control *control;
    struct control_client *client;
    json_t *id;
    bool silent;
    struct timer *timer;        /* waiting: until it is given up, or NULL */
    struct node_upload *upload; /* sending, or NULL */
    json_t *accepted;           /* sending: the offers */
    struct file_pull *pull;     /* fetching, or NULL */
    int64_t seq;                /* waiting: of the transfer */
};

static struct file_call *call_at(struct list *node)
{
    return container_of(node, struct file_call, node);
}

static void entry_free(struct file_call *entry)
{
    list_remove(&entry->node);
    timer_free(entry->timer);
    node_upload_free(entry->upload);
    if (entry->pull != NULL)
        files_drop_pull(entry->pull);
    json_decref(entry->accepted);
    json_decref(entry->id);
    entry->client->wait_count--;
    free(entry);
}

static struct file_call *entry_new(const struct control_call *call)
{
    struct file_call *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->control = call->control;
    entry->client = call->client;
    entry->id = json_deep_copy(call->id);
    entry->silent = call->notification;
    list_append(&call->control->files, &entry->node);
    call->client->wait_count++;
    return entry;
}

/* Answers (with a message that is stolen), and forgets the call. */
static void answer(struct file_call *entry, json_t *message)
{
    if (entry->silent)
        json_decref(message);
    else
        control_client_reply(entry->client, entry->id, message);
    entry_free(entry);
}

/* --- complaints ------------------------------------------------------------------------------- */

/* What went wrong, as an answer to a call of before. */
static void answer_failure(struct file_call *entry, int outcome, const char *peer)
{
    struct control_call call = {.control = entry->control, .node = entry->control->node};
    control_transfer_fail(&call, outcome, peer);
    answer(entry, rpc_error_of_kind(entry->id, call.kind, call.text));
}

static const char *name_of(const struct file_call *entry, int64_t peer)
{
    const struct peer *found = roster_by_id(node_roster(entry->control->node), peer);
    return found != NULL ? found->row.name : "the peer";
}

/* --- sending ---------------------------------------------------------------------------------- */

static void on_accepted(void *context, const struct node_accepted *accepted)
{
    struct file_call *entry = context;
    char id[UUID_TEXT_MAX];
    uuid_format(&accepted->id, id);
    rpc_value_append(&entry->accepted,
                     json_pack("{s:s, s:I, s:s}", "id", id, "seq", (json_int_t)accepted->seq,
                               "peer", accepted->peer));
}

static void on_sent(void *context, int r, const struct peer *about)
{
    struct file_call *entry = context;
    entry->upload = NULL;
    if (r == 0)
        answer(entry, rpc_reply(entry->id, json_pack("{s:O}", "transfers", entry->accepted)));
    else
        answer_failure(entry, r, about != NULL ? about->row.name : "the peer");
}

/* The name of what is sent. */
static bool read_name(struct control_call *call, struct bytes *name)
{
    const json_t *encoded = json_object_get(call->params, "name_base64");
    const char *text = control_call_string(call, "name");
    int r = 0;
    if (encoded != NULL)
        r = rpc_bytes_read(encoded, name);
    else if (text != NULL)
        r = bytes_append(name, text, strlen(text));
    if (r == 0 && file_name_valid(bytes_span(name)))
        return true;
    control_call_fail(call, RPC_KIND_bad_name,
                      "the name of what is sent has 1 to 255 bytes, without '/', and is not '.' or "
                      "'..'");
    return false;
}

static bool read_offer(struct control_call *call, const struct bytes *name,
                       struct file_offer *offer)
{
    const int64_t entries = control_call_integer(call, "entries", 0);
    *offer = (struct file_offer){
        .data_size = (uint64_t)control_call_integer(call, "data_size", 0),
        .manifest_size = (uint64_t)control_call_integer(call, "manifest_size", 0),
        .entries = (uint32_t)entries,
        .name = bytes_span(name),
    };
    offer->chunk_log2 = file_chunk_log2(offer->data_size, offer->manifest_size);
    if (offer->chunk_log2 != 0 && entries >= 1 && entries <= FILE_ENTRIES_MAX)
        return true;
    control_transfer_fail(call, FILES_TOO_LARGE, NULL);
    return false;
}

/* Whether all of them can take files, as far as is known. */
static bool check_peers(struct control_call *call, const struct node_draft *draft)
{
    for (size_t i = 0; i < draft->peer_count; i++) {
        if (!peer_has(draft->peers[i], FEATURE_FILES)) {
            control_transfer_fail(call, NODE_NOT_SUPPORTED, draft->peers[i]->row.name);
            return false;
        }
    }
    return true;
}

/* The descriptor of the call, which is the caller's then. False: there is none. */
static bool take_socket(struct control_call *call, int *fd)
{
    *fd = call->descriptor;
    call->descriptor = -1;
    if (*fd < 0)
        control_call_fail(call, RPC_KIND_bad_descriptor,
                          "a connected socket must be sent along with this line (SCM_RIGHTS)");
    return *fd >= 0;
}

enum control_answer control_file_send(struct control_call *call)
{
    static const struct node_upload_events events = {on_accepted, on_sent};
    CLEANUP(bytes_deinit) struct bytes name = {0};
    struct call_recipients recipients = {0};
    struct node_draft draft;
    struct file_offer offer;
    int fd;
    if (!control_call_draft(call, &draft) || !control_call_recipients(call, &draft, &recipients) ||
        !read_name(call, &name) || !read_offer(call, &name, &offer) || !check_peers(call, &draft))
        return CALL_FAILED;
    struct file_call *entry = entry_new(call);
    if (entry == NULL || (entry->accepted = json_array()) == NULL)
        return control_call_done(call, NULL);
    if (!take_socket(call, &fd)) {
        entry_free(entry);
        return CALL_FAILED;
    }
    int r = node_file_send(call->node, &draft, &offer, fd, &events, entry, &entry->upload);
    if (r == 0)
        return CALL_LATER;
    entry_free(entry);
    return control_transfer_fail(call, r, NULL);
}

/* --- fetching --------------------------------------------------------------------------------- */

static void on_fetched(void *context, struct file_pull *pull, int r)
{
    struct file_call *entry = context;
    const char *peer = name_of(entry, pull->peer);
    if (r == 0) {
        file_pull_free(STEAL(entry->pull));
        answer(entry, rpc_reply(entry->id, json_object()));
    } else {
        files_drop_pull(STEAL(entry->pull));
        answer_failure(entry, r, peer);
    }
}

enum control_answer control_file_fetch(struct control_call *call)
{
    const uint64_t offset = (uint64_t)control_call_integer(call, "offset", 0);
    struct transfer_row row;
    int fd;
    if (!control_transfer_find(call, MESSAGE_IN, &row))
        return CALL_FAILED;
    if (offset > row.data_size ||
        (offset != row.data_size && offset % (UINT64_C(1) << row.chunk_log2) != 0))
        return control_call_fail(call, RPC_KIND_usage,
                                 "the offset is a multiple of the chunk_size, or the size");
    if (!take_socket(call, &fd))
        return CALL_FAILED;
    struct file_call *entry = entry_new(call);
    if (entry == NULL) {
        call->descriptor = fd;
        return control_call_done(call, NULL);
    }
    int r = files_pull(node_files(call->node), &row, offset, fd, on_fetched, entry, &entry->pull);
    if (r == 0)
        return CALL_LATER;
    entry->pull = NULL;
    entry_free(entry);
    return control_transfer_fail(call, r, row.peer_name);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void answer_view(struct file_call *entry)
{
    struct transfer_row row;
    int r = transfers_at(node_db(entry->control->node), entry->seq, &row);
    json_t *object = r == 0 ? control_transfer_view(entry->control, &row, &r) : NULL;
    if (r == 0) {
        answer(entry, rpc_reply(entry->id, object));
        return;
    }
    json_decref(object);
    answer_failure(entry, r == DB_NOT_FOUND ? FILES_NO_SUCH : r, "the peer");
}

void control_files_ended(void *context, int64_t seq)
{
    struct control *control = context;
    list_for_each_safe (node, &control->files)
        if (call_at(node)->seq == seq)
            answer_view(call_at(node));
}

static void on_timeout(void *context)
{
    struct file_call *entry = context;
    answer(entry, rpc_error_of_kind(entry->id, RPC_KIND_timeout,
                                    "not taken in time; it stays offered: p2pchatctl files"));
}

enum control_answer control_file_wait(struct control_call *call)
{
    const int64_t timeout_ms = control_call_integer(call, "timeout_ms", -1);
    struct transfer_row row;
    if (!control_transfer_find(call, -1, &row))
        return CALL_FAILED;
    if (row.state != TRANSFER_OPEN)
        return control_file_get(call);
    struct file_call *entry = entry_new(call);
    if (entry == NULL)
        return control_call_done(call, NULL);
    entry->seq = row.seq;
    if (timeout_ms < 0)
        return CALL_LATER;
    if (timer_new(&entry->timer, call->control->loop, on_timeout, entry) < 0) {
        entry_free(entry);
        return control_call_done(call, NULL);
    }
    timer_arm_at(entry->timer, loop_now(call->control->loop) + (uint64_t)timeout_ms);
    return CALL_LATER;
}

/* Whoever sent it, and those who administer, may take it back. */
static bool may_end(struct control_call *call, const struct transfer_row *row)
{
    if (row->direction == MESSAGE_IN || call->client->admin || row->uid == call->client->user)
        return true;
    control_call_fail(call, RPC_KIND_not_admin, "another user sends this");
    return false;
}

static enum control_answer end_transfer(struct control_call *call, int direction,
                                        enum file_end_state state, enum file_reason reason)
{
    struct transfer_row row;
    if (!control_transfer_find(call, direction, &row) || !may_end(call, &row))
        return CALL_FAILED;
    int r = node_file_end(call->node, &row, state, reason);
    if (r != 0)
        return control_transfer_fail(call, r, row.peer_name);
    return control_file_get(call);
}

enum control_answer control_file_done(struct control_call *call)
{
    return end_transfer(call, MESSAGE_IN, FILE_DONE, FILE_NO_REASON);
}

enum control_answer control_file_refuse(struct control_call *call)
{
    const char *name = control_call_string(call, "reason");
    const uint8_t reason = name != NULL ? file_reason_of(name) : FILE_BY_PERSON;
    if (reason == FILE_NO_REASON)
        return control_call_fail(call, RPC_KIND_usage,
                                 "a reason is person, policy, size or damaged");
    return end_transfer(call, MESSAGE_IN, reason == FILE_DAMAGED ? FILE_FAILED : FILE_REFUSED,
                        (enum file_reason)reason);
}

enum control_answer control_file_cancel(struct control_call *call)
{
    return end_transfer(call, -1, FILE_CANCELLED, FILE_BY_PERSON);
}

void control_files_forget(struct control_client *client)
{
    list_for_each_safe (node, &client->control->files)
        if (call_at(node)->client == client)
            entry_free(call_at(node));
}

void control_files_stop(struct control *control)
{
    list_for_each_safe (node, &control->files)
        answer(call_at(node),
               rpc_error_of_kind(call_at(node)->id, RPC_KIND_stopping, "the daemon is stopping"));
}
