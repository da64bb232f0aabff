/* SPDX-License-Identifier: ISC */
/*
 * The judgement over a silent connection. It is asked of the kernel in socket.c, and looked after
 * in stream.c.
 */
#include "net/pulse.h"

/* The silence began with the last acknowledgement, but not before the look before this one. */
static uint64_t silent_since(const struct pulse_facts *facts, uint64_t now_ms)
{
    return now_ms -
           (facts->silent_ms < PULSE_INTERVAL_MS ? facts->silent_ms : (uint64_t)PULSE_INTERVAL_MS);
}

uint64_t pulse_patience_ms(const struct pulse_facts *facts)
{
    return (uint64_t)2 * facts->resend_ms;
}

enum pulse_verdict pulse_judge(struct pulse *pulse, const struct pulse_facts *facts,
                               uint64_t now_ms)
{
    const uint64_t patience_ms = pulse_patience_ms(facts);
    const uint64_t timeout_ms = patience_ms > PULSE_TIMEOUT_MS ? patience_ms : PULSE_TIMEOUT_MS;
    if (!facts->waiting || !facts->unanswered) {
        pulse->suspicious = false;
        return facts->waiting ? PULSE_BEATING : PULSE_RESTING;
    }
    if (!pulse->suspicious) {
        pulse->suspicious = true;
        pulse->silent_since_ms = silent_since(facts, now_ms);
    }
    return now_ms - pulse->silent_since_ms >= timeout_ms ? PULSE_GONE : PULSE_BEATING;
}
