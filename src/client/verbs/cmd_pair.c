/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl pair: pairs with another machine that the user can log in to.
 *
 * The other side invites and we dial, since a machine that ssh reaches can mostly be reached by us
 * too. If not, it goes the other way round. Either way both sides end with the other verified.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/shell.h"
#include "client/options.h"
#include "client/output.h"
#include "client/peer_view.h"
#include "client/remote.h"
#include "client/verb.h"

enum { TIMEOUT_DEFAULT_MS = 30 * 1000, HOST_NAME_SIZE = 65 };

struct pair {
    const char *destination; /* as ssh takes it */
    const char *name;        /* of the other side, here */
    const char *own_name;    /* of ours, there */
    uint64_t timeout_ms;
};

/* The last line: before it may stand what the shell over there prints whenever it starts. */
static struct span last_line(const struct bytes *output)
{
    size_t end = output->size;
    while (end > 0 && output->data[end - 1] == '\n')
        end--;
    const uint8_t *before = end > 0 ? memrchr(output->data, '\n', end) : NULL;
    const size_t start = before != NULL ? (size_t)(before - output->data) + 1 : 0;
    return SPAN(output->data + start, end - start);
}

/* One JSON object that p2pchatctl printed over there. NULL after telling. */
static json_t *run_remote(struct ctl *ctl, const struct pair *pair, const char *const *arguments,
                          const char *input)
{
    struct bytes output = {0};
    json_t *object = NULL;
    if (remote_run(ctl, pair->destination, arguments, input, &output) == 0) {
        const struct span line = last_line(&output);
        object = json_loadb((const char *)line.data, line.size, 0, NULL);
        if (object == NULL)
            ctl_fail(ctl, RPC_KIND_internal,
                     "the answer of %s can't be read; look at what this prints: ssh %s "
                     "'p2pchatctl version'",
                     pair->destination, shell_word(pair->destination).text);
    }
    bytes_deinit(&output);
    return object;
}

/* Where ssh found it, with the port that it listens on. NULL if there is no telling. */
static json_t *guess_address(const struct pair *pair, const json_t *invite)
{
    const char *at = strrchr(pair->destination, '@');
    const char *listed = json_string_value(json_array_get(json_object_get(invite, "addresses"), 0));
    struct address address, known;
    char text[ADDRESS_TEXT_MAX];
    if (listed == NULL || address_parse(listed, &known) != 0 ||
        address_parse(at != NULL ? at + 1 : pair->destination, &address) != 0)
        return json_array();
    address.port = known.port;
    address_format(&address, text);
    return json_pack("[s]", text);
}

/* Their invite, taken up here. The peer, or NULL with ctl->status still 0 if we can't reach it. */
static json_t *dial_them(struct ctl *ctl, const struct pair *pair, const json_t *invite)
{
    json_t *params = json_pack("{s:s,s:s*,s:o,s:I}", "uri", member_string(invite, "uri", ""),
                               "name", pair->name, "address", guess_address(pair, invite),
                               "timeout_ms", (json_int_t)pair->timeout_ms);
    CLEANUP(json_release) json_t *reply = NULL;
    if (ctl_connect(ctl) != 0) {
        json_decref(params);
        return NULL;
    }
    const int r = ctl_exchange(ctl, "invite.accept", params, &reply);
    const json_t *error = json_object_get(reply, "error");
    const char *kind = member_string(json_object_get(error, "data"), "kind", "");
    if (r != 0)
        ctl_fail_connection(ctl, r);
    else if (error != NULL && strcmp(kind, rpc_kind_name(RPC_KIND_timeout)) != 0)
        ctl_fail_reply(ctl, error);
    return json_incref(json_object_get(reply, "result"));
}

