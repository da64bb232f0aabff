/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl ask: a request to a service of a peer, and its answer.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "client/client_id.h"
#include "client/connection.h"
#include "client/input.h"
#include "client/options.h"
#include "client/output.h"
#include "client/own_headers.h"
#include "client/verb.h"
#include "client/view.h"
#include "rpc/rpc_bytes.h"

enum {
    TIMEOUT_MS = 60 * 1000,
    GRACE_MS = 2000, /* for the daemon to say that the time is over */
};

struct ask {
    const char *peer;
    const char *service;
    const char *result; /* the request whose answer is wanted, or NULL */
    uint64_t timeout_ms;
    uint64_t deadline_ms; /* monotonic */
    bool detach;
    json_t *headers;
    int signals; /* ^C, or -1 */
};

static void ask_deinit(struct ask *ask)
{
    json_decref(ask->headers);
    if (ask->signals >= 0)
        close(ask->signals);
}

static int read_option(struct ctl *ctl, struct ask *ask, int option, const char *value)
{
    switch (option) {
    case 't':
        if (options_duration(ctl, "--timeout", value, &ask->timeout_ms) != 0)
            return OPTIONS_STOP;
        return 0;
    case 'd':
        ask->detach = true;
        return 0;
    case 'r':
        ask->result = value;
        return 0;
    case 'T':
        return own_headers_add(ctl, &ask->headers, "type", json_string(value));
    case 'O':
        return own_headers_add(ctl, &ask->headers, "topic", json_string(value));
    default:
        return own_headers_add_user(ctl, &ask->headers, value);
    }
}

static int read_options(struct ctl *ctl, struct ask *ask, int argc, char **argv)
{
    static const struct option longs[] = {{"timeout", required_argument, NULL, 't'},
                                          {"detach", no_argument, NULL, 'd'},
                                          {"result", required_argument, NULL, 'r'},
                                          {"type", required_argument, NULL, 'T'},
                                          {"topic", required_argument, NULL, 'O'},
                                          {"header", required_argument, NULL, 'H'},
                                          OPTIONS_LONG};
    int option;
    bool timed = false;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":H:" OPTIONS_SHORT, longs)) >= 0) {
        if (read_option(ctl, ask, option, optarg) != 0)
            return OPTIONS_STOP;
        timed = timed || option == 't';
    }
    if (option == OPTIONS_STOP)
        return OPTIONS_STOP;
    if (ask->result != NULL) {
        if (!timed)
            ask->timeout_ms = 0;
        return options_count(ctl, argc - optind, 0, 0);
    }
    if (ask->timeout_ms < 1000)
        return options_misuse(ctl, "--timeout is at least 1s");
    if (argc - optind < 2)
        return options_misuse(ctl, "whom, and which service? p2pchatctl ask PEER SERVICE");
    ask->peer = argv[optind++];
    ask->service = argv[optind++];
    return 0;
}

/* --- the request ------------------------------------------------------------------------------ */

/* The arguments, or standard input as it is unless that is a terminal. 0 or ctl->status. */
static int read_body(struct ctl *ctl, int count, char **words, struct bytes *body)
{
    const bool dash = count == 1 && strcmp(words[0], "-") == 0;
    int r = 0;
    for (int i = 0; !dash && r == 0 && i < count; i++) {
        if (i > 0)
            r = bytes_append(body, " ", 1);
        if (r == 0)
            r = bytes_append(body, words[i], strlen(words[i]));
    }
    if (dash || (count == 0 && isatty(ctl->in) != 1)) {
        CLEANUP(input_deinit) struct input input = {.fd = ctl->in};
        struct span text = {0};
        r = input_all(&input, true, &text);
        if (r > 0)
            text.size = INPUT_TEXT_MAX + 1;
        if (r < 0)
            return ctl_fail_as(ctl, EX_IOERR, "input", "can't read standard input: %s",
                               strerror(-r));
        r = text.size <= INPUT_TEXT_MAX ? bytes_append(body, text.data, text.size) : 0;
        if (text.size > INPUT_TEXT_MAX)
            return ctl_fail(ctl, RPC_KIND_too_large, "a request has at most %d bytes",
                            INPUT_TEXT_MAX);
    }
    return r == 0 ? 0 : ctl_fail(ctl, RPC_KIND_internal, "out of memory");
}

