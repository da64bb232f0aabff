/* SPDX-License-Identifier: ISC */
/*
 * Two peers become one.
 */
#define LOG_COMPONENT "admission"
#include "core/merging.h"

#include "base/log.h"
#include "core/node_outcome.h"

/* One that is handed over is sealed anew. */
struct resealing {
    struct body_sealer *body_sealer;
    int64_t peer; /* for whom */
};

/* A sealed body is bound to its peer. One that is damaged stays so. */
static int reseal(void *context, const struct message_row *row, struct bytes *body)
{
    const struct resealing *resealing = context;
    struct bytes text = {0};
    int r = body_sealer_open(resealing->body_sealer, row, &text);
    struct message_row other = *row;
    other.peer = resealing->peer;
    if (r == 0)
        r = body_sealer_seal(resealing->body_sealer, &other, bytes_span(&text), body);
    else if (r == BODY_SEALER_DAMAGED)
        r = bytes_append(body, row->body.data, row->body.size);
    bytes_deinit(&text);
    return r;
}

static int step(struct merging *merging, bool *more)
{
    struct resealing resealing = {merging->body_sealer, merging->handover.to};
    int r = handover_step(merging->runtime->db, &merging->handover, reseal, &resealing, more);
    return outcome_of_store(r);
}

static void arm(struct merging *merging, uint64_t wait_ms)
{
    merging->going = true;
    timer_arm_at(merging->timer, loop_now(merging->runtime->loop) + wait_ms);
}

/* One more step, unless they are no longer two, or there is no room for it. */
static void on_step(void *context)
{
    struct merging *merging = context;
    struct peer *keyless = roster_by_id(merging->roster, merging->handover.from);
    bool more = true;
    merging->going = false;
    if (keyless == NULL || roster_by_id(merging->roster, merging->handover.to) == NULL)
        return;
    housekeeping_look(merging->housekeeping, 0);
    if (!housekeeping_has_room(merging->housekeeping)) {
        arm(merging, MERGING_RETRY_MS);
        return;
    }
    int r = step(merging, &more);
    if (r < 0)
        runtime_fail(merging->runtime, r);
    else if (r > 0)
        arm(merging, MERGING_RETRY_MS);
    else if (more)
        arm(merging, 0);
    else
        peer_dial_at_once(keyless);
}

static int make_one(struct merging *merging, struct peer *keyless, struct peer *nameless)
{
    const struct runtime *runtime = merging->runtime;
    const int64_t former = keyless->row.id;
    merging->handover = (struct handover){0};
    log_event(LOG_LEVEL_NOTICE, "peer-trust", keyless->row.name,
              "%s, who called in before, answers at the peer's address: they are one peer now",
              nameless->row.name);
    int r = roster_merge(merging->roster, nameless, keyless);
    if (r == 0)
        runtime->observer->merged(runtime->observer_context, nameless, former);
    return r;
}

int merging_try(struct merging *merging, struct peer *keyless, struct peer *nameless, bool *merged)
{
    struct handover *handover = &merging->handover;
    const int64_t from = keyless->row.id, to = nameless->row.id;
    bool more = true;
    *merged = false;
    const bool same = handover->from == from && handover->to == to;
    if (!same && merging->going)
        return 0;
    if (!same)
        *handover = (struct handover){.from = from, .to = to};
    int r = 0;
    for (unsigned i = 0; r == 0 && more && i < MERGING_STEPS_AT_ONCE; i++)
        r = step(merging, &more);
    if (r != 0)
        return r;
    if (more) {
        arm(merging, 0);
        return 0;
    }
    r = make_one(merging, keyless, nameless);
    *merged = r == 0;
    return r;
}

void merging_undone(struct merging *merging)
{
    merging->handover.ids_after = merging->handover.states_after = 0;
}

int merging_init(struct merging *merging)
{
    return timer_new(&merging->timer, merging->runtime->loop, on_step, merging);
}

void merging_deinit(struct merging *merging)
{
    timer_free(merging->timer);
}
