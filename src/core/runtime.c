/* SPDX-License-Identifier: ISC */
/*
 * What every module of this floor is given.
 */
#define LOG_COMPONENT "node"
#include "core/runtime.h"

#include <string.h>

#include "base/log.h"

const struct fingerprint *runtime_fingerprint(const struct runtime *runtime)
{
    return pubkey_fingerprint(identity_pubkey(runtime->self));
}

void runtime_fail(struct runtime *runtime, int error)
{
    if (runtime->failure != 0)
        return;
    runtime->failure = error;
    log_event(LOG_LEVEL_ERROR, "store-failed", NULL, "%s: nothing is acknowledged any more",
              strerror(-error));
    loop_wake(runtime->loop);
}
