/* SPDX-License-Identifier: ISC */
/*
 * Requests that commands answer.
 */
#include "client/responder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "client/command.h"
#include "client/connection.h"
#include "client/environment.h"
#include "client/exec.h"
#include "client/input.h"
#include "rpc/rpc_bytes.h"

enum {
    KILL_MS = 5000,  /* from SIGTERM to SIGKILL */
    RETRY_MS = 1000, /* an answer that the daemon could not store is said again */
};

/* One request. */
struct job {
    struct list node;
    char id[UUID_TEXT_MAX];
    pid_t child;       /* its command; 0: it has ended, or was never begun */
    int out;           /* what it writes, or -1 */
    struct bytes body; /* what it has written */
    bool flooded;      /* more than a message holds */
    const char *outcome;
    int status;
    uint64_t kill_ms;  /* when it is killed; 0: it was not told to end */
    json_int_t answer; /* the call that says what came of it; 0: it is to be made … */
    uint64_t retry_ms; /* … not before this */
};

static struct job *job_at(struct list *node)
{
    return container_of(node, struct job, node);
}

void responder_init(struct responder *responder, struct ctl *ctl, int poll)
{
    struct client_id id;
    client_id_init(&id);
    *responder = (struct responder){.ctl = ctl, .poll = poll};
    hex_encode(id.run, sizeof id.run, responder->instance);
    list_init(&responder->jobs);
}

static void close_output(struct responder *responder, struct job *job)
{
    if (job->out < 0)
        return;
    epoll_ctl(responder->poll, EPOLL_CTL_DEL, job->out, NULL);
    close(job->out);
    job->out = -1;
}

static void job_free(struct responder *responder, struct job *job)
{
    close_output(responder, job);
    list_remove(&job->node);
    bytes_deinit(&job->body);
    free(job);
}

void responder_deinit(struct responder *responder)
{
    list_for_each_safe (node, &responder->jobs)
        job_free(responder, job_at(node));
}

void responder_introduce(const struct responder *responder, json_t *params)
{
    json_t *running = json_array();
    list_for_each (node, &responder->jobs)
        json_array_append_new(running, json_string(job_at(node)->id));
    json_object_set_new(params, "instance", json_string(responder->instance));
    json_object_set_new(params, "running", running);
}

/* --- commands --------------------------------------------------------------------------------- */

static void set_environment(const json_t *params)
{
    const json_t *message = json_object_get(params, "message");
    environment_set_message(params);
    setenv("P2PCHAT_TIME", member_string(message, "time", ""), 1);
    setenv("P2PCHAT_SERVICE", member_string(params, "service", ""), 1);
}

static void finish(struct job *job, const char *outcome, int status)
{
    job->child = 0;
    job->kill_ms = 0;
    job->outcome = outcome;
    job->status = status;
}

/* Runs the command. 0 or -errno. */
static int run(struct responder *responder, struct job *job, const char *command,
               const json_t *params)
{
    int ends[2];
    const int in = exec_open_body(json_object_get(params, "message"));
    if (in < 0)
        return -errno;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        close(in);
        return -EMFILE;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    const pid_t child =
        command_start(responder->ctl, command, in, ends[1], set_environment, params);
    const int error = errno;
    struct epoll_event event = {.events = EPOLLIN};
    close(in);
    close(ends[1]);
    job->out = ends[0];
    epoll_ctl(responder->poll, EPOLL_CTL_ADD, job->out, &event);
    if (child < 0)
        return -error;
    job->child = child;
    return 0;
}

int responder_start(struct responder *responder, const char *command, const json_t *params)
{
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return -ENOMEM;
    snprintf(job->id, sizeof job->id, "%s", member_string(params, "id", ""));
    job->out = -1;
    list_append(&responder->jobs, &job->node);
    const int r = command != NULL ? run(responder, job, command, params) : -ENOENT;
    if (r != 0) {
        ctl_note(responder->ctl, "request %s: can't run the command: %s", job->id, strerror(-r));
        finish(job, "failed", 0);
    }
    return responder_go_on(responder);
}

