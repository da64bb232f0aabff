/* SPDX-License-Identifier: ISC */
/*
 * Calls whose answer takes as many turns as it needs: each turn looks at a bounded part of what is
 * asked for, so that a long list keeps nobody waiting. A client has one such call at a time, and
 * says no more meanwhile.
 */
#pragma once

#include "daemon/control_call.h"

struct listing;

struct listing_kind {
    /*
     * A turn's share. 0 when all is found, -EAGAIN when there is more to look at, -ENOBUFS when the
     * reply is full, or another -errno.
     */
    int (*step)(struct listing *listing);
    /* The result of the call, of what was found; NULL without memory. Nothing else comes after it.
     */
    json_t *(*conclude)(struct listing *listing);
    /* Frees it; what follows here has been freed. */
    void (*free)(struct listing *listing);
};

/* To be embedded. */
struct listing {
    const struct listing_kind *kind;
    const struct node *node;
    json_t *id;   /* of the call */
    bool silent;  /* it was a notification */
    size_t bytes; /* of the reply, so far */
    bool cut;     /* the reply is full, and there may be more */
    json_t *found;
};

/*
 * Makes it (on the heap, stolen; NULL is out of memory) the answer of this call, which gets
 * CALL_LATER. All but `kind` and what embeds it is filled in here.
 */
enum control_answer control_listing_begin(struct control_call *call, struct listing *listing);

/* Takes what fits (stolen) at the end. 0, -ENOBUFS when the reply is full without it, or -ENOMEM.
 */
int control_listing_take(struct listing *listing, json_t *entry);

/* A turn's share of the client's listing, which must be there; answers the call when it is done. */
void control_listing_step(struct control_client *client);

/* The client is gone: so is its listing. */
void control_listing_forget(struct control_client *client);
