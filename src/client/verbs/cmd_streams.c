/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl streams: those that are open, and the end of one.
 */
#include <string.h>

#include "base/cleanup.h"
#include "client/options.h"
#include "client/output.h"
#include "client/verb.h"

static int print_table(struct ctl *ctl, const json_t *streams)
{
    struct table table = {.columns = 6,
                          .head = {"STREAM", "PEER", "SERVICE", "STATE", "SENT", "RECEIVED"}};
    size_t i;
    json_t *stream;
    json_array_foreach(streams, i, stream)
    {
        const char *state = member_string(stream, "state", "?");
        const bool is_in = strcmp(member_string(stream, "direction", ""), "in") == 0;
        char shown[32];
        snprintf(shown, sizeof shown, "%s %s", is_in ? "in" : "out", state);
        table_add_number(&table, member_integer(stream, "stream"));
        table_add(&table, member_string(stream, "peer", "?"));
        table_add(&table, member_string(stream, "service", "?"));
        table_add(&table, shown);
        table_add_number(&table, member_integer(stream, "sent"));
        table_add_number(&table, member_integer(stream, "received"));
    }
    const int r = table_print(ctl, &table);
    table_deinit(&table);
    return r;
}

static void print_objects(struct ctl *ctl, const json_t *streams)
{
    size_t i;
    json_t *stream;
    json_array_foreach(streams, i, stream)
    {
        output_json(ctl, stream, '\n');
    }
}

/* With --quiet the numbers alone. */
static void print_numbers(struct ctl *ctl, const json_t *streams)
{
    size_t i;
    json_t *stream;
    json_array_foreach(streams, i, stream)
    {
        output_line(ctl, "%" JSON_INTEGER_FORMAT, member_integer(stream, "stream"));
    }
}

static int list(struct ctl *ctl)
{
    CLEANUP(json_release) json_t *result = ctl_call(ctl, "stream.list", json_object());
    const json_t *streams = json_object_get(result, "streams");
    if (result == NULL)
        return ctl->status;
    if (ctl->json)
        print_objects(ctl, streams);
    else if (ctl->quiet)
        print_numbers(ctl, streams);
    else if (json_array_size(streams) > 0)
        return print_table(ctl, streams);
    else
        ctl_note(ctl, "no stream is open");
    return ctl->status;
}

static int close_one(struct ctl *ctl, const char *text)
{
    json_int_t number;
    if (options_number(ctl, "the stream", text, &number) != 0)
        return ctl->status;
    json_decref(ctl_call(ctl, "stream.close", json_pack("{s:I}", "stream", number)));
    return ctl->status;
}

int cmd_streams(struct ctl *ctl, int argc, char **argv)
{
    if (options_none(ctl, argc, argv) != 0)
        return ctl->status;
    const char *command = optind < argc ? argv[optind] : "list";
    if (strcmp(command, "list") == 0)
        return options_count(ctl, argc - optind, 0, 1) == 0 ? list(ctl) : ctl->status;
    if (strcmp(command, "close") != 0)
        return options_misuse(ctl, "streams has no command \"%s\"", command), ctl->status;
    if (options_count(ctl, argc - optind, 2, 2) != 0)
        return ctl->status;
    return close_one(ctl, argv[optind + 1]);
}
