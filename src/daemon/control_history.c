/* SPDX-License-Identifier: ISC */
/*
 * Control methods about the history.
 */
#include "daemon/control_history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/timestamp.h"
#include "daemon/control_call.h"
#include "daemon/control_client.h"
#include "daemon/control_view.h"
#include "rpc/rpc_value.h"

enum {
    HISTORY_DEFAULT = 100,
    HISTORY_MAX = 10000,
    REPLY_BYTES_MAX = 1024 * 1024, /* of one reply, as it is sent */
    STEP_ROWS_MAX = 512,           /* looked at in one turn … */
    STEP_BYTES_MAX = 1024 * 1024,  /* … with so much text */
};

/* --- history.list ----------------------------------------------------------------------------- */

/* One call in the making: a long search takes many turns, with others in between. */
struct listing {
    const struct node *node;
    json_t *id;                    /* of the call */
    bool silent;                   /* it was a notification */
    struct messages_filter filter; /* for what is left to look at */
    int64_t parted;                /* the client was told of events up to here, not all of which
                                      happened here; 0: of none */
    char *pattern;                 /* text that a message has to contain, or NULL */
    size_t bytes;                  /* of the reply, so far */
    bool cut;                      /* the reply is full, and there may be more */
    unsigned step_rows;            /* of this turn */
    size_t step_bytes;
    json_t *list; /* newest first */
};

static void listing_free(struct listing *listing)
{
    if (listing == NULL)
        return;
    json_decref(listing->id);
    json_decref(listing->list);
    free(listing->pattern);
    free(listing);
}

static bool contains(const json_t *message, const char *pattern)
{
    const char *body = json_string_value(json_object_get(message, "body"));
    return pattern == NULL || (body != NULL && strstr(body, pattern) != NULL);
}

/* Takes a message that fits (stolen). 0, -ENOBUFS when the reply is full without it, or -ENOMEM. */
static int take(struct listing *listing, json_t *message)
{
    const size_t size = json_dumpb(message, NULL, 0, JSON_COMPACT) + 1;
    if (listing->bytes > 0 && listing->bytes + size > REPLY_BYTES_MAX) {
        json_decref(message);
        listing->cut = true;
        return -ENOBUFS;
    }
    listing->bytes += size;
    listing->filter.limit--;
    return json_array_append_new(listing->list, message) == 0 ? 0 : -ENOMEM;
}

/* -ENOBUFS: the reply is full; -EAGAIN: the turn has done its share. */
static int list_row(void *context, const struct message_row *row)
{
    struct listing *listing = context;
    if (listing->step_rows == STEP_ROWS_MAX || listing->step_bytes >= STEP_BYTES_MAX)
        return -EAGAIN;
    listing->step_rows++;
    if (row->kind > MESSAGE_HEADERS && !listing->filter.queued_only) {
        listing->filter.before_seq = row->seq;
        return 1; /* requests and results are no messages between people */
    }
    listing->step_bytes += row->text_size;
    json_t *message = control_view_message(listing->node, row);
    if (message == NULL)
        return -ENOMEM;
    const bool fits = contains(message, listing->pattern);
    int r = fits ? take(listing, message) : 1; /* 1: it does not count */
    if (!fits)
        json_decref(message);
    if (r >= 0)
        listing->filter.before_seq = row->seq;
    return r;
}

/* The same elements (stolen) in the other order; NULL without memory. */
static json_t *reverse(json_t *list)
{
    json_t *reversed = json_array();
    for (size_t i = json_array_size(list); i > 0; i--)
        rpc_value_append(&reversed, json_incref(json_array_get(list, i - 1)));
    json_decref(list);
    return reversed;
}

/* What was found, and where to go on if the reply was cut. */
static json_t *conclude(struct listing *listing)
{
    json_t *result = json_pack("{s:o}", "messages", reverse(STEAL(listing->list)));
    if (listing->cut)
        rpc_value_set(&result, "before", json_integer(listing->filter.before_seq));
    if (listing->parted > 0)
        rpc_value_set(&result, "gap",
                      json_pack("{s:I, s:I, s:s}", "from",
                                (json_int_t)listing->filter.after_seq + 1, "to",
                                (json_int_t)listing->parted, "reason", "restored"));
    return result;
}

