/* SPDX-License-Identifier: ISC */
/*
 * What came of the latest dial of each way to a peer, for people and for pairing.
 */
#pragma once

#include "base/address.h"

enum { ATTEMPT_ERROR_MAX = 320 };

enum attempt_end {
    ATTEMPT_UNREACHED, /* no session, for any reason but these */
    ATTEMPT_REFUSED,   /* it was the peer, and it refused */
    ATTEMPT_OTHER_KEY, /* somebody else answered */
    ATTEMPT_SELF,      /* it was this machine */
};

struct attempt {
    struct address address;
    enum attempt_end outcome;
    char error[ATTEMPT_ERROR_MAX];
    uint64_t time_ms; /* wall clock, of the failure */
};

/* At most DIAL_WAYS_MAX, in no order. Zero is empty. */
struct attempts {
    struct attempt *list;
    unsigned count;
};

/* The failed attempt to reach an address, or NULL. It lives until the next change. */
const struct attempt *attempts_find(const struct attempts *attempts, const struct address *address);

/* Whether any ended so. */
bool attempts_any(const struct attempts *attempts, enum attempt_end outcome);

/* Takes the place of an earlier one of this address; when there are too many, of the oldest. */
void attempts_note(struct attempts *attempts, const struct attempt *attempt);

/* Forgets all. */
void attempts_clear(struct attempts *attempts);
