/* SPDX-License-Identifier: ISC */
/*
 * Clones: a key that is used by two machines at the same time, because a state directory or a whole
 * disk was copied, or a key was stolen. Each side tells the other, and people are told of it here;
 * nobody's trust changes.
 *
 * Every process says on each session which one it is, by an instance that it keeps for its life:
 *
 *     0   8  of the store: a copy of it gets others
 *     8   8  of the process, random
 *
 * A peer whose instance is new was started again, or was moved, and its former process is gone. One
 * that comes back after another one was here never went: there are two.
 */
#pragma once

#include "core/housekeeping.h"
#include "core/links.h"
#include "core/peer.h"

enum { INSTANCE_STORE_PART = 8 };

enum {
    CLONES_REPEAT_MS = 3600 * 1000, /* after no sign for so long the next one is news */
    CLONES_RIVAL_MS = 30 * 1000,    /* see clones_rival() … */
    CLONES_KEPT_OUT_MS = 60 * 1000, /* … and clones_kept_out() */
};

enum {
    CLONES_SOURCE_MAX =
        (int)PEER_NAME_MAX > (int)ADDRESS_TEXT_MAX ? (int)PEER_NAME_MAX : (int)ADDRESS_TEXT_MAX
};

/* What an instance says, beside the last two of the same key. */
enum clones_verdict {
    CLONES_SAME,    /* the process that was here last */
    CLONES_RENEWED, /* another process, or the first one that said so */
    CLONES_MOVED,   /* another store */
    CLONES_BACK,    /* the one that was here before the last one */
};

enum clones_verdict clones_judge(const struct peer_row *row,
                                 const uint8_t instance[static INSTANCE_SIZE]);

struct clones {
    struct runtime *runtime;
    const struct links *links;
    const struct housekeeping *housekeeping;
    char source[CLONES_SOURCE_MAX]; /* a peer or an address: of the latest sign that ours is used
                                       elsewhere, which is of runtime.cloned_ms */
};

/* The peer at the other end of an open link says which one it is. 0, DB_FULL or -errno. */
int clones_hear(struct clones *clones, struct link *link,
                const uint8_t instance[static INSTANCE_SIZE]);

/* It says that there is another one of us than `instance`. The same. */
int clones_told(struct clones *clones, const struct peer *peer,
                const uint8_t instance[static INSTANCE_SIZE]);

/*
 * The link with this peer that had to give way lost to another one. If that one has answered since
 * it was first in the way of one, CLONES_RIVAL_MS ago or longer, there are two: nobody who has a
 * link makes another. The same.
 */
int clones_rival(struct clones *clones, const struct link *loser);

/*
 * The peer lets us wait because it has a link with us, which is not with this process if that goes
 * on for CLONES_KEPT_OUT_MS. The same.
 */
int clones_kept_out(struct clones *clones, struct peer *peer);

/*
 * A handshake ended because the other side has our key, or says so. It may be this process, which
 * both links are told. The same.
 */
int clones_met_own_key(struct clones *clones, struct link *link);
