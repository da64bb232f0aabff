/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl join: pairs by an invite that somebody gave us.
 */
#include <string.h>
#include <unistd.h>

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

/* On a terminal one line, for which it asks; else all there is. 0, an input_outcome or -errno. */
static int read_text(struct ctl *ctl, struct input *input, struct span *text)
{
    int r = 0;
    if (isatty(ctl->in) != 1)
        return input_all(input, text);
    fputs("Paste the invite, then press Enter: ", ctl->err);
    fflush(ctl->err);
    *text = SPAN(NULL, 0);
    while (r == INPUT_NONE || (r == 0 && text->size == 0)) { /* an empty line may come before it */
        r = input_line(input, text);
        if (r == INPUT_NONE && (r = input_read(input)) == 0)
            r = INPUT_NONE;
    }
    return r;
}

/* The invite on standard input. New reference, or NULL after telling. */
static json_t *read_uri(struct ctl *ctl)
{
    CLEANUP(input_deinit) struct input input = {.fd = ctl->in};
    struct span text;
    const int r = read_text(ctl, &input, &text);
    if (r != 0) {
        if (r == INPUT_TOO_LONG)
            ctl_fail(ctl, RPC_KIND_too_large, "an invite is one line");
        else
            ctl_fail_as(ctl, EX_IOERR, "input", "can't read the invite: %s",
                        r < 0 ? strerror(-r) : "there is none");
        return NULL;
    }
    json_t *uri = json_stringn((const char *)text.data, text.size);
    if (uri == NULL)
        ctl_fail(ctl, RPC_KIND_not_utf8, "an invite is plain text");
    return uri;
}

/* The invite as an argument, which others can read in the list of processes: no longer. */
static json_t *take_uri(char *argument)
{
    json_t *uri = json_string(argument);
    memset(argument, 'x', strlen(argument));
    return uri;
}

int cmd_join(struct ctl *ctl, int argc, char **argv)
{
    uint64_t timeout_ms = TIMEOUT_DEFAULT_MS;
    if (read_options(ctl, &timeout_ms, argc, argv) != 0 ||
        options_count(ctl, argc - optind, 0, 2) != 0)
        return ctl->status;
    const char *name = argc - optind == 2 ? argv[optind + 1] : NULL;
    if (optind == argc && isatty(ctl->in) != 1)
        return options_misuse(ctl, "which invite? - reads it from standard input"), ctl->status;
    json_t *uri =
        optind == argc || strcmp(argv[optind], "-") == 0 ? read_uri(ctl) : take_uri(argv[optind]);
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
