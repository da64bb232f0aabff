/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl help.
 */
#include "client/options.h"
#include "client/verb.h"

int cmd_help(struct ctl *ctl, int argc, char **argv)
{
    const struct verb *verb = NULL;
    if (options_none(ctl, argc, argv) != 0 || options_count(ctl, argc - optind, 0, 1) != 0)
        return ctl->status;
    if (optind < argc) {
        ctl->verb = NULL; /* without a verb, the list of them is needed */
        verb = options_verb(ctl, argv[optind]);
        if (verb == NULL)
            return ctl->status;
    }
    verb_help(ctl->out, verb);
    return EX_OK;
}
