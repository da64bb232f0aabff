/* SPDX-License-Identifier: ISC */
/*
 * Two honest sessions, and everything between them and around them as the input wants it: which
 * bytes arrive when, what time it is, when links break, processes start anew, keys change. Every
 * item arrives once and in order, and no honest side is ever accused of anything.
 *
 *     input: steps of 2 bytes: which one, and how much of it
 */
#include <string.h>

#include "dialogue/party.h"
#include "fuzz/fuzz.h"
#include "unit/fake_random.h"

enum { START_MS = 1000000, STEPS_MAX = 400, TEXT_MAX = 500, ROUNDS_MAX = 1000 };

enum step {
    STEP_DELIVER,
    STEP_SPEAK,
    STEP_SEND,
    STEP_COMMIT,
    STEP_ANSWER,
    STEP_PASS,
    STEP_PING,
    STEP_REKEY,
    STEP_BREAK,
    STEP_RESTART,
    STEP_CLOSE,
    STEP_KINDS,
};

/* One end: what outlives its sessions, as if it were on disk, and its session. */
struct end {
    struct party party;
    uint32_t accepted;  /* items to be sent, numbered from 1 */
    uint32_t delivered; /* of them, as the other end says */
    uint32_t handed;    /* of them, to this session */
    uint32_t first;     /* the first that was handed to this session */
    uint32_t received;  /* of the other end's items, in memory … */
    uint32_t committed; /* … and on disk */
    uint64_t ordinal;   /* of the last item that is in memory, in this session */
};

static struct {
    struct end ends[2]; /* joiner and host */
    uint64_t now_ms;
} stage;

static uint8_t text[TEXT_MAX]; /* of which every item has the beginning */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    party_set_up();
    memset(text, 'x', sizeof text);
    return 0;
}

/* --- an end ----------------------------------------------------------------------------------- */

static size_t text_size(uint32_t number)
{
    return 1 + number % TEXT_MAX;
}

/* Takes an item: one that is known, or the next one. */
static void on_item(void *context, const struct session_event *event)
{
    struct end *end = context;
    uint32_t number = get_u32(event->item.id.bytes);
    assert(number >= 1 && number <= end->received + 1);
    assert(event->item.content.size == text_size(number));
    if (number == end->received + 1)
        end->received = number;
    end->ordinal = event->ordinal;
}

static void begin(struct end *end, enum session_role role)
{
    party_init(&end->party, role, stage.now_ms);
    end->party.on_item = on_item;
    end->party.context = end;
    end->party.keeps = true;
    end->handed = end->delivered;
    end->first = end->delivered + 1;
    end->ordinal = 0;
}

static void commit(struct end *end)
{
    end->committed = end->received;
    session_acknowledge(end->party.session, end->ordinal);
}

/* Hands over what is accepted and was not handed over in this session, and learns what arrived. */
static void work(struct end *end)
{
    struct session *session = end->party.session;
    if (end->party.acked > 0 && end->first + end->party.acked - 1 > end->delivered)
        end->delivered = end->first + (uint32_t)end->party.acked - 1;
    assert(end->delivered <= end->handed && end->handed <= end->accepted);
    while (end->handed < end->accepted && session_phase(session) == SESSION_OPEN) {
        struct session_item item = {.content = SPAN(text, text_size(end->handed + 1))};
        put_u32(item.id.bytes, end->handed + 1);
        int r = session_send_item(session, &item, stage.now_ms);
        assert(r == 0 || r == SESSION_FULL);
        if (r != 0)
            break;
        end->handed++;
    }
}

/* Whatever ended it, it was not the other end's behaviour. */
static void judge(const struct end *end)
{
    const enum close_code code = end->party.code;
    assert(end->party.ended == 0 || code == CLOSE_NORMAL || code == CLOSE_IDLE_TIMEOUT ||
           code == CLOSE_APPROVAL_TIMEOUT || code == CLOSE_REKEY_OVERDUE);
}

static void answer(struct party *party)
{
    struct session *session = party->session;
    if (session->question == QUESTION_ADMIT)
        session_admit(session, true, stage.now_ms);
    else if (session->question == QUESTION_ESTABLISH)
        session_establish(session, stage.now_ms);
}

