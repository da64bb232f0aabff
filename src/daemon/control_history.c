/* SPDX-License-Identifier: ISC */
/*
 * Control methods about the history.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/timestamp.h"
#include "daemon/control_listing.h"
#include "daemon/control_view.h"
#include "rpc/rpc_value.h"

enum {
    HISTORY_DEFAULT = 100,
    HISTORY_MAX = 10000,
    STEP_ROWS_MAX = 512,          /* looked at in one turn … */
    STEP_BYTES_MAX = 1024 * 1024, /* … with so much text */
};

/* --- history.list ----------------------------------------------------------------------------- */

struct search {
    struct listing listing;        /* newest first */
    struct messages_filter filter; /* for what is left to look at */
    int64_t parted;                /* the client was told of events up to here, not all of which
                                      happened here; 0: of none */
    char *pattern;                 /* text that a message has to contain, or NULL */
    unsigned step_rows;            /* of this turn */
    size_t step_bytes;
};

static struct search *search_at(struct listing *listing)
{
    return container_of(listing, struct search, listing);
}

static void free_search(struct listing *listing)
{
    struct search *search = search_at(listing);
    free(search->pattern);
    free(search);
}

static bool contains(const json_t *message, const char *pattern)
{
    const char *body = json_string_value(json_object_get(message, "body"));
    return pattern == NULL || (body != NULL && strstr(body, pattern) != NULL);
}

/* -ENOBUFS: the reply is full; -EAGAIN: the turn has done its share. */
static int list_row(void *context, const struct message_row *row)
{
    struct search *search = context;
    struct messages_filter *filter = &search->filter;
    if (search->step_rows == STEP_ROWS_MAX || search->step_bytes >= STEP_BYTES_MAX)
        return -EAGAIN;
    search->step_rows++;
    if (row->kind > MESSAGE_HEADERS && !filter->queued_only) {
        filter->before_seq = row->seq;
        return 1; /* requests and offers of files are no messages between people */
    }
    search->step_bytes += row->text_size;
    json_t *message = control_view_message(search->listing.node, row);
    if (message == NULL)
        return -ENOMEM;
    const bool fits = contains(message, search->pattern);
    int r = fits ? control_listing_take(&search->listing, message) : 1; /* 1: it does not count */
    if (!fits)
        json_decref(message);
    if (r == 0)
        filter->limit--;
    if (r >= 0)
        filter->before_seq = row->seq;
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
static json_t *conclude_search(struct listing *listing)
{
    const struct search *search = search_at(listing);
    json_t *result = json_pack("{s:o}", "messages", reverse(STEAL(listing->found)));
    if (listing->cut)
        rpc_value_set(&result, "before", json_integer(search->filter.before_seq));
    if (search->parted > 0)
        rpc_value_set(&result, "gap",
                      json_pack("{s:I, s:I, s:s}", "from", (json_int_t)search->filter.after_seq + 1,
                                "to", (json_int_t)search->parted, "reason", "restored"));
    return result;
}

static int step_search(struct listing *listing)
{
    struct search *search = search_at(listing);
    search->step_rows = 0;
    search->step_bytes = 0;
    return search->filter.limit == 0
               ? 0
               : messages_newest(node_db(listing->node), &search->filter, list_row, search);
}

static const struct listing_kind search_kind = {step_search, conclude_search, free_search};

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
    struct search *search = calloc(1, sizeof *search);
    if (search == NULL)
        return control_listing_begin(call, NULL);
    *search = (struct search){.listing.kind = &search_kind,
                              .filter = filter,
                              .parted = parted,
                              .pattern = pattern != NULL ? strdup(pattern) : NULL};
    if (pattern != NULL && search->pattern == NULL) {
        free_search(&search->listing);
        return control_listing_begin(call, NULL);
    }
    return control_listing_begin(call, &search->listing);
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
