/* SPDX-License-Identifier: ISC */
/*
 * The table of verbs, and help made from it.
 */
#include "client/verb.h"

#include <string.h>

static const struct verb verbs[] = {
#define VERB(name, run, synopsis, summary, details) {name, run, synopsis, summary, details},
#include "client/verbs.def"
#undef VERB
};
static const size_t verb_count = sizeof verbs / sizeof verbs[0];

static const char common_options[] =
    "  -s, --socket PATH      the daemon's control socket\n"
    "      --json             one JSON object per line, also for errors\n"
    "  -q, --quiet            no notes and no confirmations\n"
    "      --utc              times in UTC instead of local time\n"
    "      --no-pager         long history on a terminal goes through no pager\n"
    "  -h, --help             this text\n";

const struct verb *verb_find(struct suggestion *word)
{
    for (size_t i = 0; i < verb_count; i++) {
        if (strcmp(verbs[i].name, word->word) == 0)
            return &verbs[i];
        suggest_offer(word, verbs[i].name);
    }
    return NULL;
}

static void help_all(FILE *out)
{
    fputs("Usage: p2pchatctl [OPTIONS] VERB ...\n"
          "\n"
          "Talks to p2pchatd: end-to-end encrypted messages between machines.\n"
          "\n"
          "Verbs:\n",
          out);
    for (size_t i = 0; i < verb_count; i++)
        fprintf(out, "  %-12s %s\n", verbs[i].name, verbs[i].summary);
    fprintf(out,
            "\nOptions:\n%s      --version          the versions of this program\n"
            "\n\"p2pchatctl help VERB\" tells more.\n",
            common_options);
}

void verb_help(FILE *out, const struct verb *verb)
{
    if (verb == NULL) {
        help_all(out);
        return;
    }
    fprintf(out, "Usage: p2pchatctl %s%s%s\n\n%s.\n\n%s%s%s", verb->name,
            verb->synopsis[0] != '\0' ? " " : "", verb->synopsis, verb->summary, verb->details,
            verb->details[0] != '\0' ? "\n" : "", common_options);
}
