/* SPDX-License-Identifier: ISC */
/*
 * A pager: a shell command that reads our standard output through a pipe.
 */
#include "client/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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

/* In the child: becomes the pager. */
_Noreturn static void run(const char *pager, int input)
{
    dup2(input, STDIN_FILENO);
    startup_restore_signals();
    /* Leave when all fits on a screen, keep colours, don't clear. */
    setenv("LESS", "FRX", 0);
    execl("/bin/sh", "sh", "-c", pager, (char *)NULL);
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
    close(STDOUT_FILENO);
    while (waitpid(ctl->pager, NULL, 0) < 0 && errno == EINTR)
        continue;
    ctl->pager = 0;
}
