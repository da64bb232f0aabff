/* SPDX-License-Identifier: ISC */
/*
 * Options of a verb, with those that every verb has: --socket, --json, --quiet, --utc, --no-pager
 * and --help.
 */
#pragma once

#include <getopt.h>
#include <stdint.h>

#include "base/suggest.h"
#include "client/ctl.h"

/*
 * What a verb's tables hold besides its own options. The short ones begin with ":", or "+:" when
 * options end at the first argument.
 */
#define OPTIONS_SHORT "s:qh"
#define OPTIONS_LONG                                                            \
    {"socket", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'J'}, \
        {"quiet", no_argument, NULL, 'q'}, {"utc", no_argument, NULL, 'u'},     \
        {"no-pager", no_argument, NULL, 'G'}, {"help", no_argument, NULL, 'h'}, \
        ((struct option){0})

enum {
    OPTIONS_END = -1,  /* the arguments begin at optind */
    OPTIONS_STOP = -2, /* help was given or a mistake told: end with ctl->status */
};

/* Begins to read options. argv[0] is the verb. */
void options_begin(void);

/*
 * Takes a peer that was named, by -p or as an argument: only one may be, and not "". 0 or
 * OPTIONS_STOP.
 */
int options_peer(struct ctl *ctl, const char *name, const char **peer);

/*
 * Takes what a call of a service is about: PEER SERVICE, or SERVICE alone if the peer was named by
 * -p. 0 or OPTIONS_STOP.
 */
int options_service(struct ctl *ctl, int count, char **words, const char **peer,
                    const char **service);

/* The next option, its value in optarg; or OPTIONS_END or OPTIONS_STOP. */
int options_next(struct ctl *ctl, int argc, char **argv, const char *shorts,
                 const struct option *longs);

/* For a verb without options of its own: 0, or OPTIONS_STOP. */
int options_none(struct ctl *ctl, int argc, char **argv);

/* Tells of a wrong command line, and where to look it up. OPTIONS_STOP. */
int options_misuse(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for a word that is none of those offered: `what` comes before it. OPTIONS_STOP. */
int options_unknown(struct ctl *ctl, const char *what, const struct suggestion *word);

/* The verb that the user named, or NULL after telling. */
const struct verb *options_verb(struct ctl *ctl, const char *name);

/* Whether `count` arguments are between `least` and `most`; if not, OPTIONS_STOP after telling. */
int options_count(struct ctl *ctl, int count, int least, int most);

/* The values of options. 0 or OPTIONS_STOP after telling. */
int options_number(struct ctl *ctl, const char *option, const char *text, json_int_t *value);
int options_size(struct ctl *ctl, const char *option, const char *text, uint64_t *bytes);
int options_duration(struct ctl *ctl, const char *option, const char *text, uint64_t *ms);

/*
 * A point in time, as the control interface takes it: RFC 3339, or "-" and a duration for that long
 * ago. New reference.
 */
int options_time(struct ctl *ctl, const char *option, const char *text, json_t **time);