/* Our invite, taken up there. The peer, or NULL after telling. */
static json_t *let_them_dial(struct ctl *ctl, const struct pair *pair, const char *fingerprint)
{
    char timeout[32];
    snprintf(timeout, sizeof timeout, "%llums", (unsigned long long)pair->timeout_ms);
    const char *const join[] = {"--json", "join", "--timeout",    timeout,
                                "--",     "-",    pair->own_name, NULL};

    ctl_note(ctl, "can't reach %s from here; it tries to reach us", pair->destination);
    CLEANUP(json_release) json_t *invite = ctl_call(ctl, "invite.create", json_object());
    if (invite == NULL)
        return NULL;
    CLEANUP(json_release)
    json_t *joined = run_remote(ctl, pair, join, member_string(invite, "uri", ""));
    /* We knew the key that came, so the invite was not used up. */
    CLEANUP(json_release)
    json_t *revoked =
        ctl_call(ctl, "invite.revoke", json_pack("{s:s}", "id", member_string(invite, "id", "")));
    if (joined == NULL || revoked == NULL)
        return NULL;
    return ctl_call(ctl, "peer.get", json_pack("{s:s}", "name", fingerprint));
}

/* They may have known our key before, without being sure of it. */
static int verify_there(struct ctl *ctl, const struct pair *pair)
{
    CLEANUP(json_release) json_t *own = ctl_call(ctl, "identity.get", json_object());
    const char *fingerprint = member_string(own, "fingerprint", "");
    const char *const verify[] = {"--json", "peer", "verify", fingerprint, fingerprint, NULL};
    if (own == NULL)
        return ctl->status;
    json_decref(run_remote(ctl, pair, verify, NULL));
    return ctl->status;
}

static int pair_by_ssh(struct ctl *ctl, const struct pair *pair)
{
    const char *const create[] = {"--json", "invite", "--", pair->own_name, NULL};
    const char *const list[] = {"--json", "fingerprint", NULL};
    CLEANUP(json_release) json_t *invite = run_remote(ctl, pair, create, NULL);
    if (invite == NULL)
        return ctl->status;
    CLEANUP(json_release) json_t *peer = dial_them(ctl, pair, invite);
    if (peer == NULL && ctl->status == EX_OK) {
        const char *const revoke[] = {"--json", "invite", "revoke", member_string(invite, "id", ""),
                                      NULL};
        CLEANUP(json_release) json_t *revoked = run_remote(ctl, pair, revoke, NULL);
        CLEANUP(json_release)
        json_t *theirs = revoked != NULL ? run_remote(ctl, pair, list, NULL) : NULL;
        if (theirs != NULL)
            peer = let_them_dial(ctl, pair, member_string(theirs, "fingerprint", ""));
    }
    if (peer == NULL || verify_there(ctl, pair) != EX_OK)
        return ctl->status;
    peer_view_met(ctl, peer, pair->name);
    return ctl->status;
}

static int read_options(struct ctl *ctl, struct pair *pair, int argc, char **argv)
{
    static const struct option longs[] = {
        {"ssh", required_argument, NULL, 'S'},
        {"as", required_argument, NULL, 'a'},
        {"timeout", required_argument, NULL, 't'},
        OPTIONS_LONG,
    };
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":" OPTIONS_SHORT, longs)) >= 0) {
        if (option == 'S')
            pair->destination = optarg;
        else if (option == 'a')
            pair->own_name = optarg;
        else if (options_duration(ctl, "--timeout", optarg, &pair->timeout_ms) != 0)
            return OPTIONS_STOP;
    }
    if (option == OPTIONS_STOP || options_count(ctl, argc - optind, 0, 1) != 0)
        return OPTIONS_STOP;
    if (pair->destination == NULL)
        return options_misuse(ctl, "say with whom: --ssh USER@HOST");
    if (pair->timeout_ms == 0)
        return options_misuse(ctl, "--timeout must be more than 0");
    pair->name = optind < argc ? argv[optind] : NULL;
    return 0;
}

int cmd_pair(struct ctl *ctl, int argc, char **argv)
{
    char host[HOST_NAME_SIZE] = "";
    struct pair pair = {.own_name = host, .timeout_ms = TIMEOUT_DEFAULT_MS};
    gethostname(host, sizeof host - 1);
    host[strcspn(host, ".")] = '\0';
    if (read_options(ctl, &pair, argc, argv) != 0)
        return ctl->status;
    return pair_by_ssh(ctl, &pair);
}