/* A text goes as one, so that it is one over there. */
static json_t *make_params(const struct ask *ask, struct span body)
{
    struct client_id id;
    char client_id[CLIENT_ID_TEXT_MAX];
    client_id_init(&id);
    client_id_next(&id, client_id);
    json_t *text = json_stringn((const char *)body.data, body.size);
    const bool is_text = text != NULL && memchr(body.data, '\0', body.size) == NULL;
    if (!is_text && body.size > 0) {
        json_decref(text);
        text = rpc_bytes_make(body);
    }
    return json_pack("{s:s,s:s,s:I,s:s,s:O*,s:o*}", "peer", ask->peer, "service", ask->service,
                     "timeout_s", (json_int_t)((ask->timeout_ms + 999) / 1000), "client_id",
                     client_id, "headers", ask->headers,
                     is_text || body.size == 0 ? "body" : "body_base64", text);
}

/* Connects again; ^C ends us meanwhile as it does anybody. 0 or ctl->status. */
static int come_back(struct ctl *ctl, const struct ask *ask)
{
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_UNBLOCK, &interrupt, NULL);
    const int r = ctl_reconnect(ctl, ask->deadline_ms);
    sigprocmask(SIG_BLOCK, &interrupt, NULL);
    if (r == CONNECTION_TIMEOUT)
        return ctl_fail_as(ctl, EX_UNAVAILABLE, "unreachable",
                           "the daemon went away, and is not back (see: p2pchatctl doctor)");
    return r == 0 ? 0 : ctl_fail_connection(ctl, r);
}

/* Asks, once in any case. The id, new reference; or NULL after telling. */
static json_t *send_request(struct ctl *ctl, const struct ask *ask, json_t *params)
{
    json_t *accepted = NULL;
    if (ctl_connect(ctl) != 0)
        return NULL;
    for (;;) {
        const int r = ctl_ask(ctl, "message.ask", json_incref(params), &accepted);
        if (r == 0)
            break;
        if (r != CONNECTION_LOST || come_back(ctl, ask) != 0)
            return NULL;
    }
    json_t *id = json_incref(json_object_get(accepted, "id"));
    json_decref(accepted);
    return id;
}

/* --- the answer ------------------------------------------------------------------------------- */

static void take_back(struct ctl *ctl, json_t *id)
{
    CLEANUP(json_release) json_t *reply = NULL;
    ctl_exchange(ctl, "message.cancel", json_pack("{s:O}", "id", id), &reply);
    ctl->status = CTL_INTERRUPTED;
}

/* One wait on one connection. 0 with the reply, CONNECTION_LOST, or -1 after telling. */
static int receive_answer(struct ctl *ctl, const struct ask *ask, json_t *id, json_t **reply)
{
    const uint64_t now = clock_monotonic_ms();
    const uint64_t left = ask->deadline_ms > now ? ask->deadline_ms - now : 0;
    struct pollfd signals = {.fd = ask->signals, .events = POLLIN};
    json_int_t call;
    int r = ctl_request(
        ctl, "message.wait",
        json_pack("{s:O,s:s,s:I}", "id", id, "state", "processed", "timeout_ms", (json_int_t)left),
        &call);
    if (r == 0)
        r = connection_receive(ctl->connection, &signals, ask->deadline_ms + GRACE_MS, reply);
    if (r == CONNECTION_OTHER) {
        take_back(ctl, id);
        return -1;
    }
    if (r == 0 && ctl_stopping(json_object_get(*reply, "error")))
        return CONNECTION_LOST;
    if (r != 0 && r != CONNECTION_LOST)
        return ctl_fail_connection(ctl, r), -1;
    return r;
}

