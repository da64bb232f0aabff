/* SPDX-License-Identifier: ISC */
/*
 * Files: who gets what, and what ends.
 */
#define LOG_COMPONENT "files"
#include "core/files.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "proto/features.h"
#include "store/queue.h"

bool files_on(const struct files *files)
{
    return files->spool != NULL && files->runtime->settings.streams;
}

/* The offer that a row stands for, without its name. */
static struct file_offer offer_of(const struct transfer_row *row)
{
    struct file_offer offer = {.chunk_log2 = row->chunk_log2,
                               .data_size = row->data_size,
                               .manifest_size = row->manifest_size,
                               .entries = row->entries};
    memcpy(offer.root, row->root, sizeof offer.root);
    return offer;
}

/* --- serving ---------------------------------------------------------------------------------- */

static struct file_serve *serve_at(struct list *node)
{
    return container_of(node, struct file_serve, node);
}

/* A place for one more pull of this peer: one that moves nothing gives way. */
static bool find_place(struct files *files, int64_t peer)
{
    const uint64_t now = loop_now(files->runtime->loop);
    struct file_serve *idle = NULL, *idle_of_peer = NULL;
    unsigned all = 0, own = 0;
    list_for_each (node, &files->serves) {
        struct file_serve *serve = serve_at(node);
        const bool is_idle = now - serve->moved_ms >= FILE_SERVE_IDLE_MS;
        all++;
        own += serve->peer == peer;
        if (is_idle && serve->peer == peer)
            idle_of_peer = serve;
        if (is_idle)
            idle = serve;
    }
    if (own >= FILE_SERVES_PER_PEER)
        idle = idle_of_peer;
    else if (all < FILE_SERVES_MAX)
        return true;
    file_serve_free(idle);
    return idle != NULL;
}

static uint8_t on_asked(void *context, struct file_serve *serve, const struct file_request *request)
{
    struct files *files = context;
    struct transfer_row row;
    int r = transfers_find(files->runtime->db, &request->offer, serve->peer, MESSAGE_OUT, &row);
    if (r != 0 || row.state != TRANSFER_OPEN || !row.spooled)
        return FILE_UNKNOWN;
    const uint64_t chunk = UINT64_C(1) << row.chunk_log2;
    if (request->offset > row.data_size ||
        (request->offset % chunk != 0 && request->offset != row.data_size))
        return FILE_UNKNOWN;
    serve->offer = offer_of(&row);
    serve->seq = row.seq;
    serve->moved = request->offset;
    r = spool_reader_new(&serve->reader, files->spool, row.spool, &serve->offer);
    if (r < 0)
        log_warning("a spool file can't be read: %s", strerror(-r));
    return r == 0 ? FILE_COMING : FILE_IO_ERROR;
}

static void on_served(void *context, struct file_serve *serve)
{
    (void)context;
    file_serve_free(serve);
}

static const struct file_serve_events serve_events = {on_asked, on_served};

static void on_incoming(void *context, struct channel *channel, const struct peer *peer)
{
    struct files *files = context;
    struct file_serve *serve;
    int other;
    if (!files_on(files) || !find_place(files, peer->row.id)) {
        channels_reset(channel, files_on(files) ? LANE_BUSY : LANE_NO_SERVICE);
        return;
    }
    int r =
        file_serve_new(&serve, files->runtime->loop, peer->row.id, &serve_events, files, &other);
    if (r == 0) {
        list_append(&files->serves, &serve->node);
        r = channels_accept(channel, other, false);
    }
    if (r < 0)
        channels_reset(channel, LANE_FAILED);
}

static void on_ended(void *context, struct channel *channel, const struct channel_end *end)
{
    const struct files *files = context;
    (void)end;
    list_for_each (node, &files->pulls) {
        struct file_pull *pull = container_of(node, struct file_pull, node);
        if (pull->channel == channel)
            pull->channel = NULL; /* it reads what came, and then the end */
    }
}

static const struct streams_own own_service = {FILE_SERVICE, FEATURE_FILES, on_incoming, on_ended};

/* --- what runs out ---------------------------------------------------------------------------- */

