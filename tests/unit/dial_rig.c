/* SPDX-License-Identifier: ISC */
/*
 * A race to test with.
 */
#include "unit/dial_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/dns.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct machine machine;

/* Stands before the one in libevent, which would read the machine's own configuration. */
int evdns_base_resolv_conf_parse(struct evdns_base *base, int flags, const char *const filename)
{
    assert_string_equal(filename, "/etc/resolv.conf");
    assert_true((flags & DNS_OPTION_NAMESERVERS_NO_DEFAULT) != 0);
    evdns_base_load_hosts(base, machine.hosts);
    if (machine.name_server[0] == '\0')
        return 6;
    return evdns_base_nameserver_ip_add(base, machine.name_server);
}

void write_hosts(const char *text)
{
    FILE *file = fopen(machine.hosts, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* --- a name server ---------------------------------------------------------------------------- */

enum { QUESTION_MAX = 512, HEADER_SIZE = 12, TYPE_A = 1 };

static bool asks_for(const uint8_t *question, const char *label)
{
    const size_t length = strlen(label);
    return question[HEADER_SIZE] == length &&
           strncasecmp((const char *)question + HEADER_SIZE + 1, label, length) == 0;
}

/* Turns a question into its answer. Its new size, or 0 for silence. */
static size_t answer(uint8_t *message, size_t size)
{
    static const uint8_t record[] = {0xc0, HEADER_SIZE, 0, TYPE_A, 0,   1, 0, 0,
                                     0,    60,          0, 4,      127, 0, 0, 1};
    const bool here = asks_for(message, "here");
    message[2] = 0x81;
    message[3] = here ? 0x80 : 0x83;
    if (asks_for(message, "silent"))
        return 0;
    if (asks_for(message, "broken"))
        message[3] = 0x82;
    if (asks_for(message, "long")) {
        message[2] |= 0x02; /* truncated */
        message[3] = 0x80;
    }
    if (here && message[size - 3] == TYPE_A) {
        message[7] = 1;
        memcpy(message + size, record, sizeof(record));
        size += sizeof(record);
    }
    return size;
}

static void *name_server_run(void *argument)
{
    const struct name_server *server = argument;
    uint8_t message[QUESTION_MAX + 64];
    struct sockaddr_in client;
    for (;;) {
        socklen_t client_size = sizeof(client);
        ssize_t size = recvfrom(server->fd, message, QUESTION_MAX, 0, (struct sockaddr *)&client,
                                &client_size);
        if (size <= HEADER_SIZE)
            return NULL; /* an empty datagram tells it to end */
        size = (ssize_t)answer(message, (size_t)size);
        if (size > 0)
            sendto(server->fd, message, (size_t)size, 0, (struct sockaddr *)&client, client_size);
    }
}

static struct sockaddr_in name_server_address(const struct name_server *server)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
    return address;
}

static void name_server_start(struct name_server *server)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&own, sizeof(own)), 0);
    snprintf(machine.name_server, sizeof(machine.name_server), "127.0.0.1:%u",
             (unsigned)ntohs(name_server_address(server).sin_port));
    assert_int_equal(pthread_create(&server->thread, NULL, name_server_run, server), 0);
}

static void name_server_stop(struct name_server *server)
{
    const struct sockaddr_in address = name_server_address(server);
    sendto(server->fd, "", 0, 0, (const struct sockaddr *)&address, sizeof(address));
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    close(server->fd);
}

/* --- a call ----------------------------------------------------------------------------------- */

static void on_accept(void *context, struct stream *stream)
{
    struct call *call = context;
    stream_free(call->accepted);
    call->accepted = stream;
    call->accepts++;
}

int dial_rig_setup(void **state)
{
    struct call *call = calloc(1, sizeof(*call));
    struct address address = {.host = "127.0.0.1"};
    int fd;
    rig_init(&call->rig);
    snprintf(machine.hosts, sizeof(machine.hosts), "/tmp/test_dialer.XXXXXX");
    fd = mkstemp(machine.hosts);
    assert_true(fd >= 0);
    close(fd);
    name_server_start(&call->name_server);
    assert_int_equal(listener_new_tcp(&call->listener, call->rig.loop, &address, on_accept, call),
                     0);
    assert_int_equal(address_parse(listener_name(call->listener), &address), 0);
    call->port = address.port;
    assert_int_equal(dialer_new(&call->dialer, call->rig.loop), 0);
    *state = call;
    return 0;
}

