/* SPDX-License-Identifier: ISC */
/*
 * Fetching and unpacking.
 */
#include "client/files_get.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/number.h"
#include "client/apart.h"
#include "client/connection.h"
#include "client/files_exec.h"
#include "client/output.h"
#include "client/rest.h"
#include "client/transfer.h"
#include "client/view.h"

enum { PROGRESS_MS = 500 };

static const struct backoff_plan patience = {1000, 60 * 1000};

static void show_progress(void *context, uint64_t position)
{
    struct files_get *get = context;
    const uint64_t now = clock_monotonic_ms();
    char have[VIEW_SIZE_MAX], all[VIEW_SIZE_MAX];
    if (now - get->shown_ms < PROGRESS_MS && (json_int_t)position < get->total)
        return;
    get->shown_ms = now;
    if (get->ctl->json) {
        CLEANUP(json_release)
        json_t *object = json_pack("{s:s,s:s,s:I,s:I}", "type", "file.progress", "id", get->id,
                                   "bytes", (json_int_t)position, "total", get->total);
        output_json(get->ctl, object, '\n');
        output_flush(get->ctl);
    } else if (!get->ctl->quiet && isatty(STDERR_FILENO) == 1) {
        view_size((json_int_t)position, have);
        view_size(get->total, all);
        fprintf(get->ctl->err, "\r%s of %s (%" PRIu64 " %%)\033[K%s", have, all,
                position * 100 / (uint64_t)get->total,
                (json_int_t)position < get->total ? "" : "\n");
        fflush(get->ctl->err);
    }
}

/* Where something was put, and in what. */
struct placing {
    const struct files_get *get;
    const struct unpack *unpack;
    int error; /* of the note for the command */
};

static void tell_placed(void *context, const char *name)
{
    struct placing *placing = context;
    const struct files_get *get = placing->get;
    if (get->command != NULL && placing->error == 0)
        placing->error = files_exec_note(placing->unpack, name);
    if (get->ctl->json) {
        CLEANUP(json_release)
        json_t *object =
            json_pack("{s:s,s:s,s:s}", "type", "file.placed", "id", get->id, "path", name);
        if (object != NULL)
            output_json(get->ctl, object, '\n');
    } else if (!get->ctl->quiet) {
        output_line(get->ctl, "%s", name);
    }
}

/* --- one try ---------------------------------------------------------------------------------- */

enum attempt {
    ATTEMPT_DONE,
    ATTEMPT_FAILED, /* after telling */
    ATTEMPT_AGAIN,  /* the peer or the daemon is away for a while */
};

/* What we can't or don't want to take: the sender is told. */
static void refuse(struct files_get *get, const char *reason)
{
    const int status = get->ctl->status;
    json_decref(
        ctl_call(get->ctl, "file.refuse", json_pack("{s:s,s:s}", "id", get->id, "reason", reason)));
    get->ctl->status = status;
}

static const char *error_kind(const json_t *error)
{
    return member_string(json_object_get(error, "data"), "kind", "");
}

static bool is_damaged(const json_t *error)
{
    return strcmp(error_kind(error), rpc_kind_name(RPC_KIND_damaged)) == 0;
}

/* Whether what went wrong may be over after a while. */
static bool will_pass(struct files_get *get, const json_t *error)
{
    const char *kind = error_kind(error);
    if (is_damaged(error) && !get->damaged) {
        ctl_note(get->ctl, "what came is not what was offered");
        return get->damaged = true;
    }
    return strcmp(kind, "lost") == 0 || strcmp(kind, "peer_offline") == 0 ||
           strcmp(kind, "no_lane") == 0 || ctl_stopping(error);
}

static enum attempt judge_reply(struct files_get *get, json_int_t request)
{
    CLEANUP(json_release) json_t *reply = NULL;
    int r = transfer_await(get->ctl, request, &reply);
    if (r == CONNECTION_LOST)
        return ATTEMPT_AGAIN;
    if (r != 0) {
        ctl_fail_connection(get->ctl, r);
        return ATTEMPT_FAILED;
    }
    const json_t *error = json_object_get(reply, "error");
    if (error == NULL)
        return ATTEMPT_DONE;
    if (will_pass(get, error))
        return ATTEMPT_AGAIN;
    ctl_fail_reply(get->ctl, error);
    if (is_damaged(error))
        refuse(get, "damaged");
    return ATTEMPT_FAILED;
}

static enum attempt fetch(struct files_get *get, struct unpack *unpack)
{
    int socket;
    json_int_t request;
    int r = transfer_fetch(get->ctl, get->id, (json_int_t)unpack->offset, &socket, &request);
    if (r == CONNECTION_LOST)
        return ATTEMPT_AGAIN;
    if (r != 0) {
        ctl_fail_connection(get->ctl, r);
        return ATTEMPT_FAILED;
    }
    r = apart_take(unpack, socket);
    if (r == 0 || r == UNPACK_CUT) {
        const enum attempt attempt = judge_reply(get, request);
        if (attempt == ATTEMPT_DONE && r != 0)
            ctl_fail(get->ctl, RPC_KIND_damaged, "less came than was offered");
        return r == 0 ? ATTEMPT_DONE : attempt == ATTEMPT_DONE ? ATTEMPT_FAILED : attempt;
    }
    if (get->ctl->status == EX_DATAERR)
        refuse(get, "damaged");
    return ATTEMPT_FAILED;
}

