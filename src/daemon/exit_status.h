/* SPDX-License-Identifier: ISC */
/*
 * What p2pchatd ends with; the values are those of sysexits.h.
 */
#pragma once

enum exit_status {
    EXIT_STATUS_OK = 0,
    EXIT_STATUS_USAGE = 64,    /* the command line is wrong */
    EXIT_STATUS_INTERNAL = 70, /* out of memory, no cryptography … */
    EXIT_STATUS_OS = 71,       /* a socket or directory can't be made */
    EXIT_STATUS_IO = 74,       /* the store failed: restart and recover from disk */
    EXIT_STATUS_BUSY = 75,     /* another daemon uses the same state */
    EXIT_STATUS_CONFIG = 78,   /* configuration or key files are wrong */
};
