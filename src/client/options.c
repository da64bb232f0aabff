/* SPDX-License-Identifier: ISC */
/*
 * Options of a verb, by getopt_long(3).
 */
#include "client/options.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/number.h"
#include "base/timestamp.h"
#include "client/verb.h"

/* Sequence numbers and other integers of the control interface stay below this, as JSON's users
 * expect. */
static const uint64_t integer_max = (UINT64_C(1) << 53) - 1;

void options_begin(void)
{
    opterr = 0;
    optind = 0; /* makes GNU getopt start afresh */
}

static const struct option *find_long(const struct option *longs, int value)
{
    while (longs->name != NULL && longs->val != value)
        longs++;
    return longs->name != NULL ? longs : NULL;
}

static int unknown_long_option(struct ctl *ctl, const char *option, const struct option *longs)
{
    CLEANUP(cleanup_free) char *name = strndup(option + 2, strcspn(option + 2, "="));
    if (name == NULL)
        return ctl_fail(ctl, RPC_KIND_internal, "out of memory"), OPTIONS_STOP;

    struct suggestion suggestion = suggest_for(name);
    for (; longs->name != NULL; longs++)
        suggest_offer(&suggestion, longs->name);
    if (suggestion.best == NULL)
        return options_misuse(ctl, "unknown option --%s", name);
    return options_misuse(ctl, "unknown option --%s; did you mean --%s?", name, suggestion.best);
}

/* What getopt didn't like: optopt is the option's value or letter, 0 for an unknown long one. */
static int bad_option(struct ctl *ctl, char **argv, const struct option *longs, int problem)
{
    const struct option *known = find_long(longs, optopt);
    if (optopt == 0)
        return unknown_long_option(ctl, argv[optind - 1], longs);
    if (known == NULL)
        return options_misuse(ctl, "unknown option -%c", optopt);
    return options_misuse(ctl, "--%s %s", known->name,
                          problem == ':' ? "needs a value" : "takes no value");
}

int options_next(struct ctl *ctl, int argc, char **argv, const char *shorts,
                 const struct option *longs)
{
    for (;;) {
        const int option = getopt_long(argc, argv, shorts, longs, NULL);
        switch (option) {
        case 's':
            ctl->socket = optarg;
            break;
        case 'J':
            ctl->json = true;
            break;
        case 'q':
            ctl->quiet = true;
            break;
        case 'u':
            setenv("TZ", "UTC0", 1);
            tzset();
            break;
        case 'G':
            ctl->no_pager = true;
            break;
        case 'h':
            verb_help(ctl->out, ctl->verb);
            ctl->status = EX_OK;
            return OPTIONS_STOP;
        case ':':
        case '?':
            return bad_option(ctl, argv, longs, option);
        default:
            return option;
        }
    }
}

int options_none(struct ctl *ctl, int argc, char **argv)
{
    static const struct option longs[] = {OPTIONS_LONG};
    options_begin();
    return options_next(ctl, argc, argv, ":" OPTIONS_SHORT, longs) == OPTIONS_END ? 0
                                                                                  : OPTIONS_STOP;
}

int options_misuse(struct ctl *ctl, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ctl_fail(ctl, RPC_KIND_usage, "%s (see: p2pchatctl help%s%s)", text,
             ctl->verb != NULL ? " " : "", ctl->verb != NULL ? ctl->verb->name : "");
    return OPTIONS_STOP;
}

int options_unknown(struct ctl *ctl, const char *what, const struct suggestion *word)
{
    if (word->best == NULL)
        return options_misuse(ctl, "%s \"%s\"", what, word->word);
    return options_misuse(ctl, "%s \"%s\"; did you mean \"%s\"?", what, word->word, word->best);
}

const struct verb *options_verb(struct ctl *ctl, const char *name)
{
    struct suggestion word = suggest_for(name);
    const struct verb *verb = verb_find(&word);
    if (verb == NULL)
        options_unknown(ctl, "there is no verb", &word);
    return verb;
}

int options_peer(struct ctl *ctl, const char *name, const char **peer)
{
    if (name[0] == '\0')
        return options_misuse(ctl, "a peer has a name; this one is empty");
    if (*peer != NULL)
        return options_misuse(ctl, "only one peer can be named, not %s and %s", *peer, name);
    *peer = name;
    return 0;
}

int options_service(struct ctl *ctl, int count, char **words, const char **peer,
                    const char **service)
{
    const int wanted = *peer != NULL ? 1 : 2;
    if (options_count(ctl, count, wanted, wanted) != 0 ||
        (*peer == NULL && options_peer(ctl, words[0], peer) != 0))
        return OPTIONS_STOP;
    *service = words[count - 1];
    return 0;
}

int options_count(struct ctl *ctl, int count, int least, int most)
{
    if (count < least)
        return options_misuse(ctl, "an argument is missing");
    if (count > most)
        return options_misuse(ctl, "too many arguments");
    return 0;
}

int options_number(struct ctl *ctl, const char *option, const char *text, json_int_t *value)
{
    uint64_t number;
    if (number_parse(text, integer_max, &number) != 0)
        return options_misuse(ctl, "%s must be a number, not \"%s\"", option, text);
    *value = (json_int_t)number;
    return 0;
}

int options_size(struct ctl *ctl, const char *option, const char *text, uint64_t *bytes)
{
    if (size_parse(text, bytes) != 0 || *bytes > integer_max)
        return options_misuse(ctl, "%s must be bytes, or a number with K, M, G or T, not \"%s\"",
                              option, text);
    return 0;
}

int options_duration(struct ctl *ctl, const char *option, const char *text, uint64_t *ms)
{
    if (duration_parse(text, ms) != 0 || *ms > integer_max)
        return options_misuse(ctl,
                              "%s must be seconds, or a number with ms, s, min, h, d or w, "
                              "not \"%s\"",
                              option, text);
    return 0;
}

int options_time(struct ctl *ctl, const char *option, const char *text, json_t **time)
{
    char formatted[TIMESTAMP_TEXT_MAX];
    uint64_t wall_ms;
    if (timestamp_parse_local(text, clock_wall_ms(), &wall_ms) != 0)
        return options_misuse(ctl,
                              "%s must be a time like \"2026-11-22 19:51:03\", today, yesterday or "
                              "-1h, not \"%s\"",
                              option, text);
    timestamp_format(wall_ms, formatted);
    *time = json_string(formatted);
    return *time != NULL ? 0 : (ctl_fail(ctl, RPC_KIND_internal, "out of memory"), OPTIONS_STOP);
}
