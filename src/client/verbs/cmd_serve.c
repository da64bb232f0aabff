/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl serve: services for peers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "client/connection.h"
#include "client/options.h"
#include "client/provider.h"
#include "client/pump.h"
#include "client/socket.h"
#include "client/verb.h"
#include "client/words.h"

enum { FILE_SIZE_MAX = 1024 * 1024 };

struct serve {
    struct provider provider;
    const char *file;
    struct bytes text; /* of the file; what is served points into it */
};

static void serve_deinit(struct serve *serve)
{
    provider_deinit(&serve->provider);
    bytes_deinit(&serve->text);
}

static int read_option(struct ctl *ctl, struct provision *provision, int option, const char *value)
{
    json_int_t max;
    switch (option) {
    case 'p':
        json_array_append_new(json_object_get(provision->params, "peers"), json_string(value));
        return 0;
    case 'T':
        json_object_set_new(provision->params, "trust", json_string(value));
        return 0;
    case 'm':
        if (options_number(ctl, "--max", value, &max) != 0)
            return OPTIONS_STOP;
        json_object_set_new(provision->params, "max", json_integer(max));
        return 0;
    case 'X':
        provision->command = value;
        return 0;
    case 'O':
        if (strcmp(value, "ask") != 0 && strcmp(value, "stream") != 0)
            return options_misuse(ctl, "--only is for \"ask\" or \"stream\", not \"%s\"", value);
        json_object_set_new(provision->params, value[0] == 'a' ? "stream" : "ask", json_false());
        return 0;
    default:
        provision->address = value;
        return 0;
    }
}

/* What can be said wrongly of one service. */
static int check(struct ctl *ctl, const struct provision *provision)
{
    const char *flaw = provision->address != NULL ? socket_flaw(provision->address) : NULL;
    if (json_array_size(json_object_get(provision->params, "peers")) == 0)
        return options_misuse(ctl, "who may call %s? say it with -p; '*' is every trusted peer",
                              provision->name);
    if (provision->command != NULL && provision->address != NULL)
        return options_misuse(ctl, "%s is either --exec or --connect", provision->name);
    if (provision->command == NULL && json_object_get(provision->params, "stream") != NULL)
        return options_misuse(ctl, "requests are answered by a command: --exec");
    if (flaw != NULL)
        return options_misuse(ctl, "can't connect to \"%s\": %s", provision->address, flaw);
    return 0;
}

static struct provision *provision_new(struct serve *serve)
{
    struct provision *provision = calloc(1, sizeof *provision);
    json_t *params = json_pack("{s:[]}", "peers");
    if (provision == NULL || params == NULL) {
        json_decref(params);
        free(provision);
        return NULL;
    }
    provision->params = params;
    list_append(&serve->provider.provisions, &provision->node);
    return provision;
}

/* Reads one service in the words of a command line; `file` may be said instead of it. */
static int read_words(struct ctl *ctl, struct serve *serve, bool of_file, int argc, char **argv)
{
    static const struct option longs[] = {
        {"peer", required_argument, NULL, 'p'}, {"trust", required_argument, NULL, 'T'},
        {"max", required_argument, NULL, 'm'},  {"exec", required_argument, NULL, 'X'},
        {"only", required_argument, NULL, 'O'}, {"connect", required_argument, NULL, 'C'},
        {"file", required_argument, NULL, 'f'}, OPTIONS_LONG};
    struct provision *provision = provision_new(serve);
    int option;
    if (provision == NULL)
        return ctl_fail(ctl, RPC_KIND_internal, "out of memory"), OPTIONS_STOP;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":p:f:" OPTIONS_SHORT, longs)) >= 0) {
        if (option == 'f' && of_file)
            return options_misuse(ctl, "a file of services names no other one");
        if (option == 'f')
            serve->file = optarg;
        else if (read_option(ctl, provision, option, optarg) != 0)
            return OPTIONS_STOP;
    }
    if (option == OPTIONS_STOP)
        return OPTIONS_STOP;
    if (serve->file != NULL && !of_file) {
        list_remove(&provision->node);
        json_decref(provision->params);
        free(provision);
        return options_count(ctl, argc - optind, 0, 0);
    }
    if (options_count(ctl, argc - optind, 1, 1) != 0)
        return OPTIONS_STOP;
    provision->name = argv[optind];
    json_object_set_new(provision->params, "name", json_string(provision->name));
    if (json_object_get(provision->params, "ask") == NULL)
        json_object_set_new(provision->params, "ask", json_boolean(provision->command != NULL));
    return check(ctl, provision);
}

