/* SPDX-License-Identifier: ISC */
/*
 * What was promised, and whether it holds.
 */
#include "simulation/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulation/dice.h"
#include "store/events.h"

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
    bool expires;     /* it may run out of time */
    bool told;        /* the receiver's follower knows it */
    bool forgotten;   /* its sender was restored from before it was written */
    bool excused;     /* its receiver was restored from before it arrived */
    bool had_arrived; /* before the restore that is going on */
    /* What the last look at the stores found: */
    bool queued_there;
    bool arrived;
    enum message_state state;
};

static struct {
    struct machine *machines;
    unsigned machine_count;
    struct entry entries[ENTRIES_MAX];
    unsigned count;
    bool restored[MACHINES_MAX];
    int64_t cursors[MACHINES_MAX]; /* of the followers */
    bool missed[MACHINES_MAX];     /* something was removed before the follower read it */
} ledger;

void ledger_reset(struct machine *machines, unsigned count)
{
    memset(&ledger, 0, sizeof ledger);
    ledger.machines = machines;
    ledger.machine_count = count;
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

static void note_id(void *context, const struct node_accepted *accepted)
{
    *(struct uuid *)context = accepted->id;
}

void ledger_send(unsigned from, unsigned to, size_t size, uint64_t expires_ms)
{
    struct machine *machine = &ledger.machines[from];
    struct peer *peer = machine_peer(machine, to);
    struct bytes text = {0};
    const struct peer *about;
    if (ledger.count == ENTRIES_MAX || peer == NULL)
        return;
    struct entry *entry = &ledger.entries[ledger.count];
    *entry = (struct entry){.from = from, .to = to, .expires = expires_ms != 0};
    write_text(&text, size);
    const struct node_draft draft = {
        .content = bytes_span(&text), .peers = &peer, .peer_count = 1, .expires_ms = expires_ms};
    int r = node_send(machine->node, &draft, note_id, &entry->id, &about);
    trace(from, "message %u of %zu bytes to %s: %d", ledger.count, text.size, world_name(to), r);
    bytes_deinit(&text);
    if (r < 0)
        complain("%s can't send: %s", world_name(from), strerror(-r));
    ledger.count += r == 0;
    loop_wake(&machine->loop);
}

void ledger_cancel(unsigned from)
{
    for (unsigned i = 0; i < ledger.count; i++) {
        struct entry *entry = &ledger.entries[i];
        if (entry->from != from || entry->promise != ACCEPTED || entry->cancel_asked ||
            entry->forgotten || entry->arrived || !dice_chance(300))
            continue;
        int r = node_cancel(ledger.machines[from].node, &entry->id);
        trace(from, "message %u is taken back: %d", i, r);
        entry->cancel_asked = r == 0;
        loop_wake(&ledger.machines[from].loop);
        return;
    }
}

/* --- followers -------------------------------------------------------------------------------- */

/* Whether the message is with this machine: by its key, for it may have called in without a name.
 */
static bool is_with(const struct message_row *row, unsigned there)
{
    const struct fingerprint *key = machine_key(&ledger.machines[there]);
    return row->pinned ? memcmp(row->peer_key, key->bytes, PEER_KEY_SIZE) == 0
                       : strcmp(row->peer_name, world_name(there)) == 0;
}

static struct entry *find(const struct message_row *row, unsigned here)
{
    bool out = row->direction == MESSAGE_OUT;
    for (unsigned i = ledger.count; i-- > 0;) {
        struct entry *entry = &ledger.entries[i];
        unsigned there = out ? entry->to : entry->from;
        if ((out ? entry->from : entry->to) == here && uuid_equal(&entry->id, &row->id) &&
            is_with(row, there))
            return entry;
    }
    return NULL;
}

static void note_told(unsigned machine, const struct message_row *row)
{
    struct entry *entry = find(row, machine);
    if (entry == NULL)
        return; /* the next look at the store complains */
    if (entry->told && !ledger.restored[machine])
        complain("P3: %s was told twice of message %u", world_name(machine),
                 (unsigned)(entry - ledger.entries));
    entry->told = true;
}

static int read_event(void *context, const struct event_row *event)
{
    const struct machine *machine = context;
    int64_t *cursor = &ledger.cursors[machine->index];
    bool gap = event->seq != *cursor + 1;
    bool gone = event->type == EVENT_MESSAGE_RECEIVED && event->message == NULL;
    *cursor = event->seq;
    if ((gap || gone) && machine->settings.retention_messages == 0)
        complain("%s has lost an event before %lld", world_name(machine->index),
                 (long long)event->seq);
    ledger.missed[machine->index] = ledger.missed[machine->index] || gap || gone;
    if (event->type == EVENT_MESSAGE_RECEIVED && event->message != NULL)
        note_told(machine->index, event->message);
    return 0;
}

static void follow(unsigned machine)
{
    struct db *db = ledger.machines[machine].db;
    if (events_last(db) > ledger.cursors[machine] &&
        events_each(db, ledger.cursors[machine], read_event, &ledger.machines[machine]) != 0)
        complain("%s: the events can't be read", world_name(machine));
}

void ledger_settled(unsigned machine)
{
    for (unsigned i = 0; i < ledger.count; i++) {
        struct entry *entry = &ledger.entries[i];
        if (entry->from != machine)
            continue;
        if (entry->promise == ASKED)
            entry->promise = ACCEPTED;
        if (entry->cancel_asked && !entry->cancelled)
            entry->cancelled = true;
    }
    follow(machine);
}

void ledger_machine_down(unsigned machine)
{
    for (unsigned i = 0; i < ledger.count; i++) {
        struct entry *entry = &ledger.entries[i];
        if (entry->from != machine)
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

/* One machine's messages, newest first. */
struct look {
    struct machine *machine;
    unsigned next[MACHINES_MAX]; /* the entry that was found last per sender */
};

static void check_arrived(struct look *look, struct entry *entry)
{
    unsigned number = (unsigned)(entry - ledger.entries);
    unsigned *next = &look->next[entry->from];
    if (entry->arrived)
        complain("P3: message %u is twice in the history of %s", number, world_name(entry->to));
    entry->arrived = true;
    if (entry->cancelled && !ledger.restored[entry->from])
        complain("message %u was taken back and arrived", number);
    if ((entry->cancelled || entry->expires) && ledger.restored[entry->from])
        return; /* a backup brought it back, late */
    if (number >= *next && !(ledger.restored[entry->from] && ledger.restored[entry->to]))
        complain("P3: message %u came before %u to %s", *next, number, world_name(entry->to));
    *next = number;
}

static int look_at(void *context, const struct message_row *row)
{
    struct look *look = context;
    struct entry *entry = find(row, look->machine->index);
    if (entry == NULL) {
        complain("%s has a message that nobody sent", world_name(look->machine->index));
    } else if (row->direction == MESSAGE_OUT) {
        entry->queued_there = true;
        entry->state = row->state;
    } else {
        check_arrived(look, entry);
    }
    return 0;
}

static void look_at_machine(struct machine *machine)
{
    const struct messages_filter filter = {.limit = UINT32_MAX};
    struct look look = {.machine = machine};
    for (unsigned i = 0; i < MACHINES_MAX; i++)
        look.next[i] = UINT32_MAX;
    if (messages_newest(machine->db, &filter, look_at, &look) != 0)
        complain("%s: the store can't be read", world_name(machine->index));
}

static bool is_up(unsigned machine)
{
    return ledger.machines[machine].node != NULL;
}

/* Finds out where everything is, as far as machines are up. */
static void look_everywhere(void)
{
    for (unsigned i = 0; i < ledger.count; i++) {
        struct entry *entry = &ledger.entries[i];
        if (is_up(entry->from))
            entry->queued_there = false;
        if (is_up(entry->to))
            entry->arrived = false;
    }
    for (unsigned i = 0; i < ledger.machine_count; i++)
        if (is_up(i))
            look_at_machine(&ledger.machines[i]);
}

static bool keeps_all(unsigned machine)
{
    return ledger.machines[machine].settings.retention_messages == 0;
}

/* Whether a message may have got this state. */
static bool state_allowed(const struct entry *entry)
{
    bool untouched = !ledger.restored[entry->from];
    switch (entry->state) {
    case MESSAGE_FAILED:
    case MESSAGE_RECEIVED:
    case MESSAGE_PROCESSED: /* of requests, which nobody makes here */
        return false;
    case MESSAGE_EXPIRED:
        return entry->expires && !(entry->told && untouched);
    case MESSAGE_UNKNOWN:
        return entry->expires;
    case MESSAGE_QUEUED:
    case MESSAGE_SENT:
    case MESSAGE_DELIVERED:
        return !(entry->cancelled && untouched);
    case MESSAGE_CANCELLED:
        return true;
    }
    return false;
}

static void check_sender(unsigned number, const struct entry *entry)
{
    bool removed = !keeps_all(entry->from) &&
                   (entry->told || entry->expires || entry->cancelled || ledger.missed[entry->to]);
    if (entry->promise != ACCEPTED || entry->forgotten)
        return;
    if (!entry->queued_there && !removed)
        complain("P1: message %u was accepted and %s does not know it", number,
                 world_name(entry->from));
    else if (entry->queued_there && !state_allowed(entry))
        complain("P1: message %u has state %d", number, (int)entry->state);
}

static void check_receiver(unsigned number, const struct entry *entry)
{
    bool removed = !keeps_all(entry->to) && (entry->told || ledger.missed[entry->to]);
    if (entry->queued_there && entry->state == MESSAGE_DELIVERED && is_up(entry->to) &&
        !entry->arrived && !entry->excused && !removed)
        complain("P2: message %u is called delivered and %s does not have it", number,
                 world_name(entry->to));
}

void ledger_check(void)
{
    look_everywhere();
    for (unsigned i = 0; i < ledger.count; i++) {
        const struct entry *entry = &ledger.entries[i];
        if (!is_up(entry->from))
            continue;
        check_sender(i, entry);
        check_receiver(i, entry);
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
                     world_name(entry->from), world_name(entry->to), (int)entry->state);
    }
    return done;
}

/* --- backups ---------------------------------------------------------------------------------- */

void ledger_before_restore(unsigned machine)
{
    look_everywhere();
    for (unsigned i = 0; i < ledger.count; i++)
        if (ledger.entries[i].to == machine)
            ledger.entries[i].had_arrived = ledger.entries[i].arrived;
}

void ledger_after_restore(unsigned machine)
{
    ledger.restored[machine] = true;
    ledger.cursors[machine] = events_last(ledger.machines[machine].db);
    look_everywhere();
    for (unsigned i = 0; i < ledger.count; i++) {
        struct entry *entry = &ledger.entries[i];
        if (entry->from == machine && !entry->queued_there)
            entry->forgotten = true;
        if (entry->to == machine && entry->had_arrived && !entry->arrived)
            entry->excused = true;
    }
}
