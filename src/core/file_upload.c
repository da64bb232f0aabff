/* SPDX-License-Identifier: ISC */
/*
 * Uploads.
 */
#include "core/file_upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/files_outcome.h"
#include "net/pipe.h"

enum {
    READS_MAX = 4, /* units in a turn, so that others have theirs */
    DISK_LOOK_BYTES = 16 * 1024 * 1024,
};

static int check_disk(struct file_upload *upload, size_t size)
{
    uint64_t space;
    upload->unchecked += size;
    if (upload->unchecked < DISK_LOOK_BYTES)
        return 0;
    upload->unchecked = 0;
    int r = spool_space(upload->spool, &space);
    return r == 0 && space < FILE_DISK_RESERVE ? FILES_DISK_FULL : r;
}

/* Takes one piece. 0, -EAGAIN, FILES_SHORT or another failure. */
static int take_some(struct file_upload *upload)
{
    struct iovec piece;
    piece.iov_base = spool_writer_place(upload->writer, &piece.iov_len);
    const ssize_t size = pipe_receive(upload->pipe, &piece, 1);
    if (size == 0)
        return FILES_SHORT;
    if (size < 0)
        return (int)size;
    upload->moved_ms = loop_now(upload->loop);
    int r = spool_writer_add(upload->writer, (size_t)size);
    return r == 0 ? check_disk(upload, (size_t)size) : r;
}

static void finish(struct file_upload *upload, int r)
{
    if (r == 0)
        r = spool_writer_finish(upload->writer, upload->file, upload->offer.root);
    if (r == -ENOSPC || r == -EDQUOT)
        r = FILES_DISK_FULL;
    upload->over(upload->context, upload, r);
}

static void on_readable(void *context)
{
    struct file_upload *upload = context;
    int r = 0;
    for (unsigned i = 0; r == 0 && i < READS_MAX && spool_writer_missing(upload->writer) > 0; i++)
        r = take_some(upload);
    if (r == -EAGAIN)
        r = 0;
    if (r != 0 || spool_writer_missing(upload->writer) == 0)
        finish(upload, r);
    else
        pipe_watch(upload->pipe, true, false);
}

static void on_writable(void *context)
{
    (void)context;
}

static const struct pipe_events pipe_events = {on_readable, on_writable};

int file_upload_new(struct file_upload **upload, struct loop *loop, struct spool *spool,
                    const struct file_offer *offer, int fd, file_upload_over *over, void *context)
{
    struct file_upload *made = calloc(1, sizeof *made);
    if (made == NULL) {
        close(fd);
        return -ENOMEM;
    }
    *made = (struct file_upload){.loop = loop,
                                 .spool = spool,
                                 .over = over,
                                 .context = context,
                                 .moved_ms = loop_now(loop),
                                 .offer = *offer};
    list_init(&made->node);
    memcpy(made->name, offer->name.data, offer->name.size);
    made->offer.name = SPAN(made->name, offer->name.size);
    int r = pipe_new(&made->pipe, loop, fd, &pipe_events, made);
    if (r == 0)
        r = spool_writer_new(&made->writer, spool, &made->offer);
    if (r < 0) {
        file_upload_free(made);
        return r;
    }
    pipe_watch(made->pipe, true, false);
    *upload = made;
    return 0;
}

void file_upload_free(struct file_upload *upload)
{
    if (upload == NULL)
        return;
    list_remove(&upload->node);
    pipe_free(upload->pipe);
    spool_writer_free(upload->writer);
    free(upload);
}
