/* SPDX-License-Identifier: ISC */
/*
 * Links that ended a moment ago.
 */
#include "core/former.h"

void former_note(struct former *former, const struct secret *tag, uint64_t now_ms)
{
    if (tag == NULL)
        return;
    former->links[former->next].tag = *tag;
    former->links[former->next].ended_ms = now_ms;
    former->next = (former->next + 1) % GONE_NAMES;
}

void former_list(const struct former *former, uint64_t now_ms, struct gone *gone)
{
    gone->count = 0;
    for (unsigned i = 0; i < GONE_NAMES; i++)
        if (former->links[i].ended_ms != 0 &&
            now_ms - former->links[i].ended_ms <= FORMER_MEMORY_MS)
            gone->keys[gone->count++] = former->links[i].tag;
}

void former_list_cleanup(struct gone *gone)
{
    secret_wipe(gone, sizeof *gone);
}

void former_wipe(struct former *former)
{
    secret_wipe(former, sizeof *former);
}
