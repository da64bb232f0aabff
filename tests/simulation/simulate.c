/* SPDX-License-Identifier: ISC */
/*
 * Runs the simulation:
 *
 *     simulate --seeds FIRST..LAST    says which of these break a promise
 *     simulate --seed N               shows what happens in one run, step by step
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "crypto/crypto.h"
#include "simulation/story.h"
#include "simulation/world.h"

static const char usage[] = "usage: simulate --seeds FIRST..LAST | --seed N\n";

/* Reads "FIRST..LAST". */
static bool parse_range(char *text, uint64_t *first, uint64_t *last)
{
    char *dots = strstr(text, "..");
    if (dots == NULL)
        return false;
    *dots = '\0';
    return number_parse(text, UINT64_MAX - 1, first) == 0 &&
           number_parse(dots + 2, UINT64_MAX - 1, last) == 0;
}

/* Memory, where the files cost no time, if there is such a place. */
static void make_folder(char folder[static 64])
{
    snprintf(folder, 64, "%s/p2pchat-simulation-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        exit(1);
    }
}

static unsigned run(uint64_t first, uint64_t last, const char *program)
{
    char folder[64];
    unsigned broken = 0;
    make_folder(folder);
    for (uint64_t seed = first; seed <= last; seed++) {
        const char *complaint = story_run(seed, folder);
        if (complaint == NULL)
            continue;
        broken++;
        printf("seed %llu: %s\n    %s --seed %llu\n", (unsigned long long)seed, complaint, program,
               (unsigned long long)seed);
        fflush(stdout);
    }
    rmdir(folder);
    return broken;
}

int main(int argc, char **argv)
{
    uint64_t first, last;
    if (argc == 3 && strcmp(argv[1], "--seed") == 0 &&
        number_parse(argv[2], UINT64_MAX - 1, &first) == 0) {
        world_trace_on();
        last = first;
    } else if (argc != 3 || strcmp(argv[1], "--seeds") != 0 ||
               !parse_range(argv[2], &first, &last)) {
        fputs(usage, stderr);
        return 64;
    }
    if (crypto_init() != 0)
        return 1;
    unsigned broken = run(first, last, argv[0]);
    crypto_deinit();
    printf("%llu runs, %u broke a promise\n", (unsigned long long)(last - first + 1), broken);
    return broken == 0 ? 0 : 1;
}
