/* SPDX-License-Identifier: ISC */
/*
 * One run: a few machines that write to each other while everything goes wrong, then a time in
 * which nothing does, at the end of which every promise must be kept.
 */
#pragma once

#include <stdint.h>

/* The run of this seed, with its files below `folder`. NULL, or what went wrong until the next. */
const char *story_run(uint64_t seed, const char *folder);
