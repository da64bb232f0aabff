/* SPDX-License-Identifier: ISC */
/*
 * How many bytes of the disk a message takes. Private to store/ and its tests.
 *
 * A text of one byte takes much more on the disk than one byte, so what counts is what SQLite makes
 * of a row: its part of a page, whole pages behind that, and its places in the indexes.
 */
#pragma once

#include <stdint.h>

struct sqlite3;

/* What a message takes that was received, by the bytes of its text. */
uint64_t footprint_of(uint64_t text_size);

/* For the migration: SQL's inbound_size(text_size). An SQLite result code. */
int footprint_register(struct sqlite3 *sqlite);
