/* SPDX-License-Identifier: ISC */
/*
 * A machine with a p2pchatd on it: its files, its node, and how it goes down and comes up.
 */
#pragma once

#include "core/node.h"
#include "simulation/world.h"

/* Where in its next turn a process ends. */
enum crash_point {
    CRASH_NOWHERE,
    CRASH_IN_CALLBACKS,  /* somewhere between them */
    CRASH_BEFORE_COMMIT, /* when everything else is done that comes before it */
    CRASH_AFTER_COMMIT,  /* before anything that waited for it was released */
};

struct machine {
    unsigned index;
    char path[128]; /* of the database */
    struct identity *self;
    struct loop loop;
    struct db *db;     /* NULL while it is down */
    struct node *node; /* the same */
    struct settings settings;
    enum crash_point crash;
    enum fall fall; /* how it crashes then */
    uint64_t busy_until_ms;
    uint64_t restart_ms; /* when it comes up again; NEVER */
    uint64_t stop_ms;    /* when a stopping process gives up; NEVER */
    bool backed_up;
    bool disk_full;
    unsigned turns;  /* so far … */
    uint64_t second; /* … and in this second */
    unsigned turns_in_second;
};

/* Makes a machine with an empty store below `folder`. */
void machine_init(struct machine *machine, unsigned index, const char *folder);
void machine_deinit(struct machine *machine);

const struct fingerprint *machine_key(const struct machine *machine);

/* Starts the process; it dials and listens. */
void machine_start(struct machine *machine);

/* Ends it at once. What was not committed is gone. */
void machine_crash(struct machine *machine, enum fall fall);

/* Ends it as a service manager does: it may say goodbye. */
void machine_stop(struct machine *machine);

/* When it wants its next turn. */
uint64_t machine_due(const struct machine *machine);
void machine_turn(struct machine *machine);

/* Makes the next turns come only later. */
void machine_freeze(struct machine *machine, uint64_t for_ms);

/* Leaves hardly any room on the disk, or makes room again. */
void machine_fill_disk(struct machine *machine, bool full);

/* Copies the store away, and puts the copy in its place. Between turns; to restore, it is down. */
void machine_back_up(struct machine *machine);
void machine_restore(struct machine *machine);

/* The peer that stands for another machine, or NULL. */
struct peer *machine_peer(const struct machine *machine, unsigned other);
