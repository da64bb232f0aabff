/* SPDX-License-Identifier: ISC */
/*
 * What may be the name of a service, in a lane, in a header and on a command line: 1 to 64 of a-z,
 * 0-9, '.', '_' and '-', with a letter or digit first.
 */
#pragma once

#include <stdbool.h>

#include "base/bytes.h"

enum { SERVICE_NAME_MAX = 64 }; /* bytes */

/* Whether a user may give a service this name. */
bool service_name_valid(struct span name);

/* Whether a lane may be asked for this name: the same, or one of our own, which has a '.' first. */
bool service_name_known(struct span name);
