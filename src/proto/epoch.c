/* SPDX-License-Identifier: ISC */
/*
 * Steps and times of the rekey. Packets are sealed and opened elsewhere, with the chains kept here.
 */
#define LOG_COMPONENT "epoch"
#include "proto/epoch.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

static const char *const state_names[] = {
    [EPOCH_STEADY] = "steady",
    [EPOCH_SEND_INIT] = "sending REKEY_INIT",
    [EPOCH_WAIT_RESP] = "waiting for REKEY_RESP",
    [EPOCH_SEND_DONE] = "sending REKEY_DONE",
    [EPOCH_SEND_RESP] = "sending REKEY_RESP",
    [EPOCH_WAIT_DONE] = "waiting for REKEY_DONE",
};

static void enter(struct epoch *epoch, enum epoch_state state, uint64_t now_ms)
{
    log_debug("%s -> %s", state_names[epoch->state], state_names[state]);
    epoch->state = state;
    epoch->step_ms = now_ms;
}

/* The record that is due from now on; its body may be there already. */
static void set_record(struct epoch *epoch, enum record_type type, size_t size)
{
    put_u32(epoch->record, (uint32_t)size);
    epoch->record[4] = (uint8_t)type;
    epoch->record_size = RECORD_HEADER_SIZE + size;
}

static uint8_t *record_body(struct epoch *epoch)
{
    return epoch->record + RECORD_HEADER_SIZE;
}

static struct span due_record(const struct epoch *epoch)
{
    return SPAN(epoch->record, epoch->record_size);
}

static void count_from(struct epoch *epoch, uint64_t now_ms)
{
    epoch->since_ms = now_ms;
    epoch->items_flowed = false;
    epoch->wanted = false;
}

void epoch_begin(struct epoch *epoch, enum session_role role, enum suite suite,
                 const struct epoch_secrets *secrets, uint64_t now_ms)
{
    enum session_side ours = session_side_of(role);
    epoch_wipe(epoch);
    epoch->role = role;
    epoch->suite = suite;
    epoch->root = secrets->root;
    epoch->sending.key = secrets->chain[ours];
    epoch->receiving.key = secrets->chain[!ours];
    count_from(epoch, now_ms);
}

void epoch_wipe(struct epoch *epoch)
{
    secret_wipe(epoch, sizeof *epoch);
}

int epoch_start_rekey(struct epoch *epoch, uint64_t now_ms)
{
    int r = exchange_offer(&epoch->exchange, epoch->suite, record_body(epoch));
    if (r != 0)
        return r;
    set_record(epoch, RECORD_REKEY_INIT, exchange_offer_size(epoch->suite));
    epoch->wanted = false;
    enter(epoch, EPOCH_SEND_INIT, now_ms);
    return 0;
}

/* From both records to the next epoch's root and to the chains that wait for their switches. */
static int derive(struct epoch *epoch, const struct exchange_secret *shared, struct span init,
                  struct span resp)
{
    enum session_side ours = session_side_of(epoch->role);
    const struct span parts[] = {init, resp};
    struct epoch_secrets secrets;
    uint8_t hash[SHA256_SIZE];
    int r = sha256(parts, 2, hash);
    if (r == 0)
        r = keyschedule_rekey(&epoch->root, hash, exchange_secret_span(shared), &secrets);
    if (r == 0) {
        epoch->root = secrets.root;
        epoch->next_sending = secrets.chain[ours];
        epoch->next_receiving = secrets.chain[!ours];
    }
    secret_wipe(&secrets, sizeof secrets);
    return r;
}

/* The old key is gone from here on. */
static void switch_chain(struct chain *chain, struct secret *next)
{
    chain->key = *next;
    chain->epoch++;
    chain->counter = 0;
    secret_wipe(next, sizeof *next);
}

int epoch_take_init(struct epoch *epoch, struct span record, uint64_t now_ms)
{
    CLEANUP(exchange_secret_cleanup) struct exchange_secret shared = {0};
    int r;
    if (epoch->state != EPOCH_STEADY)
        return EPOCH_REJECTED;
    r = exchange_answer(epoch->suite, record.data + RECORD_HEADER_SIZE, record_body(epoch),
                        &shared);
    if (r > 0)
        return EPOCH_REJECTED;
    set_record(epoch, RECORD_REKEY_RESP, exchange_answer_size(epoch->suite));
    if (r == 0)
        r = derive(epoch, &shared, record, due_record(epoch));
    if (r == 0)
        enter(epoch, EPOCH_SEND_RESP, now_ms);
    return r;
}

