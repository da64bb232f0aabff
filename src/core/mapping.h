/* SPDX-License-Identifier: ISC */
/*
 * One port that the router is asked to let in (RFC 6887; RFC 6886 where it knows no better), and
 * what came of it. Pure: times and datagrams in, datagrams and a deadline out.
 *
 * It asks until it has an answer, keeps what it was granted by asking again in time, and leaves a
 * router alone that does not answer. Times are monotonic, in milliseconds.
 */
#pragma once

#include "base/bytes.h"
#include "net/netwatch.h"
#include "net/pcp_packet.h"

enum {
    MAPPING_LIFETIME_S = 3600,            /* that is asked for */
    MAPPING_LEASE_MIN_S = 120,            /* a shorter one is taken for as long … */
    MAPPING_LEASE_MAX_S = 86400,          /* … and a longer one for as long as this */
    MAPPING_TRIES = 4,                    /* in a row, before nobody is there */
    MAPPING_REST_MS = 3600 * 1000,        /* until a router that is silent is asked again */
    MAPPING_RETRY_MIN_MS = 30 * 1000,     /* after a refusal */
    MAPPING_ANNOUNCED_GAP_MS = 10 * 1000, /* news of a router that lost everything count so often */
};

enum mapping_phase {
    MAPPING_OFF, /* nobody to ask */
    MAPPING_ASK_PCP,
    MAPPING_ASK_ADDRESS, /* by NAT-PMP */
    MAPPING_ASK_PORT,    /* by NAT-PMP */
    MAPPING_HELD,        /* granted, until it is time to ask again */
    MAPPING_RESTING,     /* refused or not answered */
};

struct mapping {
    struct network_route route; /* to the router that is asked */
    struct pcp_wish wish;
    enum pcp_dialect dialect; /* of the latest grant */
    enum mapping_phase phase;
    unsigned tries;      /* of this phase */
    uint64_t due_ms;     /* UINT64_MAX: never */
    uint32_t random;     /* spreads the renewals of many machines */
    bool held;           /* a lease runs: wish.external and external_port are ours */
    uint64_t granted_ms; /* when, and … */
    uint64_t lease_ms;   /* … for how long */
    bool epoch_known;
    uint32_t epoch_s;  /* the router's, … */
    uint64_t epoch_ms; /* … and when it said so */
    uint64_t announced_ms;
    bool answered;  /* something did, here */
    uint8_t result; /* enum pcp_result of the latest answer */
};

/* A mapping of a TCP port; `random` is any number. It asks for nothing yet. */
void mapping_init(struct mapping *mapping, uint16_t port,
                  const uint8_t nonce[static PCP_NONCE_SIZE], uint32_t random);

/* The way to the internet is this one now: asks there, unless nothing has changed. */
void mapping_move(struct mapping *mapping, const struct network_route *route, uint64_t now_ms);

/* Writes what is to be sent to the gateway now; its size, or 0 for nothing (more). */
size_t mapping_next(struct mapping *mapping, uint64_t now_ms,
                    uint8_t datagram[static PCP_REQUEST_MAX]);

/* When to call mapping_next() again. */
uint64_t mapping_due(const struct mapping *mapping);

/*
 * A datagram came from the gateway. Whether the router has lost its memory, so that other mappings
 * have to be made anew: mapping_renew().
 */
bool mapping_take(struct mapping *mapping, struct span datagram, uint64_t now_ms);

/* The gateway refuses datagrams to that port. */
void mapping_refused(struct mapping *mapping, uint64_t now_ms);

/* The router is said to have lost its memory: asks again now, though not too often. */
void mapping_renew(struct mapping *mapping, uint64_t now_ms);

/* How long the lease goes on; 0 without one. */
uint64_t mapping_left_ms(const struct mapping *mapping, uint64_t now_ms);

/* Why nobody is let in, for people; NULL when somebody is, or nothing is known yet. */
const char *mapping_flaw(const struct mapping *mapping);
