/* SPDX-License-Identifier: ISC */
/*
 * What is received: a manifest that may come from anybody, and contents, on their way into a
 * directory of this user. Nothing but names in that directory is made, and nothing is followed.
 *
 *     DIR/.p2pchat-<id>/tree/...   where everything is made, for this user alone
 *     DIR/.p2pchat-<id>/have       how far that is on disk:   "p2pchat 1 <bytes> moving|placing"
 *     DIR/.p2pchat-<id>/soft       how far it is in memory:   "<boot id> <bytes>"
 *     DIR/.p2pchat-<id>/placed     what is in its place, for a command (files_exec.h)
 *     DIR/<name>                   where it is put when it is complete
 */
#pragma once

#include "base/outcome.h"
#include "client/ctl.h"
#include "client/manifest.h"

enum unpack_outcome {
    UNPACK_CUT = OUTCOME_UNPACK, /* the other end has closed too early: ask why */
};

/* What becomes of a name that is taken. */
enum unpack_conflict { CONFLICT_RENAME, CONFLICT_SKIP, CONFLICT_OVERWRITE };

#define UNPACK_STAGING ".p2pchat-" /* what names of staging directories begin with */

/* What is to be unpacked. */
struct unpack_offer {
    const char *id;
    uint64_t data_size;
    uint64_t manifest_size;
    uint32_t entries;
    uint64_t chunk_size;
};

struct unpack {
    struct ctl *ctl;
    struct unpack_offer offer;
    enum unpack_conflict conflict;
    int directory; /* DIR */
    int staging;
    int tree;
    bool placing;       /* all is made, and maybe some put in its place */
    uint64_t offset;    /* where the data that comes begins */
    uint64_t position;  /* how far it is written */
    uint64_t synced;    /* how far it is on disk … */
    uint64_t synced_ms; /* … since when */
    int soft;
    char boot[40];
    struct bytes manifest;
    uint64_t left_out; /* symlinks that would lead out */
    uint64_t rate;     /* bytes of data a second, at most; 0: as fast as they come */
    uint64_t began_ms; /* when the data began to come */
    void (*progress)(void *context, uint64_t position);
    void *context;
};

/*
 * Makes or finds the staging directory in `directory` (a descriptor, which stays the caller's) and
 * locks it; unpack->offset says which data is wanted. 0 or ctl->status.
 */
int unpack_init(struct unpack *unpack, struct ctl *ctl, int directory,
                const struct unpack_offer *offer);
void unpack_deinit(struct unpack *unpack);

/*
 * Takes manifest and data from a socket until all is there: the data from unpack->offset on. 0,
 * UNPACK_CUT, or ctl->status after telling; RPC_KIND_bad_manifest's means that the manifest is not
 * legal, and nothing was made.
 */
int unpack_take(struct unpack *unpack, int socket);

/*
 * Puts everything in its place; each name is given to `placed`. 0 or ctl->status. What is left is
 * for unpack_forget().
 */
int unpack_place(struct unpack *unpack, void (*placed)(void *context, const char *name),
                 void *context);

/* Removes the staging directory. */
void unpack_forget(struct unpack *unpack);
