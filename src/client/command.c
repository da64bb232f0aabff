/* SPDX-License-Identifier: ISC */
/*
 * Commands that are run for peers.
 */
#include "client/command.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "client/environment.h"

pid_t command_start(const struct ctl *ctl, const char *command, int in, int out,
                    void (*set)(const json_t *params), const json_t *params)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;
    const pid_t child = fork();
    if (child != 0)
        return child;
    sigemptyset(&none);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGHUP);
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    environment_clear(ctl);
    set(params);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}
