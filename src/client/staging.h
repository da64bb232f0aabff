/* SPDX-License-Identifier: ISC */
/*
 * How far unpacking is, for unpack.c: in the staging directory, as unpack.h draws it.
 */
#pragma once

#include "client/unpack.h"

/* What is written is noted: in memory at once, on disk now and then. 0 or -errno. */
int staging_note(struct unpack *unpack);

/* What is written is made durable, and noted. 0 or -errno. */
int staging_save(struct unpack *unpack);
