/*
 * The long form of a test, for before a release: asked for by P2PCHAT_DEEP.
 */
#pragma once

#include <stdbool.h>

bool deep(void);

/* Notes what came of the test's long form in P2PCHAT_RESULTS, for tests/RESULTS.md. */
void deep_result(const char *test, const char *format, ...) __attribute__((format(printf, 2, 3)));
