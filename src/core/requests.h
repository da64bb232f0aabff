/*
 * Unknown keys that wait for a person's yes: a bounded list in memory. Strangers cause no disk
 * write.
 */
#pragma once

#include "base/list.h"
#include "crypto/fingerprint.h"
#include "net/stream.h"

enum { REQUESTS_MAX = 64 };

struct link;

/* One key that asked. Its link may have ended meanwhile; the request stays. */
struct request {
    struct list node;
    struct fingerprint fingerprint;
    char origin[ADDRESS_TEXT_MAX];
    uint64_t since_ms; /* wall clock, when it first asked */
    struct link *link; /* its session, waiting; or NULL */
};

struct requests {
    struct list list; /* oldest first */
    unsigned count;
};

void requests_init(struct requests *requests);
void requests_deinit(struct requests *requests);

struct request *requests_find(const struct requests *requests,
                              const struct fingerprint *fingerprint);

/*
 * Notes that a key asks over `link`, forgetting the oldest request without a link when the list is
 * full. NULL without memory or when all places are taken by waiting links.
 */
struct request *requests_add(struct requests *requests, const struct fingerprint *fingerprint,
                             const char *origin, struct link *link, uint64_t wall_ms);

void requests_remove(struct requests *requests, struct request *request);

/* The link has ended: no request refers to it any more. */
void requests_forget_link(struct requests *requests, const struct link *link);

/* How many have a session that waits. */
unsigned requests_waiting(const struct requests *requests);