/* Reads a line of the file, in place. */
static int read_line(struct ctl *ctl, struct serve *serve, char *line, unsigned number)
{
    char verb[] = "serve", *words[WORDS_MAX + 1] = {verb};
    int count = words_split(line, words + 1);
    if (count == 0)
        return 0;
    if (count < 0)
        return options_misuse(ctl, "%s:%u: %s", serve->file, number,
                              count == -E2BIG ? "too many words" : "a quote has no end");
    if (read_words(ctl, serve, true, count + 1, words) != 0) {
        ctl_note(ctl, "that was %s, line %u", serve->file, number);
        return OPTIONS_STOP;
    }
    const struct provision *last =
        container_of(serve->provider.provisions.previous, struct provision, node);
    if (last->command == NULL && last->address == NULL)
        return options_misuse(ctl, "%s:%u: --exec or --connect is missing", serve->file, number);
    return 0;
}

static int read_file(struct ctl *ctl, struct serve *serve)
{
    int r = file_read(serve->file, FILE_SIZE_MAX, &serve->text);
    unsigned number = 0;
    if (r == 0)
        r = bytes_append_u8(&serve->text, '\0');
    if (r != 0)
        return ctl_fail_as(ctl, EX_IOERR, "input", "can't read %s: %s", serve->file, strerror(-r));
    char *rest = (char *)serve->text.data;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        if (read_line(ctl, serve, line, ++number) != 0)
            return ctl->status;
    if (list_empty(&serve->provider.provisions))
        return options_misuse(ctl, "%s names no service", serve->file), ctl->status;
    return 0;
}

/* --- one stream here -------------------------------------------------------------------------- */

/* Waits for a notification of this type. New reference, or NULL after telling. */
static json_t *wait_for(struct ctl *ctl, const char *type)
{
    for (;;) {
        json_t *message = NULL;
        const int r = connection_receive(ctl->connection, NULL, CONNECTION_NEVER, &message);
        if (r != 0) {
            ctl_fail(ctl, RPC_KIND_lost, "the daemon went away, and the stream with it");
            return NULL;
        }
        json_t *params = json_incref(json_object_get(message, "params"));
        json_decref(message);
        if (strcmp(member_string(params, "type", ""), type) == 0)
            return params;
        json_decref(params);
    }
}

static int take_here(struct ctl *ctl, const json_t *incoming)
{
    int ends[2];
    json_int_t id;
    if (socket_pair(ends) != 0)
        return ctl_fail(ctl, RPC_KIND_internal, "no socket is left");
    const int r = ctl_request_with(
        ctl, "stream.accept", json_pack("{s:O}", "stream", json_object_get(incoming, "stream")),
        ends[1], &id);
    close(ends[1]);
    if (r != 0)
        return ctl_fail_connection(ctl, r);
    pump_run(ctl->in, STDOUT_FILENO, ends[0]);
    CLEANUP(json_release) json_t *ended = wait_for(ctl, "ended");
    close(ends[0]);
    const json_t *error = json_object_get(ended, "error");
    return error != NULL ? ctl_fail_notified(ctl, error) : ctl->status;
}

static int serve_here(struct ctl *ctl, const struct provision *provision)
{
    json_object_set_new(provision->params, "once", json_true());
    CLEANUP(json_release)
    json_t *added = ctl_call(ctl, "service.add", json_incref(provision->params));
    if (added == NULL)
        return ctl->status;
    CLEANUP(json_release) json_t *incoming = wait_for(ctl, "incoming");
    return incoming != NULL ? take_here(ctl, incoming) : ctl->status;
}

int cmd_serve(struct ctl *ctl, int argc, char **argv)
{
    CLEANUP(serve_deinit) struct serve serve = {0};
    if (provider_init(&serve.provider, ctl) != 0 ||
        read_words(ctl, &serve, false, argc, argv) != 0 ||
        (serve.file != NULL && read_file(ctl, &serve) != 0))
        return ctl->status;
    const struct provision *first =
        container_of(serve.provider.provisions.next, struct provision, node);
    if (first->command == NULL && first->address == NULL)
        return serve_here(ctl, first);
    return provider_run(&serve.provider);
}
