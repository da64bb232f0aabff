/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl follow: what arrives, as it arrives.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "client/connection.h"
#include "client/content.h"
#include "client/exec.h"
#include "client/follower.h"
#include "client/options.h"
#include "client/output.h"
#include "client/verb.h"
#include "client/view.h"

enum { SETTLE_MAX = 100 }; /* events shown, after which the position is kept at the latest */

struct follow {
    json_t *params; /* of the method `follow` */
    json_t *types;  /* the events that were asked for; NULL: all */
    struct view view;
    json_int_t count; /* messages to end after; 0: never */
    uint64_t deadline_ms;
    const char *cursor_file; /* where the position is kept, or NULL */
    bool consumer;           /* the daemon keeps the position */
    const char *command;     /* to run for each message instead of printing, or NULL */
};

static void follow_deinit(struct follow *follow)
{
    json_decref(follow->params);
    json_decref(follow->types);
}

/* Adds to the array under `key`, which is made when it is missing. */
static void add_to(json_t *params, const char *key, const char *text, size_t size)
{
    json_t *array = json_object_get(params, key);
    if (array == NULL) {
        json_object_set_new(params, key, json_array());
        array = json_object_get(params, key);
    }
    json_array_append_new(array, json_stringn(text, size));
}

/* "a,b", or "all". */
static int read_types(struct ctl *ctl, struct follow *follow, const char *text)
{
    json_decref(follow->types);
    follow->types = NULL;
    if (strcmp(text, "all") == 0)
        return 0;
    CLEANUP(json_release) json_t *holder = json_object();
    for (;;) {
        const size_t size = strcspn(text, ",");
        if (size == 0)
            return options_misuse(ctl, "--types is a list like message.received,peer.online");
        add_to(holder, "types", text, size);
        if (text[size] == '\0')
            break;
        text += size + 1;
    }
    follow->types = json_incref(json_object_get(holder, "types"));
    return 0;
}

/* Where to begin may be said in one way only. */
static int read_position(struct ctl *ctl, struct follow *follow, int option, const char *value)
{
    json_t *params = follow->params, *since = NULL;
    json_int_t number = 0;
    if (json_object_get(params, "lines") != NULL || json_object_get(params, "after") != NULL ||
        json_object_get(params, "since") != NULL)
        return options_misuse(ctl, "only one of -n, --since and --after can be given");
    if (option == 'S') {
        if (options_time(ctl, "--since", value, &since) != 0)
            return OPTIONS_STOP;
        json_object_set_new(params, "since", since);
        return 0;
    }
    const bool all = option == 'n' && strcmp(value, "all") == 0;
    if (!all && options_number(ctl, option == 'n' ? "-n" : "--after", value, &number) != 0)
        return OPTIONS_STOP;
    json_object_set_new(params, all || option == 'A' ? "after" : "lines", json_integer(number));
    return 0;
}

static int read_option(struct ctl *ctl, struct follow *follow, int option, const char *value)
{
    uint64_t ms;
    switch (option) {
    case 'p':
        add_to(follow->params, "peers", value, strlen(value));
        return 0;
    case 'o':
        return view_parse(ctl, value, &follow->view.format);
    case '0':
        follow->view.end = '\0';
        return 0;
    case 'C':
        follow->cursor_file = value;
        return 0;
    case 'U':
        follow->consumer = true;
        json_object_set_new(follow->params, "consumer", json_string(value));
        return 0;
    case 'X':
        follow->command = value;
        return 0;
    case 'T':
        return read_types(ctl, follow, value);
    case 'F':
        json_object_set_new(follow->params, "live", json_false());
        return 0;
    case 'c':
        if (options_number(ctl, "--count", value, &follow->count) != 0)
            return OPTIONS_STOP;
        return follow->count > 0 ? 0 : options_misuse(ctl, "--count must be at least 1");
    case 't':
        if (options_duration(ctl, "--timeout", value, &ms) != 0)
            return OPTIONS_STOP;
        follow->deadline_ms = clock_monotonic_ms() + ms;
        return 0;
    default:
        return read_position(ctl, follow, option, value);
    }
}

