/* SPDX-License-Identifier: ISC */
/*
 * Formatted text.
 */
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

char *text_vformat(const char *format, va_list arguments)
{
    char *text;
    return vasprintf(&text, format, arguments) < 0 ? NULL : text;
}

char *text_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = text_vformat(format, arguments);
    va_end(arguments);
    return text;
}

int text_append(struct bytes *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(cleanup_free) char *text = text_vformat(format, arguments);
    va_end(arguments);
    return text != NULL ? bytes_append(out, text, strlen(text)) : -ENOMEM;
}
