/* SPDX-License-Identifier: ISC */
/*
 * ADDRESSES, the record by which a peer says where it may be reached. A list takes the place of the
 * one before.
 *
 *     u8 count (0..16) || count x ( u8 kind || u8 source || u16 port || u8 size || value )
 *
 *     kind    1 IPv4 (4 bytes)  2 IPv6 (16)  3 name (1..253)  4 a friend's fingerprint (32, port 0)
 *     source  1 an interface; others are for people, as it is itself
 *
 * An unknown kind is skipped. We say and use IP addresses.
 */
#pragma once

#include "base/address.h"
#include "base/bytes.h"

enum {
    TOLD_MAX = 16,
    TOLD_VALUE_MAX = 255,
    TOLD_BODY_MAX = 1 + TOLD_MAX * (5 + TOLD_VALUE_MAX),
};

/* Appends the body of a list of at most TOLD_MAX IP addresses. 0 or -ENOMEM. */
int told_append(struct bytes *body, const struct address *addresses, unsigned count);

/* Whether a body is well formed. */
bool told_legal(struct span body);

/* The IP addresses of a well-formed body; how many. */
unsigned told_parse(struct span body, struct address addresses[static TOLD_MAX]);
