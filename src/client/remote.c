/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl on another machine.
 */
#include "client/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/startup.h"

enum { SSH_FAILED = 255, COMMAND_NOT_FOUND = 127 };

/* ssh joins its arguments and the shell over there takes them apart again. */
static int append_quoted(struct bytes *command, const char *argument)
{
    int r = bytes_append(command, " '", 2);
    for (; *argument != '\0' && r == 0; argument++)
        r = *argument == '\'' ? bytes_append(command, "'\\''", 4)
                              : bytes_append(command, argument, 1);
    return r == 0 ? bytes_append_u8(command, '\'') : r;
}

static int make_command(struct bytes *command, const char *const *arguments)
{
    static const char program[] = "p2pchatctl";
    int r = bytes_append(command, program, sizeof program - 1);
    for (; *arguments != NULL && r == 0; arguments++)
        r = append_quoted(command, *arguments);
    return r == 0 ? bytes_append_u8(command, '\0') : r;
}

/* The child: never returns. */
static void become_ssh(const char *destination, const char *command, int in, int out)
{
    const char *ssh = getenv("P2PCHAT_SSH");
    if (ssh == NULL || ssh[0] == '\0')
        ssh = "ssh";
    startup_restore_signals();
    signal(SIGINT, SIG_DFL);
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
        execlp(ssh, ssh, "--", destination, command, (char *)NULL);
    dprintf(STDERR_FILENO, "p2pchatctl: can't run %s: %s\n", ssh, strerror(errno));
    _exit(SSH_FAILED);
}

/* What is written is shorter than what a pipe holds, so nobody waits for anybody. */
static int feed(int fd, const char *input)
{
    const size_t size = input != NULL ? strlen(input) : 0;
    const ssize_t written = size > 0 ? write(fd, input, size) : 0;
    close(fd);
    return written == (ssize_t)size || errno == EPIPE ? 0 : -EIO;
}

static int drain(int fd, struct bytes *output)
{
    int r = 0;
    for (;;) {
        char part[4096];
        const ssize_t size = read(fd, part, sizeof part);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0 || r != 0)
            break;
        r = output->size + (size_t)size > REMOTE_OUTPUT_MAX
                ? -EMSGSIZE
                : bytes_append(output, part, (size_t)size);
    }
    close(fd);
    return r;
}

static int await(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return SSH_FAILED;
    return WIFEXITED(status) ? WEXITSTATUS(status) : SSH_FAILED;
}

static int tell(struct ctl *ctl, const char *destination, int status)
{
    if (status == SSH_FAILED)
        return ctl_fail_as(ctl, EX_UNAVAILABLE, "ssh", "ssh to %s failed", destination);
    if (status == COMMAND_NOT_FOUND)
        return ctl_fail_as(ctl, EX_UNAVAILABLE, "ssh", "%s has no p2pchatctl", destination);
    return ctl_fail_as(ctl, status, "ssh", "the command failed on %s; it said why", destination);
}

static int run(const char *destination, const char *command, const char *input,
               struct bytes *output, int *status)
{
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) < 0)
        return -errno;
    if (pipe2(from, O_CLOEXEC) < 0) {
        const int error = errno;
        close(to[0]);
        close(to[1]);
        return -error;
    }
    const pid_t child = fork();
    if (child == 0)
        become_ssh(destination, command, to[0], from[1]);
    int r = child < 0 ? -errno : 0;
    close(to[0]);
    close(from[1]);
    const int fed = feed(to[1], child > 0 ? input : NULL);
    const int drained = drain(from[0], output);
    if (child > 0)
        *status = await(child);
    return r != 0 ? r : fed != 0 ? fed : drained;
}

int remote_run(struct ctl *ctl, const char *destination, const char *const *arguments,
               const char *input, struct bytes *output)
{
    struct bytes command = {0};
    int status = SSH_FAILED;
    int r = make_command(&command, arguments);
    if (r == 0)
        r = run(destination, (const char *)command.data, input, output, &status);
    bytes_deinit(&command);
    if (r != 0)
        return ctl_fail(ctl, RPC_KIND_internal, "can't run ssh: %s", strerror(-r));
    return status == 0 ? 0 : tell(ctl, destination, status);
}
