/* SPDX-License-Identifier: ISC */
/*
 * Housekeeping: what leaves the store by itself, and what stops when the disk is nearly full.
 *
 * Messages leave the queue when their time is over, by a timer for the next one. What is older or
 * more than the settings keep is removed in small steps with rests between them. While the disk is
 * low no message is accepted, neither from people nor from peers; a timer sees when it is over.
 *
 * A clock that steps by more than HOUSEKEEPING_STEP_MS is not believed for a while: a slip into the
 * next century must not empty the queue and the history. And it takes the times along of what was
 * stored since the start: a message is as old as it is, although it came before the clock was set.
 */
#pragma once

#include "core/links.h"
#include "core/runtime.h"
#include "store/retention.h"
#include "store/space.h"

enum {
    HOUSEKEEPING_LOOK_MS = 3600 * 1000, /* at least so often, for clocks step */
    HOUSEKEEPING_STEP_MS = 600 * 1000,  /* the wall clock moved this much by itself … */
    HOUSEKEEPING_TRUST_MS = 600 * 1000, /* … and is believed again after this long */
    HOUSEKEEPING_REST_MS = 20,          /* between steps of a long removal */
    HOUSEKEEPING_DELAY_MS = 1000,       /* after something was stored, till surplus is looked for */
    HOUSEKEEPING_SPACE_MS = 1000,       /* how often a full disk is looked at */
    HOUSEKEEPING_UNLOOKED_MAX = 1024 * 1024, /* bytes accepted without another look at the disk */
};

struct housekeeping {
    struct runtime *runtime;
    struct links *links;
    struct timer *expiry;
    struct timer *retention;
    struct timer *disk;
    struct space *space;  /* or NULL: not watched */
    uint64_t expiry_ms;   /* wall clock that `expiry` is armed for; 0: not armed */
    int64_t clock_offset; /* wall clock minus monotonic, when last looked at … */
    int64_t clock_before; /* … and by what is committed */
    uint64_t began_ms;    /* wall clock when it began, by the clock of now */
    uint64_t distrust_ms; /* monotonic, until when age is no reason to remove anything … */
    uint64_t stepped_ms;  /* … and until when the time is no reason to give up on a message */
    bool looked;          /* at the disk, in this turn … */
    size_t unlooked;      /* … and so many bytes were accepted since */
    bool surplus_due;     /* something was stored since the last look for surplus */
    bool low;
};

/* `space` may be NULL. 0 or -errno. Deinit also of one that failed or is all zero. */
int housekeeping_init(struct housekeeping *housekeeping, struct runtime *runtime,
                      struct links *links, struct space *space);
void housekeeping_deinit(struct housekeeping *housekeeping);

/* Arms the timers by what the store and the settings say; again after either changed as a whole. */
void housekeeping_start(struct housekeeping *housekeeping);

/*
 * Before what a turn has changed is committed: if the clock was set, what was stored before is
 * dated anew.
 */
void housekeeping_watch(struct housekeeping *housekeeping);
void housekeeping_committed(struct housekeeping *housekeeping);

/* A message was stored that expires at this time (0: never), or has left the queue. */
void housekeeping_touch(struct housekeeping *housekeeping, uint64_t expires_ms);

/*
 * Looks at the disk again, before something is asked that hangs on it: so many bytes are to be
 * stored. One look does for a turn, or for HOUSEKEEPING_UNLOOKED_MAX of them. When there is room
 * again, links that declined items are closed, so that the peers come again with them.
 */
void housekeeping_look(struct housekeeping *housekeeping, size_t size);

/* The turn is over. */
void housekeeping_turn(struct housekeeping *housekeeping);

/* Whether there was room for one more message at the last look. */
bool housekeeping_has_room(const struct housekeeping *housekeeping);

/* The disk was full. */
void housekeeping_disk_full(struct housekeeping *housekeeping);
