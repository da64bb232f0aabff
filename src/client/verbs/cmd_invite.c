/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl invite: makes invites, lists them, takes them back.
 */
#include <string.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "client/options.h"
#include "client/output.h"
#include "client/qr.h"
#include "client/verb.h"
#include "client/view.h"

struct invite_options {
    json_t *params; /* of invite.create */
    bool qr;
};

static int add_address(struct ctl *ctl, json_t *params, const char *text)
{
    json_t *addresses = json_object_get(params, "address");
    if (addresses == NULL) {
        addresses = json_array();
        json_object_set_new(params, "address", addresses);
    }
    return json_array_append_new(addresses, json_string(text)) == 0
               ? 0
               : ctl_fail(ctl, RPC_KIND_internal, "out of memory");
}

static int read_options(struct ctl *ctl, struct invite_options *options, int argc, char **argv)
{
    static const struct option longs[] = {
        {"expires", required_argument, NULL, 'e'},
        {"address", required_argument, NULL, 'a'},
        {"qr", no_argument, NULL, 'Q'},
        OPTIONS_LONG,
    };
    uint64_t ms;
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":" OPTIONS_SHORT, longs)) >= 0) {
        if (option == 'Q') {
            options->qr = true;
        } else if (option == 'a') {
            if (add_address(ctl, options->params, optarg) != 0)
                return OPTIONS_STOP;
        } else {
            if (options_duration(ctl, "--expires", optarg, &ms) != 0)
                return OPTIONS_STOP;
            json_object_set_new(options->params, "expires_s",
                                json_integer((json_int_t)(ms / 1000)));
        }
    }
    return option == OPTIONS_STOP ? OPTIONS_STOP : 0;
}

/* Whether an address leads nobody but ourselves to us. */
static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]", 5) == 0 ||
           strncmp(address, "localhost:", 10) == 0;
}

/* Whether an address may lead somebody to us from anywhere: a name may. */
static bool is_far(const char *text)
{
    struct address address;
    return address_parse(text, &address) == 0 &&
           (!address_is_numeric(&address) || address_is_public(&address));
}

static void note_reach(const struct ctl *ctl, const json_t *addresses)
{
    size_t i;
    json_t *address;
    bool near = false;
    json_array_foreach(addresses, i, address)
    {
        if (is_far(json_string_value(address)))
            return;
        near |= !is_loopback(json_string_value(address));
    }
    if (near)
        ctl_note(ctl, "nobody outside this network can dial these addresses: forward the port in "
                      "the router and say --address, let p2pchatd ask it (port-mapping in "
                      "p2pchatd.conf), or make the invite on the other machine");
    else
        ctl_note(ctl, "it leads nobody here from another machine: the daemon listens on this one "
                      "only; see: listen in p2pchatd.conf, --address");
}

/* The line to be copied is all that goes to standard output. */
static int print_invite(struct ctl *ctl, const json_t *invite, bool qr)
{
    const char *uri = member_string(invite, "uri", "");
    char local[VIEW_TIME_MAX];
    output_line(ctl, "%s", uri);
    if (qr && qr_print(ctl, uri) != 0)
        return ctl->status;
    view_time(member_string(invite, "expires", ""), local);
    ctl_note(ctl, "good once, until %s; the machine that takes it up is called %s here", local,
             member_string(invite, "name", "by a name made of the key"));
    ctl_note(ctl, "then on the other machine; there: p2pchatctl join, and paste that line when it "
                  "asks");
    ctl_note(ctl, "whoever reads it can use it: send it where only the invited person reads");
    note_reach(ctl, json_object_get(invite, "addresses"));
    return ctl->status;
}

static int create(struct ctl *ctl, const struct invite_options *options, const char *name)
{
    if (name != NULL)
        json_object_set_new(options->params, "name", json_string(name));
    CLEANUP(json_release)
    json_t *invite = ctl_call(ctl, "invite.create", json_incref(options->params));
    if (invite == NULL)
        return ctl->status;
    if (!ctl->json)
        return print_invite(ctl, invite, options->qr);
    output_json(ctl, invite, '\n');
    return ctl->status;
}

static int list(struct ctl *ctl)
{
    CLEANUP(json_release) json_t *result = ctl_call(ctl, "invite.list", json_object());
    const json_t *invites = json_object_get(result, "invites");
    struct table table = {.columns = 3, .head = {"INVITE", "FOR", "UNTIL"}};
    size_t i;
    json_t *invite;
    if (result == NULL || output_list(ctl, invites, "id"))
        return ctl->status;
    json_array_foreach(invites, i, invite)
    {
        char local[VIEW_TIME_MAX];
        view_time(member_string(invite, "expires", ""), local);
        table_add(&table, member_string(invite, "id", "?"));
        table_add(&table, member_string(invite, "name", "-"));
        table_add(&table, local);
    }
    if (json_array_size(invites) == 0)
        ctl_note(ctl, "no invite is open");
    else
        table_print(ctl, &table);
    table_deinit(&table);
    return ctl->status;
}

static int revoke(struct ctl *ctl, const char *id)
{
    CLEANUP(json_release)
    json_t *result = ctl_call(ctl, "invite.revoke", json_pack("{s:s}", "id", id));
    if (result != NULL && ctl->json)
        output_json(ctl, result, '\n');
    else if (result != NULL && !ctl->quiet)
        output_line(ctl, "%s is good no more", id);
    return ctl->status;
}

static bool is_command(char **arguments, int count, const char *name, int parameters)
{
    return count == 1 + parameters && strcmp(arguments[0], name) == 0;
}

int cmd_invite(struct ctl *ctl, int argc, char **argv)
{
    CLEANUP(json_release) json_t *params = json_object();
    struct invite_options options = {.params = params};
    if (read_options(ctl, &options, argc, argv) != 0)
        return ctl->status;
    char **arguments = argv + optind;
    const int count = argc - optind;
    if (options.qr && ctl->json)
        return options_misuse(ctl, "--qr has no form for programs"), ctl->status;
    if (is_command(arguments, count, "list", 0))
        return list(ctl);
    if (is_command(arguments, count, "revoke", 1))
        return revoke(ctl, arguments[1]);
    if (is_command(arguments, count, "revoke", 0))
        return options_misuse(ctl, "which invite?"), ctl->status;
    if (options_count(ctl, count, 0, 1) != 0)
        return ctl->status;
    return create(ctl, &options, count == 1 ? arguments[0] : NULL);
}
