/* SPDX-License-Identifier: ISC */
/*
 * What may reach a terminal, said a second time and in another way than base/escape says it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether the text is UTF-8 and has no control character but LF and TAB, and nothing deceptive. */
bool harmless(const char *text, size_t size);