static int read_options(struct ctl *ctl, struct follow *follow, int argc, char **argv)
{
    static const struct option longs[] = {
        {"peer", required_argument, NULL, 'p'},        {"lines", required_argument, NULL, 'n'},
        {"since", required_argument, NULL, 'S'},       {"after", required_argument, NULL, 'A'},
        {"output", required_argument, NULL, 'o'},      {"null", no_argument, NULL, '0'},
        {"types", required_argument, NULL, 'T'},       {"no-follow", no_argument, NULL, 'F'},
        {"count", required_argument, NULL, 'c'},       {"timeout", required_argument, NULL, 't'},
        {"cursor-file", required_argument, NULL, 'C'}, {"consumer", required_argument, NULL, 'U'},
        {"exec", required_argument, NULL, 'X'},        OPTIONS_LONG,
    };
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":p:n:o:0" OPTIONS_SHORT, longs)) >= 0) {
        if (read_option(ctl, follow, option, optarg) != 0)
            return OPTIONS_STOP;
    }
    if (option == OPTIONS_STOP)
        return OPTIONS_STOP;
    for (; optind < argc; optind++)
        add_to(follow->params, "peers", argv[optind], strlen(argv[optind]));
    if (follow->cursor_file != NULL && follow->consumer)
        return options_misuse(ctl, "--cursor-file and --consumer both keep the position");
    if (ctl->json)
        follow->view.format = VIEW_JSON;
    if (follow->types != NULL)
        json_object_set(follow->params, "types", follow->types);
    return 0;
}

static bool asked_for(const struct follow *follow, const char *type)
{
    size_t i;
    json_t *asked;
    json_array_foreach(follow->types, i, asked)
    {
        if (strcmp(json_string_value(asked), type) == 0)
            return true;
    }
    return follow->types == NULL;
}

/* Runs the command for what is a message with a text. Whether it has succeeded. */
static bool handle(struct ctl *ctl, const struct follow *follow, const json_t *event)
{
    const json_t *message = json_object_get(event, "message");
    if (!content_has_body(message)) {
        if (json_is_true(json_object_get(message, "damaged")))
            ctl_note(ctl, "the stored text of message %s is damaged",
                     member_string(message, "id", "?"));
        return false;
    }
    if (exec_run(ctl, follow->command, event, follow->deadline_ms))
        return true;
    ctl_fail(ctl, RPC_KIND_timeout, "the command did not succeed in time; message %s comes again",
             member_string(message, "id", "?"));
    return false;
}

/* Events about following itself come unasked, and mean nothing to people unless something is
 * missing. */
static void show_own(struct ctl *ctl, const struct follow *follow, const char *type,
                     const json_t *event)
{
    const bool gap = strcmp(type, "follow.gap") == 0;
    if (gap) {
        char text[VIEW_GAP_MAX];
        view_gap(event, text);
        ctl_note(ctl, "%s", text);
    }
    if (strcmp(type, "follow.taken_over") == 0)
        ctl_fail_as(ctl, EX_TEMPFAIL, "taken_over", "another follower has taken over consumer %s",
                    member_string(follow->params, "consumer", "?"));
    if (follow->view.format == VIEW_JSON && (gap || asked_for(follow, type)))
        view_event(ctl, &follow->view, event);
}

/* Whether an event was shown that counts. */
static bool show(struct ctl *ctl, const struct follow *follow, const json_t *event)
{
    const char *type = member_string(event, "type", "");
    if (strncmp(type, "follow.", 7) == 0) {
        show_own(ctl, follow, type, event);
        return false;
    }
    if (!asked_for(follow, type))
        return false;
    return follow->command != NULL ? handle(ctl, follow, event)
                                   : view_event(ctl, &follow->view, event);
}

static bool is_end(const struct follow *follow, const json_t *event)
{
    return json_is_false(json_object_get(follow->params, "live")) &&
           strcmp(member_string(event, "type", ""), "follow.live") == 0;
}

static int timed_out(struct ctl *ctl, const struct follow *follow)
{
    if (follow->count == 0)
        return EX_OK;
    return ctl_fail(ctl, RPC_KIND_timeout, "not as many messages in time");
}

