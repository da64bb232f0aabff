/*
 * The verbs of p2pchatctl: the table that dispatch and help read.
 */
#pragma once

#include <stdio.h>

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

/* By name, or NULL. */
const struct verb *verb_find(const char *name);

/* The same for a name that a user gave: NULL after telling, with the verb that may be meant. */
const struct verb *verb_choose(struct ctl *ctl, const char *name);

/* Help for one verb, or for all when it is NULL. */
void verb_help(FILE *out, const struct verb *verb);

#define VERB(name, run, synopsis, summary, details) verb_run run;
#include "client/verbs.def"
#undef VERB
