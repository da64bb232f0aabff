/* SPDX-License-Identifier: ISC */
/*
 * Reads all there is in a store, for tests of what is read from a damaged file.
 */
#pragma once

#include "store/db.h"

/*
 * Calls every walk of store/ and asserts that each value it gives is one that the headers name;
 * every byte is looked at. 0, or -errno of the first walk that failed.
 */
int whole_store_read(struct db *db);
