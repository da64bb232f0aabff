/* SPDX-License-Identifier: ISC */
/*
 * Whether the long form is asked for, and one file of JSON for each test.
 */
#include "unit/deep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_all.h"

bool deep(void)
{
    return getenv("P2PCHAT_DEEP") != NULL;
}

void deep_note(const char *file, const char *test, const char *format, ...)
{
    char path[512], text[512];
    const char *folder = getenv("P2PCHAT_RESULTS");
    const char *name = strrchr(file, '/') + 1;
    va_list arguments;
    if (!deep() || folder == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(path, sizeof path, "%s/%s.json", folder, test);
    FILE *note = fopen(path, "w");
    assert_non_null(note);
    fprintf(note, "{\"test\": \"%.*s::%s\", \"text\": \"%s\"}\n", (int)strcspn(name, "."), name,
            test, text);
    fclose(note);
}
