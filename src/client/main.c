/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl: the command-line client of p2pchatd. Global options and the choice of a verb.
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/startup.h"
#include "base/utf8.h"
#include "client/ctl.h"
#include "client/options.h"
#include "client/output.h"
#include "client/pager.h"
#include "client/verb.h"

static void interrupted(int signal_number)
{
    (void)signal_number;
    _exit(CTL_INTERRUPTED);
}

/* Everything the client says to the daemon is UTF-8, so nothing else gets in. */
static bool arguments_valid(struct ctl *ctl, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!utf8_valid(argv[i], strlen(argv[i]))) {
            ctl_fail(ctl, RPC_KIND_not_utf8, "argument %d is not valid UTF-8", i);
            return false;
        }
    }
    return true;
}

/* Whether to go on after the global options; the verb is at optind then. */
static bool read_options(struct ctl *ctl, int argc, char **argv)
{
    static const struct option longs[] = {{"version", no_argument, NULL, 'V'}, OPTIONS_LONG};
    options_begin();
    switch (options_next(ctl, argc, argv, "+:" OPTIONS_SHORT, longs)) {
    case 'V':
        version_print(ctl);
        return false;
    case OPTIONS_END:
        break;
    default:
        return false;
    }
    if (optind == argc) {
        options_misuse(ctl, "which verb?");
        return false;
    }
    ctl->verb = options_verb(ctl, argv[optind]);
    return ctl->verb != NULL;
}

/* As the terminal has it, or 0 when it does not know. */
static int terminal_columns(void)
{
    struct winsize size = {0};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* A pipe that nobody reads any more is no mistake; a full disk is. */
static int finish(struct ctl *ctl)
{
    if (!output_flush(ctl) && ctl->out_error != EPIPE && ctl->status == EX_OK)
        ctl_fail_as(ctl, EX_IOERR, "output", "can't write: %s", strerror(ctl->out_error));
    pager_wait(ctl);
    ctl_deinit(ctl);
    return ctl->status;
}

/* As p2pchatd does: peers name the members of what we are told. Without randomness it does it. */
static void seed_json(void)
{
    size_t seed;
    if (getrandom(&seed, sizeof seed, 0) == (ssize_t)sizeof seed && seed != 0)
        json_object_seed(seed);
}

int main(int argc, char **argv)
{
    const char *no_colour = getenv("NO_COLOR");
    struct ctl ctl = {.in = STDIN_FILENO, .out = stdout, .err = stderr};
    if (startup_open_standard() < 0)
        return EX_SOFTWARE;
    startup_reset_signals();
    seed_json();
    ctl.arguments = argv + 1;
    if (signal(SIGINT, interrupted) == SIG_IGN) /* a background job stays one */
        signal(SIGINT, SIG_IGN);
    ctl.terminal = isatty(STDOUT_FILENO) == 1;
    ctl.watched = isatty(STDERR_FILENO) == 1;
    ctl.columns = ctl.terminal ? terminal_columns() : 0;
    ctl.colour = ctl.terminal && (no_colour == NULL || no_colour[0] == '\0');
    if (arguments_valid(&ctl, argc, argv) && read_options(&ctl, argc, argv))
        ctl.status = ctl.verb->run(&ctl, argc - optind, argv + optind);
    return finish(&ctl);
}
