/* SPDX-License-Identifier: ISC */
/*
 * The names of links that are gone, as extension 2 of HELLO_J: a joiner says which links with this
 * peer have ended for it, since the peer may believe that they live. The host compares them with
 * its own link once the joiner has proved its identity.
 *
 *     tag key = X(HS, "tag")                              of the former handshake
 *     name    = X(tag key, "gone", random of HELLO_J)     its first 8 bytes
 *
 * Who sees names can neither match them with each other nor with a link: they are made anew for
 * each HELLO_J, there are always four, those without a meaning are random, and so is their order.
 */
#pragma once

#include "base/bytes.h"
#include "crypto/secret.h"

enum {
    GONE_NAMES = 4,
    GONE_NAME_SIZE = 8,
    GONE_SIZE = GONE_NAMES * GONE_NAME_SIZE, /* of those that we send; a peer may send fewer */
    GONE_RANDOM_SIZE = 32,                   /* what is random in HELLO_J */
};

/* The tag keys of former links. */
struct gone {
    struct secret keys[GONE_NAMES];
    unsigned count;
};

/* Makes the names of these links for a HELLO_J with this random value. 0 or -EIO. */
int gone_encode(const struct gone *gone, const uint8_t random[static GONE_RANDOM_SIZE],
                uint8_t names[static GONE_SIZE]);

/* Whether an extension may have this size: one to four names. */
bool gone_size_legal(size_t size);

/* Whether the link with this tag key is among the names. False if OpenSSL fails. */
bool gone_has(struct span names, const uint8_t random[static GONE_RANDOM_SIZE],
              const struct secret *key);
