/* SPDX-License-Identifier: ISC */
/*
 * A command for each message.
 */
#include "client/exec.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/startup.h"
#include "client/content.h"
#include "client/environment.h"
#include "client/rest.h"

static volatile sig_atomic_t busy;    /* a message is being handled */
static volatile sig_atomic_t stopped; /* the signal that asked for the end meanwhile */

static void end(int signal_number)
{
    _exit(signal_number == SIGINT ? CTL_INTERRUPTED : EX_OK);
}

static void on_signal(int signal_number)
{
    if (!busy)
        end(signal_number);
    stopped = signal_number;
}

void exec_init(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void exec_done(void)
{
    busy = 0;
    if (stopped != 0)
        end(stopped);
}

int exec_open_body(const json_t *message)
{
    CLEANUP(bytes_deinit) struct bytes body = {0};
    const int r = content_append_body(&body, message);
    if (r != 0) {
        errno = -r;
        return -1;
    }
    const uint8_t *data = body.data;
    size_t left = body.size;
    int fd = memfd_create("message", MFD_CLOEXEC);
    while (fd >= 0 && left > 0) {
        const ssize_t written = write(fd, data, left);
        if (written < 0) {
            close(fd);
            return -1;
        }
        data += written;
        left -= (size_t)written;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

__attribute__((noreturn)) static void become(const struct ctl *ctl, const char *command,
                                             const json_t *event, int body)
{
    startup_restore_signals();
    dup2(body, STDIN_FILENO);
    environment_clear(ctl);
    environment_set_message(event);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* Runs it once. Its status as waitpid(2) has it, or -1 with errno. */
static int run_once(const struct ctl *ctl, const char *command, const json_t *event)
{
    const int body = exec_open_body(json_object_get(event, "message"));
    int status = 0;
    if (body < 0)
        return -1;
    const pid_t child = fork();
    if (child == 0)
        become(ctl, command, event, body);
    const int error = errno;
    close(body);
    errno = error;
    if (child < 0)
        return -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

static void tell(const struct ctl *ctl, const json_t *event, int status, uint32_t wait_ms)
{
    const char *id = member_string(json_object_get(event, "message"), "id", "?");
    const double seconds = wait_ms / 1000.0;
    if (status < 0)
        ctl_note(ctl, "can't run the command: %s; again in %.1f s", strerror(errno), seconds);
    else if (WIFSIGNALED(status))
        ctl_note(ctl, "message %s: the command was ended by signal %d; again in %.1f s", id,
                 WTERMSIG(status), seconds);
    else
        ctl_note(ctl, "message %s: the command ended with status %d; again in %.1f s", id,
                 WEXITSTATUS(status), seconds);
}

/* Waits before another try. False: the deadline comes first. */
static bool rest(uint32_t wait_ms, uint64_t deadline_ms)
{
    const uint64_t now = clock_monotonic_ms();
    const uint64_t left_ms = deadline_ms > now ? deadline_ms - now : 0;
    rest_ms(wait_ms < left_ms ? wait_ms : left_ms);
    return wait_ms < left_ms;
}

bool exec_run(const struct ctl *ctl, const char *command, const json_t *event, uint64_t deadline_ms)
{
    static const struct backoff_plan plan = {EXEC_RETRY_MS, EXEC_RETRY_MAX_MS};
    struct backoff backoff = {0};
    int status;
    fflush(ctl->out);
    busy = 1;
    while ((status = run_once(ctl, command, event)) != 0) {
        const uint32_t wait_ms = backoff_next(&backoff, &plan, (uint32_t)getpid() * 2654435761U);
        tell(ctl, event, status, wait_ms);
        exec_done();
        if (!rest(wait_ms, deadline_ms))
            return false;
        busy = 1;
    }
    return true;
}
