/* SPDX-License-Identifier: ISC */
/*
 * What leads to one peer for streams: their set, and the lane that carries them, if there is one.
 *
 *     host:    NO_LANE -> OFFERED (LANE_OFFER said) -- ATTACH came -------------> ATTACHED
 *     joiner:  NO_LANE -> (LANE_WANT said, LANE_OFFER came) DIALLING -- reached -> ATTACHED
 *
 * A lane is made when there are streams and the session is open, and again when it was lost; it is
 * given up when it was idle for a while. It never outlives its session; streams do, for a time.
 */
#pragma once

#include "base/backoff.h"
#include "core/channels.h"
#include "core/runtime.h"
#include "net/dialer.h"

enum {
    TRUNK_OFFER_MS = 20000,   /* an offer is good so long */
    TRUNK_IDLE_MS = 60000,    /* then a lane without streams is given up */
    TRUNK_BARRED_MS = 60000,  /* no lane after a fault */
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

struct trunk {
    struct list node; /* in streams->trunks */
    const struct runtime *runtime;
    int64_t peer; /* row id */
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
    uint64_t idle_ms; /* since when there are no streams */

    struct stream *leaving; /* a former lane's connection, for its BYE */
    uint64_t leaving_ms;
};

/* 0 or -errno. The events' context is theirs. */
int trunk_new(struct trunk **trunk, const struct runtime *runtime, int64_t peer,
              const struct channels_parts *parts);
void trunk_free(struct trunk *trunk);

/* The session with the peer is open, or over; `final` when streams must not go on with the next. */
void trunk_session_up(struct trunk *trunk, struct link *link);
void trunk_session_down(struct trunk *trunk, bool final);

/* The session says something of a lane (a whole record), or has new keys. */
void trunk_hear(struct trunk *trunk, struct span record);
void trunk_rekeyed(struct trunk *trunk);

/*
 * Host: takes over a connection that began with this ATTACH, if it was made for our offer. False:
 * it is still the caller's, and the offer stays.
 */
bool trunk_attach(struct trunk *trunk, struct stream *stream,
                  const uint8_t frame[static LANE_ATTACH_SIZE]);

/*
 * A share of a turn's work: at most *budget bytes are opened or sealed, which is lowered by what
 * was. `frame` is scratch. True if there is more to do.
 */
bool trunk_read(struct trunk *trunk, size_t *budget);
bool trunk_write(struct trunk *trunk, struct bytes *frame, size_t *budget);

/* Asks for a lane if one is needed, and sets the timer. For the end of the turn. */
void trunk_settle(struct trunk *trunk);

/* Nothing is left that the peer would miss. */
bool trunk_idle(const struct trunk *trunk);
