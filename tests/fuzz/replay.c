/*
 * Drives a fuzz target without libFuzzer: gives it every file of the named folders once. Whatever
 * else libFuzzer would be told is ignored.
 */
#include <dirent.h>
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

/* In memory of exactly its size, so that tools notice who reads beyond it. */
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
static void replay_named(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
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

static unsigned replay_folder(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    unsigned replayed = 0;
    if (count < 0) {
        perror(folder);
        exit(1);
    }
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            replay_named(folder, entries[i]->d_name);
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
            replayed += replay_folder(argv[i]);
    if (replayed > 0)
        return 0;
    fputs("there is nothing to replay\n", stderr);
    return 1;
}
