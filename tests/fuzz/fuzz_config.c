/* SPDX-License-Identifier: ISC */
/*
 * The configuration file: one that is accepted, printed and read again says the same; one that is
 * not is told why.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "daemon/config.h"
#include "fuzz/fuzz.h"
#include "fuzz/harmless.h"

int __wrap_file_read(const char *path, size_t limit, struct bytes *content);

/* What the file holds that is read next. */
static struct span file;

/* The linker puts this in the place of file_read(). */
int __wrap_file_read(const char *path, size_t limit, struct bytes *content)
{
    (void)path;
    return file.size > limit ? -EFBIG : bytes_append(content, file.data, file.size);
}

static bool load(struct config *config, struct span text)
{
    static const struct options options;
    char complaint[CONFIG_COMPLAINT_MAX];
    file = text;
    memset(complaint, 'x', sizeof complaint);
    int r = config_load(config, "p2pchatd.conf", true, &options, complaint);
    assert(memchr(complaint, '\0', sizeof complaint) != NULL);
    assert(harmless(complaint, strlen(complaint)));
    assert((r == 0) == (complaint[0] == '\0'));
    return r == 0;
}

static char *print(const struct config *config)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert(out != NULL);
    assert(config_print(config, "systemd may decide", out) == 0);
    assert(fclose(out) == 0);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config, again;
    if (!load(&config, SPAN(data, size)))
        return 0;
    CLEANUP(cleanup_free) char *printed = print(&config);
    json_t *view = config_view(&config);
    assert(view != NULL);
    json_decref(view);
    assert(load(&again, SPAN(printed, strlen(printed))));
    CLEANUP(cleanup_free) char *reprinted = print(&again);
    assert(strcmp(printed, reprinted) == 0);
    return 0;
}
