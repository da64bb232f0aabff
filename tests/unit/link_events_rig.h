/* SPDX-License-Identifier: ISC */
/*
 * A link alone: the modules that answer its events are played, and each says its name.
 */
#pragma once

#include "core/link_events.h"

enum { NOW_MS = 1000000, SAID_MAX = 256 };

struct session {
    struct secret tag;
};

struct stream {
    struct origin origin;
};

struct stage {
    struct runtime runtime;
    struct limits limits;
    struct pending_keys pending_keys;
    struct roster roster;
    struct admission admission;
    struct housekeeping housekeeping;
    struct delivery delivery;
    struct streams streams;
    struct tell tell;
    struct clones clones;
    struct link_answers answers;
    struct session session;
    struct stream stream;
    struct link link;
    struct peer peer;
    struct round *round; /* that the link belongs to */
    char said[SAID_MAX]; /* who was called, in order */
    int outcome;         /* of the one that has one … */
    const char *whose;   /* … by its name */
    bool room, kept;
    uint32_t features;
    enum close_code closed;
    int failure;
    unsigned pongs, remembered;
};

extern struct stage stage;

/* Before each test: a link of a peer, and a disk with room. */
int stage_set_up(void **state);

/* Something happens on the link, or it ends; then stage.said has who was called. */
void happen(const struct session_event *event);
void happen_as(enum session_event_type type);
void end_link_by(const struct link_end *end);
void end_link(void);

/* The next call of this name comes to this. */
void let(const char *name, int outcome);
