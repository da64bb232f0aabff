/* SPDX-License-Identifier: ISC */
/*
 * An upload: what a client gives of a manifest and data, on its way into the spool.
 */
#pragma once

#include <sys/types.h>

#include "base/list.h"
#include "core/spool.h"
#include "net/loop.h"

enum {
    FILE_UPLOADS_MAX = 8,
    FILE_UPLOADS_PER_USER = 4,
    FILE_UPLOAD_IDLE_MS = 60 * 1000, /* then it has to give way to another */
};

/* What must stay free on the disk: messages need it more than files. */
#define FILE_DISK_RESERVE (UINT64_C(256) * 1024 * 1024)

struct file_upload;

/* It is over: 0 and all is durable, a files_outcome or -errno. Frees it, now or later. */
typedef void file_upload_over(void *context, struct file_upload *upload, int r);

struct file_upload {
    struct list node; /* in files->uploads */
    struct loop *loop;
    struct spool *spool;
    struct spool_writer *writer;
    struct pipe *pipe;
    file_upload_over *over;
    void *context;
    uid_t uid;
    uint64_t moved_ms;       /* when the last bytes came */
    uint64_t unchecked;      /* bytes since the disk was looked at */
    struct file_offer offer; /* with its root, once it is over */
    char name[FILE_NAME_MAX];
    uint8_t file[SPOOL_NAME_SIZE]; /* of the spool, once it is over */
};

/*
 * Begins to read `offer`'s manifest and then its data from a descriptor, which is taken over in any
 * case. 0, -ENOTSOCK or another -errno.
 */
int file_upload_new(struct file_upload **upload, struct loop *loop, struct spool *spool,
                    const struct file_offer *offer, int fd, file_upload_over *over, void *context);

/* Ends it; what came is forgotten unless it is over. NULL is allowed. */
void file_upload_free(struct file_upload *upload);
