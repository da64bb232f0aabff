/* SPDX-License-Identifier: ISC */
/*
 * The trouble with a peer, and what to do about it: what status, peer show and doctor say.
 */
#pragma once

#include "base/outcome.h"
#include "client/ctl.h"

struct diagnosis {
    char *reason; /* one line, in new memory */
    char *remedy; /* the same */
};

enum diagnosis_outcome {
    DIAGNOSIS_NONE = OUTCOME_DIAGNOSIS, /* it is online, and nothing speaks against it */
};

/*
 * The trouble with a peer, as the control interface has it. 0, DIAGNOSIS_NONE or -ENOMEM.
 * diagnosis_deinit() in any case.
 */
int diagnosis_find(struct diagnosis *diagnosis, const json_t *peer);
void diagnosis_deinit(struct diagnosis *diagnosis);

/* What to do when another machine has this one's key, too. */
extern const char diagnosis_own_clone[];
