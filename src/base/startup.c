/* SPDX-License-Identifier: ISC */
/*
 * A clean start, whatever was inherited.
 */
#include "base/startup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int startup_open_standard(void)
{
    /* Each for the direction in which nobody uses it. */
    static const int modes[] = {[STDIN_FILENO] = O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        /* The lowest number that is free is this one. */
        if (open("/dev/null", modes[fd]) < 0)
            return -errno;
    }
    return 0;
}

void startup_reset_signals(void)
{
    static const int depended_on[] = {SIGCHLD, SIGTERM, SIGALRM};
    sigset_t none;
    sigemptyset(&none);
    for (size_t i = 0; i < sizeof depended_on / sizeof depended_on[0]; i++)
        signal(depended_on[i], SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void startup_restore_signals(void)
{
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
}

int startup_flush_output(void)
{
    const int lost = ferror(stdout);
    errno = 0;
    if (fflush(stdout) == 0 && !lost)
        return 0;
    return errno != 0 ? -errno : -EIO;
}
