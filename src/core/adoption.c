/* SPDX-License-Identifier: ISC */
/*
 * Adoption.
 */
#define LOG_COMPONENT "admission"
#include "core/adoption.h"

#include <string.h>

#include "base/log.h"

static bool is_full(const struct adoption *adoption)
{
    return adoption->roster->adopted >= adoption->runtime->settings.unknown_peers_limit;
}

static void tell(struct adoption *adoption)
{
    const uint64_t now = loop_now(adoption->runtime->loop);
    if (adoption->told && now - adoption->told_ms < ADOPTION_TELL_MS)
        return;
    adoption->told = true;
    adoption->told_ms = now;
    log_event(LOG_LEVEL_WARNING, "adoption-full", NULL,
              "unknown peers are not let in: %llu came by themselves and are used by nobody, as "
              "many as unknown-peers-limit allows; remove some (p2pchatctl peer list, p2pchatctl "
              "peer remove NAME), rename or verify those that you know, or raise the limit",
              (unsigned long long)adoption->runtime->settings.unknown_peers_limit);
}

bool adoption_has_place(struct adoption *adoption)
{
    if (!is_full(adoption))
        return true;
    tell(adoption);
    return false;
}

int adoption_take(struct adoption *adoption, const struct fingerprint *key, struct peer **peer)
{
    struct peer_row row = {.pinned = true, .trust = PEER_TOFU, .adopted = true};
    memcpy(row.key, key->bytes, sizeof row.key);
    roster_make_name(key, row.name);
    return roster_add(adoption->roster, &row, peer);
}
