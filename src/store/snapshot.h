/* SPDX-License-Identifier: ISC */
/*
 * A copy of the database while it is in use, made step by step.
 *
 * What is committed between two steps gets into the copy too, so at its end it is the store of that
 * moment. The copy is a database by itself, without a write-ahead log beside it.
 */
#pragma once

#include "store/db.h"

struct snapshot;

/*
 * Begins a copy of the store at `path`, in the place of what is there. It is not synced: whoever
 * makes a backup of it does that. 0 or -errno.
 */
int snapshot_start(struct snapshot **snapshot, struct db *db, const char *path);

/*
 * Copies at most so many pages; none while a transaction is open. Says how many are left; 0: it is
 * complete. 0 or -errno, after which it is of no use.
 */
int snapshot_step(struct snapshot *snapshot, unsigned pages, unsigned *left);

const char *snapshot_path(const struct snapshot *snapshot);

/* Ends it and removes the copy. NULL is allowed. */
void snapshot_free(struct snapshot *snapshot);
