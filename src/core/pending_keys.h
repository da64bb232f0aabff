/* SPDX-License-Identifier: ISC */
/*
 * Unknown keys that wait for a person's yes: a bounded list in memory. Strangers cause no disk
 * write.
 */
#pragma once

#include "base/fingerprint.h"
#include "base/list.h"
#include "net/stream.h"

enum { PENDING_KEYS_MAX = 64 };

struct link;

/* One key that asked. Its link may have ended meanwhile; the request stays. */
struct pending_key {
    struct list node;
    struct fingerprint fingerprint;
    char origin[ADDRESS_TEXT_MAX];
    uint64_t since_ms; /* wall clock, when it first asked */
    struct link *link; /* its session, waiting; or NULL */
};

struct pending_keys {
    struct list list; /* oldest first */
    unsigned count;
};

void pending_keys_init(struct pending_keys *pending_keys);
void pending_keys_deinit(struct pending_keys *pending_keys);

struct pending_key *pending_keys_find(const struct pending_keys *pending_keys,
                                      const struct fingerprint *fingerprint);

/*
 * Notes that a key asks over `link`, forgetting the oldest request without a link when the list is
 * full. NULL without memory or when all places are taken by waiting links.
 */
struct pending_key *pending_keys_add(struct pending_keys *pending_keys,
                                     const struct fingerprint *fingerprint, const char *origin,
                                     struct link *link, uint64_t wall_ms);

void pending_keys_remove(struct pending_keys *pending_keys, struct pending_key *request);

/* The link has ended: no request refers to it any more. */
void pending_keys_forget_link(struct pending_keys *pending_keys, const struct link *link);

/* How many have a session that waits. */
unsigned pending_keys_waiting(const struct pending_keys *pending_keys);