/* Waits for the answer. New reference to it, or NULL after telling. */
static json_t *wait_for_answer(struct ctl *ctl, const struct ask *ask, json_t *id)
{
    for (;;) {
        CLEANUP(json_release) json_t *reply = NULL;
        const int r = receive_answer(ctl, ask, id, &reply);
        if (r < 0)
            return NULL;
        if (r == CONNECTION_LOST && come_back(ctl, ask) != 0)
            return NULL;
        if (r == CONNECTION_LOST)
            continue;
        const json_t *error = json_object_get(reply, "error");
        if (error == NULL)
            return json_incref(json_object_get(reply, "result"));
        ctl_fail_reply(ctl, error);
        return NULL;
    }
}

/* What an outcome without an answer means. */
struct meaning {
    const char *outcome;
    int status;
    const char *text;
};

static const struct meaning meanings[] = {
    {"refused", 76, "there is no such service for us"},
    {"late", EX_TEMPFAIL, "nobody began with it in time; it did not run"},
    {"busy", EX_TEMPFAIL, "too many requests wait over there; it did not run, try again later"},
    {"cancelled", EX_TEMPFAIL, "it was taken back before it ran"},
    {"interrupted", EX_SOFTWARE, "what ran it was interrupted; it may have run, or not"},
    {"too_large", EX_DATAERR, "its answer has more than 65536 bytes; it was ended"},
    {"failed", EX_SOFTWARE, "its command could not be run over there"},
};

/* Prints the answer. The exit status. */
static int show_answer(struct ctl *ctl, const json_t *answer)
{
    const json_t *result = json_object_get(answer, "result");
    const char *outcome = member_string(result, "outcome", "failed");
    const int status = (int)member_integer(result, "status");
    if (ctl->json)
        output_json(ctl, answer, '\n');
    else
        view_body(ctl, json_object_get(answer, "message"));
    if (strcmp(outcome, "exited") == 0)
        return ctl->status = status;
    if (strcmp(outcome, "signalled") == 0)
        return ctl->status = 128 + status;
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (strcmp(outcome, meanings[i].outcome) == 0)
            return ctl_fail_as(ctl, meanings[i].status, outcome, "%s", meanings[i].text);
    return ctl_fail_as(ctl, EX_SOFTWARE, outcome, "it ended in a way that is not known here");
}

static int fetch_result(struct ctl *ctl, const struct ask *ask)
{
    CLEANUP(json_release) json_t *id = json_string(ask->result);
    CLEANUP(json_release)
    json_t *answer = ctl_connect(ctl) == 0 ? wait_for_answer(ctl, ask, id) : NULL;
    return answer != NULL ? show_answer(ctl, answer) : ctl->status;
}

/* ^C takes the request back, from here on. */
static void watch_interrupt(struct ask *ask)
{
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, NULL);
    ask->signals = signalfd(-1, &interrupt, SFD_CLOEXEC);
}

int cmd_ask(struct ctl *ctl, int argc, char **argv)
{
    CLEANUP(ask_deinit) struct ask ask = {.timeout_ms = TIMEOUT_MS, .signals = -1};
    CLEANUP(bytes_deinit) struct bytes body = {0};
    if (read_options(ctl, &ask, argc, argv) != 0)
        return ctl->status;
    ask.deadline_ms = clock_monotonic_ms() + ask.timeout_ms;
    if (ask.result != NULL)
        return fetch_result(ctl, &ask);
    if (read_body(ctl, argc - optind, argv + optind, &body) != 0)
        return ctl->status;
    ask.deadline_ms = clock_monotonic_ms() + ask.timeout_ms; /* reading may have taken long */
    watch_interrupt(&ask);
    CLEANUP(json_release) json_t *params = make_params(&ask, bytes_span(&body));
    CLEANUP(json_release) json_t *id = send_request(ctl, &ask, params);
    if (id == NULL)
        return ctl->status;
    if (ask.detach) {
        output_line(ctl, "%s", json_string_value(id));
        return ctl->status;
    }
    CLEANUP(json_release) json_t *answer = wait_for_answer(ctl, &ask, id);
    return answer != NULL ? show_answer(ctl, answer) : ctl->status;
}
