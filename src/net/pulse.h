/* SPDX-License-Identifier: ISC */
/*
 * Whether the other kernel of a TCP connection still answers, judged by what ours knows.
 *
 * What we sent, or a probe of a closed window, that stays unanswered for PULSE_TIMEOUT_MS means
 * that nobody is there. An application that does not read closes the window, and its kernel answers
 * the probes: that is no such silence. (TCP_USER_TIMEOUT, RFC 5482, ends both.)
 *
 * On a wire with a long queue our kernel itself waits for half a minute before it sends again what
 * was lost: there the time-out is pulse_patience_ms().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    PULSE_INTERVAL_MS = 5000, /* between two looks, while something is not acknowledged */
    PULSE_TIMEOUT_MS = 15000,
};

/* What the kernel knows. */
struct pulse_facts {
    bool waiting;       /* something of ours is not acknowledged, or not even sent */
    bool unanswered;    /* … and was sent again, or probed for, without an answer so far */
    uint32_t silent_ms; /* since the last acknowledgement of any kind */
    uint32_t resend_ms; /* until our kernel sends again: RFC 6298, without the backing off */
    uint64_t arrivals;  /* of segments of ours, in all; in any order (RFC 2018) */
};

enum pulse_verdict {
    PULSE_RESTING, /* nothing waits for an answer: no need to look again */
    PULSE_BEATING, /* look again */
    PULSE_GONE,
};

/* All zero is a valid start. */
struct pulse {
    bool suspicious;
    uint64_t silent_since_ms; /* when suspicious */
};

/* How long an answer may take here: something was lost, is sent again, and acknowledged. */
uint64_t pulse_patience_ms(const struct pulse_facts *facts);

/* Takes what is known at a look. */
enum pulse_verdict pulse_judge(struct pulse *pulse, const struct pulse_facts *facts,
                               uint64_t now_ms);
