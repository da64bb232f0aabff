/* SPDX-License-Identifier: ISC */
/*
 * An SQLite VFS in memory whose disk forgets: what was written and not synced may be there after a
 * power loss, or not, or in part, in any order. A file that was removed may be back, until its
 * directory was synced: so directory_sync_of() of base/file is here, too.
 */
#pragma once

#include <stdint.h>

enum { LOSSY_FILES_MAX = 8 };

/* One disk. The VFS opens files on the one that lossy_mount() named last. */
struct lossy_disk;

/* Makes the VFS the default one. 0 or an SQLite result code. */
int lossy_register(void);

/* 0 or -ENOMEM. */
int lossy_disk_new(struct lossy_disk **disk);
void lossy_disk_free(struct lossy_disk *disk);
void lossy_mount(struct lossy_disk *disk);

/* Called before each sync takes effect: the moments at which power is lost. */
void lossy_on_sync(struct lossy_disk *disk, void (*callback)(void *context), void *context);

/* A disk as it may be found after a power loss now; the seed decides which writes made it. */
struct lossy_disk *lossy_power_loss(const struct lossy_disk *disk, uint64_t seed);