static int is_wanted(void *context, const uint8_t *name)
{
    const struct files *files = context;
    unsigned count;
    list_for_each (node, &files->uploads) {
        const struct file_upload *upload = container_of(node, struct file_upload, node);
        if (spool_writer_has(upload->writer, name))
            return 1;
    }
    int r = transfers_of_spool(files->runtime->db, name, &count);
    return r < 0 ? r : count > 0;
}

/*
 * How a transfer ended when its peer was removed, its offer left the queue undelivered, or it is
 * too old; or OPEN.
 */
static enum transfer_state judge(const struct files *files, const struct transfer_row *row,
                                 enum message_state offer)
{
    const uint64_t now = loop_wall(files->runtime->loop), most = files->runtime->settings.expire_ms;
    if (roster_by_id(files->roster, row->peer) == NULL)
        return TRANSFER_CANCELLED;
    if (row->direction == MESSAGE_IN)
        return TRANSFER_OPEN; /* its sender says when it is over */
    switch (offer) {
    case MESSAGE_EXPIRED:
    case MESSAGE_UNKNOWN:
        return TRANSFER_EXPIRED;
    case MESSAGE_CANCELLED:
        return TRANSFER_CANCELLED;
    case MESSAGE_FAILED:
        return TRANSFER_FAILED;
    default:
        break;
    }
    if (most == 0 || now < row->time_ms || now - row->time_ms < most ||
        files_moved(files, row->seq) > 0)
        return TRANSFER_OPEN;
    return TRANSFER_EXPIRED;
}

static int note_state(void *context, const struct message_row *row)
{
    *(enum message_state *)context = row->state;
    return 0;
}

static int look_at(void *context, const struct transfer_row *row)
{
    struct files *files = context;
    enum message_state offer = MESSAGE_DELIVERED;
    int r = messages_at(files->runtime->db, row->seq, note_state, &offer);
    if (r != 0)
        return r < 0 ? r : 0;
    const enum transfer_state state = judge(files, row, offer);
    r = state != TRANSFER_OPEN ? files_end(files, row, state, "") : 0;
    return r < 0 ? r : 0;
}

void files_touch(struct files *files)
{
    files->check_due = true;
    loop_wake(files->runtime->loop);
}

static void on_timer(void *context)
{
    files_touch(context);
}

/* What is swept was decided on what is on disk; what is ended now is swept the next time. */
void files_settled(struct files *files)
{
    if (!files->check_due)
        return;
    files->check_due = false;
    int r = files->spool != NULL ? spool_sweep(files->spool, is_wanted, files) : 0;
    if (r == 0)
        r = transfers_each(files->runtime->db, false, look_at, files);
    if (r == -EIO)
        runtime_fail(files->runtime, r);
    else if (r != 0)
        log_warning("the spool can't be looked through: %s", strerror(r < 0 ? -r : ENOSPC));
    timer_arm_at(files->timer, loop_now(files->runtime->loop) + FILES_CHECK_MS);
}

/* --- coming and going ------------------------------------------------------------------------- */

int files_init(struct files *files, struct runtime *runtime, struct roster *roster,
               struct streams *streams, struct housekeeping *housekeeping, const char *directory,
               const struct secret *store_key)
{
    *files = (struct files){
        .runtime = runtime, .roster = roster, .streams = streams, .housekeeping = housekeeping};
    list_init(&files->uploads);
    list_init(&files->serves);
    list_init(&files->pulls);
    streams->own = &own_service;
    streams->own_context = files;
    files->check_due = true;
    int r = timer_new(&files->timer, runtime->loop, on_timer, files);
    if (r == 0 && directory != NULL)
        r = spool_new(&files->spool, directory, store_key);
    return r;
}

void files_deinit(struct files *files)
{
    if (files->runtime == NULL)
        return;
    list_for_each_safe (node, &files->uploads)
        file_upload_free(container_of(node, struct file_upload, node));
    list_for_each_safe (node, &files->serves)
        file_serve_free(serve_at(node));
    list_for_each_safe (node, &files->pulls)
        file_pull_free(container_of(node, struct file_pull, node));
    timer_free(files->timer);
    bytes_deinit(&files->refusals);
    spool_free(files->spool);
}

