/* SPDX-License-Identifier: ISC */
/*
 * What `doctor` finds: a line for each thing that it looks at, and what to do about it.
 */
#pragma once

#include "client/ctl.h"

enum finding_level {
    LEVEL_OK,
    LEVEL_NOTE,  /* worth knowing; the daemon does what it is for */
    LEVEL_WRONG, /* something is broken */
};

struct findings {
    struct ctl *ctl;
    bool broken; /* something is: what only could be better does not count */
};

/* Says what was found at a check; `remedy` is NULL if there is nothing to do. */
void findings_add(struct findings *findings, enum finding_level level, const char *check,
                  const char *finding, const char *remedy);

/* All is well: `format` says how. */
void findings_ok(struct findings *findings, const char *check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same as findings_add(); `format` is of the remedy. */
void findings_advise(struct findings *findings, enum finding_level level, const char *check,
                     const char *finding, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
