/* SPDX-License-Identifier: ISC */
/*
 * Text as printf() makes it, as long as it has to be.
 */
#pragma once

#include <stdarg.h>

#include "base/bytes.h"

/* In new memory, or NULL without any. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *text_vformat(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* Appends it, without a NUL. 0, or -ENOMEM with `out` unchanged. */
int text_append(struct bytes *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
