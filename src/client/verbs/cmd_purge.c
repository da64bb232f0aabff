/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl purge: removes stored messages for good.
 */
#include "base/cleanup.h"
#include "client/options.h"
#include "client/output.h"
#include "client/purge.h"
#include "client/verb.h"

static int read_options(struct ctl *ctl, json_t *params, int argc, char **argv)
{
    static const struct option longs[] = {{"peer", required_argument, NULL, 'p'},
                                          {"before", required_argument, NULL, 'b'},
                                          OPTIONS_LONG};
    const char *peer = NULL;
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":p:" OPTIONS_SHORT, longs)) >= 0) {
        json_t *before = NULL;
        if (option == 'p' ? options_peer(ctl, optarg, &peer) != 0
                          : options_time(ctl, "--before", optarg, &before) != 0)
            return OPTIONS_STOP;
        if (before != NULL)
            json_object_set_new(params, "before", before);
    }
    if (option == OPTIONS_STOP || options_count(ctl, argc - optind, 0, 1) != 0 ||
        (optind < argc && options_peer(ctl, argv[optind], &peer) != 0))
        return OPTIONS_STOP;
    if (peer != NULL)
        json_object_set_new(params, "peer", json_string(peer));
    if (json_object_size(params) == 0)
        return options_misuse(ctl, "say which messages: of a peer, --before a time, or both");
    return 0;
}

int cmd_purge(struct ctl *ctl, int argc, char **argv)
{
    CLEANUP(json_release) json_t *params = json_object();
    json_int_t removed;
    if (read_options(ctl, params, argc, argv) != 0)
        return ctl->status;
    const int r = purge_all(ctl, params, &removed);
    if (r != 0 && removed == 0)
        return r;
    if (ctl->json) {
        CLEANUP(json_release) json_t *result = json_pack("{s:I}", "removed", removed);
        output_json(ctl, result, '\n');
    } else if (!ctl->quiet) {
        output_line(ctl, "%" JSON_INTEGER_FORMAT " message%s removed", removed,
                    removed == 1 ? "" : "s");
    }
    return ctl->status;
}