uint64_t files_moved(const struct files *files, int64_t seq)
{
    list_for_each (node, &files->serves)
        if (serve_at(node)->seq == seq)
            return serve_at(node)->moved;
    list_for_each (node, &files->pulls) {
        const struct file_pull *pull = container_of(node, struct file_pull, node);
        if (pull->seq == seq)
            return pull->moved;
    }
    return 0;
}

/* --- ends ------------------------------------------------------------------------------------- */

/* What goes on of a transfer ends with it. */
static void stop_moving(struct files *files, int64_t seq)
{
    list_for_each_safe (node, &files->serves)
        if (serve_at(node)->seq == seq)
            file_serve_free(serve_at(node));
    list_for_each_safe (node, &files->pulls) {
        struct file_pull *pull = container_of(node, struct file_pull, node);
        if (pull->seq == seq)
            pull->over(pull->context, pull, FILES_GONE);
    }
}

int files_end(struct files *files, const struct transfer_row *row, enum transfer_state state,
              const char *reason)
{
    const struct observer *observer = files->runtime->observer;
    int r =
        transfers_end(files->runtime->db, row->seq, state, reason, loop_wall(files->runtime->loop));
    if (r == DB_NOT_FOUND)
        return FILES_ENDED;
    if (r != 0)
        return r;
    stop_moving(files, row->seq);
    files_touch(files);
    if (observer->transfer != NULL)
        observer->transfer(files->runtime->observer_context, row->seq);
    return 0;
}

/* --- what peers say --------------------------------------------------------------------------- */

static int take_offer(struct files *files, const struct peer *peer, const struct uuid *id,
                      struct span content, int64_t seq)
{
    struct file_offer offer;
    unsigned open;
    int r = transfers_open(files->runtime->db, peer->row.id, MESSAGE_IN, &open);
    if (r != 0 || file_offer_parse(content, &offer) != 0)
        return r;
    struct transfer_row row = {.seq = seq,
                               .data_size = offer.data_size,
                               .manifest_size = offer.manifest_size,
                               .entries = offer.entries,
                               .chunk_log2 = offer.chunk_log2};
    memcpy(row.root, offer.root, sizeof row.root);
    r = transfers_add(files->runtime->db, &row);
    if (r != 0 || open < FILES_OPEN_MAX)
        return r;
    r = transfers_end(files->runtime->db, seq, TRANSFER_REFUSED, file_reason_word(FILE_TOO_MANY),
                      loop_wall(files->runtime->loop));
    if (r == 0)
        r = bytes_append_u64(&files->refusals, (uint64_t)peer->row.id);
    return r == 0 ? bytes_append(&files->refusals, id->bytes, UUID_SIZE) : r;
}

/* Whether the side that a transfer went to, or came from, may say that it ended so. */
static bool may_say(enum message_direction direction, uint8_t state)
{
    switch (state) {
    case FILE_CANCELLED:
        return true;
    case FILE_EXPIRED:
        return direction == MESSAGE_IN;
    default:
        return direction == MESSAGE_OUT;
    }
}

static int take_end(struct files *files, const struct peer *peer, struct span content)
{
    static const enum message_direction directions[] = {MESSAGE_OUT, MESSAGE_IN};
    struct file_end end;
    if (file_end_parse(content, &end) != 0)
        return 0;
    for (size_t i = 0; i < 2; i++) {
        struct transfer_row row;
        int r =
            may_say(directions[i], end.state)
                ? transfers_find(files->runtime->db, &end.offer, peer->row.id, directions[i], &row)
                : DB_NOT_FOUND;
        if (r == 0)
            r = files_end(files, &row, (enum transfer_state)end.state,
                          file_reason_word(end.reason));
        if (r != DB_NOT_FOUND)
            return r == FILES_ENDED ? 0 : r;
    }
    return 0;
}

