/* SPDX-License-Identifier: ISC */
/*
 * A session with an owner who says yes to everything, and who checks after every step what all
 * owners rely on.
 */
#pragma once

#include "proto/session_state.h"

/* What a talker has heard from its session so far. */
struct talker {
    struct session *session;
    bool asks_later;     /* leaves questions open */
    bool keeps;          /* does not acknowledge items */
    unsigned identified; /* how often … */
    unsigned confirmed;
    unsigned opened;
    unsigned ended;
    enum close_code code; /* why it ended */
    bool by_peer;
    uint64_t items;    /* received */
    uint64_t acked;    /* of those sent */
    struct bytes log;  /* all events, one after the other */
    struct bytes said; /* all that it wants to send */
    size_t judged;     /* of that, in whole frames of legal lengths */
    void (*on_item)(void *context, const struct session_event *event); /* or NULL */
    void *context;
};

/* The identity of each role, the same in every run. */
const struct identity *talker_identity(enum session_role role);

/* Once, before all others. */
void talker_set_up(void);

void talker_init(struct talker *talker, enum session_role role, uint64_t now_ms);
void talker_deinit(struct talker *talker);

/* The same with settings of its own. */
void talker_init_as(struct talker *talker, const struct session_settings *settings,
                    uint64_t now_ms);

/*
 * Gives it bytes in pieces of this size, or in one if it is 0. How many it took: all, if it leaves
 * no question open.
 */
size_t talker_hear(struct talker *talker, struct span data, size_t piece, uint64_t now_ms);

/* Takes what the session wants to send to talker->said. */
void talker_speak(struct talker *talker, uint64_t now_ms);

/* Lets it know the time, if it wants to. */
void talker_tick(struct talker *talker, uint64_t now_ms);

/* Takes the events that wait. */
void talker_listen(struct talker *talker, uint64_t now_ms);

/* Lets two talkers with nothing else to say go on until neither has anything to send. */
void talker_converse(struct talker *one, struct talker *other, uint64_t now_ms);
