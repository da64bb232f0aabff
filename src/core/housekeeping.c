/* SPDX-License-Identifier: ISC */
/*
 * Housekeeping.
 */
#define LOG_COMPONENT "store"
#include "core/housekeeping.h"

#include <stdlib.h>

#include "base/log.h"
#include "store/expiry.h"
#include "store/redate.h"

static uint64_t now_ms(const struct housekeeping *housekeeping)
{
    return loop_now(housekeeping->runtime->loop);
}

static uint64_t wall_ms(const struct housekeeping *housekeeping)
{
    return loop_wall(housekeeping->runtime->loop);
}

/* A failed store ends the node; a full disk ends only this try. Whether it worked. */
static bool check(struct housekeeping *housekeeping, int outcome)
{
    if (outcome < 0)
        runtime_fail(housekeeping->runtime, outcome);
    return outcome == 0;
}

static void rearm_expiry(struct housekeeping *housekeeping);

void housekeeping_watch(struct housekeeping *housekeeping)
{
    const uint64_t now = now_ms(housekeeping), wall = wall_ms(housekeeping);
    const int64_t offset = (int64_t)(wall - now);
    const struct redate step = {.by_ms = offset - housekeeping->clock_offset,
                                .began_ms = housekeeping->began_ms,
                                .ended_ms = now + (uint64_t)housekeeping->clock_offset};
    if (llabs(step.by_ms) <= HOUSEKEEPING_STEP_MS)
        return;
    housekeeping->stepped_ms = housekeeping->distrust_ms = now + HOUSEKEEPING_TRUST_MS;
    if (!check(housekeeping, redate_rows(housekeeping->runtime->db, &step)))
        return;
    log_warning("the clock was set by %lld seconds: what was stored since the start is dated anew, "
                "and nothing is removed by age for a while",
                (long long)(step.by_ms / 1000));
    housekeeping->clock_offset = offset;
    housekeeping->began_ms += (uint64_t)step.by_ms;
    rearm_expiry(housekeeping);
}

void housekeeping_committed(struct housekeeping *housekeeping)
{
    housekeeping->clock_before = housekeeping->clock_offset;
}

/* --- the queue -------------------------------------------------------------------------------- */

static void arm_expiry(struct housekeeping *housekeeping, uint64_t at_ms)
{
    const uint64_t now = now_ms(housekeeping);
    const uint64_t wall = wall_ms(housekeeping);
    uint64_t wait = at_ms > wall ? at_ms - wall : 0;
    if (wait > HOUSEKEEPING_LOOK_MS)
        wait = HOUSEKEEPING_LOOK_MS;
    if (now + wait < housekeeping->stepped_ms)
        wait = housekeeping->stepped_ms - now;
    housekeeping->expiry_ms = at_ms;
    timer_arm_at(housekeeping->expiry, at_ms != 0 ? now + wait : UINT64_MAX);
}

static void rearm_expiry(struct housekeeping *housekeeping)
{
    uint64_t at_ms;
    if (check(housekeeping, expiry_next(housekeeping->runtime->db, &at_ms)))
        arm_expiry(housekeeping, at_ms);
}

static void on_expiry(void *context)
{
    struct housekeeping *housekeeping = context;
    unsigned count = 0;
    housekeeping_watch(housekeeping);
    if (now_ms(housekeeping) >= housekeeping->stepped_ms &&
        !check(housekeeping,
               expiry_apply(housekeeping->runtime->db, wall_ms(housekeeping), &count))) {
        timer_arm_at(housekeeping->expiry, now_ms(housekeeping) + HOUSEKEEPING_SPACE_MS);
        return;
    }
    if (count > 0)
        log_event(LOG_LEVEL_NOTICE, "message-expired", NULL,
                  "%u messages ran out of time in the queue", count);
    rearm_expiry(housekeeping);
}

/* --- the history ------------------------------------------------------------------------------ */

static struct retention read_limits(const struct housekeeping *housekeeping)
{
    const struct settings *settings = &housekeeping->runtime->settings;
    const uint64_t wall = wall_ms(housekeeping);
    const bool trusted = now_ms(housekeeping) >= housekeeping->distrust_ms;
    struct retention limits = {.keep_messages = settings->retention_messages};
    if (trusted && settings->retention_ms != 0 && wall > settings->retention_ms)
        limits.before_ms = wall - settings->retention_ms;
    return limits;
}

/* One step; *more: there is more to do. */
static int remove_some(struct housekeeping *housekeeping, bool *more)
{
    struct db *db = housekeeping->runtime->db;
    const struct retention limits = read_limits(housekeeping);
    const uint64_t wall = wall_ms(housekeeping);
    unsigned removed;
    int r = retention_apply(db, &limits, wall, &removed);
    *more = r == 0 && removed > 0;
    if (r == 0 && !*more && now_ms(housekeeping) >= housekeeping->distrust_ms)
        r = retention_forget_ids(db, wall, &removed, more);
    return r;
}

