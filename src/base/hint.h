/* SPDX-License-Identifier: ISC */
/*
 * Commands in texts that tell people what to do.
 *
 * Texts are written for a daemon whose socket p2pchatctl finds by itself, and for who may do all:
 * "to let it in: p2pchatctl peer accept FP". For another daemon each command has to name the
 * socket, or it asks the wrong one; and of the system's daemon, much is for root.
 */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"

/* Who reads, and of which daemon. */
struct hint_reader {
    const char *socket; /* that commands have to name; NULL: p2pchatctl finds it */
    bool own;           /* the daemon is the reader's own, so its administrator is the reader */
    bool sudo;          /* is there, and the reader is not root */
};

/*
 * Appends the text, with "-s SOCKET" in each command of p2pchatctl, and "sudo" before what needs
 * root; NULL appends it as it is. Left alone are: what stands behind "there:" or "there (" up to
 * the next ';', ')' or '?', which is for the peer's machine; what is in quotes, part of a longer
 * word, or has -s or sudo already; and `p2pchatctl help`. 0 or -ENOMEM.
 */
int hint_append(struct bytes *out, const char *text, const struct hint_reader *reader);

/* Whether there is a sudo for who runs this process. */
bool hint_has_sudo(void);
