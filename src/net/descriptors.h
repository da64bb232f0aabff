/* SPDX-License-Identifier: ISC */
/*
 * Descriptors that were sent along with the bytes of a UNIX socket, until somebody takes them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { DESCRIPTORS_MAX = 8 }; /* that were sent along and not taken */

/* All zero is an empty one. */
struct descriptors {
    uint64_t received; /* bytes of the stream in all */
    struct {
        int fd;
        uint64_t end;        /* it came along with bytes before this one */
    } kept[DESCRIPTORS_MAX]; /* oldest first */
    unsigned count;
};

/*
 * Receives bytes and what comes along with them. Bytes, 0 at the end, -EMSGSIZE for more
 * descriptors than may be kept, or another -errno.
 */
ssize_t descriptors_receive(struct descriptors *descriptors, int fd, uint8_t *data, size_t size);

/* As stream_take_descriptor() and stream_drop_descriptors(). */
int descriptors_take(struct descriptors *descriptors, uint64_t *end);
unsigned descriptors_drop(struct descriptors *descriptors, uint64_t position);
