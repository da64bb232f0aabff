/* SPDX-License-Identifier: ISC */
/*
 * Headers of a message, out of the options of a command line.
 */
#pragma once

#include "client/ctl.h"

/* Adds a header (stolen; NULL is not UTF-8) to an object that may be NULL yet. 0 or OPTIONS_STOP.
 */
int own_headers_add(struct ctl *ctl, json_t **headers, const char *name, json_t *value);

/* Adds one of people's own, "NAME=VALUE". 0 or OPTIONS_STOP. */
int own_headers_add_user(struct ctl *ctl, json_t **headers, const char *text);
