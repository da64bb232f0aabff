/* SPDX-License-Identifier: ISC */
/*
 * What this daemon is: its versions, those of what it speaks, and what it was built with.
 */
#pragma once

#include <jansson.h>

/* For people: the name and version alone on the first line. 0, or -EIO without cryptography. */
int version_print(void);

/* For programs: adds version, api, protocol, suites, openssl and features to an object. */
void version_view(json_t **object);
