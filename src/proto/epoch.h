/* SPDX-License-Identifier: ISC */
/*
 * The keys of a session through its epochs, and the rekey that leads from one to the next.
 *
 *     host                                          joiner
 *      | -- … REKEY_INIT -------------------------->  |   last of a packet of epoch e
 *      | <------------------------- … REKEY_RESP ---  |   last of a packet of epoch e;
 *      |                                              |   the joiner's next one is of e + 1
 *      | -- … REKEY_DONE -------------------------->  |   last of a packet of epoch e;
 *      |                                              |   the host's next one is of e + 1
 *
 * Only the host starts, so rekeys never collide. A record that is due is the last one of the next
 * packet; the sending chain switches behind the packet that carries it.
 */
#pragma once

#include "base/outcome.h"
#include "proto/exchange.h"
#include "proto/packet.h"
#include "proto/record.h"

enum {
    EPOCH_AGE_USED_MS = 15 * 60 * 1000, /* the host starts a rekey when items flowed */
    EPOCH_AGE_IDLE_MS = 60 * 60 * 1000, /* … and in any case */
    EPOCH_AGE_WANTED_MS = 10 * 1000,    /* … if the joiner wants it */
    EPOCH_AGE_MAX_MS = 120 * 60 * 1000, /* no epoch gets older */
    EPOCH_COUNTER_REKEY = 1 << 16,      /* packets of one direction until the host starts a rekey */
    EPOCH_STEP_TIMEOUT_MS = 30 * 1000,  /* for the other side's next step */
};

enum epoch_outcome {
    EPOCH_REJECTED = OUTCOME_EPOCH, /* not the time for this step, or its key is degenerate */
};

enum epoch_state {
    EPOCH_STEADY,
    EPOCH_SEND_INIT, /* host: REKEY_INIT waits for its packet */
    EPOCH_WAIT_RESP, /* host */
    EPOCH_SEND_DONE, /* host: receives in the new epoch already */
    EPOCH_SEND_RESP, /* joiner: REKEY_RESP waits for its packet */
    EPOCH_WAIT_DONE, /* joiner: sends in the new epoch already */
};

struct epoch {
    enum session_role role;
    enum suite suite;
    enum epoch_state state;
    struct secret root;
    struct chain sending;
    struct chain receiving;
    struct secret next_sending; /* wait for their switches */
    struct secret next_receiving;
    struct exchange exchange; /* host: between INIT and RESP */
    uint8_t
        record[RECORD_HEADER_SIZE + EXCHANGE_OFFER_MAX]; /* to be sent; INIT is kept until RESP */
    size_t record_size;
    uint64_t since_ms; /* when this epoch began */
    uint64_t step_ms;  /* when the state was entered */
    bool items_flowed; /* in this epoch */
    bool wanted;       /* the joiner asked for a rekey */
};

/* Epoch 0. */
void epoch_begin(struct epoch *epoch, enum session_role role, enum suite suite,
                 const struct epoch_secrets *secrets, uint64_t now_ms);

/* Wipes all keys. */
void epoch_wipe(struct epoch *epoch);

/* Host: makes REKEY_INIT due. 0 or -EIO. */
int epoch_start_rekey(struct epoch *epoch, uint64_t now_ms);

/* Take the records of the other side, which record_check() has passed. 0, EPOCH_REJECTED or -EIO.
 */
int epoch_take_init(struct epoch *epoch, struct span record, uint64_t now_ms);
int epoch_take_resp(struct epoch *epoch, struct span record, uint64_t now_ms);
int epoch_take_done(struct epoch *epoch, uint64_t now_ms);

/* The record to put at the end of the next packet; empty if none is due. */
struct span epoch_due_record(const struct epoch *epoch);

/* The packet with the due record is sealed. */
void epoch_mark_sent(struct epoch *epoch, uint64_t now_ms);

/* Host: when to start the next rekey, in the past if at once; UINT64_MAX while one is running. */
uint64_t epoch_rekey_at_ms(const struct epoch *epoch);

/* When a rule of the rekey will be broken by the other side; in the past if it is. */
uint64_t epoch_overdue_at_ms(const struct epoch *epoch);
