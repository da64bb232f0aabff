/* SPDX-License-Identifier: ISC */
/*
 * Control methods about the history.
 */
#include <errno.h>
#include <string.h>

#include "base/timestamp.h"
#include "daemon/control_call.h"
#include "daemon/control_view.h"
#include "rpc/rpc_value.h"

enum { HISTORY_DEFAULT = 100, HISTORY_MAX = 10000 };

/* --- history.list ----------------------------------------------------------------------------- */

struct listing {
    const struct node *node;
    const char *pattern; /* text that a message has to contain, or NULL */
    size_t bytes;        /* of text, so far */
    json_t *list;        /* newest first */
};

static bool contains(const json_t *message, const char *pattern)
{
    const char *body = json_string_value(json_object_get(message, "body"));
    return pattern == NULL || (body != NULL && strstr(body, pattern) != NULL);
}

static int list_row(void *context, const struct message_row *row)
{
    struct listing *listing = context;
    if (listing->bytes >= CONTROL_HISTORY_BYTES_MAX)
        return -EMSGSIZE; /* enough for one reply; `before` gets the rest */
    json_t *message = control_view_message(listing->node, row);
    if (message == NULL)
        return -ENOMEM;
    if (!contains(message, listing->pattern)) {
        json_decref(message);
        return 1;
    }
    listing->bytes += row->text_size;
    return json_array_append_new(listing->list, message) == 0 ? 0 : -ENOMEM;
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

static bool read_time(struct control_call *call, const char *name, uint64_t *wall_ms)
{
    const char *text = control_call_string(call, name);
    if (text == NULL || timestamp_parse(text, wall_ms) == 0)
        return true;
    control_call_fail(call, RPC_KIND_usage, "%s: '%.60s' is not a time", name, text);
    return false;
}

static bool read_filter(struct control_call *call, struct messages_filter *filter)
{
    int64_t limit = control_call_integer(call, "limit", HISTORY_DEFAULT);
    *filter = (struct messages_filter){
        .after_seq = control_call_integer(call, "after", 0),
        .before_seq = control_call_integer(call, "before", 0),
        .queued_only = json_is_true(json_object_get(call->params, "queued")),
        .limit = (unsigned)(limit < HISTORY_MAX ? limit : HISTORY_MAX),
    };
    if (control_call_string(call, "peer") != NULL) {
        struct peer *peer;
        if (!control_call_peer(call, "peer", &peer))
            return false;
        filter->peer = peer->row.id;
    }
    return read_time(call, "since", &filter->since_ms) &&
           read_time(call, "until", &filter->until_ms);
}

enum control_answer control_history_list(struct control_call *call)
{
    struct messages_filter filter;
    struct listing listing = {.node = call->node, .pattern = control_call_string(call, "grep")};
    if (!read_filter(call, &filter))
        return CALL_FAILED;
    call->client->sated = true;
    listing.list = json_array();
    int r = messages_newest(node_db(call->node), &filter, list_row, &listing);
    if (r < 0 && r != -EMSGSIZE) {
        json_decref(listing.list);
        return r == -ENOMEM ? control_call_done(call, NULL) : control_call_outcome(call, r, NULL);
    }
    return control_call_done(call, json_pack("{s:o}", "messages", reverse(listing.list)));
}

/* --- history.purge ---------------------------------------------------------------------------- */

enum control_answer control_history_purge(struct control_call *call)
{
    struct peer *peer = NULL;
    uint64_t before_ms = 0;
    unsigned removed;
    const bool named = control_call_string(call, "peer") != NULL;
    if (!named && control_call_string(call, "before") == NULL)
        return control_call_fail(call, RPC_KIND_usage, "say which: peer, before, or both");
    if ((named && !control_call_peer(call, "peer", &peer)) ||
        !read_time(call, "before", &before_ms))
        return CALL_FAILED;
    int r = node_purge(call->node, peer, before_ms, &removed);
    if (r != 0)
        return control_call_outcome(call, r, NULL);
    return control_call_done(
        call, json_pack("{s:i, s:b}", "removed", (int)removed, "more", removed >= NODE_PURGE_MAX));
}
