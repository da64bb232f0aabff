/* SPDX-License-Identifier: ISC */
/*
 * The command line of p2pchatd.
 */
#pragma once

#include <stdbool.h>

#include "base/log.h"
#include "core/settings.h"

enum options_action {
    OPTIONS_RUN,
    OPTIONS_TEST,     /* -t: is the configuration good? */
    OPTIONS_SHOW,     /* -T: print the effective configuration */
    OPTIONS_PREPARE,  /* make the state directory and exit */
    OPTIONS_GENERATE, /* make an identity and exit */
    OPTIONS_BACKUP,
    OPTIONS_RESTORE,
    OPTIONS_HELP,
    OPTIONS_VERSION,
};

/* What was asked for; the strings are arguments of the process. NULL and 0: not given. */
struct options {
    enum options_action action;
    const char *config;
    const char *state_dir;
    const char *control;
    const char *file;            /* of the backup */
    const char *passphrase_file; /* of the backup; "-" is standard input */
    const char *identity;        /* for a backup: where the secrets are, */
    const char *store_key;       /* if they are credentials */
    struct address_list listen;
    bool has_log_level;
    enum log_level log_level;
};

/* 0, or -EINVAL after it has said on standard error what is wrong. */
int options_parse(struct options *options, int argc, char *argv[]);

void options_print_help(void);