int dial_rig_teardown(void **state)
{
    struct call *call = *state;
    dial_cancel(call->dial);
    dialer_free(call->dialer);
    stream_free(call->stream);
    stream_free(call->accepted);
    listener_free(call->listener);
    rig_deinit(&call->rig);
    name_server_stop(&call->name_server);
    unlink(machine.hosts);
    free(call);
    return 0;
}

static bool on_connected(void *context, unsigned way, struct stream *stream)
{
    struct call *call = context;
    if (call->choosy)
        return false;
    stream_free(call->stream);
    call->stream = stream;
    call->way = way;
    call->done = true;
    call->count++;
    return true;
}

static void on_failed(void *context, unsigned way, const char *error)
{
    struct call *call = context;
    assert_in_range(way, 0, call->way_count - 1);
    call->failures++;
    snprintf(call->errors[way], sizeof(call->errors[way]), "%s", error);
}

static void on_over(void *context)
{
    struct call *call = context;
    call->dial = NULL;
    call->done = call->over = true;
    call->count++;
}

const struct dial_events dial_rig_events = {on_connected, on_failed, on_over};

void add_way(struct call *call, const char *host, uint16_t port)
{
    struct address *address = &call->ways[call->way_count++];
    address->port = port;
    snprintf(address->host, sizeof(address->host), "%s", host);
}

void forget(struct call *call)
{
    dial_cancel(call->dial);
    stream_free(call->stream);
    call->dial = NULL;
    call->stream = NULL;
    call->way_count = call->failures = call->count = 0;
    call->done = call->over = false;
    memset(call->errors, 0, sizeof(call->errors));
}

void start(struct call *call)
{
    assert_int_equal(dial_start(&call->dial, call->dialer, DIAL_OTHER, call->ways, call->way_count,
                                &dial_rig_events, call),
                     0);
    assert_false(call->done);
}

void wait_for(struct call *call)
{
    assert_true(rig_run_until_true(&call->rig, &call->done));
    assert_int_equal(call->count, 1);
    call->done = false;
    call->count = 0;
}

void dial(struct call *call, const char *host, uint16_t port)
{
    forget(call);
    add_way(call, host, port);
    start(call);
}

void dial_and_wait(struct call *call, const char *host, uint16_t port)
{
    dial(call, host, port);
    wait_for(call);
    assert_true(call->over == (call->stream == NULL));
    assert_int_equal(call->failures, call->over);
}

int dead_port(uint16_t *port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(own);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &size), 0);
    *port = ntohs(own.sin_port);
    return fd;
}

void black_hole_open(struct black_hole *hole, const char *host, uint16_t *port)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t size = sizeof(own);
    assert_int_equal(inet_pton(AF_INET, host, &own.sin_addr), 1);
    hole->fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(hole->fds[0], (struct sockaddr *)&own, size), 0);
    assert_int_equal(listen(hole->fds[0], 0), 0);
    assert_int_equal(getsockname(hole->fds[0], (struct sockaddr *)&own, &size), 0);
    *port = ntohs(own.sin_port);
    for (size_t i = 1; i < 8; i++) {
        hole->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        connect(hole->fds[i], (struct sockaddr *)&own, size);
    }
}

void black_hole_close(struct black_hole *hole)
{
    for (size_t i = 0; i < 8; i++)
        close(hole->fds[i]);
}

struct listener *listen_at(struct call *call, const char *host)
{
    struct address address = {.port = call->port};
    struct listener *listener;
    snprintf(address.host, sizeof(address.host), "%s", host);
    assert_int_equal(listener_new_tcp(&listener, call->rig.loop, &address, on_accept, call), 0);
    return listener;
}
