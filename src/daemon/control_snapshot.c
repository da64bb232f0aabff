/* SPDX-License-Identifier: ISC */
/*
 * store.snapshot: each call copies a little, so that nobody else waits for long.
 */
#include "daemon/control_snapshot.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "daemon/backup_parts.h"
#include "daemon/control_call.h"
#include "daemon/control_view.h"
#include "rpc/rpc_value.h"
#include "store/snapshot.h"

enum { PAGES_PER_CALL = 100 };

static void end_snapshot(struct control *control)
{
    snapshot_free(control->snapshot);
    control->snapshot = NULL;
    control->snapshot_client = NULL;
}

void control_snapshot_forget(struct control_client *client)
{
    if (client->control->snapshot_client == client)
        end_snapshot(client->control);
}

static enum control_answer fail(struct control_call *call, int r)
{
    end_snapshot(call->control);
    return control_call_fail(call, r == -ENOSPC ? RPC_KIND_disk_full : RPC_KIND_store_error,
                             "the store can't be copied: %s", strerror(-r));
}

static bool has_room(const struct node *node)
{
    struct space *space = node_space(node);
    return space == NULL || space_left(space) > db_size(node_db(node)) + SPACE_LOW_BYTES;
}

/* 0 or -errno. */
static int begin(struct control_call *call)
{
    struct control *control = call->control;
    CLEANUP(cleanup_free)
    char *path = path_join(control->owner->directory(control->owner_context), BACKUP_COPY);
    if (path == NULL)
        return -ENOMEM;
    if (!has_room(call->node))
        return -ENOSPC;
    int r = snapshot_start(&control->snapshot, node_db(call->node), path);
    if (r == 0)
        control->snapshot_client = call->client;
    return r;
}

enum control_answer control_store_snapshot(struct control_call *call)
{
    struct control *control = call->control;
    unsigned left;
    if (control->snapshot != NULL && control->snapshot_client != call->client)
        return control_call_fail(call, RPC_KIND_rate_limited, "another backup is being made");
    int r = control->snapshot == NULL ? begin(call) : 0;
    if (r == 0)
        r = snapshot_step(control->snapshot, PAGES_PER_CALL, &left);
    if (r < 0)
        return fail(call, r);
    json_t *result = json_pack("{s:I}", "left", (json_int_t)left);
    if (left == 0) {
        rpc_value_set(&result, "file", json_string(snapshot_path(control->snapshot)));
        rpc_value_set(&result, "fingerprint",
                      control_view_fingerprint(pubkey_fingerprint(node_pubkey(call->node))->bytes));
        rpc_value_set(&result, "epoch", json_string(db_epoch(node_db(call->node))));
        rpc_value_set(&result, "last_seq",
                      json_integer((json_int_t)events_last(node_db(call->node))));
    }
    return control_call_done(call, result);
}
