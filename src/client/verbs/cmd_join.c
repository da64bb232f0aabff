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

enum {
    TIMEOUT_DEFAULT_MS = 60 * 1000,
    SECRET_LENGTH_MIN = 64, /* characters behind the '#' of an invite, at least */
};

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

/* Whether a pasted text has its secret too: mail programs break the line before it, or in it. */
static bool is_whole(struct span text)
{
    const uint8_t *hash = text.size > 0 ? memchr(text.data, '#', text.size) : NULL;
    return hash != NULL && (size_t)(text.data + text.size - hash) > SECRET_LENGTH_MIN;
}

/* Asks for the invite, and takes lines until it is whole or an empty one follows. As read_text().
 */
static int ask_for_text(const struct ctl *ctl, struct input *input, struct bytes *text)
{
    fputs("Paste the invite, then press Enter: ", ctl->err);
    fflush(ctl->err);
    for (;;) {
        struct span line;
        int r = input_line(input, &line);
        if (r == INPUT_NONE) {
            r = input_read(input);
            if (r < 0)
                return r;
            continue;
        }
        if (r != 0 || (line.size == 0 && text->size > 0))
            return r == INPUT_END ? 0 : r;
        r = bytes_append(text, line.data, line.size);
        if (r != 0 || is_whole(bytes_span(text)))
            return r;
    }
}

/* What stands on standard input. 0, INPUT_TOO_LONG or -errno. */
static int read_text(const struct ctl *ctl, struct input *input, struct bytes *text)
{
    struct span all;
    if (isatty(ctl->in) == 1)
        return ask_for_text(ctl, input, text);
    const int r = input_all(input, false, &all);
    return r == 0 ? bytes_append(text, all.data, all.size) : r;
}

/* The invite on standard input. New reference, or NULL after telling. */
static json_t *read_uri(struct ctl *ctl)
{
    CLEANUP(input_deinit) struct input input = {.fd = ctl->in};
    CLEANUP(bytes_deinit) struct bytes text = {0};
    const int r = read_text(ctl, &input, &text);
    if (r != 0) {
        if (r == INPUT_TOO_LONG)
            ctl_fail(ctl, RPC_KIND_too_large, "an invite is one line");
        else
            ctl_fail_as(ctl, EX_IOERR, "input", "can't read the invite: %s", strerror(-r));
        return NULL;
    }
    json_t *uri = json_stringn((const char *)text.data, text.size);
    if (uri == NULL)
        ctl_fail(ctl, RPC_KIND_not_utf8, "an invite is plain text");
    return uri;
}

/*
 * The invite as an argument, which others can read in the list of processes: no longer. Whoever
 * types the line that is left is asked for it.
 */
static json_t *take_uri(char *argument)
{
    json_t *uri = json_string(argument);
    const size_t size = strlen(argument);
    memset(argument, '\0', size);
    if (size > 0)
        argument[0] = '-';
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
        return options_misuse(ctl, "which invite? '-' reads it from standard input"), ctl->status;
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
