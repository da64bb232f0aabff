/* SPDX-License-Identifier: ISC */
/*
 * Bytes in JSON, as base64 (RFC 4648 section 4) with padding.
 */
#pragma once

#include <jansson.h>

#include "base/bytes.h"

/* A string; NULL without memory. */
json_t *rpc_bytes_make(struct span data);

/*
 * Appends the bytes of a string, whose padding may be left out. 0, -ENOMEM, or -EINVAL when it is
 * no base64.
 */
int rpc_bytes_read(const json_t *text, struct bytes *data);
