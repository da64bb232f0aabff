/* SPDX-License-Identifier: ISC */
/*
 * Getting what was offered into a directory, again and again until it is there.
 */
#pragma once

#include "client/unpack.h"

struct files_get {
    struct ctl *ctl;
    const char *path; /* of the directory … */
    int directory;    /* … which is open */
    enum unpack_conflict conflict;
    uint64_t max_size;    /* larger ones are refused; 0: any */
    uint64_t max_entries; /* those with more, too; 0: any */
    uint64_t min_free;    /* what must stay free on the disk */
    uint64_t rate;        /* bytes a second, at most; 0: any */
    const char *command;  /* is run with what was got, or NULL */
    uint64_t shown_ms;    /* when progress was told */
    const char *id;       /* of the transfer that is on its way */
    json_int_t total;
    bool damaged;     /* once something else came than was offered: once more it may */
    bool reconnected; /* the connection is another one since somebody looked */
};

/* 0 or ctl->status. */
int files_get_one(struct files_get *get, const char *id);
