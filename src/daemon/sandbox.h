/* SPDX-License-Identifier: ISC */
/*
 * The sandbox: once everything is open, the daemon keeps only the files and the system calls that
 * it works with, whoever started it. Code that an attacker gets to run inside finds no other files,
 * no other programs and no way to make one.
 */
#pragma once

#include <stdbool.h>

#include "daemon/paths.h"

/* Whether there is one in this program. */
extern const bool sandbox_built;

enum sandbox_part {
    SANDBOX_FILES = 1, /* Landlock */
    SANDBOX_CALLS = 2, /* seccomp */
};

/*
 * Enters it for good. What the kernel can't do, or a surrounding sandbox does not allow, is left
 * out and logged at debug level. Returns the parts that hold.
 */
unsigned sandbox_enter(const struct paths *paths);
