/* SPDX-License-Identifier: ISC */
/*
 * What people may ask about files: offers and ends, as items.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/node.h"
#include "core/node_state.h"
#include "store/queue.h"

struct files *node_files(struct node *node)
{
    return &node->files;
}

/* --- sending ---------------------------------------------------------------------------------- */

struct node_upload {
    struct node *node;
    struct file_upload *upload;
    struct node_upload_events events;
    void *context;
    int64_t peers[NODE_UPLOAD_PEERS_MAX];
    size_t peer_count;
    uint32_t uid;
    char client_id[CLIENT_ID_MAX];
    uint64_t expires_ms;
    int failure; /* of the store, while the transfers are added */
};

void node_upload_free(struct node_upload *upload)
{
    if (upload == NULL)
        return;
    file_upload_free(upload->upload);
    free(upload);
}

/* An offer was accepted, or told of again: then its transfer is there. */
static void on_accepted(void *context, const struct node_accepted *accepted)
{
    struct node_upload *upload = context;
    const struct file_upload *done = upload->upload;
    struct transfer_row row = {.seq = accepted->seq,
                               .uid = upload->uid,
                               .spooled = true,
                               .data_size = done->offer.data_size,
                               .manifest_size = done->offer.manifest_size,
                               .entries = done->offer.entries,
                               .chunk_log2 = done->offer.chunk_log2};
    memcpy(row.spool, done->file, sizeof row.spool);
    memcpy(row.root, done->offer.root, sizeof row.root);
    int r = transfers_add(upload->node->runtime.db, &row);
    if (r != 0 && r != DB_EXISTS && upload->failure == 0)
        upload->failure = outcome_of_store(r);
    upload->events.accepted(upload->context, accepted);
}

/* Whether what waits for each peer stays within its bounds. */
static int check_spool(const struct node_upload *upload)
{
    const struct file_offer *offer = &upload->upload->offer;
    const uint64_t most = upload->node->runtime.settings.spool_limit;
    for (size_t i = 0; i < upload->peer_count; i++) {
        uint64_t waiting;
        int r = transfers_spooled(upload->node->runtime.db, upload->peers[i], &waiting);
        if (r != 0)
            return r;
        if (waiting > most || offer->data_size + offer->manifest_size > most - waiting)
            return FILES_SPOOL_FULL;
    }
    return 0;
}

static int offer_all(struct node_upload *upload, const struct peer **about)
{
    struct node *node = upload->node;
    struct peer *peers[NODE_UPLOAD_PEERS_MAX];
    struct bytes content = {0};
    for (size_t i = 0; i < upload->peer_count; i++)
        if ((peers[i] = roster_by_id(&node->roster, upload->peers[i])) == NULL)
            return NODE_NO_SUCH_PEER;
    int r = check_spool(upload);
    if (r == 0)
        r = file_offer_append(&content, &upload->upload->offer);
    const struct node_draft draft = {.kind = MESSAGE_FILE_OFFER,
                                     .content = bytes_span(&content),
                                     .peers = peers,
                                     .peer_count = upload->peer_count,
                                     .uid = upload->uid,
                                     .client_id =
                                         upload->client_id[0] != '\0' ? upload->client_id : NULL,
                                     .expires_ms = upload->expires_ms};
    if (r == 0)
        r = node_send(node, &draft, on_accepted, upload, about);
    bytes_deinit(&content);
    return r == 0 ? upload->failure : r;
}

static void on_upload_over(void *context, struct file_upload *file, int r)
{
    struct node_upload *upload = context;
    const struct peer *about = NULL;
    (void)file;
    if (r == 0)
        r = offer_all(upload, &about);
    /* A file that nothing was offered of is swept away with the next turn. */
    files_touch(&upload->node->files);
    upload->events.over(upload->context, r, about);
    node_upload_free(upload);
}

int node_file_send(struct node *node, const struct node_draft *draft,
                   const struct file_offer *offer, int fd, const struct node_upload_events *events,
                   void *context, struct node_upload **result)
{
    struct node_upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL) {
        close(fd);
        return -ENOMEM;
    }
    upload->node = node;
    upload->events = *events;
    upload->context = context;
    upload->uid = draft->uid;
    upload->expires_ms = draft->expires_ms;
    if (draft->client_id != NULL)
        snprintf(upload->client_id, sizeof upload->client_id, "%s", draft->client_id);
    for (size_t i = 0; i < draft->peer_count; i++)
        upload->peers[upload->peer_count++] = draft->peers[i]->row.id;
    int r =
        files_upload(&node->files, offer, draft->uid, fd, on_upload_over, upload, &upload->upload);
    if (r != 0) {
        free(upload);
        return r;
    }
    *result = upload;
    return 0;
}

/* --- ends ------------------------------------------------------------------------------------- */

static void ignore_accepted(void *context, const struct node_accepted *accepted)
{
    (void)context;
    (void)accepted;
}

/* Tells the peer how a transfer ended; one that can't be told needs not be. */
static int tell_end(struct node *node, int64_t peer_id, const struct file_end *end)
{
    struct peer *peer = roster_by_id(&node->roster, peer_id);
    const struct peer *about;
    struct bytes content = {0};
    if (peer == NULL)
        return 0;
    int r = file_end_append(&content, end);
    const struct node_draft draft = {.kind = MESSAGE_FILE_STATE,
                                     .content = bytes_span(&content),
                                     .peers = &peer,
                                     .peer_count = 1};
    if (r == 0)
        r = node_send(node, &draft, ignore_accepted, NULL, &about);
    bytes_deinit(&content);
    return r == NODE_BLOCKED || r == NODE_KEY_CHANGED || r == NODE_NOT_SUPPORTED ? 0 : r;
}

/* An offer that the peer has not heard of is taken back without a word. */
static int take_back(struct node *node, int64_t seq, bool *was_told)
{
    struct node_message message = {.state = MESSAGE_DELIVERED};
    int r = node_message_at(node, seq, &message);
    *was_told = message.state != MESSAGE_QUEUED;
    if (r != 0 || *was_told)
        return r;
    return outcome_of_store(queue_set_state(node->runtime.db, seq, MESSAGE_CANCELLED, NULL,
                                            loop_wall(node->runtime.loop)));
}

int node_file_end(struct node *node, const struct transfer_row *row, enum file_end_state state,
                  enum file_reason reason)
{
    const struct file_end end = {row->id, (uint8_t)state, (uint8_t)reason};
    bool tell = true;
    int r = 0;
    if (row->state != TRANSFER_OPEN)
        return FILES_ENDED;
    if (row->direction == MESSAGE_OUT)
        r = take_back(node, row->seq, &tell);
    if (r == 0 && tell)
        r = tell_end(node, row->peer, &end);
    if (r == 0)
        r = files_end(&node->files, row, (enum transfer_state)state,
                      file_reason_word((uint8_t)reason));
    return outcome_of_store(r);
}

int node_refuse_files(struct node *node)
{
    struct bytes *due = &node->files.refusals;
    struct reader reader = reader_of(bytes_span(due));
    int r = 0;
    while (r == 0 && reader.left > 0) {
        struct file_end end = {.state = FILE_REFUSED, .reason = FILE_TOO_MANY};
        const int64_t peer = (int64_t)reader_u64(&reader);
        memcpy(end.offer.bytes, reader_take(&reader, UUID_SIZE), UUID_SIZE);
        r = tell_end(node, peer, &end);
    }
    bytes_clear(due);
    return r < 0 ? r : 0;
}
