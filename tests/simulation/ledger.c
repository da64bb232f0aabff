/*
 * What was promised, and whether it holds.
 */
#include "simulation/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulation/dice.h"
#include "simulation/wire.h"
#include "store/messages.h"

enum { ENTRIES_MAX = 4096 };

/* What the control client that sent a message knows of it. */
enum promise {
    ASKED,    /* no answer yet */
    ACCEPTED, /* it will be delivered */
    OPEN,     /* the answer got lost: it may be delivered or not */
};

struct entry {
    unsigned from;
    unsigned to;
    struct uuid id;
    enum promise promise;
    bool cancel_asked;
    bool cancelled;   /* it never left, and never will */
    bool forgotten;   /* its sender was restored from before it was written */
    bool excused;     /* its receiver was restored from before it arrived */
    bool had_arrived; /* before the restore that is going on */
    /* What the last look at the stores found: */
    bool queued_there;
    bool arrived;
    enum message_state state;
};

static struct {
    struct host *hosts;
    unsigned host_count;
    struct entry entries[ENTRIES_MAX];
    unsigned count;
    bool restored[HOSTS_MAX];
} ledger;

void ledger_reset(struct host *hosts, unsigned count)
{
    memset(&ledger, 0, sizeof ledger);
    ledger.hosts = hosts;
    ledger.host_count = count;
}

/* A text that nobody else has sent. */
static void write_text(struct bytes *text, size_t size)
{
    char head[32];

    snprintf(head, sizeof head, "%u:", ledger.count);
    if (bytes_append(text, head, strlen(head)) < 0)
        abort();
    while (text->size < size)
        bytes_append_u8(text, 'x');
}

void ledger_send(unsigned from, unsigned to, size_t size)
{
    struct host *host = &ledger.hosts[from];
    struct peer *peer = host_peer(host, to);
    struct bytes text = {0};
    int64_t seq;

    if (ledger.count == ENTRIES_MAX || peer == NULL)
        return;
    struct entry *entry = &ledger.entries[ledger.count];
    *entry = (struct entry){.from = from, .to = to};
    write_text(&text, size);
    const struct node_draft draft = {.text = bytes_span(&text)};
    int r = node_send(host->node, peer, &draft, &entry->id, &seq);
    trace(from, "message %u of %zu bytes to %s: %d", ledger.count, text.size, wire_name(to), r);
    bytes_deinit(&text);
    if (r < 0)
        complain("%s can't send: %s", wire_name(from), strerror(-r));
    ledger.count += r == 0;
    loop_wake(&host->loop);
}

void ledger_cancel(unsigned from)
{
    for (unsigned i = 0; i < ledger.count; i++) {
        struct entry *entry = &ledger.entries[i];
        if (entry->from != from || entry->promise != ACCEPTED || entry->cancel_asked ||
            entry->forgotten || entry->arrived || !dice_chance(300))
            continue;
        int r = node_cancel(ledger.hosts[from].node, &entry->id);
        trace(from, "message %u is taken back: %d", i, r);
        entry->cancel_asked = r == 0;
        loop_wake(&ledger.hosts[from].loop);
        return;
    }
}

void ledger_settled(unsigned host)
{
    for (unsigned i = 0; i < ledger.count; i++) {
        struct entry *entry = &ledger.entries[i];
        if (entry->from != host)
            continue;
        if (entry->promise == ASKED)
            entry->promise = ACCEPTED;
        if (entry->cancel_asked && !entry->cancelled)
            entry->cancelled = true;
    }
}

void ledger_host_down(unsigned host)
{
    for (unsigned i = 0; i < ledger.count; i++) {
        struct entry *entry = &ledger.entries[i];
        if (entry->from != host)
            continue;
        if (entry->promise == ASKED || (entry->cancel_asked && !entry->cancelled))
            entry->promise = OPEN;
        entry->cancel_asked = entry->cancelled;
    }
}

unsigned ledger_accepted(void)
{
    unsigned accepted = 0;

    for (unsigned i = 0; i < ledger.count; i++)
        accepted += ledger.entries[i].promise == ACCEPTED;
    return accepted;
}

/* --- looking at the stores -------------------------------------------------------------------- */

/* One host's messages, newest first. */
struct look {
    struct host *host;
    unsigned next[HOSTS_MAX]; /* the entry that was found last per sender */
};

static struct entry *find(const struct message_row *row, unsigned here)
{
    bool out = row->direction == MESSAGE_OUT;

    for (unsigned i = ledger.count; i-- > 0;) {
        struct entry *entry = &ledger.entries[i];
        unsigned there = out ? entry->to : entry->from;
        if ((out ? entry->from : entry->to) == here && uuid_equal(&entry->id, &row->id) &&
            strcmp(wire_name(there), row->peer_name) == 0)
            return entry;
    }
    return NULL;
}

