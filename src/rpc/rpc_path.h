/* SPDX-License-Identifier: ISC */
/*
 * Where the control socket is, and the way to it.
 */
#pragma once

/*
 * The path a client uses, newly allocated: `option` if given, $P2PCHAT_SOCKET, the user daemon's
 * socket $XDG_RUNTIME_DIR/p2pchat/control.sock if it exists, and the system's
 * /run/p2pchat/control.sock. NULL without memory.
 */
char *rpc_path_find(const char *option);

/* Connects to the daemon whose socket is there. The descriptor, or -errno. */
int rpc_path_connect(const char *path);