int files_take(struct files *files, const struct peer *peer, const struct session_item *item,
               int64_t seq)
{
    switch (item->kind) {
    case SESSION_FILE_OFFER:
        return take_offer(files, peer, &item->id, item->content, seq);
    case SESSION_FILE_STATE:
        return take_end(files, peer, item->content);
    default:
        return 0;
    }
}

/* --- what clients ask ------------------------------------------------------------------------- */

static struct file_upload *upload_at(struct list *node)
{
    return container_of(node, struct file_upload, node);
}

/* A place for one more upload of this user: one that stands still gives way. */
static bool find_upload_place(struct files *files, uid_t uid)
{
    const uint64_t now = loop_now(files->runtime->loop);
    struct file_upload *idle = NULL;
    unsigned all = 0, own = 0;
    list_for_each (node, &files->uploads) {
        struct file_upload *upload = upload_at(node);
        all++;
        own += upload->uid == uid;
        if (now - upload->moved_ms >= FILE_UPLOAD_IDLE_MS)
            idle = upload;
    }
    if (all < FILE_UPLOADS_MAX && own < FILE_UPLOADS_PER_USER)
        return true;
    if (idle != NULL)
        idle->over(idle->context, idle, FILES_BUSY);
    return idle != NULL;
}

static int check_upload(struct files *files, const struct file_offer *offer, uid_t uid)
{
    uint64_t space;
    if (!files_on(files))
        return FILES_OFF;
    if (offer->chunk_log2 != FILE_CHUNK_LOG2_MIN)
        return FILES_TOO_LARGE; /* larger chunks are for what is not copied */
    int r = spool_space(files->spool, &space);
    if (r < 0)
        return r;
    if (space < offer->data_size || space - offer->data_size < FILE_DISK_RESERVE)
        return FILES_DISK_FULL;
    return find_upload_place(files, uid) ? 0 : FILES_BUSY;
}

int files_upload(struct files *files, const struct file_offer *offer, uid_t uid, int fd,
                 file_upload_over *over, void *context, struct file_upload **upload)
{
    int r = check_upload(files, offer, uid);
    if (r != 0) {
        close(fd);
        return r;
    }
    r = file_upload_new(upload, files->runtime->loop, files->spool, offer, fd, over, context);
    if (r != 0)
        return r;
    (*upload)->uid = uid;
    list_append(&files->uploads, &(*upload)->node);
    return 0;
}

static bool pull_fits(const struct files *files, const struct transfer_row *row)
{
    unsigned all = 0, own = 0;
    list_for_each (node, &files->pulls) {
        const struct file_pull *pull = container_of(node, struct file_pull, node);
        if (pull->seq == row->seq)
            return false;
        all++;
        own += pull->peer == row->peer;
    }
    return all < FILE_PULLS_MAX && own < FILE_PULLS_PER_PEER;
}

int files_pull(struct files *files, const struct transfer_row *row, uint64_t offset, int fd,
               file_pull_over *over, void *context, struct file_pull **pull)
{
    const struct file_offer offer = offer_of(row);
    struct peer *peer = roster_by_id(files->roster, row->peer);
    int other, r = 0;
    if (row->state != TRANSFER_OPEN || peer == NULL)
        r = FILES_ENDED;
    else if (!files_on(files))
        r = FILES_OFF;
    else if (!pull_fits(files, row))
        r = FILES_BUSY;
    if (r != 0) {
        close(fd);
        return r;
    }
    r = file_pull_new(pull, files->runtime->loop, &offer, offset, fd, over, context, &other);
    if (r != 0)
        return r;
    (*pull)->peer = row->peer;
    (*pull)->seq = row->seq;
    r = streams_open(files->streams, peer, FILE_SERVICE, true, other, NULL, &(*pull)->channel);
    if (r != 0) {
        file_pull_free(*pull);
        return r;
    }
    list_append(&files->pulls, &(*pull)->node);
    file_pull_start(*pull, &row->id);
    return 0;
}

void files_drop_pull(struct file_pull *pull)
{
    struct channel *channel = pull->channel;
    file_pull_free(pull);
    if (channel != NULL)
        channels_reset(channel, LANE_CANCELLED);
}
