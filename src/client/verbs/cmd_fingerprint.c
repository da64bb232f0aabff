/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl fingerprint: who we are, and what to compare with a peer.
 */
#include "base/cleanup.h"
#include "client/options.h"
#include "client/output.h"
#include "client/qr.h"
#include "client/verb.h"
#include "client/width.h"

static int print_pair(struct ctl *ctl, const char *own, const json_t *peer)
{
    const char *name = member_string(peer, "name", "?");
    const char *theirs = member_string(peer, "fingerprint", NULL);
    if (theirs == NULL) {
        output_line(ctl, "own key        %s", own);
        return ctl_fail(ctl, RPC_KIND_peer_offline,
                        "the key of %s is not known before the first contact", name);
    }
    output_line(ctl, "own key        %s", own);
    output_line(ctl, "key of %s%*s  %s", name, width_of(name) < 6 ? (int)(6 - width_of(name)) : 0,
                "", theirs);
    output_line(ctl, "safety number  %s", member_string(peer, "safety_number", "not known"));
    return EX_OK;
}

static int read_options(struct ctl *ctl, bool *qr, const char **peer, int argc, char **argv)
{
    static const struct option longs[] = {
        {"peer", required_argument, NULL, 'p'}, {"qr", no_argument, NULL, 'Q'}, OPTIONS_LONG};
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":p:" OPTIONS_SHORT, longs)) >= 0) {
        if (option == 'p' && options_peer(ctl, optarg, peer) != 0)
            return OPTIONS_STOP;
        *qr = *qr || option == 'Q';
    }
    if (option == OPTIONS_STOP || options_count(ctl, argc - optind, 0, 1) != 0)
        return OPTIONS_STOP;
    if (*qr && ctl->json)
        return options_misuse(ctl, "--qr has no form for programs");
    return optind < argc ? options_peer(ctl, argv[optind], peer) : 0;
}

int cmd_fingerprint(struct ctl *ctl, int argc, char **argv)
{
    const char *name = NULL;
    bool qr = false;
    if (read_options(ctl, &qr, &name, argc, argv) != 0)
        return ctl->status;
    CLEANUP(json_release) json_t *own = ctl_call(ctl, "identity.get", json_object());
    if (own == NULL)
        return ctl->status;
    CLEANUP(json_release) json_t *peer = NULL;
    if (name != NULL &&
        (peer = ctl_call(ctl, "peer.get", json_pack("{s:s}", "name", name))) == NULL)
        return ctl->status;

    if (ctl->json) {
        output_json(ctl, own, '\n');
        if (peer != NULL)
            output_json(ctl, peer, '\n');
        return ctl->status;
    }
    const char *fingerprint = member_string(own, "fingerprint", "?");
    if (peer == NULL)
        output_line(ctl, "%s", fingerprint);
    else if (print_pair(ctl, fingerprint, peer) != EX_OK)
        return ctl->status;
    if (qr)
        qr_print(ctl, peer != NULL ? member_string(peer, "safety_code", "") : fingerprint);
    return ctl->status;
}
