/*
 * The ground on which all of this floor stands.
 */
#define LOG_COMPONENT "node"
#include "core/ground.h"

#include <string.h>

#include "base/log.h"

const struct fingerprint *ground_fingerprint(const struct ground *ground)
{
    return pubkey_fingerprint(identity_pubkey(ground->self));
}

void ground_fail(struct ground *ground, int error)
{
    if (ground->failure != 0)
        return;
    ground->failure = error;
    log_event(LOG_LEVEL_ERROR, "store-failed", NULL, "%s: nothing is acknowledged any more",
              strerror(-error));
    loop_wake(ground->loop);
}
