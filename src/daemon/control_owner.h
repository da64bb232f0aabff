/* SPDX-License-Identifier: ISC */
/*
 * What a client may ask of the daemon itself.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct control_owner {
    int (*reload)(void *context, char *complaint, size_t size); /* 0 or -EINVAL with a complaint */
    void (*stop)(void *context);
    const char *(*directory)(void *context);     /* where its files are */
    json_t *(*settings)(void *context);          /* that are in effect; NULL without memory */
    uint64_t (*identity_created)(void *context); /* wall clock; 0 when not known */
};
