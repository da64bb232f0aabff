/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl history: what is stored.
 */
#include <string.h>

#include "base/cleanup.h"
#include "client/history.h"
#include "client/options.h"
#include "client/pager.h"
#include "client/verb.h"
#include "client/view.h"

enum { LINES_DEFAULT = 100 };

struct history {
    json_t *params;   /* of history.list */
    const char *peer; /* NULL: all */
    json_int_t lines; /* at most so many, or HISTORY_ALL */
    struct view view;
};

static int set_time(struct ctl *ctl, struct history *history, const char *option, const char *value)
{
    json_t *time = NULL;
    if (options_time(ctl, option, value, &time) != 0)
        return OPTIONS_STOP;
    json_object_set_new(history->params, option + strlen("--"), time);
    return 0;
}

static int read_option(struct ctl *ctl, struct history *history, int option, const char *value)
{
    switch (option) {
    case 'p':
        return options_peer(ctl, value, &history->peer);
    case 'g':
        json_object_set_new(history->params, "grep", json_string(value));
        return 0;
    case 'S':
        return set_time(ctl, history, "--since", value);
    case 'U':
        return set_time(ctl, history, "--until", value);
    case 'o':
        return view_parse(ctl, value, &history->view.format);
    case '0':
        history->view.end = '\0';
        return 0;
    default:
        if (strcmp(value, "all") != 0)
            return options_number(ctl, "-n", value, &history->lines);
        history->lines = HISTORY_ALL;
        return 0;
    }
}

static int read_options(struct ctl *ctl, struct history *history, int argc, char **argv)
{
    static const struct option longs[] = {
        {"peer", required_argument, NULL, 'p'},  {"lines", required_argument, NULL, 'n'},
        {"since", required_argument, NULL, 'S'}, {"until", required_argument, NULL, 'U'},
        {"grep", required_argument, NULL, 'g'},  {"output", required_argument, NULL, 'o'},
        {"null", no_argument, NULL, '0'},        OPTIONS_LONG,
    };
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":p:n:g:o:0" OPTIONS_SHORT, longs)) >= 0) {
        if (read_option(ctl, history, option, optarg) != 0)
            return OPTIONS_STOP;
    }
    if (option == OPTIONS_STOP || options_count(ctl, argc - optind, 0, 1) != 0)
        return OPTIONS_STOP;
    if (optind < argc && options_peer(ctl, argv[optind], &history->peer) != 0)
        return OPTIONS_STOP;
    if (history->peer != NULL)
        json_object_set_new(history->params, "peer", json_string(history->peer));
    if (ctl->json)
        history->view.format = VIEW_JSON;
    return 0;
}

int cmd_history(struct ctl *ctl, int argc, char **argv)
{
    CLEANUP(json_release) json_t *params = json_object();
    struct history history = {params, NULL, LINES_DEFAULT, {VIEW_SHORT, '\n'}};
    size_t i;
    json_t *message;
    if (read_options(ctl, &history, argc, argv) != 0)
        return ctl->status;
    CLEANUP(json_release) json_t *messages = history_fetch(ctl, params, history.lines);
    if (messages != NULL)
        pager_start(ctl);
    json_array_foreach(messages, i, message)
    {
        view_message(ctl, &history.view, message);
    }
    return ctl->status;
}
