/* SPDX-License-Identifier: ISC */
/*
 * What the parts of unpacking share: how far it is, in the staging directory that unpack.h draws.
 */
#pragma once

#include "client/unpack.h"

/* What is written is noted: in memory at once, on disk now and then. 0 or -errno. */
int staging_note(struct unpack *unpack);

/* What is written is made durable, and noted. 0 or -errno. */
int staging_save(struct unpack *unpack);