/* Keeps the position, now that all up to it was shown. 0 or ctl->status. */
static int settle(struct ctl *ctl, const struct follow *follow, struct follower *follower)
{
    if (follow->consumer && follower_acknowledge(follower) != 0)
        return ctl->status;
    const int r =
        follow->cursor_file != NULL ? cursor_write(follow->cursor_file, &follower->cursor) : 0;
    if (r != 0)
        return ctl_fail_as(ctl, EX_IOERR, "output", "%s: %s", follow->cursor_file, strerror(-r));
    if (follow->command != NULL)
        exec_done();
    return 0;
}

/* What happened on the way to an end or to the next event. Whether to end, with ctl->status. */
static bool is_over(struct ctl *ctl, const struct follow *follow, int outcome)
{
    if (outcome == FOLLOWER_TIMEOUT)
        timed_out(ctl, follow);
    return outcome != 0 && outcome != FOLLOWER_RESUMED;
}

/* Shows events until there is a reason to end. The exit status. */
static int run(struct ctl *ctl, const struct follow *follow, struct follower *follower)
{
    unsigned unsettled = 0;
    for (json_int_t shown = 0;;) {
        CLEANUP(json_release) json_t *event = NULL;
        /* What has come is shown before the position is kept, but not too much of it. */
        const int outcome =
            unsettled == SETTLE_MAX
                ? FOLLOWER_TIMEOUT
                : follower_next(follower, unsettled > 0 ? 0 : follow->deadline_ms, &event);
        if (unsettled > 0 && outcome == FOLLOWER_TIMEOUT) {
            if (!output_flush(ctl) || settle(ctl, follow, follower) != 0)
                return ctl->status;
            unsettled = 0;
            continue;
        }
        if (is_over(ctl, follow, outcome))
            return ctl->status;
        if (outcome == FOLLOWER_RESUMED)
            continue;
        shown += show(ctl, follow, event);
        if (ctl->status != EX_OK)
            return ctl->status;
        unsettled = follow->command != NULL ? SETTLE_MAX : unsettled + 1;
        if ((follow->count > 0 && shown >= follow->count) || is_end(follow, event))
            return output_flush(ctl) ? settle(ctl, follow, follower) : ctl->status;
    }
}

/* Where the file says to begin; NULL in *cursor without one. 0 or ctl->status. */
static int read_cursor(struct ctl *ctl, const char *path, struct cursor *place,
                       const struct cursor **cursor)
{
    *cursor = NULL;
    if (path == NULL)
        return 0;
    const int r = cursor_read(path, place);
    if (r == -ENOENT)
        return 0;
    if (r != 0)
        return ctl_fail_as(ctl, r == -EINVAL ? EX_DATAERR : EX_IOERR, "cursor", "%s: %s", path,
                           r == -EINVAL ? "this is no cursor file" : strerror(-r));
    *cursor = place;
    return 0;
}

int cmd_follow(struct ctl *ctl, int argc, char **argv)
{
    CLEANUP(follow_deinit)
    struct follow follow = {
        .params = json_object(),
        .types = json_pack("[s]", "message.received"),
        .view = {VIEW_SHORT, '\n'},
        .deadline_ms = CONNECTION_NEVER,
    };
    CLEANUP(follower_deinit) struct follower follower = {0};
    struct cursor place;
    const struct cursor *cursor;
    if (read_options(ctl, &follow, argc, argv) != 0 ||
        read_cursor(ctl, follow.cursor_file, &place, &cursor) != 0)
        return ctl->status;
    if (follow.command != NULL)
        exec_init();
    if (is_over(
            ctl, &follow,
            follower_init(&follower, ctl, json_incref(follow.params), cursor, follow.deadline_ms)))
        return ctl->status;
    /* From here on nothing is missed, even if nothing has come yet. */
    if (follow.cursor_file != NULL && settle(ctl, &follow, &follower) != 0)
        return ctl->status;
    follower.for_output = follow.command == NULL;
    return run(ctl, &follow, &follower);
}
