/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl join: pairs by an invite that somebody gave us.
 */
#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "client/input.h"
#include "client/options.h"
#include "client/output.h"
#include "client/peer_view.h"
#include "client/verb.h"

enum { TIMEOUT_DEFAULT_MS = 60 * 1000 };

static int read_options(struct ctl *ctl, uint64_t *timeout_ms, int argc, char **argv)
{
    static const struct option longs[] = {{"timeout", required_argument, NULL, 't'}, OPTIONS_LONG};
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":" OPTIONS_SHORT, longs)) >= 0) {
        if (options_duration(ctl, "--timeout", optarg, timeout_ms) != 0)
            return OPTIONS_STOP;
        if (*timeout_ms == 0)
            return options_misuse(ctl, "--timeout must be more than 0");
    }
    return option == OPTIONS_STOP ? OPTIONS_STOP : 0;
}

/* The line on standard input, without what surrounds it. New reference, or NULL after telling. */
static json_t *read_uri(struct ctl *ctl)
{
    CLEANUP(input_deinit) struct input input = {.fd = ctl->in};
    struct span text;
    const int r = input_all(&input, &text);
    if (r != 0) {
        if (r == INPUT_TOO_LONG)
            ctl_fail(ctl, RPC_KIND_too_large, "an invite is one line");
        else
            ctl_fail_as(ctl, EX_IOERR, "input", "can't read the invite: %s", strerror(-r));
        return NULL;
    }
    while (text.size > 0 && isspace(text.data[text.size - 1]))
        text.size--;
    json_t *uri = json_stringn((const char *)text.data, text.size);
    if (uri == NULL)
        ctl_fail(ctl, RPC_KIND_not_utf8, "an invite is plain text");
    return uri;
}

int cmd_join(struct ctl *ctl, int argc, char **argv)
{
    uint64_t timeout_ms = TIMEOUT_DEFAULT_MS;
    if (read_options(ctl, &timeout_ms, argc, argv) != 0 ||
        options_count(ctl, argc - optind, 1, 2) != 0)
        return ctl->status;
    const char *name = argc - optind == 2 ? argv[optind + 1] : NULL;
    json_t *uri = strcmp(argv[optind], "-") == 0 ? read_uri(ctl) : json_string(argv[optind]);
    if (uri == NULL)
        return ctl->status;
    json_t *params =
        json_pack("{s:o,s:s*,s:I}", "uri", uri, "name", name, "timeout_ms", (json_int_t)timeout_ms);
    CLEANUP(json_release) json_t *peer = ctl_call(ctl, "invite.accept", params);
    if (peer == NULL)
        return ctl->status;
    peer_view_met(ctl, peer, name);
    return ctl->status;
}
