/* SPDX-License-Identifier: ISC */
/*
 * The verbs of p2pchatctl: the table that dispatch and help read.
 */
#pragma once

#include <stdio.h>

#include "base/suggest.h"
#include "client/ctl.h"

/* argv[0] is the verb. Returns the exit status, having told the user what went wrong. */
typedef int verb_run(struct ctl *ctl, int argc, char **argv);

struct verb {
    const char *name;
    verb_run *run;
    const char *synopsis; /* what follows the name */
    const char *summary;  /* one line */
    const char *details;  /* its options and habits, lines ended by LF; may be empty */
};

/* The verb of this word, or NULL after offering it those that there are. */
const struct verb *verb_find(struct suggestion *word);

/* Prints the versions of this program, without asking a daemon for its. */
void version_print(struct ctl *ctl);

/* Help for one verb, or for all when it is NULL. */
void verb_help(FILE *out, const struct verb *verb);

#define VERB(name, run, synopsis, summary, details) verb_run run;
#include "client/verbs.def"
#undef VERB
