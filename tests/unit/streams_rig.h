/* SPDX-License-Identifier: ISC */
/*
 * All streams on a stage: trunks do what the test wants, and what people are told is noted.
 */
#pragma once

#include "core/streams.h"
#include "core/trunk.h"
#include "proto/features.h"
#include "proto/record.h"
#include "unit/fake_loop.h"

enum { PEERS = 3, MOST = 8, TRUNK_WORK = 32 * 1024, NEWS_MAX = 8, OWN = 5, STEPS_MAX = 64 };

struct session {
    uint32_t features;
};

struct stage {
    struct runtime runtime;
    struct roster roster;
    struct observer observer;
    struct streams streams;
    struct peer peers[PEERS]; /* by id, from 1 on */
    struct session session;
    struct link link;
    struct service service;
    bool offline, no_service, refused;
    bool removed; /* the first peer */
    enum peer_trust trust;
    bool untrusted;
    unsigned urged;
    int trunk_error, open_error;
    unsigned trunks;         /* that there are */
    struct link *up;         /* the latest session that a trunk was told of */
    unsigned downs, finals;  /* sessions that ended */
    unsigned heard, rekeyed; /* by trunks */
    bool takes;              /* somebody's trunk takes an ATTACH */
    struct trunk *order[STEPS_MAX];
    unsigned steps;                   /* of all trunks in a turn: who came when */
    bool busy[LANE_CLASSES];          /* their trunks have more to do than a turn allows … */
    bool nothing_comes, nothing_goes; /* … but for these */
    size_t read[PEERS][LANE_CLASSES], written[PEERS][LANE_CLASSES]; /* … and so much was done */
    bool stirs; /* a trunk is touched by what it writes */
    bool done;  /* a trunk is needed no more */
    uint8_t reset, end_code;
    struct stream_news news[NEWS_MAX];
    unsigned told;
};

extern struct stage stage;

/* Before and after each test: peers without sessions, and a service for them. */
int streams_stage_set_up(void **state);
int streams_stage_tear_down(void **state);

/* The trunk of class 0 to a peer, made by what it says of a lane; and of this class. */
struct trunk *trunk_to(unsigned id);
struct trunk *trunk_of_class(unsigned id, uint8_t class);

/* We call a service of a peer, as streams_open() does. */
int open_to(unsigned id, struct channel **channel);

/* The peer calls our service: what became of it. */
struct channel call(struct trunk *trunk);
