/* SPDX-License-Identifier: ISC */
/*
 * The queues of removed peers.
 */
#define LOG_COMPONENT "roster"
#include "core/removal.h"

#include "base/log.h"
#include "core/node_outcome.h"
#include "store/peers.h"
#include "store/queue.h"

static void arm(struct removal *removal, uint64_t wait_ms)
{
    timer_arm_at(removal->timer, loop_now(removal->runtime->loop) + wait_ms);
}

/* One step of one queue; *more: it is not over. 0, DB_FULL or -errno. */
static int end_some(const struct removal *removal, int64_t peer, bool *more)
{
    return queue_end(removal->runtime->db, peer, "the peer was removed",
                     loop_wall(removal->runtime->loop), more);
}

/* The next removed peer of which something waits; 0 with *id 0: none. */
static int find_next(struct removal *removal, int64_t *id)
{
    struct messages_size queue = {0};
    for (unsigned i = 0; i < REMOVAL_LOOKS; i++) {
        int r = peers_next_removed(removal->runtime->db, removal->after, id);
        if (r == 0)
            r = queue_size(removal->runtime->db, *id, &queue);
        if (r != 0 || queue.messages > 0)
            return r;
        removal->after = *id;
    }
    *id = 0;
    return 0;
}

static void on_step(void *context)
{
    struct removal *removal = context;
    bool more = true;
    int64_t id;
    int r = find_next(removal, &id);
    if (r == 0 && id != 0)
        r = end_some(removal, id, &more);
    if (r == DB_NOT_FOUND)
        return; /* that was all */
    if (r < 0)
        runtime_fail(removal->runtime, r);
    else
        arm(removal, r == 0 ? 0 : REMOVAL_RETRY_MS);
}

int removal_add(struct removal *removal, int64_t peer)
{
    bool more;
    int r = end_some(removal, peer, &more);
    if (r != 0 || !more)
        return outcome_of_store(r);
    if (removal->after >= peer)
        removal->after = peer - 1;
    arm(removal, 0);
    return 0;
}

void removal_start(struct removal *removal)
{
    removal->after = 0;
    arm(removal, 0);
}

int removal_init(struct removal *removal, struct runtime *runtime)
{
    *removal = (struct removal){.runtime = runtime};
    return timer_new(&removal->timer, runtime->loop, on_step, removal);
}

void removal_deinit(struct removal *removal)
{
    timer_free(removal->timer);
}
