/* SPDX-License-Identifier: ISC */
/*
 * Where a TCP connection comes from.
 */
#pragma once

#include <stdint.h>

#include "base/address.h"

enum { ORIGIN_KEY_SIZE = 16 };

struct origin {
    char text[ADDRESS_TEXT_MAX];  /* numeric "host:port" */
    uint8_t key[ORIGIN_KEY_SIZE]; /* what limits count by: the IPv4 address or the IPv6 /64 */
};
