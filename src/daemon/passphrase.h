/* SPDX-License-Identifier: ISC */
/*
 * Passphrases: from a file, or from whoever sits at the terminal.
 */
#pragma once

#include "base/bytes.h"

enum { PASSPHRASE_MAX = 1024 }; /* bytes of the file */

/*
 * Cuts the content of a file down to its first line, terminated by a NUL. 0, -EINVAL when there is
 * no passphrase in it (logged with `path`) or -ENOMEM.
 */
int passphrase_take_line(struct bytes *content, const char *path);

/*
 * Reads the passphrase of a backup, terminated by a NUL: from `file` ("-": standard input) or, when
 * that is NULL, from the terminal, where a new one is asked for twice. 0, or -errno (logged).
 */
int passphrase_read(const char *file, bool is_new, struct bytes *passphrase);
