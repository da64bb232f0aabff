/* SPDX-License-Identifier: ISC */
/*
 * What is the same for each call that is answered over many turns.
 */
#include "daemon/control_listing.h"

#include <errno.h>

#include "base/cleanup.h"
#include "daemon/control_client.h"
#include "rpc/rpc_value.h"

enum { REPLY_BYTES_MAX = 1024 * 1024 }; /* of one reply, as it is sent */

static void listing_free(struct listing *listing)
{
    if (listing == NULL)
        return;
    json_decref(listing->id);
    json_decref(listing->found);
    listing->kind->free(listing);
}

enum control_answer control_listing_begin(struct control_call *call, struct listing *listing)
{
    if (listing == NULL)
        return control_call_done(call, NULL);
    listing->node = call->node;
    listing->id = json_deep_copy(call->id);
    listing->silent = call->notification;
    listing->found = json_array();
    call->client->listing = listing;
    return CALL_LATER;
}

int control_listing_take(struct listing *listing, json_t *entry)
{
    const size_t size = json_dumpb(entry, NULL, 0, JSON_COMPACT) + 1;
    if (listing->bytes > 0 && listing->bytes + size > REPLY_BYTES_MAX) {
        json_decref(entry);
        listing->cut = true;
        return -ENOBUFS;
    }
    listing->bytes += size;
    return json_array_append_new(listing->found, entry) == 0 ? 0 : -ENOMEM;
}

/* The reply after the last step, which ended so. */
static json_t *conclude(struct listing *listing, int outcome)
{
    struct control_call call = {.result = NULL};
    enum control_answer answer = outcome == 0 || outcome == -ENOBUFS
                                     ? control_call_done(&call, listing->kind->conclude(listing))
                                 : outcome == -ENOMEM ? control_call_done(&call, NULL)
                                                      : control_call_outcome(&call, outcome, NULL);
    return answer == CALL_DONE ? rpc_reply(listing->id, call.result)
                               : rpc_error_of_kind(listing->id, call.kind, call.text);
}

void control_listing_step(struct control_client *client)
{
    struct listing *listing = client->listing;
    const int r = listing->kind->step(listing);
    if (r == -EAGAIN)
        return;
    client->listing = NULL;
    json_t *reply = conclude(listing, r);
    if (listing->silent)
        json_decref(reply);
    else
        control_client_reply(client, listing->id, reply);
    listing_free(listing);
}

void control_listing_forget(struct control_client *client)
{
    listing_free(STEAL(client->listing));
}
