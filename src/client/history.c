/* SPDX-License-Identifier: ISC */
/*
 * Stored messages, fetched page by page from the newest back: so no reply is huge, and the daemon
 * may give fewer at a time than it is asked for.
 */
#include "client/history.h"

#include "base/cleanup.h"

enum { PAGE = 500 }; /* messages per request */

/* The `limit` newest messages before seq `before` (0: of all), oldest first; NULL after telling. */
static json_t *fetch_page(struct ctl *ctl, const json_t *params, json_int_t before,
                          json_int_t limit)
{
    json_t *page = json_copy((json_t *)params);
    json_object_set_new(page, "limit", json_integer(limit < 0 || limit > PAGE ? PAGE : limit));
    if (before > 0)
        json_object_set_new(page, "before", json_integer(before));
    CLEANUP(json_release) json_t *result = ctl_call(ctl, "history.list", page);
    return json_incref(json_object_get(result, "messages"));
}

/* Pages, the newest first, until there are enough or no more. False after telling. */
static bool fetch_pages(struct ctl *ctl, const json_t *params, json_int_t count, json_t *pages)
{
    json_int_t before = 0;
    while (count != 0) {
        json_t *page = fetch_page(ctl, params, before, count);
        if (page == NULL)
            return false;
        const json_int_t size = (json_int_t)json_array_size(page);
        before = member_integer(json_array_get(page, 0), "seq");
        json_array_append_new(pages, page);
        if (before <= 1) /* the very first, or none */
            break;
        if (count > 0)
            count -= size < count ? size : count;
    }
    return true;
}

json_t *history_fetch(struct ctl *ctl, const json_t *params, json_int_t count)
{
    CLEANUP(json_release) json_t *pages = json_array();
    CLEANUP(json_release) json_t *messages = json_array();
    if (!fetch_pages(ctl, params, count, pages))
        return NULL;
    for (size_t page = json_array_size(pages); page-- > 0;) {
        if (json_array_extend(messages, json_array_get(pages, page)) != 0) {
            ctl_fail(ctl, RPC_KIND_internal, "out of memory");
            return NULL;
        }
    }
    return STEAL(messages);
}
