/* SPDX-License-Identifier: ISC */
/*
 * What is sent: the manifest of files and directories that people name, and then their contents.
 */
#pragma once

#include "client/ctl.h"
#include "client/manifest.h"

enum { PACK_ROOTS_MAX = 4096 };

/* One that was named: a top-level entry. */
struct pack_root {
    const char *path; /* as given */
    char name[MANIFEST_NAME_MAX + 1];
    int fd; /* of the file or directory itself; -1: not open */
};

struct pack {
    struct ctl *ctl;
    bool skip_special; /* leave out devices, sockets and FIFOs */
    struct pack_root *roots;
    size_t root_count;
    struct bytes manifest;
    uint32_t entries;
    uint64_t data_size;
};

/* Makes the manifest of what is named. 0 or ctl->status. Deinit in any case. */
int pack_init(struct pack *pack, struct ctl *ctl, bool skip_special, char **paths, size_t count);
void pack_deinit(struct pack *pack);

/*
 * Writes manifest and data to a socket. 0, PACK_UNTAKEN (nobody reads on: ask why), or ctl->status
 * after telling that something changed or could not be read.
 */
enum pack_outcome {
    PACK_UNTAKEN = OUTCOME_PACK,
};
int pack_write(struct pack *pack, int socket);
