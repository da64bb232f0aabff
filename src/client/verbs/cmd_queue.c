/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl queue: what is accepted and not delivered yet.
 */
#include <string.h>

#include "base/cleanup.h"
#include "client/content.h"
#include "client/history.h"
#include "client/options.h"
#include "client/output.h"
#include "client/verb.h"
#include "client/view.h"

enum { PREVIEW = 40 }; /* characters of a text in the table */

/* The beginning of the first line. */
static void add_preview(struct table *table, const char *body)
{
    char text[4 * PREVIEW + 4];
    size_t size = 0;
    for (int characters = 0; body[size] != '\0' && body[size] != '\n'; size++) {
        const bool begins = (body[size] & 0xC0) != 0x80;
        if (begins && ++characters > PREVIEW)
            break;
    }
    snprintf(text, sizeof text, "%.*s%s", (int)size, body, body[size] != '\0' ? "..." : "");
    table_add(table, text);
}

/* A text, or what bytes are. */
static void add_content(struct table *table, const json_t *message)
{
    CLEANUP(bytes_deinit) struct bytes size = {0};
    const char *kind = member_string(message, "kind", "");
    const char *service = member_string(message, "service", "");
    char what[96];
    snprintf(what, sizeof what, "<%s%s%s>", kind, service[0] != '\0' ? " to " : "", service);
    if (json_is_true(json_object_get(message, "damaged")))
        table_add(table, "(damaged)");
    else if (kind[0] != '\0')
        table_add(table, what);
    else if (content_text(message) != NULL || !content_has_body(message))
        add_preview(table, member_string(message, "body", ""));
    else if (content_append_size(&size, message) != 0 || bytes_append_u8(&size, '\0') != 0)
        table->failed = true;
    else
        table_add(table, (const char *)size.data);
}

static int print_table(struct ctl *ctl, const json_t *messages)
{
    struct table table = {.columns = 5, .head = {"ID", "PEER", "STATE", "TIME", "TEXT"}};
    char local[VIEW_TIME_MAX];
    size_t i;
    json_t *message;
    json_array_foreach(messages, i, message)
    {
        view_time(member_string(message, "time", ""), local);
        table_add(&table, member_string(message, "id", "?"));
        table_add(&table, member_string(message, "peer", "?"));
        table_add(&table, json_is_true(json_object_get(message, "held"))
                              ? "held"
                              : member_string(message, "state", "?"));
        table_add(&table, local);
        add_content(&table, message);
    }
    const int r = table_print(ctl, &table);
    table_deinit(&table);
    return r;
}

static int list(struct ctl *ctl)
{
    CLEANUP(json_release) json_t *params = json_pack("{s:b}", "queued", 1);
    CLEANUP(json_release) json_t *messages = history_fetch(ctl, params, HISTORY_ALL);
    if (messages == NULL || output_list(ctl, messages, "id"))
        return ctl->status;
    if (json_array_size(messages) > 0)
        return print_table(ctl, messages);
    ctl_note(ctl, "the queue is empty");
    return ctl->status;
}

static int cancel(struct ctl *ctl, int count, char **ids)
{
    for (int i = 0; i < count; i++) {
        CLEANUP(json_release)
        json_t *message = ctl_call(ctl, "message.cancel", json_pack("{s:s}", "id", ids[i]));
        if (message == NULL)
            return ctl->status;
        if (ctl->json)
            output_json(ctl, message, '\n');
        else if (!ctl->quiet)
            output_line(ctl, "%s is cancelled", ids[i]);
    }
    return ctl->status;
}

int cmd_queue(struct ctl *ctl, int argc, char **argv)
{
    if (options_none(ctl, argc, argv) != 0)
        return ctl->status;
    const char *command = optind < argc ? argv[optind] : "list";
    if (strcmp(command, "list") == 0)
        return options_count(ctl, argc - optind, 0, 1) == 0 ? list(ctl) : ctl->status;
    if (strcmp(command, "cancel") != 0)
        return options_misuse(ctl, "queue has no command \"%s\"", command), ctl->status;
    if (optind + 1 == argc)
        return options_misuse(ctl, "which message?"), ctl->status;
    return cancel(ctl, argc - optind - 1, argv + optind + 1);
}