static void check_arrived(struct look *look, struct entry *entry)
{
    unsigned number = (unsigned)(entry - ledger.entries);
    unsigned *next = &look->next[entry->from];

    if (entry->arrived)
        complain("P3: message %u is twice in the history of %s", number, wire_name(entry->to));
    entry->arrived = true;
    if (entry->cancelled) {
        if (!ledger.restored[entry->from])
            complain("message %u was taken back and arrived", number);
        return; /* a backup brought it back, late */
    }
    if (number >= *next && !(ledger.restored[entry->from] && ledger.restored[entry->to]))
        complain("P3: message %u came before %u to %s", *next, number, wire_name(entry->to));
    *next = number;
}

static int look_at(void *context, const struct message_row *row)
{
    struct look *look = context;
    struct entry *entry = find(row, look->host->index);

    if (entry == NULL) {
        complain("%s has a message that nobody sent", wire_name(look->host->index));
    } else if (row->direction == MESSAGE_OUT) {
        entry->queued_there = true;
        entry->state = row->state;
    } else {
        check_arrived(look, entry);
    }
    return 0;
}

static void look_at_host(struct host *host)
{
    const struct messages_filter filter = {.limit = UINT32_MAX};
    struct look look = {.host = host};

    for (unsigned i = 0; i < HOSTS_MAX; i++)
        look.next[i] = UINT32_MAX;
    if (messages_newest(host->db, &filter, look_at, &look) != 0)
        complain("%s: the store can't be read", wire_name(host->index));
}

static bool is_up(unsigned host)
{
    return ledger.hosts[host].node != NULL;
}

/* Finds out where everything is, as far as hosts are up. */
static void look_everywhere(void)
{
    for (unsigned i = 0; i < ledger.count; i++) {
        struct entry *entry = &ledger.entries[i];
        if (is_up(entry->from))
            entry->queued_there = false;
        if (is_up(entry->to))
            entry->arrived = false;
    }
    for (unsigned i = 0; i < ledger.host_count; i++)
        if (is_up(i))
            look_at_host(&ledger.hosts[i]);
}

static void check_sender(unsigned number, const struct entry *entry)
{
    if (entry->promise != ACCEPTED || entry->forgotten)
        return;
    if (!entry->queued_there)
        complain("P1: message %u was accepted and %s does not know it", number,
                 wire_name(entry->from));
    else if (entry->state == MESSAGE_FAILED || entry->state == MESSAGE_EXPIRED ||
             entry->state == MESSAGE_UNKNOWN)
        complain("P1: message %u was given up (state %d)", number, (int)entry->state);
    else if (entry->cancelled && entry->state != MESSAGE_CANCELLED && !ledger.restored[entry->from])
        complain("message %u was taken back and has state %d", number, (int)entry->state);
}

void ledger_check(void)
{
    look_everywhere();
    for (unsigned i = 0; i < ledger.count; i++) {
        const struct entry *entry = &ledger.entries[i];
        if (!is_up(entry->from))
            continue;
        check_sender(i, entry);
        if (entry->queued_there && entry->state == MESSAGE_DELIVERED && is_up(entry->to) &&
            !entry->arrived && !entry->excused)
            complain("P2: message %u is called delivered and %s does not have it", i,
                     wire_name(entry->to));
    }
}

bool ledger_done(bool complaining)
{
    bool done = true;

    look_everywhere();
    for (unsigned i = 0; i < ledger.count; i++) {
        const struct entry *entry = &ledger.entries[i];
        bool waits =
            entry->queued_there && (entry->state == MESSAGE_QUEUED || entry->state == MESSAGE_SENT);
        if (!waits)
            continue;
        done = false;
        if (complaining)
            complain("message %u from %s to %s was never delivered (state %d)", i,
                     wire_name(entry->from), wire_name(entry->to), (int)entry->state);
    }
    return done;
}

/* --- backups ---------------------------------------------------------------------------------- */

void ledger_before_restore(unsigned host)
{
    look_everywhere();
    for (unsigned i = 0; i < ledger.count; i++)
        if (ledger.entries[i].to == host)
            ledger.entries[i].had_arrived = ledger.entries[i].arrived;
}

void ledger_after_restore(unsigned host)
{
    ledger.restored[host] = true;
    look_everywhere();
    for (unsigned i = 0; i < ledger.count; i++) {
        struct entry *entry = &ledger.entries[i];
        if (entry->from == host && !entry->queued_there)
            entry->forgotten = true;
        if (entry->to == host && entry->had_arrived && !entry->arrived)
            entry->excused = true;
    }
}
