/* SPDX-License-Identifier: ISC */
/*
 * Unpacking in a process of its own, which has given up everything else: it may read and write
 * below the staging directory, and run nothing, open no connection, and see no other process.
 */
#pragma once

#include "client/unpack.h"

/*
 * Gives up what unpacking does not need; the rest is for below `directory`. 0, or -errno when this
 * kernel can't do all of it (and what it can has been done).
 */
int apart_confine(int directory);

/*
 * As unpack_take(), in a child. unpack->progress is called in this process. The socket is closed.
 */
int apart_take(struct unpack *unpack, int socket);
