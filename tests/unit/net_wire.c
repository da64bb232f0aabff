/* SPDX-License-Identifier: ISC */
/*
 * The wire that stream tests are made on. Its callbacks also check what holds in every test: none
 * is called within another, and nothing readable comes after the end.
 */
#include "unit/net_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/libevent.h"

static void on_readable(void *context)
{
    struct wire *wire = context;
    assert_false(wire->inside);
    assert_int_equal(wire->ends, 0);
    assert_true(stream_input(wire->stream).size > 0);
    wire->inside = true;
    wire->readables++;
    while (wire->consumes && stream_input(wire->stream).size > 0) {
        wire->received += stream_input(wire->stream).size;
        stream_consume(wire->stream, stream_input(wire->stream).size);
    }
    if (wire->pauses)
        stream_pause(wire->stream, true);
    if (wire->refills)
        peer_floods(wire);
    wire->inside = false;
}

static void on_writable(void *context)
{
    struct wire *wire = context;
    assert_false(wire->inside);
    wire->writables++;
    if (stream_unsent(wire->stream) > wire->most_unsent)
        wire->most_unsent = stream_unsent(wire->stream);
}

static void on_ended(void *context, int error)
{
    struct wire *wire = context;
    assert_false(wire->inside);
    wire->ends++;
    wire->ended = true;
    wire->error = error;
    wire->seen_at_end = wire->received;
}

const struct stream_events WIRE_EVENTS = {on_readable, on_writable, on_ended};

/* A connected pair of TCP sockets on the loopback. */
static void tcp_pair(int pair[2])
{
    const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(own);
    assert_int_equal(bind(listening, (struct sockaddr *)&own, size), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&own, &size), 0);
    pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(pair[1], (struct sockaddr *)&own, size), 0);
    pair[0] = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(pair[0] >= 0);
    close(listening);
}

static int wire_make(void **state, bool tcp)
{
    struct wire *wire = calloc(1, sizeof(*wire));
    int pair[2];
    rig_init(&wire->rig);
    if (tcp)
        tcp_pair(pair);
    else
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
    wire->peer = pair[1];
    wire->consumes = true;
    assert_int_equal(stream_new(&wire->stream, wire->rig.loop, pair[0]), 0);
    *state = wire;
    return 0;
}

int wire_setup_tcp(void **state)
{
    return wire_make(state, true);
}

int wire_setup_unix(void **state)
{
    return wire_make(state, false);
}

int wire_teardown(void **state)
{
    struct wire *wire = *state;
    stream_free(wire->stream);
    if (wire->peer >= 0)
        close(wire->peer);
    rig_deinit(&wire->rig);
    free(wire);
    return 0;
}

void wire_attach(struct wire *wire)
{
    stream_attach(wire->stream, &WIRE_EVENTS, wire);
}

void peer_sends(const struct wire *wire, const char *text)
{
    assert_int_equal(send(wire->peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

size_t peer_floods(const struct wire *wire)
{
    static const char chunk[4096];
    size_t sent = 0;
    ssize_t size;
    while ((size = send(wire->peer, chunk, sizeof(chunk), MSG_NOSIGNAL)) > 0)
        sent += (size_t)size;
    assert_int_equal(errno, EAGAIN);
    return sent;
}

void peer_waits(const struct wire *wire)
{
    struct pollfd peer = {.fd = wire->peer, .events = POLLIN};
    assert_int_equal(poll(&peer, 1, PATIENCE_MS), 1);
}

size_t peer_drains(const struct wire *wire, bool *end)
{
    char chunk[4096];
    size_t received = 0;
    ssize_t size;
    while ((size = recv(wire->peer, chunk, sizeof(chunk), 0)) > 0)
        received += (size_t)size;
    if (end != NULL)
        *end = size == 0;
    return received;
}

void peer_closes(struct wire *wire)
{
    close(wire->peer);
    wire->peer = -1;
}

void peer_resets(struct wire *wire)
{
    const struct linger linger = {.l_onoff = 1};
    assert_int_equal(setsockopt(wire->peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    peer_closes(wire);
}

void wire_assert_idle(struct wire *wire)
{
    rig_run_for(&wire->rig, 100);
    assert_true(wire->rig.turns <= RIG_TURNS_MAX + 10);
}

struct expectation {
    const struct wire *wire;
    size_t received;
    unsigned readables;
};

static bool is_met(void *context)
{
    const struct expectation *expected = context;
    return expected->wire->received >= expected->received &&
           expected->wire->readables >= expected->readables;
}

bool wire_has_received(struct wire *wire, size_t size)
{
    return rig_run_until(&wire->rig, is_met, &(struct expectation){wire, size, 0});
}

bool wire_has_told(struct wire *wire, unsigned readables)
{
    return rig_run_until(&wire->rig, is_met, &(struct expectation){wire, 0, readables});
}
