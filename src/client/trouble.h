/*
 * The trouble with a peer, and what to do about it: what status, peer show and doctor say.
 */
#pragma once

#include "client/ctl.h"

struct trouble {
    char *reason; /* one line, in new memory */
    char *remedy; /* the same */
};

enum trouble_outcome {
    TROUBLE_NONE = 1, /* the peer is online */
};

/*
 * The trouble with a peer, as the control interface has it. 0, TROUBLE_NONE or -ENOMEM.
 * trouble_deinit() in any case.
 */
int trouble_find(struct trouble *trouble, const json_t *peer);
void trouble_deinit(struct trouble *trouble);
