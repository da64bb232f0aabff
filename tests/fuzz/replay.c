/* SPDX-License-Identifier: ISC */
/*
 * Drives a fuzz target without libFuzzer: gives it the named files, and every file of the named
 * folders, once. Whatever else libFuzzer would be told is ignored.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"

enum { INPUT_MAX = 1024 * 1024 };

__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* In memory of exactly its size, so that tools notice a read beyond it. */
static void replay(FILE *file)
{
    static uint8_t buffer[INPUT_MAX];
    size_t size = fread(buffer, 1, sizeof buffer, file);
    uint8_t *input = malloc(size > 0 ? size : 1);
    assert(!ferror(file) && input != NULL);
    for (size_t i = 0; i < size; i++)
        input[i] = buffer[i];
    LLVMFuzzerTestOneInput(input, size);
    free(input);
}

/* Says which file comes next, so that what ends the program is known. */
static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    printf("%s\n", path);
    fflush(stdout);
    replay(file);
    fclose(file);
}

/* A folder or one file. */
static unsigned replay_all(const char *folder)
{
    struct dirent **entries;
    char path[4096];
    unsigned replayed = 0;
    const int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0 && errno == ENOTDIR) {
        replay_file(folder);
        return 1;
    }
    if (count < 0) {
        perror(folder);
        exit(1);
    }
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
            replay_file(path);
            replayed++;
        }
        free(entries[i]);
    }
    free(entries);
    return replayed;
}

int main(int argc, char **argv)
{
    unsigned replayed = 0;
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-')
            replayed += replay_all(argv[i]);
    if (replayed > 0)
        return 0;
    fputs("there is nothing to replay\n", stderr);
    return 1;
}