/* One turn's share. 0 when all is found, 1 when there is more to look at, or -errno. */
static int step(struct listing *listing)
{
    listing->step_rows = 0;
    listing->step_bytes = 0;
    if (listing->filter.limit == 0)
        return 0;
    int r = messages_newest(node_db(listing->node), &listing->filter, list_row, listing);
    return r == -ENOBUFS ? 0 : r == -EAGAIN ? 1 : r;
}

void control_history_step(struct control_client *client)
{
    struct listing *listing = client->listing;
    struct control_call call = {.result = NULL};
    int r = step(listing);
    if (r > 0)
        return;
    client->listing = NULL;
    enum control_answer answer = r == 0         ? control_call_done(&call, conclude(listing))
                                 : r == -ENOMEM ? control_call_done(&call, NULL)
                                                : control_call_outcome(&call, r, NULL);
    if (listing->silent)
        json_decref(call.result);
    else
        control_client_reply(client, listing->id,
                             answer == CALL_DONE
                                 ? rpc_reply(listing->id, call.result)
                                 : rpc_error_of_kind(listing->id, call.kind, call.text));
    listing_free(listing);
}

void control_history_forget(struct control_client *client)
{
    listing_free(STEAL(client->listing));
}

static bool read_time(struct control_call *call, const char *name, uint64_t *wall_ms)
{
    const char *text = control_call_string(call, name);
    if (text == NULL || timestamp_parse(text, wall_ms) == 0)
        return true;
    control_call_fail(call, RPC_KIND_usage, "%s: '%.60s' is not a time", name, text);
    return false;
}

static bool read_filter(struct control_call *call, struct messages_filter *filter, int64_t *parted)
{
    int64_t limit = control_call_integer(call, "limit", HISTORY_DEFAULT);
    *filter = (struct messages_filter){
        .after_seq = control_call_position(call, 0, parted),
        .before_seq = control_call_integer(call, "before", 0),
        .queued_only = json_is_true(json_object_get(call->params, "queued")),
        .limit = (unsigned)(limit < HISTORY_MAX ? limit : HISTORY_MAX),
    };
    if (control_call_string(call, "peer") != NULL &&
        !control_call_past_peer(call, "peer", &filter->peer))
        return false;
    return read_time(call, "since", &filter->since_ms) &&
           read_time(call, "until", &filter->until_ms);
}

enum control_answer control_history_list(struct control_call *call)
{
    const char *pattern = control_call_string(call, "grep");
    struct messages_filter filter;
    int64_t parted;
    if (!read_filter(call, &filter, &parted))
        return CALL_FAILED;
    struct listing *listing = calloc(1, sizeof *listing);
    if (listing == NULL)
        return control_call_done(call, NULL);
    *listing = (struct listing){.node = call->node,
                                .id = json_deep_copy(call->id),
                                .silent = call->notification,
                                .filter = filter,
                                .parted = parted,
                                .pattern = pattern != NULL ? strdup(pattern) : NULL,
                                .list = json_array()};
    if (pattern != NULL && listing->pattern == NULL) {
        listing_free(listing);
        return control_call_done(call, NULL);
    }
    call->client->listing = listing;
    return CALL_LATER;
}

/* --- history.purge ---------------------------------------------------------------------------- */

enum control_answer control_history_purge(struct control_call *call)
{
    int64_t peer = 0;
    uint64_t before_ms = 0;
    unsigned removed;
    const bool named = control_call_string(call, "peer") != NULL;
    if (!named && control_call_string(call, "before") == NULL)
        return control_call_fail(call, RPC_KIND_usage, "say which: peer, before, or both");
    if ((named && !control_call_past_peer(call, "peer", &peer)) ||
        !read_time(call, "before", &before_ms))
        return CALL_FAILED;
    bool more;
    int r = node_purge(call->node, peer, before_ms, &removed, &more);
    if (r != 0)
        return control_call_outcome(call, r, NULL);
    return control_call_done(call,
                             json_pack("{s:i, s:b}", "removed", (int)removed, "more", (int)more));
}
