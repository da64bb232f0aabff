/* SPDX-License-Identifier: ISC */
/*
 * JSON values in the making: whole, or none at all.
 *
 * An object or array that can't take what it is given, for want of memory, is dropped: *value is
 * NULL from there on, and so is whatever it is put into. What is given is always taken.
 */
#pragma once

#include <jansson.h>

#include "base/cleanup.h"

/* For CLEANUP(): gives a reference back. */
DEFINE_CLEANUP(json_t *, json_release, json_decref)

/* Adds a member to an object. */
void rpc_value_set(json_t **value, const char *name, json_t *member);

/* Adds an element to the end of an array. */
void rpc_value_append(json_t **value, json_t *element);