int epoch_take_resp(struct epoch *epoch, struct span record, uint64_t now_ms)
{
    CLEANUP(exchange_secret_cleanup) struct exchange_secret shared = {0};
    int r;
    if (epoch->state != EPOCH_WAIT_RESP)
        return EPOCH_REJECTED;
    r = exchange_finish(&epoch->exchange, epoch->suite, record.data + RECORD_HEADER_SIZE, &shared);
    exchange_wipe(&epoch->exchange);
    if (r > 0)
        return EPOCH_REJECTED;
    if (r == 0)
        r = derive(epoch, &shared, due_record(epoch), record);
    if (r != 0)
        return r;
    switch_chain(&epoch->receiving, &epoch->next_receiving);
    count_from(epoch, now_ms);
    set_record(epoch, RECORD_REKEY_DONE, 0);
    enter(epoch, EPOCH_SEND_DONE, now_ms);
    return 0;
}

int epoch_take_done(struct epoch *epoch, uint64_t now_ms)
{
    if (epoch->state != EPOCH_WAIT_DONE)
        return EPOCH_REJECTED;
    switch_chain(&epoch->receiving, &epoch->next_receiving);
    count_from(epoch, now_ms);
    enter(epoch, EPOCH_STEADY, now_ms);
    return 0;
}

struct span epoch_due_record(const struct epoch *epoch)
{
    switch (epoch->state) {
    case EPOCH_SEND_INIT:
    case EPOCH_SEND_RESP:
    case EPOCH_SEND_DONE:
        return due_record(epoch);
    case EPOCH_STEADY:
    case EPOCH_WAIT_RESP:
    case EPOCH_WAIT_DONE:
        break;
    }
    return SPAN(NULL, 0);
}

void epoch_mark_sent(struct epoch *epoch, uint64_t now_ms)
{
    switch (epoch->state) {
    case EPOCH_SEND_INIT:
        enter(epoch, EPOCH_WAIT_RESP, now_ms);
        break;
    case EPOCH_SEND_RESP:
        switch_chain(&epoch->sending, &epoch->next_sending);
        enter(epoch, EPOCH_WAIT_DONE, now_ms);
        break;
    case EPOCH_SEND_DONE:
        switch_chain(&epoch->sending, &epoch->next_sending);
        enter(epoch, EPOCH_STEADY, now_ms);
        break;
    case EPOCH_STEADY:
    case EPOCH_WAIT_RESP:
    case EPOCH_WAIT_DONE:
        break;
    }
}

static uint64_t highest_counter(const struct epoch *epoch)
{
    uint64_t sending = epoch->sending.counter, receiving = epoch->receiving.counter;
    return sending > receiving ? sending : receiving;
}

uint64_t epoch_rekey_at_ms(const struct epoch *epoch)
{
    if (epoch->role != SESSION_HOST || epoch->state != EPOCH_STEADY)
        return UINT64_MAX;
    if (highest_counter(epoch) >= EPOCH_COUNTER_REKEY)
        return 0;
    if (epoch->wanted)
        return epoch->since_ms + EPOCH_AGE_WANTED_MS;
    return epoch->since_ms + (epoch->items_flowed ? EPOCH_AGE_USED_MS : EPOCH_AGE_IDLE_MS);
}

uint64_t epoch_overdue_at_ms(const struct epoch *epoch)
{
    uint64_t too_old = epoch->since_ms + EPOCH_AGE_MAX_MS;
    /* One counter value is left for the CLOSE that says so. */
    if (highest_counter(epoch) >= PACKET_COUNTER_LIMIT - 1)
        return 0;
    if (epoch->state == EPOCH_WAIT_RESP || epoch->state == EPOCH_WAIT_DONE) {
        uint64_t step_missed = epoch->step_ms + EPOCH_STEP_TIMEOUT_MS;
        return step_missed < too_old ? step_missed : too_old;
    }
    return too_old;
}
