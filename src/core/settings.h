/* SPDX-License-Identifier: ISC */
/*
 * What an administrator may choose about the core. Protocol timers and limits are not among it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "store/peers.h"

enum { SETTINGS_LISTEN_MAX = 16 };

/* What happens to a key that nobody knows. */
enum unknown_policy {
    UNKNOWN_ASK,    /* authenticate it and let a person decide */
    UNKNOWN_REJECT, /* refuse it; it learns nothing about us */
    UNKNOWN_ACCEPT, /* pin it at once (trust `tofu`) */
};

struct address_list {
    struct address at[SETTINGS_LISTEN_MAX];
    unsigned count;
};

struct settings {
    struct address_list listen; /* where peers connect */
    enum unknown_policy unknown_peers;
    uint64_t unknown_peers_limit;     /* at most so many that came by themselves and nobody uses */
    char default_peer[PEER_NAME_MAX]; /* who is meant when nobody is named; "" for nobody */
    uint64_t expire_ms;               /* how long a message waits in the queue; 0 is for ever */
    uint64_t retention_ms;            /* how long history is kept; 0 is for ever */
    uint64_t retention_messages;      /* and how much of it; 0 is all */
    uint64_t queue_messages;          /* at most so many in the queue of one peer */
    uint64_t queue_bytes;             /* and so much text */
    uint64_t inbound_limit;           /* of our disk, for what comes from one peer */
    uint64_t inbound_total;           /* and from all */
    uint64_t low_water;               /* per cent of the disk that messages leave free */
    uint64_t max_links;               /* sessions at once */
    bool require_pq;                  /* no session but in a suite with ML-KEM */
    bool tell_addresses;              /* peers hear where we can be reached */
    bool port_mapping;                /* the router is asked to let peers in */
    bool streams;                     /* peers may call services, and be called */
    uint64_t max_streams;             /* streams at once */
    uint64_t spool_limit;             /* bytes of files that may wait for one peer */
};
