/* SPDX-License-Identifier: ISC */
/*
 * What the store has of one message: store/messages.h and store/queue.h read and write it.
 */
#pragma once

#include "base/bytes.h"
#include "base/uuid.h"
#include "store/peer_row.h"

enum { CLIENT_ID_MAX = 129 }; /* with the NUL */

enum message_direction { MESSAGE_IN = 0, MESSAGE_OUT = 1 };

/* An outgoing message is in the queue while QUEUED or SENT. */
enum message_state {
    MESSAGE_RECEIVED = 0,  /* incoming, committed */
    MESSAGE_QUEUED = 1,    /* accepted, never transmitted */
    MESSAGE_SENT = 2,      /* transmitted at least once, not acknowledged */
    MESSAGE_DELIVERED = 3, /* the peer has it on disk */
    MESSAGE_EXPIRED = 4,   /* ran out of time before it was ever transmitted */
    MESSAGE_CANCELLED = 5,
    MESSAGE_FAILED = 6,     /* the peer can't take it */
    MESSAGE_UNKNOWN = 7,    /* ran out of time after it was transmitted: it may have arrived */
    MESSAGE_PROCESSED = 10, /* the peer has said what came of it: it had arrived */
};

/* What a message is; the first two are those of the wire. */
enum message_kind {
    MESSAGE_TEXT = 0,
    MESSAGE_HEADERS = 1,       /* headers and bytes; and so are the others: */
    MESSAGE_REQUEST = 2,       /* asks something of a service */
    MESSAGE_RESULT = 3,        /* what came of one */
    MESSAGE_CANCEL = 4,        /* takes a request back */
    MESSAGE_FILE_OFFER = 0x11, /* items of their own */
    MESSAGE_FILE_STATE = 0x12, /* what becomes of an offer */
};

/* One message. In a visitor, pointers live until it returns. */
struct message_row {
    int64_t seq;
    int64_t peer;
    char peer_name[PEER_NAME_MAX]; /* read only */
    bool pinned;                   /* read only: the peer's key is known */
    uint8_t peer_key[PEER_KEY_SIZE];
    enum message_direction direction;
    enum message_kind kind;
    uint32_t needs;  /* out: features of the peer without which it waits */
    bool unreadable; /* read only, out: it waits, as its body could not be opened */
    struct uuid id;
    bool stray;               /* read only: its state is its own (store/mark.h) */
    bool transmitted;         /* read only */
    struct uuid previous;     /* read only: as it travels, for queue_each_due() */
    enum message_state state; /* when it is added: RECEIVED or QUEUED */
    enum peer_trust trust;    /* the peer's when the message was stored */
    uint64_t time_ms;         /* stored here, wall clock */
    uint64_t sent_ms;         /* written, by the sender's clock */
    uint64_t expires_ms;      /* out: when it leaves the queue undelivered; 0 is never */
    const char *client_id;    /* out: the client's own id for it, or NULL */
    struct span body;         /* sealed; empty when the content was removed */
    size_t text_size;         /* bytes of the content before sealing */
};

/* Sizes. `bytes` counts text. */
struct messages_size {
    uint64_t messages;
    uint64_t bytes;
};

/*
 * Takes one row: 0; > 0 leaves it out, so that it does not count to a limit; < 0 ends the walk and
 * is passed on.
 */
typedef int messages_visit(void *context, const struct message_row *row);