static void on_retention(void *context)
{
    struct housekeeping *housekeeping = context;
    const uint64_t now = now_ms(housekeeping);
    bool more = false;
    housekeeping_watch(housekeeping);
    if (!check(housekeeping, remove_some(housekeeping, &more)))
        more = false;
    housekeeping->surplus_due = more; /* what comes meanwhile does not put off the next step */
    uint64_t next = now + (more ? HOUSEKEEPING_REST_MS : HOUSEKEEPING_LOOK_MS);
    if (!more && housekeeping->distrust_ms > now)
        next = housekeeping->distrust_ms;
    timer_arm_at(housekeeping->retention, next);
}

/* --- the disk --------------------------------------------------------------------------------- */

static void note_room(struct housekeeping *housekeeping, bool room)
{
    const bool was_low = housekeeping->low;
    housekeeping->low = !room;
    if (!room)
        timer_arm_at(housekeeping->disk, now_ms(housekeeping) + HOUSEKEEPING_SPACE_MS);
    else if (was_low)
        links_renew_declined(housekeeping->links);
}

static void look(struct housekeeping *housekeeping)
{
    housekeeping->looked = true;
    housekeeping->unlooked = 0;
    if (housekeeping->space != NULL)
        note_room(housekeeping,
                  space_check(housekeeping->space, db_spare(housekeeping->runtime->db)));
}

void housekeeping_look(struct housekeeping *housekeeping, size_t size)
{
    housekeeping->unlooked += size;
    if (!housekeeping->looked || housekeeping->unlooked > HOUSEKEEPING_UNLOOKED_MAX)
        look(housekeeping);
}

void housekeeping_turn(struct housekeeping *housekeeping)
{
    housekeeping->looked = false;
}

bool housekeeping_has_room(const struct housekeeping *housekeeping)
{
    return !housekeeping->low;
}

static void on_disk(void *context)
{
    look(context);
}

void housekeeping_disk_full(struct housekeeping *housekeeping)
{
    housekeeping->began_ms -= (uint64_t)(housekeeping->clock_offset - housekeeping->clock_before);
    housekeeping->clock_offset = housekeeping->clock_before; /* a step was undone with the turn */
    if (housekeeping->space == NULL)
        return;
    space_relieve(housekeeping->space);
    note_room(housekeeping, false);
}

/* --- coming and going ------------------------------------------------------------------------- */

void housekeeping_touch(struct housekeeping *housekeeping, uint64_t expires_ms)
{
    if (expires_ms != 0 && (housekeeping->expiry_ms == 0 || expires_ms < housekeeping->expiry_ms))
        arm_expiry(housekeeping, expires_ms);
    if (housekeeping->surplus_due || housekeeping->runtime->settings.retention_messages == 0)
        return;
    housekeeping->surplus_due = true;
    timer_arm_at(housekeeping->retention, now_ms(housekeeping) + HOUSEKEEPING_DELAY_MS);
}

int housekeeping_init(struct housekeeping *housekeeping, struct runtime *runtime,
                      struct links *links, struct space *space)
{
    *housekeeping = (struct housekeeping){.runtime = runtime, .links = links, .space = space};
    int r = timer_new(&housekeeping->expiry, runtime->loop, on_expiry, housekeeping);
    if (r == 0)
        r = timer_new(&housekeeping->retention, runtime->loop, on_retention, housekeeping);
    if (r == 0)
        r = timer_new(&housekeeping->disk, runtime->loop, on_disk, housekeeping);
    housekeeping->began_ms = wall_ms(housekeeping);
    housekeeping->clock_offset = (int64_t)(housekeeping->began_ms - now_ms(housekeeping));
    housekeeping->clock_before = housekeeping->clock_offset;
    housekeeping->distrust_ms = now_ms(housekeeping) + HOUSEKEEPING_TRUST_MS;
    return r;
}

void housekeeping_deinit(struct housekeeping *housekeeping)
{
    timer_free(housekeeping->expiry);
    timer_free(housekeeping->retention);
    timer_free(housekeeping->disk);
}

void housekeeping_start(struct housekeeping *housekeeping)
{
    rearm_expiry(housekeeping);
    timer_arm_at(housekeeping->retention, now_ms(housekeeping) + HOUSEKEEPING_DELAY_MS);
    if (housekeeping->space != NULL)
        space_set_share(housekeeping->space, housekeeping->runtime->settings.low_water);
    look(housekeeping);
}
