/* SPDX-License-Identifier: ISC */
/*
 * Moves bytes between standard input and output and a socket, each way on its own.
 */
#pragma once

/*
 * Moves what comes from `in` to `socket` and from there to `out` until the socket says that nothing
 * more comes, and everything that came is written. The end of `in` ends the writing half of the
 * socket; what nobody reads any more at `out` is refused there. 0, or -errno of `out`; whatever is
 * still to be read from `in` then stays unread.
 */
int pump_run(int in, int out, int socket);
