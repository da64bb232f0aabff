/* SPDX-License-Identifier: ISC */
/*
 * What making and restoring a backup share.
 */
#pragma once

#include "daemon/paths.h"

/* The parts, in this order; these are the names of the files in the state directory, too. */
#define BACKUP_MANIFEST  "manifest.json"
#define BACKUP_IDENTITY  "identity.pem"
#define BACKUP_STORE_KEY "store.key"
#define BACKUP_STORE     PATHS_STORE

/* The copy of the store in the state directory while a backup is made of it. */
#define BACKUP_COPY "snapshot.db"

/*
 * As root: acts as the owner of the directory (if there is one) from here on, so that what is made
 * there is the owner's. 0 or -errno (logged).
 */
int backup_become_owner(const char *directory);

/* Acts as before again. */
void backup_become_oneself(void);

/* Removes a copy that a process left there which did not end well. */
void backup_discard_copy(const char *state_dir);

/* For CLEANUP(): closes a descriptor unless it is negative. */
void backup_close(int *fd);
