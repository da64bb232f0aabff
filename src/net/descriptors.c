/* SPDX-License-Identifier: ISC */
/*
 * Receiving with SCM_RIGHTS.
 */
#include "net/descriptors.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Keeps one, or closes it when there are too many. */
static bool keep(struct descriptors *descriptors, int fd)
{
    if (descriptors->count == DESCRIPTORS_MAX) {
        close(fd);
        return false;
    }
    descriptors->kept[descriptors->count].fd = fd;
    descriptors->kept[descriptors->count++].end = descriptors->received;
    return true;
}

/* Whether all that came with a message are kept. */
static bool keep_all(struct descriptors *descriptors, struct msghdr *message)
{
    bool all = (message->msg_flags & MSG_CTRUNC) == 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            all &= keep(descriptors, fd);
        }
    }
    return all;
}

ssize_t descriptors_receive(struct descriptors *descriptors, int fd, uint8_t *data, size_t size)
{
    union {
        char bytes[CMSG_SPACE((DESCRIPTORS_MAX + 1) * sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct iovec piece = {data, size};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    const ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (got < 0)
        return -errno;
    descriptors->received += (uint64_t)got;
    return keep_all(descriptors, &message) ? got : -EMSGSIZE;
}

int descriptors_take(struct descriptors *descriptors, uint64_t *end)
{
    if (descriptors->count == 0)
        return -1;
    const int fd = descriptors->kept[0].fd;
    *end = descriptors->kept[0].end;
    descriptors->count--;
    memmove(descriptors->kept, descriptors->kept + 1,
            descriptors->count * sizeof descriptors->kept[0]);
    return fd;
}

unsigned descriptors_drop(struct descriptors *descriptors, uint64_t position)
{
    uint64_t end;
    while (descriptors->count > 0 && descriptors->kept[0].end <= position)
        close(descriptors_take(descriptors, &end));
    return descriptors->count;
}
