/* SPDX-License-Identifier: ISC */
/*
 * Services: the names that peers may call here, whom each is for, and who provides it now.
 *
 * Everything is closed until somebody adds a name with a list of peers. A name belongs to the user
 * that added it for as long as the daemon runs, also while nobody provides it, so that no other
 * user slips in when a server restarts. One that takes requests is remembered for good (calls.h).
 */
#pragma once

#include <sys/types.h>

#include "base/list.h"
#include "base/outcome.h"
#include "core/peer.h"
#include "proto/service_name.h"

enum {
    SERVICES_MAX = 256,
    SERVICE_PEERS_MAX = 64,
    SERVICE_STREAMS_DEFAULT = 64, /* of one service at once */
};

enum services_outcome {
    SERVICES_NAME_TAKEN = OUTCOME_SERVICES, /* it belongs to another user */
    SERVICES_FULL,
    SERVICES_BAD_NAME,
    SERVICES_NONE, /* there is no such service */
};

/* What somebody wants to provide, and for whom. */
struct service_terms {
    bool everybody;                   /* every trusted peer … */
    int64_t peers[SERVICE_PEERS_MAX]; /* … or these, by their ids */
    unsigned peer_count;
    bool tofu;             /* a key that nobody has verified will do */
    bool streams;          /* it takes streams */
    bool once;             /* one stream, then nobody provides it any more */
    unsigned max;          /* streams at once */
    bool requests;         /* it takes requests (calls.h) … */
    unsigned requests_max; /* … and so many of them at once */
};

/* What came of the last request. */
struct service_last {
    bool known;
    uint8_t kind, status; /* kind: enum result_kind */
};

enum { SERVICE_INSTANCE_SIZE = 16 };

struct service {
    struct list node;
    char name[SERVICE_NAME_MAX + 1];
    uid_t uid; /* whose it is */
    struct service_terms terms;
    unsigned running; /* streams */
    void *server;     /* who takes new calls, of whoever added it; NULL: nobody */
    uint8_t instance[SERVICE_INSTANCE_SIZE]; /* of who takes requests */
    bool remembered;                         /* it stays known, and requests wait for a server */
    struct service_last last;
};

/* All zero but the list is a valid start. */
struct services {
    struct list list;
    unsigned count;
};

void services_init(struct services *services);
void services_deinit(struct services *services);

/*
 * Adds a name, or gives one that exists new terms and another server: the former keeps what runs.
 * 0 or a services_outcome or -ENOMEM. `admin` may take any name.
 */
int services_add(struct services *services, const char *name, const struct service_terms *terms,
                 uid_t uid, bool admin, void *server, struct service **service);

/* Forgets a name. 0, SERVICES_NONE or SERVICES_NAME_TAKEN. */
int services_remove(struct services *services, const char *name, uid_t uid, bool admin);

/* The service of this name, or NULL. */
struct service *services_find(const struct services *services, const char *name);

/* This server is gone: nobody provides what it did. */
void services_leave(struct services *services, const void *server);

/* One peer turned out to be another: what was for it is for that one. */
void services_merge(struct services *services, int64_t from, int64_t to);

/* Whether the peer may call it, at this moment. */
bool service_admits(const struct service *service, const struct peer *peer);
