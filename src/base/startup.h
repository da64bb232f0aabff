/* SPDX-License-Identifier: ISC */
/*
 * What a program inherits from whoever starts it and can't rely on: descriptors, signals, limits.
 */
#pragma once

/*
 * Makes sure that descriptors 0, 1 and 2 are open, or the next file or socket would get one of
 * these numbers and with it what is printed. One that was closed can then be neither read nor
 * written (EBADF). 0 or -errno. To be called before anything else.
 */
int startup_open_standard(void);

/*
 * Blocks no signal, and gives those the default action that an ignoring parent may have left behind
 * and that we depend on: SIGCHLD (or no child could be waited for), SIGTERM and SIGALRM. SIGINT,
 * SIGHUP and SIGQUIT stay ignored, as in a job in the background or under nohup(1). SIGPIPE and
 * SIGXFSZ are ignored: writing fails instead.
 */
void startup_reset_signals(void);

/*
 * In a child, before it becomes another program: what startup_reset_signals() has ignored for our
 * sake alone is not ignored there. Safe after fork().
 */
void startup_restore_signals(void);

/* Writes out standard output. 0, or -errno when something that was printed is lost. */
int startup_flush_output(void);
