/* SPDX-License-Identifier: ISC */
/*
 * Serving: streams that come in are connected with a command or an address, requests are handled by
 * commands.
 */
#include "client/provider.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "client/command.h"
#include "client/connection.h"
#include "client/socket.h"

enum { CONNECT_TIMEOUT_MS = 10000 };

/* One stream. */
struct run {
    struct list node;
    json_int_t stream;
    pid_t child;          /* its command, or 0 */
    int socket;           /* a connection that is being made, or -1 */
    uint64_t deadline_ms; /* of that */
};

static struct run *run_at(struct list *node)
{
    return container_of(node, struct run, node);
}

static struct provision *provision_at(struct list *node)
{
    return container_of(node, struct provision, node);
}

int provider_init(struct provider *provider, struct ctl *ctl)
{
    sigset_t children;
    *provider = (struct provider){.ctl = ctl, .poll = -1, .signals = -1};
    list_init(&provider->provisions);
    list_init(&provider->runs);
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
    provider->signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    provider->poll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (provider->signals < 0 || provider->poll < 0 ||
        epoll_ctl(provider->poll, EPOLL_CTL_ADD, provider->signals, &event) < 0)
        return ctl_fail_as(ctl, EX_OSERR, "os", "can't wait for commands: %s", strerror(errno));
    responder_init(&provider->responder, ctl, provider->poll);
    return 0;
}

static void forget(struct run *run)
{
    list_remove(&run->node);
    if (run->socket >= 0)
        close(run->socket);
    free(run);
}

void provider_deinit(struct provider *provider)
{
    list_for_each_safe (node, &provider->runs)
        forget(run_at(node));
    if (provider->responder.ctl != NULL)
        responder_deinit(&provider->responder);
    list_for_each_safe (node, &provider->provisions) {
        struct provision *provision = provision_at(node);
        list_remove(node);
        json_decref(provision->params);
        free(provision);
    }
    if (provider->poll >= 0)
        close(provider->poll);
    if (provider->signals >= 0)
        close(provider->signals);
}

/* --- calls, whose answers are read with everything else --------------------------------------- */

static int call(struct provider *provider, const char *method, json_t *params, int descriptor)
{
    json_int_t id;
    return ctl_request_with(provider->ctl, method, params, descriptor, &id);
}

static int refuse(struct provider *provider, json_int_t stream)
{
    return call(provider, "stream.refuse", json_pack("{s:I}", "stream", stream), -1);
}

/* Registers everything. 0, CONNECTION_LOST, or -1 after telling. */
static int register_all(struct provider *provider)
{
    list_for_each (node, &provider->provisions) {
        const struct provision *provision = provision_at(node);
        CLEANUP(json_release) json_t *result = NULL;
        responder_introduce(&provider->responder, provision->params);
        const int r =
            ctl_ask(provider->ctl, "service.add", json_incref(provision->params), &result);
        if (r != 0)
            return r;
    }
    return 0;
}

/* --- commands --------------------------------------------------------------------------------- */

/* What a command is told. */
static void set_environment(const json_t *params)
{
    static const char *const names[][2] = {{"P2PCHAT_PEER", "peer"},
                                           {"P2PCHAT_FINGERPRINT", "fingerprint"},
                                           {"P2PCHAT_TRUST", "trust"},
                                           {"P2PCHAT_SERVICE", "service"}};
    char number[32];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        setenv(names[i][0], member_string(params, names[i][1], ""), 1);
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, member_integer(params, "stream"));
    setenv("P2PCHAT_STREAM", number, 1);
}

static struct run *run_new(struct provider *provider, json_int_t stream)
{
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return NULL;
    run->stream = stream;
    run->socket = -1;
    list_append(&provider->runs, &run->node);
    return run;
}

