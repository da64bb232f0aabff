/* SPDX-License-Identifier: ISC */
/*
 * Reading a store as the modules above would, with an eye on every value.
 */
#include "unit/whole_store.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/events.h"
#include "store/invites.h"
#include "store/queue.h"

enum { IDS_MAX = 100 };

/* Reads all of it, so that the sanitizers see any byte that is not there. */
static void touch(struct span data)
{
    volatile uint8_t sink = 0;
    for (size_t i = 0; i < data.size; i++)
        sink ^= data.data[i];
    (void)sink;
}

static void touch_text(const char *text)
{
    if (text != NULL)
        touch(SPAN(text, strlen(text)));
}

static int check_message(void *context, const struct message_row *row)
{
    (void)context;
    assert_in_range(row->direction, MESSAGE_IN, MESSAGE_OUT);
    assert_in_range(row->state, MESSAGE_RECEIVED, MESSAGE_UNKNOWN);
    assert_in_range(row->trust, PEER_UNPINNED, PEER_BLOCKED);
    touch_text(row->peer_name);
    touch_text(row->client_id);
    touch(row->body);
    return 0;
}

struct ids {
    struct uuid all[IDS_MAX];
    unsigned count;
};

static int note_id(void *context, const struct message_row *row)
{
    struct ids *ids = context;
    if (ids->count < IDS_MAX)
        ids->all[ids->count++] = row->id;
    return check_message(NULL, row);
}

static int check_event(void *context, const struct event_row *event)
{
    assert_in_range(event->type, EVENT_MESSAGE_RECEIVED, EVENT_LAST);
    assert_in_range(event->state, MESSAGE_RECEIVED, MESSAGE_UNKNOWN);
    assert_in_range(event->trust, PEER_UNPINNED, PEER_BLOCKED);
    touch_text(event->peer_name);
    touch_text(event->reason);
    return event->message != NULL ? check_message(context, event->message) : 0;
}

static int check_old_key(void *context, const struct peer_old_key *old)
{
    (void)context;
    touch(SPAN(old->key, sizeof old->key));
    return 0;
}

static int check_peer(void *context, const struct peer_row *row)
{
    assert_in_range(row->trust, PEER_UNPINNED, PEER_BLOCKED);
    assert_in_range(row->address_count, 0, PEER_ADDRESSES_MAX);
    touch_text(row->name);
    for (unsigned i = 0; i < row->address_count; i++)
        touch_text(row->addresses[i].host);
    return peers_old_keys(context, row->id, check_old_key, NULL);
}

static int check_invite(void *context, const struct invite_row *row)
{
    (void)context;
    touch_text(row->name);
    return 0;
}

int whole_store_read(struct db *db)
{
    const struct messages_filter everything = {.limit = UINT_MAX};
    struct messages_size size;
    struct ids ids = {.count = 0};
    int r = peers_each(db, check_peer, db);
    if (r == 0)
        r = invites_each(db, check_invite, NULL);
    if (r == 0)
        r = events_each(db, 0, check_event, NULL);
    if (r == 0)
        r = messages_newest(db, &everything, note_id, &ids);
    for (unsigned i = 0; r >= 0 && i < ids.count; i++)
        r = messages_get(db, &ids.all[i], check_message, NULL);
    if (r >= 0)
        r = queue_each(db, 1, 0, UINT_MAX, check_message, NULL);
    return r < 0 ? r : messages_count(db, &size);
}
