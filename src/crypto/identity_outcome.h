/* SPDX-License-Identifier: ISC */
/*
 * What can be wrong with the file of a private key.
 */
#pragma once

#include "base/outcome.h"

enum identity_outcome {
    IDENTITY_MALFORMED = OUTCOME_IDENTITY, /* not a PEM private key */
    IDENTITY_UNSUITABLE,                   /* not RSA of 2048, 3072 or 4096 bits with e = 65537 */
    IDENTITY_ENCRYPTED,                    /* a passphrase is needed */
    IDENTITY_PASSPHRASE,                   /* the passphrase is wrong */
};