/* Starts a command for a stream. 0, or as call(). */
static int start_command(struct provider *provider, const char *command, const json_t *params)
{
    const json_int_t stream = member_integer(params, "stream");
    struct run *run = run_new(provider, stream);
    int ends[2];
    if (run == NULL || socket_pair(ends) != 0)
        return refuse(provider, stream);
    run->child = command_start(provider->ctl, command, ends[0], ends[0], set_environment, params);
    close(ends[0]);
    int r = -1;
    if (run->child > 0) {
        r = call(provider, "stream.accept", json_pack("{s:I,s:b}", "stream", stream, "status", 1),
                 ends[1]);
    } else {
        forget(run);
        r = refuse(provider, stream);
    }
    close(ends[1]);
    return r;
}

/* Tells how a command ended. */
static int tell_exit(struct provider *provider, json_int_t stream, int status)
{
    json_t *params = WIFSIGNALED(status)
                         ? json_pack("{s:I,s:i}", "stream", stream, "signal", WTERMSIG(status))
                         : json_pack("{s:I,s:i}", "stream", stream, "status", WEXITSTATUS(status));
    return call(provider, "stream.exit", params, -1);
}

static int reap(struct provider *provider)
{
    struct signalfd_siginfo info;
    int status, r = 0;
    pid_t child;
    while (read(provider->signals, &info, sizeof info) > 0)
        continue;
    while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
        if (responder_reap(&provider->responder, child, status))
            continue;
        list_for_each_safe (node, &provider->runs) {
            struct run *run = run_at(node);
            if (run->child != child)
                continue;
            if (run->stream != 0 && r == 0)
                r = tell_exit(provider, run->stream, status);
            forget(run);
        }
    }
    return r;
}

/* --- connections ------------------------------------------------------------------------------ */

/* Hands a connection over, or says that there is none. */
static int finish_connection(struct provider *provider, struct run *run, int error)
{
    int r;
    if (error == 0)
        r = call(provider, "stream.accept", json_pack("{s:I}", "stream", run->stream), run->socket);
    else
        r = refuse(provider, run->stream);
    if (error != 0)
        ctl_note(provider->ctl, "a connection failed: %s", strerror(-error));
    forget(run);
    return r;
}

static int start_connection(struct provider *provider, const char *address, json_int_t stream)
{
    struct run *run = run_new(provider, stream);
    int pending = 0;
    if (run == NULL)
        return refuse(provider, stream);
    run->socket = socket_connect(address, &pending);
    struct epoll_event event = {.events = EPOLLOUT | EPOLLERR | EPOLLHUP};
    if (run->socket < 0)
        return finish_connection(provider, run, run->socket);
    if (!pending)
        return finish_connection(provider, run, 0);
    run->deadline_ms = clock_monotonic_ms() + CONNECT_TIMEOUT_MS;
    if (epoll_ctl(provider->poll, EPOLL_CTL_ADD, run->socket, &event) < 0)
        return finish_connection(provider, run, -errno);
    return 0;
}

/* Looks what became of connections. */
static int check_connections(struct provider *provider)
{
    const uint64_t now = clock_monotonic_ms();
    int r = 0;
    list_for_each_safe (node, &provider->runs) {
        struct run *run = run_at(node);
        struct pollfd state = {.fd = run->socket, .events = POLLOUT};
        if (run->socket < 0 || r != 0)
            continue;
        if (poll(&state, 1, 0) == 1) {
            epoll_ctl(provider->poll, EPOLL_CTL_DEL, run->socket, NULL);
            r = finish_connection(provider, run, socket_error(run->socket));
        } else if (now >= run->deadline_ms) {
            r = finish_connection(provider, run, -ETIMEDOUT);
        }
    }
    return r;
}

static uint64_t next_deadline(const struct provider *provider)
{
    uint64_t deadline = responder_deadline(&provider->responder);
    list_for_each (node, &provider->runs) {
        const struct run *run = run_at(node);
        if (run->socket >= 0 && run->deadline_ms < deadline)
            deadline = run->deadline_ms;
    }
    return deadline;
}