static void stop(struct job *job)
{
    if (job->child == 0 || job->kill_ms != 0)
        return;
    kill(-job->child, SIGTERM);
    job->kill_ms = clock_monotonic_ms() + KILL_MS;
}

void responder_stop(struct responder *responder, const char *id)
{
    list_for_each (node, &responder->jobs)
        if (strcmp(job_at(node)->id, id) == 0)
            stop(job_at(node));
}

/* Takes what a command has written by now. */
static void read_output(struct responder *responder, struct job *job)
{
    uint8_t data[16384];
    while (job->out >= 0) {
        const ssize_t count = read(job->out, data, sizeof data);
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (count <= 0) {
            close_output(responder, job);
        } else if (job->body.size + (size_t)count > INPUT_TEXT_MAX ||
                   bytes_append(&job->body, data, (size_t)count) != 0) {
            job->flooded = true;
            close_output(responder, job);
            stop(job);
        }
    }
}

bool responder_reap(struct responder *responder, pid_t child, int status)
{
    list_for_each (node, &responder->jobs) {
        struct job *job = job_at(node);
        if (job->child != child)
            continue;
        read_output(responder, job);
        close_output(responder, job); /* whoever else has the other end is not the command */
        if (job->flooded)
            finish(job, "too_large", 0);
        else if (WIFSIGNALED(status))
            finish(job, "signalled", WTERMSIG(status));
        else
            finish(job, "exited", WEXITSTATUS(status));
        return true;
    }
    return false;
}

/* --- answers ---------------------------------------------------------------------------------- */

static int answer(struct responder *responder, struct job *job)
{
    const bool flooded = job->flooded;
    json_t *body = flooded || job->body.size == 0 ? NULL : rpc_bytes_make(bytes_span(&job->body));
    return ctl_request(responder->ctl, "service.answer",
                       json_pack("{s:s,s:s,s:i,s:o*}", "id", job->id, "outcome", job->outcome,
                                 "status", job->status, "body_base64", body),
                       &job->answer);
}

static bool is_worth_repeating(const json_t *error)
{
    const char *kind = member_string(json_object_get(error, "data"), "kind", "");
    return strcmp(kind, "disk_full") == 0 || ctl_stopping(error);
}

bool responder_take(struct responder *responder, const json_t *message)
{
    const json_int_t id = member_integer(message, "id");
    const json_t *error = json_object_get(message, "error");
    list_for_each_safe (node, &responder->jobs) {
        struct job *job = job_at(node);
        if (id == 0 || job->answer != id)
            continue;
        if (is_worth_repeating(error)) {
            job->answer = 0;
            job->retry_ms = clock_monotonic_ms() + RETRY_MS;
            return true;
        }
        if (error != NULL)
            ctl_note(responder->ctl, "request %s: %s", job->id,
                     member_string(error, "message", "the answer was not taken"));
        job_free(responder, job);
        return true;
    }
    return false;
}

void responder_come_back(struct responder *responder)
{
    list_for_each (node, &responder->jobs) {
        job_at(node)->answer = 0;
        job_at(node)->retry_ms = 0;
    }
}

int responder_go_on(struct responder *responder)
{
    const uint64_t now = clock_monotonic_ms();
    int r = 0;
    list_for_each (node, &responder->jobs) {
        struct job *job = job_at(node);
        read_output(responder, job);
        if (job->kill_ms != 0 && now >= job->kill_ms) {
            kill(-job->child, SIGKILL);
            job->kill_ms = now + KILL_MS;
        }
        if (r == 0 && job->child == 0 && job->answer == 0 && now >= job->retry_ms)
            r = answer(responder, job);
    }
    return r;
}

uint64_t responder_deadline(const struct responder *responder)
{
    uint64_t deadline = CONNECTION_NEVER;
    list_for_each (node, &responder->jobs) {
        const struct job *job = job_at(node);
        if (job->kill_ms != 0 && job->kill_ms < deadline)
            deadline = job->kill_ms;
        if (job->child == 0 && job->answer == 0 && job->retry_ms < deadline)
            deadline = job->retry_ms;
    }
    return deadline;
}
