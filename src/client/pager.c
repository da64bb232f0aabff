/* SPDX-License-Identifier: ISC */
/*
 * A pager: a shell command that reads our standard output through a pipe.
 */
#include "client/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/startup.h"

/* What the user wants, else what there is. */
static const char *command(void)
{
    const char *wanted = getenv("PAGER");
    return wanted != NULL ? wanted : "command -v less >/dev/null && exec less || exec cat";
}

/* Statuses of the shell: the command can't be run, there is none. */
static bool cannot_run(int status)
{
    return status == 126 || status == 127;
}

/*
 * For less(1): leave when all fits on a screen, don't clear. With options of the user's own only
 * that colours are colours (-R): they are all that we let out.
 */
static void set_less(void)
{
    const char *options = getenv("LESS");
    char *all = NULL;
    if (options == NULL)
        setenv("LESS", "FRX", 1);
    else if (asprintf(&all, "-R %s", options) >= 0)
        setenv("LESS", all, 1);
    free(all);
}

/* In the child: becomes the pager. What can't be shown by it is shown without. */
_Noreturn static void run(const char *pager, int input)
{
    static const char otherwise[] = "\nstatus=$?\ncase $status in 126 | 127) cat ;; esac\n"
                                    "exit $status";
    char *script = NULL;
    dup2(input, STDIN_FILENO);
    startup_restore_signals();
    set_less();
    if (asprintf(&script, "%s%s", pager, otherwise) >= 0)
        execl("/bin/sh", "sh", "-c", script, (char *)NULL);
    _exit(127);
}

void pager_start(struct ctl *ctl)
{
    const char *pager = command();
    int fds[2];
    if (ctl->no_pager || ctl->json || !ctl->terminal || fileno(ctl->out) != STDOUT_FILENO ||
        pager[0] == '\0' || strcmp(pager, "cat") == 0 || pipe2(fds, O_CLOEXEC) != 0)
        return;
    ctl->pager = fork();
    if (ctl->pager == 0)
        run(pager, fds[0]);
    if (ctl->pager > 0) {
        dup2(fds[1], STDOUT_FILENO);
        signal(SIGINT, SIG_IGN); /* ^C is for the pager */
    }
    close(fds[0]);
    close(fds[1]);
}

void pager_wait(struct ctl *ctl)
{
    if (ctl->pager <= 0)
        return;
    int status = 0;
    close(STDOUT_FILENO);
    while (waitpid(ctl->pager, &status, 0) < 0 && errno == EINTR)
        continue;
    ctl->pager = 0;
    if (WIFEXITED(status) && cannot_run(WEXITSTATUS(status)))
        ctl_note(ctl, "the pager \"%s\" can't be run; set PAGER, or give --no-pager", command());
}
