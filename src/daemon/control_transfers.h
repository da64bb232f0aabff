/* SPDX-License-Identifier: ISC */
/*
 * Transfers as the control interface shows them (file.get, file.list), and what may be wrong with
 * them.
 */
#pragma once

#include "core/files.h"
#include "daemon/control_call.h"

/* Answers CALL_FAILED as an outcome of files.h, streams.h or node.h about this peer (or NULL). */
enum control_answer control_transfer_fail(struct control_call *call, int outcome, const char *peer);

/*
 * The transfer of the call's id, of one direction or (-1) of either, first one that came in. False
 * after a complaint.
 */
bool control_transfer_find(struct control_call *call, int direction, struct transfer_row *row);

/* The view of a transfer; NULL without memory. *r is 0 or -errno of the store. */
json_t *control_transfer_view(struct control *control, const struct transfer_row *row, int *r);
