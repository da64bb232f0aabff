/* SPDX-License-Identifier: ISC */
/*
 * What leads to one peer for the streams of one class: their set, and the lane that carries them,
 * if there is one. Class 0 is for what people provide, class 1 for files, so that no session of a
 * person stands behind a file in the queue of one connection.
 *
 *     host:    NO_LANE -> OFFERED (LANE_OFFER said) -- ATTACH came -------------> ATTACHED
 *     joiner:  NO_LANE -> (LANE_WANT said, LANE_OFFER came) DIALLING -- reached -> ATTACHED
 *
 * A lane is made when there are streams and the session is open, and again when it was lost; it is
 * given up when it was idle for a while. It never outlives its session; streams do, for a time.
 */
#pragma once

#include "base/backoff.h"
#include "base/hash.h"
#include "core/channels.h"
#include "core/runtime.h"
#include "net/dialer.h"

enum {
    TRUNK_LANES_MAX = 256,            /* at once, to all peers */
    TRUNK_OFFER_MS = 20000,           /* an offer is good so long … */
    TRUNK_OFFER_INDIRECT_MS = 75000,  /* … and where connections come by a slow detour */
    TRUNK_IDLE_MS = 60000,            /* then a lane without streams is given up */
    TRUNK_KEPT_MS = CHANNELS_WELL_MS, /* and then what is known of streams that were */
    TRUNK_BARRED_MS = 60000,          /* no lane after a fault */
    TRUNK_WANT_MIN_MS = 1000, /* a LANE_WANT or a dial sooner than this after the last is ignored */
    TRUNK_LINGER_MS = 2000,   /* for a BYE to be taken */
    TRUNK_UNSENT_MAX = 64 * 1024, /* bytes that wait for the kernel until no frame is made */
    TRUNK_ERROR_MAX = 320,
};

/* Why a joiner made no lane of an offer. */
enum lane_failed_reason {
    LANE_NOT_REACHED = 1,
    LANE_CLOSED_EARLY = 2, /* before its first frame */
    LANE_NOT_WANTED = 3,
    LANE_NO_RESOURCES = 4,
};

struct link;

/* What all trunks have in common. */
struct trunk_ground {
    const struct runtime *runtime;
    struct list touched; /* those that there is work for at the end of the turn */
    struct hash offers;  /* those that have offered a lane, by its id */
    unsigned lanes;      /* that there are, to all peers */
};

struct trunk {
    struct list node;          /* in streams->trunks … */
    struct hash_node by_peer;  /* … and found by its peer */
    struct hash_node by_offer; /* while `offered`, as the host */
    struct list touched;       /* in ground->touched, or in those of this turn */
    bool again;                /* it was touched while it stood in there already … */
    bool unread, unwritten;    /* … or there was more to do than there was room for in the turn */
    struct trunk_ground *ground;
    const struct runtime *runtime;
    int64_t peer;  /* row id */
    uint8_t class; /* what it carries; lane records name it */
    struct channels channels;
    struct link *link; /* the open session with it, if that can do streams */
    struct timer *timer;

    struct lane_offer offer; /* host: given out; joiner: to be used by the next ATTACH */
    bool offered;
    uint64_t offer_ms;  /* when it was made or came */
    uint64_t try_at_ms; /* when to ask or to offer again */
    struct backoff backoff;
    uint64_t barred_until_ms;
    struct dial *dial;  /* joiner: a connection in the making … */
    struct address way; /* … to here */
    bool dialled;       /* it came about: the dial is to be ended */
    uint64_t dial_ms;
    char error[TRUNK_ERROR_MAX]; /* why there is no lane, "" if nothing failed */

    struct stream *stream; /* the lane's connection; NULL: no lane */
    struct lane lane;
    bool input_due;   /* something of it is to be read */
    bool ended;       /* its other side has closed it; what was sent before is still to be read */
    bool key_owed;    /* host: a new generation is to be said as soon as the last one is in use */
    bool unwell;      /* set inside a call back: to be given up when nobody stands on it */
    bool carried;     /* there were streams when it was looked at last */
    uint64_t idle_ms; /* since when there are none */

    struct stream *leaving; /* a former lane's connection, for its BYE */
    uint64_t leaving_ms;
};

void trunk_ground_init(struct trunk_ground *ground, const struct runtime *runtime);
void trunk_ground_deinit(struct trunk_ground *ground);

/* 0 or -errno. The events' context is theirs. */
int trunk_new(struct trunk **trunk, struct trunk_ground *ground, int64_t peer, uint8_t class,
              const struct channels_parts *parts);
void trunk_free(struct trunk *trunk);

/* There may be work for it: it has its part at the end of the turn. */
void trunk_touch(struct trunk *trunk);

/* The session with the peer is open, or over; `final` when streams must not go on with the next. */
void trunk_session_up(struct trunk *trunk, struct link *link);
void trunk_session_down(struct trunk *trunk, bool final);

/* The session says something of a lane (a whole record), or has new keys. */
void trunk_hear(struct trunk *trunk, struct span record);
void trunk_rekeyed(struct trunk *trunk);

/*
 * Host: takes over a connection that began with this ATTACH, if it was made for one of our offers.
 * False: it is still the caller's, and the offer stays.
 */
bool trunk_attach(struct trunk_ground *ground, struct stream *stream,
                  const uint8_t frame[static LANE_ATTACH_SIZE]);

/*
 * A share of a turn's work: at most *budget bytes are opened or sealed, which is lowered by what
 * was. `frame` is scratch. True if there is more to do.
 */
bool trunk_read(struct trunk *trunk, size_t *budget);
bool trunk_write(struct trunk *trunk, struct bytes *frame, size_t *budget);

/* Asks for a lane if one is needed, and sets the timer. For the end of the turn. */
void trunk_settle(struct trunk *trunk);

/*
 * Nothing is left that the peer could ask about. `removed`: it is no peer any more, and can't ask.
 */
bool trunk_done(const struct trunk *trunk, bool removed);
