/* SPDX-License-Identifier: ISC */
/*
 * What the modules of this folder share behind their headers: the one place where libevent shows.
 * Nothing outside the folder includes it.
 */
#pragma once

#include <event2/event.h>

struct loop;
struct stream;

struct event_base *loop_base(const struct loop *loop);

/*
 * Between these two, something without an owner waits for libevent to let go of it, which takes a
 * turn or two; loop_free() runs on until all of it is gone.
 */
void loop_hold(struct loop *loop);
void loop_release(struct loop *loop);

/*
 * A stream over a connected socket, TCP or UNIX, which it then owns. 0, or -errno with the socket
 * untouched.
 */
int stream_new(struct stream **stream, struct loop *loop, int fd);
