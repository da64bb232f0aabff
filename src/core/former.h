/* SPDX-License-Identifier: ISC */
/*
 * The links with one peer that ended here a moment ago. The peer may believe that they live, if it
 * never heard of their end; so the next dial names them.
 */
#pragma once

#include <stdint.h>

#include "proto/gone.h"

/* A link that is dead at one end alone is noticed at the other within this time. */
enum { FORMER_MEMORY_MS = 120000 };

/* All zero for none. Wiped by who has it. */
struct former {
    struct {
        struct secret tag;
        uint64_t ended_ms; /* 0 for none */
    } links[GONE_NAMES];
    unsigned next; /* place of the next one: the oldest */
};

/* Remembers the tag of a link that has ended, NULL of one that need not be remembered. */
void former_note(struct former *former, const struct secret *tag, uint64_t now_ms);

/* The links to name now; the caller wipes the keys. */
void former_list(const struct former *former, uint64_t now_ms, struct gone *gone);

/* For CLEANUP(): wipes the keys of a list. */
void former_list_cleanup(struct gone *gone);

void former_wipe(struct former *former);
