/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl peer: its commands have a table of their own.
 */
#include <string.h>

#include "base/cleanup.h"
#include "client/options.h"
#include "client/output.h"
#include "client/peer_view.h"
#include "client/peers.h"
#include "client/purge.h"
#include "client/verb.h"

/* Options that some commands have; what is not given is NULL. */
struct peer_options {
    const char *peer; /* the first argument of the command */
    const char *fingerprint;
    const char *name;
    const char *timeout;
    const char *require_pq; /* "yes" or "no" */
    bool purge;
};

/* A command with its arguments, whose number has been checked. Returns ctl->status. */
typedef int peer_run(struct ctl *ctl, const struct peer_options *options, int count,
                     char **arguments);

struct peer_command {
    const char *name;
    peer_run *run;
    int least, most; /* arguments */
};

enum { ANY_NUMBER = 64 };

static bool is_fingerprint(const char *text)
{
    return strncmp(text, "SHA256:", 7) == 0;
}

static json_t *strings(int count, char **texts)
{
    json_t *array = json_array();
    for (int i = 0; i < count; i++) {
        if (json_array_append_new(array, json_string(texts[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* With the result for programs, with `done` for people. */
static void confirm(struct ctl *ctl, const json_t *result, const char *name, const char *done)
{
    if (ctl->json)
        output_json(ctl, result, '\n');
    else if (!ctl->quiet)
        output_line(ctl, "%s %s", name, done);
}

static int call_and_confirm(struct ctl *ctl, const char *method, json_t *params, const char *name,
                            const char *done)
{
    CLEANUP(json_release) json_t *result = ctl_call(ctl, method, params);
    if (result != NULL)
        confirm(ctl, result, name, done);
    return ctl->status;
}

static int list(struct ctl *ctl, const struct peer_options *options, int count, char **arguments)
{
    (void)options, (void)count, (void)arguments;
    CLEANUP(json_release) json_t *peers = json_array();
    json_t *params = json_object();
    bool more = true;
    while (more) {
        CLEANUP(json_release) json_t *result = ctl_call(ctl, "peer.list", params);
        if (result == NULL)
            return ctl->status;
        if (json_array_extend(peers, json_object_get(result, "peers")) != 0)
            return ctl_fail(ctl, RPC_KIND_internal, "out of memory");
        more = peers_more(result, &params);
    }
    if (output_list(ctl, peers, "name"))
        return ctl->status;
    return peer_view_table(ctl, peers);
}

static int show(struct ctl *ctl, const struct peer_options *options, int count, char **arguments)
{
    (void)options, (void)count;
    CLEANUP(json_release)
    json_t *peer = ctl_call(ctl, "peer.get", json_pack("{s:s}", "name", arguments[0]));
    if (peer == NULL)
        return ctl->status;
    if (ctl->json)
        output_json(ctl, peer, '\n');
    else
        peer_view_details(ctl, peer);
    return ctl->status;
}

/* For a parameter that is left out if the option is. */
static json_t *require_pq(const struct peer_options *options)
{
    return options->require_pq == NULL ? NULL
                                       : json_boolean(strcmp(options->require_pq, "yes") == 0);
}

static int add(struct ctl *ctl, const struct peer_options *options, int count, char **arguments)
{
    json_t *params = json_pack("{s:s,s:o,s:s*,s:o*}", "name", arguments[0], "address",
                               strings(count - 1, arguments + 1), "fingerprint",
                               options->fingerprint, "require_pq", require_pq(options));
    return call_and_confirm(ctl, "peer.add", params, arguments[0],
                            options->fingerprint != NULL
                                ? "is known now"
                                : "is known now; its key is pinned at first contact");
}

static int rename_peer(struct ctl *ctl, const struct peer_options *options, int count,
                       char **arguments)
{
    (void)options, (void)count;
    json_t *params = json_pack("{s:s,s:s}", "name", arguments[0], "to", arguments[1]);
    CLEANUP(json_release) json_t *result = ctl_call(ctl, "peer.rename", params);
    const char *outdated = member_string(result, "default_peer", NULL);
    if (result == NULL)
        return ctl->status;
    confirm(ctl, result, arguments[1], "is its name now");
    if (outdated != NULL)
        ctl_note(ctl, "default-peer in p2pchatd.conf says %s: change it to %s as well", outdated,
                 arguments[1]);
    return ctl->status;
}

static int set(struct ctl *ctl, const struct peer_options *options, int count, char **arguments)
{
    const bool addresses = count > 1;
    if (!addresses && options->require_pq == NULL)
        return options_misuse(ctl, "say what to change: addresses, or --require-pq=yes or no"),
               ctl->status;
    json_t *params = json_pack("{s:s,s:o*,s:o*}", "name", arguments[0], "address",
                               addresses ? strings(count - 1, arguments + 1) : NULL, "require_pq",
                               require_pq(options));
    const char *done = addresses ? "has other addresses now"
                       : strcmp(options->require_pq, "yes") == 0
                           ? "has to speak a post-quantum suite now"
                           : "may speak any suite now";
    return call_and_confirm(ctl, "peer.set", params, arguments[0], done);
}

/* What is said with it goes by the same name after it has gone. */
static int remove_peer(struct ctl *ctl, const struct peer_options *options, int count,
                       char **arguments)
{
    (void)count;
    CLEANUP(json_release) json_t *params = json_pack("{s:s}", "peer", arguments[0]);
    CLEANUP(json_release)
    json_t *result = ctl_call(ctl, "peer.remove", json_pack("{s:s}", "name", arguments[0]));
    const json_int_t queued = member_integer(result, "queued");
    json_int_t removed;
    if (result == NULL)
        return ctl->status;
    confirm(ctl, result, arguments[0], "is forgotten");
    if (queued > 0)
        ctl_note(ctl,
                 "%" JSON_INTEGER_FORMAT " messages have yet to leave its queue, which takes a "
                 "moment and goes on by itself",
                 queued);
    if (!options->purge)
        return ctl->status;
    if (purge_all(ctl, params, &removed) == 0)
        ctl_note(ctl, "%" JSON_INTEGER_FORMAT " of its messages removed", removed);
    return ctl->status;
}

static int block(struct ctl *ctl, const struct peer_options *options, int count, char **arguments)
{
    (void)options, (void)count;
    const char *key = is_fingerprint(arguments[0]) ? "fingerprint" : "name";
    return call_and_confirm(ctl, "peer.block", json_pack("{s:s}", key, arguments[0]), arguments[0],
                            "is blocked");
}

/* What is left of the trust is worth knowing: it may have been more. */
static int unblock(struct ctl *ctl, const struct peer_options *options, int count, char **arguments)
{
    (void)options, (void)count;
    CLEANUP(json_release)
    json_t *peer = ctl_call(ctl, "peer.unblock", json_pack("{s:s}", "name", arguments[0]));
    if (peer == NULL)
        return ctl->status;
    if (ctl->json)
        output_json(ctl, peer, '\n');
    else if (!ctl->quiet)
        output_line(ctl, "%s is not blocked; its trust is %s", member_string(peer, "name", "?"),
                    member_string(peer, "trust", "?"));
    return ctl->status;
}

/* Key and name may come in either order, unless --fingerprint or --name says which is which. */
static int accept_peer(struct ctl *ctl, const struct peer_options *options, int count,
                       char **arguments)
{
    const char *key = options->fingerprint, *name = options->name;
    const int first = key == NULL && count == 2 && is_fingerprint(arguments[1]) ? 1 : 0;
    int taken = 0;
    if (key == NULL && taken < count)
        key = arguments[first ^ taken++];
    if (name == NULL && taken < count)
        name = arguments[first ^ taken++];
    if (taken < count)
        return options_misuse(ctl, "too many arguments"), ctl->status;
    if (key == NULL)
        return options_misuse(ctl, "say which key"), ctl->status;
    json_t *params = json_pack("{s:s*,s:s}", "name", name, "fingerprint", key);
    return call_and_confirm(ctl, "peer.accept", params, name != NULL ? name : key, "is let in");
}

static int verify(struct ctl *ctl, const struct peer_options *options, int count, char **arguments)
{
    char number[128] = "";
    (void)options;
    for (int i = 1; i < count; i++) { /* a number that was not quoted comes in its groups */
        const size_t used = strlen(number);
        if ((size_t)snprintf(number + used, sizeof number - used, "%s", arguments[i]) >=
            sizeof number - used)
            return options_misuse(ctl, "neither a fingerprint nor a safety number"), ctl->status;
    }
    const char *kind = is_fingerprint(number) ? "fingerprint" : "safety_number";
    return call_and_confirm(ctl, "peer.verify",
                            json_pack("{s:s,s:s}", "name", arguments[0], kind, number),
                            arguments[0], "is verified");
}

static int reject(struct ctl *ctl, const struct peer_options *options, int count, char **arguments)
{
    (void)options, (void)count;
    return call_and_confirm(ctl, "peer.reject", json_pack("{s:s}", "fingerprint", arguments[0]),
                            arguments[0], "is turned away");
}

static int requests(struct ctl *ctl, const struct peer_options *options, int count,
                    char **arguments)
{
    (void)options, (void)count, (void)arguments;
    CLEANUP(json_release) json_t *result = ctl_call(ctl, "peer.requests", json_object());
    const json_t *waiting = json_object_get(result, "requests");
    size_t i;
    json_t *request;

    if (result == NULL || output_list(ctl, waiting, "fingerprint"))
        return ctl->status;
    json_array_foreach(waiting, i, request)
    {
        peer_view_request(ctl, request);
    }
    if (json_array_size(waiting) == 0)
        ctl_note(ctl, "nobody asks to be let in");
    return ctl->status;
}

static int connect_peer(struct ctl *ctl, const struct peer_options *options, int count,
                        char **arguments)
{
    (void)options, (void)count;
    return call_and_confirm(ctl, "peer.connect", json_pack("{s:s}", "name", arguments[0]),
                            arguments[0], "is being dialled");
}

static int disconnect(struct ctl *ctl, const struct peer_options *options, int count,
                      char **arguments)
{
    (void)options, (void)count;
    return call_and_confirm(ctl, "peer.disconnect", json_pack("{s:s}", "name", arguments[0]),
                            arguments[0], "is disconnected until p2pchatctl peer connect");
}

static int ping(struct ctl *ctl, const struct peer_options *options, int count, char **arguments)
{
    (void)count;
    json_t *timeout = NULL;
    uint64_t ms;

    if (options->timeout != NULL) {
        if (options_duration(ctl, "--timeout", options->timeout, &ms) != 0)
            return ctl->status;
        timeout = json_integer((json_int_t)ms);
    }
    json_t *params = json_pack("{s:s,s:o*}", "name", arguments[0], "timeout_ms", timeout);
    CLEANUP(json_release) json_t *result = ctl_call(ctl, "peer.ping", params);
    if (result == NULL)
        return ctl->status;
    if (ctl->json)
        output_json(ctl, result, '\n');
    else
        output_line(ctl, "%s answers in %" JSON_INTEGER_FORMAT " ms", arguments[0],
                    member_integer(result, "rtt_ms"));
    return ctl->status;
}

static const struct peer_command commands[] = {
    {"list", list, 0, 0},
    {"add", add, 1, ANY_NUMBER},
    {"show", show, 1, 1},
    {"rename", rename_peer, 2, 2},
    {"set", set, 1, ANY_NUMBER},
    {"remove", remove_peer, 1, 1},
    {"verify", verify, 2, ANY_NUMBER},
    {"block", block, 1, 1},
    {"unblock", unblock, 1, 1},
    {"requests", requests, 0, 0},
    {"accept", accept_peer, 0, 2},
    {"reject", reject, 1, 1},
    {"connect", connect_peer, 1, 1},
    {"disconnect", disconnect, 1, 1},
    {"ping", ping, 1, 1},
};

/* NULL after telling. */
static const struct peer_command *choose_command(struct ctl *ctl, const char *name)
{
    struct suggestion suggestion = suggest_for(name);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
        suggest_offer(&suggestion, commands[i].name);
    }
    options_unknown(ctl, "peer has no command", &suggestion);
    return NULL;
}

static int read_options(struct ctl *ctl, struct peer_options *options, int argc, char **argv)
{
    static const struct option longs[] = {
        {"peer", required_argument, NULL, 'p'},
        {"fingerprint", required_argument, NULL, 'f'},
        {"name", required_argument, NULL, 'n'},
        {"timeout", required_argument, NULL, 't'},
        {"purge", no_argument, NULL, 'P'},
        {"require-pq", required_argument, NULL, 'R'},
        OPTIONS_LONG,
    };
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":p:" OPTIONS_SHORT, longs)) >= 0) {
        if (option == 'p' && options_peer(ctl, optarg, &options->peer) != 0)
            return OPTIONS_STOP;
        if (option == 'f')
            options->fingerprint = optarg;
        else if (option == 'n')
            options->name = optarg;
        else if (option == 'P')
            options->purge = true;
        else if (option == 'R')
            options->require_pq = optarg;
        else if (option == 't')
            options->timeout = optarg;
    }
    return option == OPTIONS_STOP ? OPTIONS_STOP : 0;
}

int cmd_peer(struct ctl *ctl, int argc, char **argv)
{
    struct peer_options options = {0};
    if (read_options(ctl, &options, argc, argv) != 0)
        return ctl->status;
    if (optind == argc)
        return options_misuse(ctl, "which command?"), ctl->status;
    const struct peer_command *command = choose_command(ctl, argv[optind]);
    if (command == NULL)
        return ctl->status;
    if (options.fingerprint != NULL && command->run != add && command->run != accept_peer)
        return options_misuse(ctl, "--fingerprint belongs to peer add and peer accept"),
               ctl->status;
    if (options.name != NULL && command->run != accept_peer)
        return options_misuse(ctl, "--name belongs to peer accept"), ctl->status;
    if (options.timeout != NULL && command->run != ping)
        return options_misuse(ctl, "--timeout belongs to peer ping"), ctl->status;
    if (options.purge && command->run != remove_peer)
        return options_misuse(ctl, "--purge belongs to peer remove"), ctl->status;
    if (options.require_pq != NULL && command->run != add && command->run != set)
        return options_misuse(ctl, "--require-pq belongs to peer add and peer set"), ctl->status;
    if (options.require_pq != NULL && strcmp(options.require_pq, "yes") != 0 &&
        strcmp(options.require_pq, "no") != 0)
        return options_misuse(ctl, "--require-pq: say yes or no"), ctl->status;
    if (options.peer != NULL)
        argv[optind] = (char *)options.peer; /* in the place of the command */
    else
        optind++;
    if (options_count(ctl, argc - optind, command->least, command->most) != 0)
        return ctl->status;
    return command->run(ctl, &options, argc - optind, argv + optind);
}
