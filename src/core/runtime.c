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

bool runtime_cloned(const struct runtime *runtime, uint64_t sign_ms)
{
    const uint64_t now_ms = loop_wall(runtime->loop);
    return sign_ms != 0 && (now_ms < sign_ms || now_ms - sign_ms < RUNTIME_CLONED_MS);
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
