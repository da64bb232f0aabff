/* SPDX-License-Identifier: ISC */
/*
 * What can come of a transfer, or of asking for one.
 */
#pragma once

#include "base/outcome.h"

enum files_outcome {
    FILES_OFF = OUTCOME_FILES, /* this daemon does without */
    FILES_BUSY,                /* too many at once, here or there */
    FILES_SHORT,               /* the client has gone, or gave less than it said */
    FILES_TOO_LARGE,
    FILES_DISK_FULL,
    FILES_SPOOL_FULL, /* more than may wait for this peer */
    FILES_GONE,       /* the sender knows no such transfer any more */
    FILES_DAMAGED,    /* what came is not what was offered */
    FILES_LOST,       /* the connection, or the peer can't now */
    FILES_TIMEOUT,    /* the peer did not answer */
    FILES_NO_SUCH,    /* transfer */
    FILES_ENDED,      /* it has ended already */
};
