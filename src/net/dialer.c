/* SPDX-License-Identifier: ISC */
/*
 * Dialling: one name, several addresses, one patience for all of it. When to dial again is decided
 * above.
 */
#include "net/dialer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "net/libevent.h"
#include "net/resolver.h"
#include "net/socket.h"

struct dial {
    struct loop *loop;
    struct lookup *lookup; /* while the name is looked up */
    struct addrinfo *addresses;
    const struct addrinfo *next; /* the next address to try, or NULL */
    struct timer *timer;         /* the end of the current step */
    uint64_t deadline_ms;
    int fd; /* of the current try, or -1 */
    struct event *event;
    const char *error; /* of the last try */
    dial_done *done;
    void *context;
};

static void dial_next(struct dial *dial);

static void dial_drop_try(struct dial *dial)
{
    if (dial->event != NULL)
        event_free(dial->event);
    dial->event = NULL;
    if (dial->fd >= 0)
        close(dial->fd);
    dial->fd = -1;
}

void dial_cancel(struct dial *dial)
{
    if (dial == NULL)
        return;
    lookup_cancel(dial->lookup);
    lookup_free_addresses(dial->addresses);
    timer_free(dial->timer);
    dial_drop_try(dial);
    free(dial);
}

DEFINE_CLEANUP(struct dial *, dial_cleanup, dial_cancel)

/* Ends the dial with a stream, or with NULL and the last error. */
static void dial_finish(struct dial *dial, struct stream *stream)
{
    dial_done *done = dial->done;
    void *context = dial->context;
    const char *error = stream == NULL ? dial->error : NULL;
    dial_cancel(dial);
    done(context, stream, error);
}

/* --- one address ------------------------------------------------------------------------------ */

/* Why the connection of the current try cannot be used, or 0. */
static int dial_try_error(const struct dial *dial)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return errno;
    if (error == 0 && socket_is_self_connected(dial->fd))
        return ECONNREFUSED; /* nobody listened on a port of our own, and TCP met itself there */
    return error;
}

static void on_connected(evutil_socket_t fd, short what, void *argument)
{
    struct dial *dial = argument;
    struct stream *stream = NULL;
    int error = dial_try_error(dial);
    (void)what;
    if (error == 0)
        error = -stream_new(&stream, dial->loop, fd);
    if (error == 0) {
        dial->fd = -1;
        dial_finish(dial, stream);
    } else {
        dial->error = strerror(error);
        dial_next(dial);
    }
}

/* Starts to connect. 0 or -errno. */
static int dial_try(struct dial *dial, const struct addrinfo *address)
{
    dial->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dial->fd < 0)
        return -errno;
    if (connect(dial->fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS)
        return -errno;
    dial->event = event_new(loop_base(dial->loop), dial->fd, EV_WRITE, on_connected, dial);
    if (dial->event == NULL || event_add(dial->event, NULL) < 0)
        return -ENOMEM;
    return 0;
}

/* --- one after the other ---------------------------------------------------------------------- */

/*
 * How long one try may take: an even part of what is left for all, so that no address starves the
 * next.
 */
static uint64_t dial_share_ms(const struct dial *dial)
{
    const uint64_t now = loop_now(dial->loop);
    const uint64_t left = dial->deadline_ms > now ? dial->deadline_ms - now : 0;
    unsigned count = 0;
    for (const struct addrinfo *address = dial->next; address != NULL; address = address->ai_next)
        count++;
    return count > 0 ? left / count : left;
}

/* Tries the next address on which a try can start at all. */
static void dial_next(struct dial *dial)
{
    dial_drop_try(dial);
    while (dial->next != NULL && loop_now(dial->loop) < dial->deadline_ms) {
        const uint64_t share_ms = dial_share_ms(dial);
        const struct addrinfo *address = dial->next;
        int r;
        dial->next = address->ai_next;
        r = dial_try(dial, address);
        if (r == 0) {
            timer_arm_at(dial->timer, loop_now(dial->loop) + share_ms);
            return;
        }
        dial->error = strerror(-r);
        dial_drop_try(dial);
    }
    dial_finish(dial, NULL);
}

static void on_timer(void *context)
{
    struct dial *dial = context;
    if (dial->lookup != NULL)
        dial->error = "no answer from the name server";
    else if (dial->event != NULL)
        dial->error = strerror(ETIMEDOUT);
    dial_next(dial);
}

static void on_looked_up(void *context, struct addrinfo *addresses, const char *error)
{
    struct dial *dial = context;
    dial->lookup = NULL;
    dial->addresses = addresses;
    dial->next = addresses;
    if (error != NULL)
        dial->error = error;
    dial_next(dial);
}

int dial_start(struct dial **result, struct loop *loop, const struct address *address,
               dial_done *done, void *context)
{
    CLEANUP(dial_cleanup) struct dial *dial = calloc(1, sizeof *dial);
    int r;
    if (dial == NULL)
        return -ENOMEM;
    dial->fd = -1;
    dial->loop = loop;
    dial->done = done;
    dial->context = context;
    dial->error = strerror(ETIMEDOUT);
    dial->deadline_ms = loop_now(loop) + DIAL_TIMEOUT_MS;
    r = timer_new(&dial->timer, loop, on_timer, dial);
    if (r < 0)
        return r;
    dial->addresses = lookup_numeric(address);
    dial->next = dial->addresses;
    if (dial->addresses == NULL && address_is_numeric(address)) {
        dial->error = "this machine has no such interface";
        timer_arm_at(dial->timer, 0);
    } else if (dial->addresses == NULL) {
        r = lookup_start(&dial->lookup, loop, address, on_looked_up, dial);
        timer_arm_at(dial->timer, dial->deadline_ms);
    } else {
        timer_arm_at(dial->timer, 0);
    }
    if (r < 0)
        return r;
    *result = STEAL(dial);
    return 0;
}