/* --- between them ----------------------------------------------------------------------------- */

/* Both lose what was on its way and what they knew of each other. */
static void break_link(void)
{
    for (unsigned i = 0; i < 2; i++) {
        judge(&stage.ends[i]);
        party_deinit(&stage.ends[i].party);
        begin(&stage.ends[i], i == 0 ? SESSION_JOINER : SESSION_HOST);
    }
}

/* A process ends: what it did not commit never was. */
static void restart(struct end *end)
{
    end->received = end->committed;
    break_link();
}

static void deliver(struct end *from, struct end *to, size_t size)
{
    struct party *party = &from->party;
    if (size > party->sent.size)
        size = party->sent.size;
    size = party_hear(&to->party, SPAN(party->sent.data, size), 0, stage.now_ms);
    bytes_consume(&party->sent, size);
}

static void pass(uint64_t ms)
{
    stage.now_ms += ms;
    for (unsigned i = 0; i < 2; i++)
        party_tick(&stage.ends[i].party, stage.now_ms);
}

static void rekey(struct session *session)
{
    if (session_established(session) && epoch_rekey_at_ms(&session->epoch) != UINT64_MAX)
        assert(epoch_start_rekey(&session->epoch, stage.now_ms) == 0);
}

static void take_step(enum step step, unsigned amount)
{
    static const unsigned times_ms[] = {1, 20, 500, 3000, 6000, 20000, 60000, 1000000};
    struct end *end = &stage.ends[amount & 1];
    struct end *other = &stage.ends[~amount & 1];
    struct party *party = &end->party;
    switch (step) {
    case STEP_DELIVER:
        deliver(end, other, (size_t)(amount >> 1) * (amount >> 1));
        break;
    case STEP_SPEAK:
        party_speak(party, stage.now_ms);
        break;
    case STEP_SEND:
        end->accepted += amount >> 4;
        break;
    case STEP_COMMIT:
        commit(end);
        break;
    case STEP_ANSWER:
        party->asks = amount & 2;
        answer(party);
        break;
    case STEP_PASS:
        pass(times_ms[amount % 8]);
        break;
    case STEP_PING:
        session_ping(party->session, stage.now_ms, stage.now_ms);
        break;
    case STEP_REKEY:
        rekey(stage.ends[1].party.session);
        break;
    case STEP_BREAK:
        break_link();
        break;
    case STEP_RESTART:
        restart(end);
        break;
    case STEP_CLOSE:
        session_close(party->session, CLOSE_NORMAL, stage.now_ms);
        break;
    case STEP_KINDS:
        break;
    }
    work(&stage.ends[0]);
    work(&stage.ends[1]);
}

/* --- the end ---------------------------------------------------------------------------------- */

static bool all_delivered(void)
{
    const struct end *ends = stage.ends;
    return ends[0].delivered == ends[0].accepted && ends[1].delivered == ends[1].accepted;
}

/* On a link without faults everything arrives. */
static void settle(void)
{
    unsigned rounds = 0;
    break_link();
    while (!all_delivered()) {
        assert(rounds++ < ROUNDS_MAX);
        for (unsigned i = 0; i < 2; i++) {
            struct end *end = &stage.ends[i];
            party_speak(&end->party, stage.now_ms);
            deliver(end, &stage.ends[1 - i], SIZE_MAX);
            commit(end);
            work(end);
        }
    }
    assert(stage.ends[0].received == stage.ends[1].accepted);
    assert(stage.ends[1].received == stage.ends[0].accepted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader input = reader_of(SPAN(data, size));
    fake_random_reset();
    memset(&stage, 0, sizeof stage);
    stage.now_ms = START_MS;
    begin(&stage.ends[0], SESSION_JOINER);
    begin(&stage.ends[1], SESSION_HOST);
    for (unsigned i = 0; i < STEPS_MAX && input.left >= 2; i++) {
        enum step step = reader_u8(&input) % STEP_KINDS;
        take_step(step, reader_u8(&input));
    }
    settle();
    for (unsigned i = 0; i < 2; i++) {
        judge(&stage.ends[i]);
        party_deinit(&stage.ends[i].party);
    }
    return 0;
}
