/* SPDX-License-Identifier: ISC */
/*
 * The state directory: made, kept from others, and found again where it was before.
 */
#pragma once

#include "daemon/exit_status.h"
#include "daemon/paths.h"

/*
 * Makes the state directory and refuses one that others can write. What a user's daemon kept in
 * paths->former_state_dir moves there first, if it has none of its own. EXIT_STATUS_OK, or the
 * status to exit with (logged).
 */
enum exit_status state_prepare(const struct paths *paths);
