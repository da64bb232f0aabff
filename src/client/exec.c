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
#include <time.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/startup.h"

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

static void set_environment(const json_t *event)
{
    static const char *const names[][2] = {{"P2PCHAT_PEER", "peer"},
                                           {"P2PCHAT_FINGERPRINT", "fingerprint"},
                                           {"P2PCHAT_TRUST", "trust"},
                                           {"P2PCHAT_TIME", "time"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        setenv(names[i][0], member_string(event, names[i][1], ""), 1);
    setenv("P2PCHAT_ID", member_string(json_object_get(event, "message"), "id", ""), 1);
}

/* A file that holds the text, to be read from its beginning: a command need not read it. */
static int open_text(const json_t *body)
{
    const char *text = json_string_value(body);
    size_t left = json_string_length(body);
    int fd = memfd_create("message", MFD_CLOEXEC);
    while (fd >= 0 && left > 0) {
        const ssize_t written = write(fd, text, left);
        if (written < 0) {
            close(fd);
            return -1;
        }
        text += written;
        left -= (size_t)written;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

__attribute__((noreturn)) static void become(const char *command, const json_t *event, int text)
{
    startup_restore_signals();
    dup2(text, STDIN_FILENO);
    set_environment(event);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* Runs it once. Its status as waitpid(2) has it, or -1 with errno. */
static int run_once(const char *command, const json_t *event)
{
    const json_t *message = json_object_get(event, "message");
    const int text = open_text(json_object_get(message, "body"));
    int status = 0;
    if (text < 0)
        return -1;
    const pid_t child = fork();
    if (child == 0)
        become(command, event, text);
    const int error = errno;
    close(text);
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
    const uint64_t ms = wait_ms < left_ms ? wait_ms : left_ms;
    const struct timespec wait = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
    return wait_ms < left_ms;
}

bool exec_run(const struct ctl *ctl, const char *command, const json_t *event, uint64_t deadline_ms)
{
    static const struct backoff_plan plan = {EXEC_RETRY_MS, EXEC_RETRY_MAX_MS};
    struct backoff backoff = {0};
    int status;
    fflush(ctl->out);
    busy = 1;
    while ((status = run_once(command, event)) != 0) {
        const uint32_t wait_ms = backoff_next(&backoff, &plan, (uint32_t)getpid() * 2654435761U);
        tell(ctl, event, status, wait_ms);
        exec_done();
        if (!rest(wait_ms, deadline_ms))
            return false;
        busy = 1;
    }
    return true;
}
