/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl send-file: files and directories, into the daemon's spool.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/utf8.h"
#include "client/connection.h"
#include "client/options.h"
#include "client/output.h"
#include "client/pack.h"
#include "client/socket.h"
#include "client/transfer.h"
#include "client/verb.h"
#include "rpc/rpc_bytes.h"

struct sending {
    json_t *peers; /* NULL: whoever is meant when nobody is named */
    const char *name;
    const char *client_id;
    bool wait;
    bool skip_special;
    uint64_t timeout_ms; /* UINT64_MAX: for ever */
    json_int_t expires_s;
};

static int read_option(struct ctl *ctl, struct sending *sending, int option)
{
    uint64_t ms;
    switch (option) {
    case 'p':
        if (optarg[0] == '\0')
            return options_misuse(ctl, "-p needs a name; it is given an empty one");
        if (sending->peers == NULL)
            sending->peers = json_array();
        json_array_append_new(sending->peers, json_string(optarg));
        return 0;
    case 't':
        return options_duration(ctl, "--timeout", optarg, &sending->timeout_ms);
    case 'e':
        if (options_duration(ctl, "--expires", optarg, &ms) != 0)
            return OPTIONS_STOP;
        sending->expires_s = (json_int_t)((ms + 999) / 1000);
        return ms > 0 ? 0 : options_misuse(ctl, "--expires must be more than 0");
    case 'n':
        sending->name = optarg;
        return 0;
    case 'c':
        sending->client_id = optarg;
        return 0;
    case 'S':
        sending->skip_special = true;
        return 0;
    default:
        sending->wait = true;
        return 0;
    }
}

static int read_options(struct ctl *ctl, struct sending *sending, int argc, char **argv)
{
    static const struct option longs[] = {
        {"peer", required_argument, NULL, 'p'},      {"wait", no_argument, NULL, 'w'},
        {"timeout", required_argument, NULL, 't'},   {"name", required_argument, NULL, 'n'},
        {"client-id", required_argument, NULL, 'c'}, {"expires", required_argument, NULL, 'e'},
        {"skip-special", no_argument, NULL, 'S'},    OPTIONS_LONG,
    };
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":p:" OPTIONS_SHORT, longs)) >= 0)
        if (read_option(ctl, sending, option) != 0)
            return OPTIONS_STOP;
    if (option == OPTIONS_STOP)
        return OPTIONS_STOP;
    return optind < argc ? 0 : options_misuse(ctl, "which file or directory?");
}

/* What the peer is told that it is called. */
static void name_offer(const struct sending *sending, const struct pack *pack, json_t *params)
{
    const char *name = sending->name != NULL ? sending->name : pack->roots[0].name;
    char several[MANIFEST_NAME_MAX + 1];
    if (sending->name == NULL && pack->root_count > 1) {
        snprintf(several, sizeof several, "%.200s +%zu", name, pack->root_count - 1);
        name = several;
    }
    if (utf8_valid(name, strlen(name)))
        json_object_set_new(params, "name", json_string(name));
    else
        json_object_set_new(params, "name_base64", rpc_bytes_make(SPAN(name, strlen(name))));
}

static json_t *make_params(const struct sending *sending, const struct pack *pack)
{
    json_t *params =
        json_pack("{s:I,s:I,s:I}", "entries", (json_int_t)pack->entries, "data_size",
                  (json_int_t)pack->data_size, "manifest_size", (json_int_t)pack->manifest.size);
    name_offer(sending, pack, params);
    if (sending->peers != NULL)
        json_object_set(params, "peers", sending->peers);
    if (sending->client_id != NULL)
        json_object_set_new(params, "client_id", json_string(sending->client_id));
    if (sending->expires_s > 0)
        json_object_set_new(params, "expires_s", json_integer(sending->expires_s));
    return params;
}

/* Hands everything to the daemon: a new reference to its result, or NULL after telling. */
static json_t *hand_over(struct ctl *ctl, const struct sending *sending, struct pack *pack)
{
    CLEANUP(json_release) json_t *reply = NULL;
    int ends[2];
    json_int_t id;
    if (socket_pair(ends) != 0) {
        ctl_fail(ctl, RPC_KIND_internal, "no socket is left");
        return NULL;
    }
    int r = ctl_request_with(ctl, "file.send", make_params(sending, pack), ends[1], &id);
    close(ends[1]);
    const int written = r == 0 ? pack_write(pack, ends[0]) : 0;
    shutdown(ends[0], SHUT_WR);
    if (r == 0 && (written == 0 || written == PACK_UNTAKEN))
        r = transfer_await(ctl, id, &reply);
    close(ends[0]);
    if (r != 0) {
        ctl_fail_connection(ctl, r);
        return NULL;
    }
    if (reply == NULL)
        return NULL;
    const json_t *error = json_object_get(reply, "error");
    if (error != NULL) {
        ctl_fail_reply(ctl, error);
        return NULL;
    }
    return json_incref(json_object_get(reply, "result"));
}

static int wait_end(struct ctl *ctl, const struct sending *sending, const char *id)
{
    json_t *params = json_pack("{s:s}", "id", id);
    if (sending->timeout_ms != UINT64_MAX)
        json_object_set_new(params, "timeout_ms", json_integer((json_int_t)sending->timeout_ms));
    CLEANUP(json_release) json_t *transfer = ctl_call(ctl, "file.wait", params);
    if (transfer == NULL)
        return ctl->status;
    if (ctl->json)
        output_json(ctl, transfer, '\n');
    return transfer_judge(ctl, transfer);
}

static int finish(struct ctl *ctl, const struct sending *sending, const json_t *transfers)
{
    size_t i;
    json_t *transfer;
    json_array_foreach(transfers, i, transfer)
    {
        if (ctl->json)
            output_json(ctl, transfer, '\n');
        else
            output_line(ctl, "%s", member_string(transfer, "id", "?"));
    }
    output_flush(ctl);
    json_array_foreach(transfers, i, transfer)
    {
        if (sending->wait)
            wait_end(ctl, sending, member_string(transfer, "id", ""));
    }
    return ctl->status;
}

int cmd_send_file(struct ctl *ctl, int argc, char **argv)
{
    struct sending sending = {.timeout_ms = UINT64_MAX};
    struct pack pack = {0};
    if (read_options(ctl, &sending, argc, argv) == 0 && ctl_connect(ctl) == 0 &&
        pack_init(&pack, ctl, sending.skip_special, argv + optind, (size_t)(argc - optind)) == 0) {
        CLEANUP(json_release) json_t *result = hand_over(ctl, &sending, &pack);
        if (result != NULL)
            finish(ctl, &sending, json_object_get(result, "transfers"));
    }
    pack_deinit(&pack);
    json_decref(sending.peers);
    return ctl->status;
}
