/* SPDX-License-Identifier: ISC */
/*
 * Commands for transfers.
 */
#include "client/files_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/startup.h"
#include "base/text.h"
#include "client/environment.h"

#define NOTE "placed" /* names, each with its NUL */

enum { NAMES_SIZE_MAX = MANIFEST_SIZE_MAX };

int files_exec_note(const struct unpack *unpack, const char *name)
{
    const size_t size = strlen(name) + 1;
    const int fd =
        openat(unpack->staging, NOTE, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    const ssize_t written = write(fd, name, size);
    const int error = written < 0 ? errno : EIO;
    close(fd);
    return written == (ssize_t)size ? 0 : -error;
}

static int read_names(const struct unpack *unpack, struct bytes *names)
{
    uint8_t piece[4096];
    ssize_t size;
    const int fd = openat(unpack->staging, NOTE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    int r = 0;
    while (r == 0 && (size = read(fd, piece, sizeof piece)) != 0) {
        if (size < 0)
            r = errno == EINTR ? 0 : -errno;
        else
            r = names->size > NAMES_SIZE_MAX ? -EFBIG : bytes_append(names, piece, (size_t)size);
    }
    close(fd);
    return r;
}

/* The arguments of sh: the command, its $0, and the paths. NULL without memory. */
static char **make_arguments(const char *command, const char *directory, struct span names)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < names.size; i++)
        count += names.data[i] == '\0';
    char **arguments = calloc(count + 5, sizeof *arguments);
    if (arguments == NULL)
        return NULL;
    arguments[at++] = strdup("sh");
    arguments[at++] = strdup("-c");
    arguments[at++] = text_format("%s \"$@\"", command);
    arguments[at++] = strdup(command);
    while (count-- > 0) {
        const char *name = (const char *)names.data;
        arguments[at++] = text_format("%s/%s", directory, name);
        names = SPAN(names.data + strlen(name) + 1, names.size - strlen(name) - 1);
    }
    return arguments;
}

static void free_arguments(char **arguments)
{
    for (size_t i = 0; arguments != NULL && arguments[i] != NULL; i++)
        free(arguments[i]);
    free(arguments);
}

__attribute__((noreturn)) static void become(const struct ctl *ctl, char **arguments,
                                             const json_t *transfer)
{
    static const char *const variables[][2] = {{"P2PCHAT_PEER", "peer"},
                                               {"P2PCHAT_ID", "id"},
                                               {"P2PCHAT_NAME", "name"},
                                               {"P2PCHAT_TIME", "time"}};
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    startup_restore_signals();
    if (nothing >= 0)
        dup2(nothing, STDIN_FILENO);
    environment_clear(ctl);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        setenv(variables[i][0], member_string(transfer, variables[i][1], ""), 1);
    execv("/bin/sh", arguments);
    _exit(127);
}

/* Its status as waitpid(2) has it, or -1 with errno. */
static int run(const struct ctl *ctl, char **arguments, const json_t *transfer)
{
    int status = 0;
    fflush(ctl->out);
    fflush(ctl->err);
    const pid_t child = fork();
    if (child == 0)
        become(ctl, arguments, transfer);
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return child < 0 ? -1 : status;
}

int files_exec_run(const struct unpack *unpack, const char *command, const char *directory,
                   const json_t *transfer)
{
    CLEANUP(bytes_deinit) struct bytes names = {0};
    int r = read_names(unpack, &names);
    char **arguments = r == 0 ? make_arguments(command, directory, bytes_span(&names)) : NULL;
    if (arguments == NULL)
        return ctl_fail(unpack->ctl, RPC_KIND_internal, "can't run the command: %s",
                        strerror(r < 0 ? -r : ENOMEM));
    const int status = run(unpack->ctl, arguments, transfer);
    const int error = errno;
    free_arguments(arguments);
    if (status == 0)
        return 0;
    if (status < 0)
        return ctl_fail(unpack->ctl, RPC_KIND_internal, "can't run the command: %s",
                        strerror(error));
    return ctl_fail_as(unpack->ctl, EX_TEMPFAIL, "command_failed",
                       "the command %s %d; the files are in their place, and the next try runs it "
                       "again",
                       WIFSIGNALED(status) ? "was ended by signal" : "ended with status",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}
