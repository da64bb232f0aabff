/*
 * A host with a p2pchatd on it: its files, its node, and how it goes down and comes up.
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

struct host {
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

/* Makes a host with an empty store below `folder`. */
void host_init(struct host *host, unsigned index, const char *folder);
void host_deinit(struct host *host);

const struct fingerprint *host_key(const struct host *host);

/* Starts the process; it dials and listens. */
void host_start(struct host *host);

/* Ends it at once. What was not committed is gone. */
void host_crash(struct host *host, enum fall fall);

/* Ends it as a service manager does: it may say goodbye. */
void host_stop(struct host *host);

/* When it wants its next turn. */
uint64_t host_due(const struct host *host);
void host_turn(struct host *host);

/* Makes the next turns come only later. */
void host_freeze(struct host *host, uint64_t for_ms);

/* Leaves hardly any room on the disk, or makes room again. */
void host_fill_disk(struct host *host, bool full);

/* Copies the store away, and puts the copy in its place. Between turns; to restore, it is down. */
void host_back_up(struct host *host);
void host_restore(struct host *host);

/* The peer that stands for another host, or NULL. */
struct peer *host_peer(const struct host *host, unsigned other);
