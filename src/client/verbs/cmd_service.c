/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl service: the services that are known here, and forgetting one.
 */
#include <string.h>

#include "base/cleanup.h"
#include "client/options.h"
#include "client/output.h"
#include "client/verb.h"
#include "client/view.h"

static void add_last(struct table *table, const json_t *requests)
{
    const json_t *last = json_object_get(requests, "last");
    char text[64];
    snprintf(text, sizeof text, "%s %" JSON_INTEGER_FORMAT, member_string(last, "outcome", "-"),
             member_integer(last, "status"));
    table_add(table, last != NULL ? text : "-");
}

static int print_table(struct ctl *ctl, const json_t *services)
{
    struct table table = {.columns = 5, .head = {"SERVICE", "STATE", "WAITING", "LAST", "PEERS"}};
    size_t i;
    json_t *service;
    json_array_foreach(services, i, service)
    {
        const json_t *requests = json_object_get(service, "requests");
        CLEANUP(cleanup_free) char *peers = view_join(json_object_get(service, "peers"));
        table_add(&table, member_string(service, "name", "?"));
        table_add(&table,
                  json_is_true(json_object_get(service, "provided")) ? "provided" : "nobody");
        table_add_number(&table, member_integer(requests, "waiting"));
        add_last(&table, requests);
        table_add(&table, peers != NULL ? peers : "?");
    }
    const int r = table_print(ctl, &table);
    table_deinit(&table);
    return r;
}

static int list(struct ctl *ctl)
{
    CLEANUP(json_release) json_t *result = ctl_call(ctl, "service.list", json_object());
    const json_t *services = json_object_get(result, "services");
    if (result == NULL || output_list(ctl, services, "name"))
        return ctl->status;
    if (json_array_size(services) > 0)
        return print_table(ctl, services);
    ctl_note(ctl, "no service is known here; to provide one: p2pchatctl serve "
                  "NAME -p PEER --exec COMMAND");
    return ctl->status;
}

int cmd_service(struct ctl *ctl, int argc, char **argv)
{
    if (options_none(ctl, argc, argv) != 0)
        return ctl->status;
    const char *command = optind < argc ? argv[optind] : "list";
    if (strcmp(command, "list") == 0)
        return options_count(ctl, argc - optind, 0, 1) == 0 ? list(ctl) : ctl->status;
    if (strcmp(command, "remove") != 0)
        return options_misuse(ctl, "service has no command \"%s\"", command), ctl->status;
    if (options_count(ctl, argc - optind, 2, 2) == 0)
        json_decref(ctl_call(ctl, "service.remove", json_pack("{s:s}", "name", argv[optind + 1])));
    return ctl->status;
}
