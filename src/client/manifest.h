/* SPDX-License-Identifier: ISC */
/*
 * Manifests: the entries of a transfer, one after the other.
 *
 *     2 + n  path: components joined by '/'          8  time of the last change, ns since 1970
 *     1      enum manifest_type                      8  size
 *     2      mode, at most 0777                  2 + m  symlinks only: target
 *
 * Paths ascend strictly, compared component by component, so that none comes twice and a directory
 * comes right before what it contains; what contains an entry is an entry itself. Names are bytes.
 */
#pragma once

#include "base/bytes.h"
#include "base/outcome.h"
#include "client/beneath.h"

enum {
    MANIFEST_NAME_MAX = 255,
    MANIFEST_TARGET_MAX = 4095,
    MANIFEST_SIZE_MAX = 1 << 26,
    MANIFEST_ENTRIES_MAX = 1 << 20,
};

enum manifest_outcome {
    MANIFEST_BAD = OUTCOME_MANIFEST, /* the reason is in walk->complaint */
    MANIFEST_END,
};

enum manifest_type { MANIFEST_FILE = 0, MANIFEST_DIRECTORY = 1, MANIFEST_SYMLINK = 2 };

/* An entry. Spans are borrowed. */
struct manifest_entry {
    struct span path;
    enum manifest_type type;
    uint16_t mode;
    uint64_t mtime_ns;
    uint64_t size; /* files only */
    struct span target;
};

/* Appends an entry. 0 or -ENOMEM. */
int manifest_append(struct bytes *manifest, const struct manifest_entry *entry);

/* A place in a manifest, and what was seen before it. */
struct manifest_walk {
    struct reader reader;
    struct manifest_entry last; /* no path: none yet */
    uint32_t entries;
    uint64_t data_size;
    const char *complaint; /* static text, after MANIFEST_BAD */
};

void manifest_begin(struct manifest_walk *walk, struct span manifest);

/* The next entry. 0, MANIFEST_END or MANIFEST_BAD. */
int manifest_next(struct manifest_walk *walk, struct manifest_entry *entry);

/* Whether a manifest is one of so many entries and so much data. 0 or MANIFEST_BAD. */
int manifest_check(struct span manifest, uint32_t entries, uint64_t data_size,
                   const char **complaint);

/*
 * Whether a symlink may be made: its target is relative and stays in the top-level entry that the
 * link is in, also when it leads over other symlinks that may be made. What goes up behind a name
 * ("name/..") does not.
 */
bool manifest_link_stays(const struct manifest_entry *entry);

/* The path with a NUL. */
void manifest_path(const struct manifest_entry *entry, char path[static BENEATH_PATH_MAX + 1]);
