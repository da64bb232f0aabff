/* SPDX-License-Identifier: ISC */
/*
 * The long form of a test, for before a release: asked for by P2PCHAT_DEEP.
 */
#pragma once

#include <stdbool.h>

bool deep(void);

/* Notes what came of the long form of the test that says so, for tests/RESULTS.md. */
#define deep_result(...) deep_note(__FILE__, __func__, __VA_ARGS__)

/* The same of any test, by its file. In P2PCHAT_RESULTS, if that is set. */
void deep_note(const char *file, const char *test, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