/* Puts it in its place, runs the command for it, and says so to the sender. */
static enum attempt finish(struct files_get *get, struct unpack *unpack, const json_t *transfer)
{
    struct placing placing = {get, unpack, 0};
    json_t *result;
    if (unpack_place(unpack, tell_placed, &placing) != 0)
        return ATTEMPT_FAILED;
    if (placing.error < 0) {
        ctl_fail(get->ctl, RPC_KIND_store_error, "the staging directory: %s",
                 strerror(-placing.error));
        return ATTEMPT_FAILED;
    }
    if (get->command != NULL && files_exec_run(unpack, get->command, get->path, transfer) != 0)
        return ATTEMPT_FAILED;
    int r = ctl_ask(get->ctl, "file.done", json_pack("{s:s}", "id", get->id), &result);
    if (r == CONNECTION_LOST)
        return ATTEMPT_AGAIN;
    if (r != 0)
        return ATTEMPT_FAILED;
    json_decref(result);
    unpack_forget(unpack);
    if (unpack->left_out > 0)
        get->ctl->status = EX_DATAERR;
    return ATTEMPT_DONE;
}

/* Whether the disk has room for the rest, and for what must stay free. 0 or ctl->status. */
static int check_space(const struct files_get *get, const struct unpack *unpack)
{
    struct statvfs disk;
    char free_text[QUANTITY_TEXT_MAX], wanted[QUANTITY_TEXT_MAX];
    const uint64_t rest = unpack->offer.data_size - unpack->offset;
    if (fstatvfs(get->directory, &disk) < 0)
        return 0;
    const uint64_t space = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (space >= rest && space - rest >= get->min_free)
        return 0;
    size_format(space, free_text);
    size_format(rest, wanted);
    return ctl_fail(get->ctl, RPC_KIND_disk_full,
                    "%s: %s are free, and %s are to come with --min-free to stay; it stays offered",
                    get->path, free_text, wanted);
}

static enum attempt try_once(struct files_get *get, const struct unpack_offer *offer,
                             const json_t *transfer)
{
    struct unpack unpack;
    enum attempt attempt = ATTEMPT_FAILED;
    if (unpack_init(&unpack, get->ctl, get->directory, offer) == 0) {
        unpack.conflict = get->conflict;
        unpack.rate = get->rate;
        unpack.progress = show_progress;
        unpack.context = get;
        if (unpack.placing)
            attempt = ATTEMPT_DONE;
        else if (check_space(get, &unpack) == 0)
            attempt = fetch(get, &unpack);
        if (attempt == ATTEMPT_DONE)
            attempt = finish(get, &unpack, transfer);
    }
    unpack_deinit(&unpack);
    return attempt;
}

/* --- again and again -------------------------------------------------------------------------- */

static int read_offer(struct files_get *get, const json_t *transfer, struct unpack_offer *offer)
{
    const char *state = member_string(transfer, "state", "");
    *offer = (struct unpack_offer){
        .id = get->id,
        .data_size = (uint64_t)member_integer(transfer, "size"),
        .manifest_size = (uint64_t)member_integer(transfer, "manifest_size"),
        .entries = (uint32_t)member_integer(transfer, "entries"),
        .chunk_size = (uint64_t)member_integer(transfer, "chunk_size"),
    };
    get->total = member_integer(transfer, "size");
    if (strcmp(member_string(transfer, "direction", ""), "in") != 0)
        return ctl_fail(get->ctl, RPC_KIND_no_such_file, "%s is what we send", get->id);
    if (strcmp(state, "offered") != 0 && strcmp(state, "moving") != 0)
        return ctl_fail(get->ctl, RPC_KIND_gone, "%s has ended: %s", get->id, state);
    const bool too_large = get->max_size > 0 && offer->data_size > get->max_size;
    if (too_large || (get->max_entries > 0 && offer->entries > get->max_entries)) {
        refuse(get, "size");
        return ctl_fail(get->ctl, RPC_KIND_too_large, "%s is larger than --max-%s: refused",
                        get->id, too_large ? "size" : "entries");
    }
    return 0;
}

int files_get_one(struct files_get *get, const char *id)
{
    struct backoff backoff = {0};
    struct unpack_offer offer;
    get->id = id;
    get->damaged = false;
    CLEANUP(json_release)
    json_t *transfer = ctl_call(get->ctl, "file.get", json_pack("{s:s}", "id", id));
    if (transfer == NULL || read_offer(get, transfer, &offer) != 0)
        return get->ctl->status;
    for (;;) {
        const enum attempt attempt = try_once(get, &offer, transfer);
        if (attempt != ATTEMPT_AGAIN)
            return get->ctl->status;
        ctl_note(get->ctl, "trying to get it from %s again",
                 member_string(transfer, "peer", "the peer"));
        rest_ms(backoff_next(&backoff, &patience, 0));
        int r = ctl_reconnect(get->ctl, CONNECTION_NEVER);
        if (r != 0)
            return ctl_fail_connection(get->ctl, r);
        get->reconnected = true;
    }
}
