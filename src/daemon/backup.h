/* SPDX-License-Identifier: ISC */
/*
 * Backups of all that makes this machine what it is to its peers: identity, store key and store.
 *
 * What is in the file (backup_file.h), one after the other as u16 n || n bytes of name || u64 size
 * || content:
 *
 *     manifest.json   {version, time, fingerprint?, epoch, last_seq}
 *     identity.pem    as it was, so it may be encrypted
 *     store.key       32 bytes
 *     p2pchat.db      the store of one moment
 */
#pragma once

#include "daemon/config.h"
#include "daemon/exit_status.h"
#include "daemon/paths.h"

/*
 * Writes a new file, from the running daemon or, if there is none, from the store itself. What is
 * wrong is logged; a file that is not complete is removed.
 */
enum exit_status backup_make(const struct options *options, const struct paths *paths,
                             const struct config *config);

/* Fills an empty state directory. What is wrong is logged; then nothing is left there. */
enum exit_status backup_restore(const struct options *options, const struct paths *paths);
