/* SPDX-License-Identifier: ISC */
/*
 * One end of a dialogue: a session with an owner that says yes to everything unless told otherwise,
 * and that checks after every step what all owners rely on.
 */
#pragma once

#include "proto/session_state.h"

/* An event that happened, with its own copy of a text's beginning. */
struct party_event {
    struct session_event event;
    char text[32];
};

/* A session, its owner, and what that has heard from it so far. */
struct party {
    struct session *session;
    bool asks;           /* the owner leaves questions open */
    bool stranger;       /* the owner admits without approval */
    bool keeps;          /* the owner does not acknowledge items */
    unsigned identified; /* how often … */
    unsigned confirmed;
    unsigned opened;
    unsigned ended;
    enum close_code code; /* why it ended */
    bool by_peer;
    uint64_t items;    /* received */
    uint64_t acked;    /* of those sent */
    bool logs;         /* fills `log` */
    struct bytes log;  /* all events, one after the other, with whole texts */
    struct bytes sent; /* on its way to the other end: whole frames of legal lengths */
    struct party_event *events;
    size_t event_count;
    size_t event_capacity;
    void (*on_item)(void *context, const struct session_event *event); /* or NULL */
    void *context;
};

/* The identity of each role, the same in every run. */
const struct identity *party_identity(enum session_role role);

/* Starts crypto and loads the identities; before all others, and after them. */
void party_set_up(void);
void party_tear_down(void);

/* What parties may speak, a set of suites; 0 for all. */
extern unsigned party_suites;

/* A party before its handshake. */
void party_init(struct party *party, enum session_role role, uint64_t now_ms);
void party_deinit(struct party *party);

/* The same with settings of its own. */
void party_init_as(struct party *party, const struct session_settings *settings, uint64_t now_ms);

/*
 * Gives it bytes in pieces of this size, or in one if it is 0. How many it took: all, if it leaves
 * no question open.
 */
size_t party_hear(struct party *party, struct span data, size_t piece, uint64_t now_ms);

/* Appends all that the session wants to send to party->sent. */
void party_speak(struct party *party, uint64_t now_ms);

/* Lets it know the time, if it wants to. */
void party_tick(struct party *party, uint64_t now_ms);

/* Takes the events that wait: notes and answers them. */
void party_listen(struct party *party, uint64_t now_ms);

/*
 * Queues "text" as an item; its id is made from the counter, which is its handle, too. Returns what
 * session_send_item() gave.
 */
int party_send_text(struct party *party, const char *text, unsigned counter, uint64_t now_ms);

/* How many events of the type there were, and the latest of them, which must exist. */
size_t party_count(const struct party *party, enum session_event_type type);
const struct session_event *party_last(const struct party *party, enum session_event_type type);

/* Lets two parties go on until neither has anything to send, in pieces as above. */
void party_converse(struct party *one, struct party *other, size_t piece, uint64_t now_ms);
