/* SPDX-License-Identifier: ISC */
/*
 * What a fuzz target is: one program that takes bytes as they may come from outside, and asserts
 * what must hold whatever they are. libFuzzer drives it where the compiler has it, replay.c
 * elsewhere.
 */
#pragma once

#undef NDEBUG
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* One input. It leaves nothing behind, so that every input does the same each time. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Before the first input; a target may do without. Always 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