/* --- what comes ------------------------------------------------------------------------------- */

static int on_incoming(struct provider *provider, const json_t *params)
{
    const char *name = member_string(params, "service", "");
    const json_int_t stream = member_integer(params, "stream");
    list_for_each (node, &provider->provisions) {
        const struct provision *provision = provision_at(node);
        if (strcmp(provision->name, name) != 0)
            continue;
        if (provision->command != NULL)
            return start_command(provider, provision->command, params);
        return start_connection(provider, provision->address, stream);
    }
    return refuse(provider, stream);
}

/* A command whose stream is over has nobody to talk to; one that was cut off may not know. */
static void hang_up(struct run *run)
{
    run->stream = 0;
    if (run->child > 0)
        kill(-run->child, SIGHUP);
}

static void on_ended(struct provider *provider, const json_t *params)
{
    const json_int_t stream = member_integer(params, "stream");
    list_for_each (node, &provider->runs) {
        struct run *run = run_at(node);
        if (run->stream == stream && json_object_get(params, "error") != NULL)
            hang_up(run);
    }
}

/* A request for the command of its service. */
static int on_request(struct provider *provider, const json_t *params)
{
    const char *name = member_string(params, "service", "");
    const char *command = NULL;
    if (strcmp(member_string(params, "type", ""), "cancel") == 0) {
        responder_stop(&provider->responder, member_string(params, "id", ""));
        return 0;
    }
    list_for_each (node, &provider->provisions) {
        const struct provision *provision = provision_at(node);
        if (strcmp(provision->name, name) == 0)
            command = provision->command;
    }
    return responder_start(&provider->responder, command, params);
}

static int take_message(struct provider *provider, const json_t *message)
{
    const json_t *params = json_object_get(message, "params");
    const json_t *error = json_object_get(message, "error");
    const char *type = member_string(params, "type", "");
    if (responder_take(&provider->responder, message))
        return 0;
    if (strcmp(member_string(message, "method", ""), "request") == 0)
        return on_request(provider, params);
    if (error != NULL)
        ctl_note(provider->ctl, "%s", member_string(error, "message", "a stream failed"));
    if (strcmp(type, "incoming") == 0)
        return on_incoming(provider, params);
    if (strcmp(type, "ended") == 0)
        on_ended(provider, params);
    return 0;
}

/* Registers with the daemon, again after it was away. 0 or ctl->status. */
static int come_back(struct provider *provider)
{
    struct ctl *ctl = provider->ctl;
    int r;
    list_for_each (node, &provider->runs)
        hang_up(run_at(node));
    do {
        responder_come_back(&provider->responder);
        r = ctl_reconnect(ctl, CONNECTION_NEVER);
        if (r == 0)
            r = register_all(provider);
    } while (r == CONNECTION_LOST);
    return r == 0 ? 0 : ctl->status != EX_OK ? ctl->status : ctl_fail_connection(ctl, r);
}

int provider_run(struct provider *provider)
{
    struct ctl *ctl = provider->ctl;
    int r = ctl_connect(ctl) == 0 ? register_all(provider) : -1;
    if (r == CONNECTION_LOST)
        ctl_fail_connection(ctl, r);
    if (r != 0)
        return ctl->status;
    for (;;) {
        CLEANUP(json_release) json_t *message = NULL;
        struct pollfd other = {.fd = provider->poll, .events = POLLIN};
        r = connection_receive(ctl->connection, &other, next_deadline(provider), &message);
        if (r == 0)
            r = take_message(provider, message);
        else if (r == CONNECTION_OTHER || r == CONNECTION_TIMEOUT)
            r = reap(provider);
        if (r == 0)
            r = check_connections(provider);
        if (r == 0)
            r = responder_go_on(&provider->responder);
        if (r == CONNECTION_LOST && come_back(provider) != 0)
            return ctl->status;
        if (r < 0)
            return ctl_fail_connection(ctl, r);
    }
}
