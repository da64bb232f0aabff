/* SPDX-License-Identifier: ISC */
/*
 * Two sessions in one process: a wire of bytes between them, a clock that a test moves, and owners
 * that say yes to everything unless told otherwise.
 */
#pragma once

#include "proto/session.h"

enum { RIG_EVENTS_MAX = 4096, RIG_START_MS = 1000000 };

/* An event that happened, with its own copy of a text's beginning. */
struct rig_event {
    struct session_event event;
    char text[32];
};

/* One end and its owner. */
struct party {
    struct session *session;
    struct bytes sent; /* on its way to the other end */
    bool asks;         /* the owner leaves questions open */
    bool stranger;     /* the owner admits without approval */
    bool keeps;        /* the owner does not acknowledge items */
    size_t event_count;
    struct rig_event events[RIG_EVENTS_MAX];
};

struct rig {
    struct party joiner;
    struct party host;
    uint64_t now_ms;
    size_t segment; /* bytes handed over at once; 0 for all */
};

/* The two identities of every test; made once per program. */
const struct identity *rig_identity(enum session_role role);

/* What parties and puppets may speak; suite 1 unless a test says otherwise. */
extern unsigned rig_suites;

/* Starts crypto and loads the identities; as a cmocka group set-up and tear-down. */
int rig_group_setup(void **state);
int rig_group_teardown(void **state);

/* A party before its handshake. */
void party_init(struct party *party, enum session_role role, uint64_t now_ms);
void party_deinit(struct party *party);

/* Takes the party's events: notes and answers them. */
void party_listen(struct party *party, uint64_t now_ms);

/* Gives all of `data` to the party in segments, listening in between. */
void party_hear(struct party *party, struct span data, size_t segment, uint64_t now_ms);

/* Appends all that the party has to say to party->sent. */
void party_speak(struct party *party, uint64_t now_ms);

/* Queues "text" as an item; its id is made from the counter. Returns what session_send_item() gave.
 */
int party_send_text(struct party *party, const char *text, unsigned counter, uint64_t now_ms);

/* How many events of the type there were, and the latest of them, which must exist. */
size_t party_count(const struct party *party, enum session_event_type type);
const struct session_event *party_last(const struct party *party, enum session_event_type type);

void rig_init(struct rig *rig);
void rig_deinit(struct rig *rig);

/* Moves bytes until nobody has anything to say. */
void rig_run(struct rig *rig);

/* From nothing to OPEN, asserting it. */
void rig_open(struct rig *rig);

/* Moves the clock in steps to every deadline on the way, and runs. */
void rig_pass(struct rig *rig, uint64_t ms);
