/* SPDX-License-Identifier: ISC */
/*
 * The database file: opening, migrating, committing, and the rule for failures.
 *
 * Every write joins one open transaction, which db_commit() ends once per turn of the loop. What
 * promises durability is released only after db_commit() returned 0. After the first I/O error
 * nothing more is believed: every call fails with -EIO, and the process is expected to end (SQLite
 * would go on after a failed fsync as if nothing had happened).
 *
 * On a full disk the turn is undone as a whole: from the first DB_FULL on, every write gives
 * DB_FULL until db_commit() has said it as well. The next turn tries again.
 *
 * A visitor (of peers, messages or events) may call everything in the store but db_commit() and
 * db_close(), and may change or add any row. Rows that it changed ahead of the walk may be visited
 * as they were or as they are. Adding to a peer that does not exist gives -EINVAL.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/db_types.h"

/*
 * Opens or makes the database at `path` and brings its schema up to date; locks out other processes
 * (-EBUSY). 0, DB_TOO_NEW, DB_DAMAGED or -errno.
 */
int db_open(struct db **db, const char *path);

/* Commits nothing: what was not committed is gone. NULL is allowed. */
void db_close(struct db *db);

enum { DB_KEY_CHECK_SIZE = 16 };

/*
 * Binds the store to the key that its bodies are sealed with, by a tag that only that key gives.
 * One without bodies takes any. 0, DB_EXISTS (it is bound to another), DB_NOT_FOUND (it is bound to
 * none, but has messages of an older version: see whether the key opens one, then bind it with
 * `sure`), DB_FULL or -EIO.
 */
int db_bind(struct db *db, const uint8_t tag[static DB_KEY_CHECK_SIZE], bool sure);

/* Whether there is anything in the store that a key has sealed. 0 or -EIO. */
int db_sealed(struct db *db, bool *sealed);

enum { DB_OWNER_SIZE = 32 };

/*
 * Whose peers these are, by the fingerprint of the identity that they know; false when nobody is
 * known to be. 0 or -EIO.
 */
int db_owner(struct db *db, bool *known, uint8_t owner[static DB_OWNER_SIZE]);

/* Makes it the store of that identity; of none yet (NULL): the next to start takes it. 0, DB_FULL
 * or -EIO. */
int db_set_owner(struct db *db, const uint8_t *owner);

/* Whether there is anything in the store that hangs on an identity: peers or invites. 0 or -EIO. */
int db_peopled(struct db *db, bool *peopled);

/* Ends the turn's transaction, if one is open. 0, DB_FULL (all of the turn is undone) or -EIO. */
int db_commit(struct db *db);

/* Whether there is anything to commit. */
bool db_dirty(const struct db *db);

/* When it was noticed that the store is a copy that was put back (wall clock); 0: never. 0 or -EIO.
 */
int db_restored(struct db *db, uint64_t *time_ms);

/*
 * Changes whenever the store is made anew or another file takes its place, as when it is restored
 * from a backup: then a seq may stand for something else. 32 hexadecimal digits.
 */
const char *db_epoch(const struct db *db);

/*
 * Tells this store from copies of it, as the epoch does, but to peers. Random, so that it says
 * nothing else.
 */
const uint8_t *db_instance(const struct db *db);

/* Bytes of the database file, of its free pages included; 0 after a failure. */
uint64_t db_size(struct db *db);

/*
 * Bytes of its free pages, which are filled before the file grows, less those that it has yet to
 * grow by: what the write-ahead log holds is moved there, many pages at once. 0 after a failure.
 */
int64_t db_spare(struct db *db);
