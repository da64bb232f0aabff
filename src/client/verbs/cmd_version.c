/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl version.
 */
#include "client/options.h"
#include "client/output.h"
#include "client/verb.h"

int cmd_version(struct ctl *ctl, int argc, char **argv)
{
    if (options_none(ctl, argc, argv) != 0 || options_count(ctl, argc - optind, 0, 0) != 0)
        return ctl->status;
    if (ctl->json)
        fprintf(ctl->out, "{\"version\":\"" VERSION "\",\"features\":[]}\n");
    else
        output_line(ctl, "p2pchatctl " VERSION);
    return EX_OK;
}
