/* SPDX-License-Identifier: ISC */
/*
 * A connected byte stream, TCP or UNIX: buffered, bounded, with callbacks.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "net/loop.h"
#include "net/origin.h"
#include "net/pulse.h"

enum {
    STREAM_INPUT_MAX = 64 * 1024, /* unread bytes held before the kernel has to hold the rest */
    STREAM_LOW_WATER = 16 * 1024, /* unsent bytes at which there is room again */
};

/*
 * What the owner of a stream is told. Any of these may free nothing: stream_free() is for the
 * turn's end or for outside a callback of this stream. `ended` comes once; the peer's end waits
 * while the stream is paused, a broken connection does not.
 */
struct stream_events {
    void (*readable)(void *context);         /* there is input; also called again after a pause */
    void (*writable)(void *context);         /* at most STREAM_LOW_WATER bytes are unsent */
    void (*ended)(void *context, int error); /* the peer closed (0; what was sent before has been
                                                delivered by `readable`) or the connection
                                                broke (errno) */
};

struct stream;

/*
 * Much will go through it, and nobody waits for one small piece of it: the kernel may hold more,
 * and has what is written at once as far as it takes it.
 * `background`: TCP, it may be given way to by all else on the network, too (RFC 8622).
 */
void stream_set_bulk(struct stream *stream, bool background);

/* Says who listens to the stream; until then it reads nothing. */
void stream_attach(struct stream *stream, const struct stream_events *events, void *context);

/* Closes at once, dropping what is unsent. NULL is allowed. */
void stream_free(struct stream *stream);

/*
 * UNIX: takes descriptors that are sent along (SCM_RIGHTS); without it the kernel drops them. More
 * than DESCRIPTORS_MAX (8) that nobody has taken break the connection (EMSGSIZE).
 */
void stream_accept_descriptors(struct stream *stream);

/*
 * The oldest of them, which is the caller's then, or -1. It came along with bytes of the stream
 * before *end, counted from its beginning.
 */
int stream_take_descriptor(struct stream *stream, uint64_t *end);

/* Closes those that came along with the first `position` bytes; how many are left. */
unsigned stream_drop_descriptors(struct stream *stream, uint64_t position);

/*
 * Some of the unread bytes, contiguous; empty when there are none. Valid until the stream is
 * touched.
 */
struct span stream_input(const struct stream *stream);

/* Drops the first `size` unread bytes. */
void stream_consume(struct stream *stream, size_t size);

/* Stops or resumes reading from the kernel. Resuming calls `readable` when something is unread. */
void stream_pause(struct stream *stream, bool paused);

/* Takes bytes to send; drops them after stream_finish() or a failure. 0 or -ENOMEM. */
int stream_write(struct stream *stream, struct span data);

/*
 * Hands the kernel now what it takes, instead of in the next turn; nothing is told meanwhile, and
 * `writable` comes as it would have. For what somebody waits for.
 */
void stream_push(struct stream *stream);

/* Bytes that the kernel has not taken yet. */
size_t stream_unsent(const struct stream *stream);

/* What the kernel knows of the connection now. UNIX: nothing. */
struct pulse_facts stream_pulse(const struct stream *stream);

/* Sends what is unsent and then shuts down the writing half; input goes on. */
void stream_finish(struct stream *stream);

/* TCP: where it comes from. UNIX: the text is "local". */
const struct origin *stream_origin(const struct stream *stream);

/*
 * TCP: our own address, IPv4 as ::ffff:a.b.c.d; false when it is not known.
 */
bool stream_local(const struct stream *stream, uint8_t address[static ORIGIN_KEY_SIZE]);

/* UNIX: the user at the other end, taken when it connected; (uid_t)-1 when not known. */
uid_t stream_user(const struct stream *stream);

/*
 * UNIX: whether the other end has closed both ways, so that nobody will read what is written. An
 * end that was told says only that nothing more comes.
 */
bool stream_gone(const struct stream *stream);
