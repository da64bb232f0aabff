/* SPDX-License-Identifier: ISC */
/*
 * Dialling, with a name server and a hosts file of the test's own in the place of the machine's.
 */
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

#include "net/dialer.h"
#include "net/listener.h"
#include "unit/net_rig.h"

/* How the machine of the test resolves names. */
static struct {
    char hosts[32];       /* path of the hosts file */
    char name_server[32]; /* "127.0.0.1:port", or "" for none */
} machine;

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

static void write_hosts(const char *text)
{
    FILE *file = fopen(machine.hosts, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* --- a name server ---------------------------------------------------------------------------- */

enum { QUESTION_MAX = 512, HEADER_SIZE = 12, TYPE_A = 1 };

/*
 * Answers in a thread of its own: "here.test" is 127.0.0.1, "silent.test" gets no answer,
 * "broken.test" a failure, and any other name does not exist.
 */
struct name_server {
    int fd;
    pthread_t thread;
};

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

/* One dial, what became of it, and something to dial. */
struct call {
    struct rig rig;
    struct name_server name_server;
    struct listener *listener;
    struct stream *accepted;
    uint16_t port;
    struct dial *dial;
    struct stream *stream;
    char error[64];
    bool done;
    unsigned count;
};

static void on_accept(void *context, struct stream *stream)
{
    struct call *call = context;
    stream_free(call->accepted);
    call->accepted = stream;
}

static int setup(void **state)
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
    *state = call;
    return 0;
}

static int teardown(void **state)
{
    struct call *call = *state;
    stream_free(call->stream);
    stream_free(call->accepted);
    listener_free(call->listener);
    rig_deinit(&call->rig);
    name_server_stop(&call->name_server);
    unlink(machine.hosts);
    free(call);
    return 0;
}

static void on_done(void *context, struct stream *stream, const char *error)
{
    struct call *call = context;
    assert_true((stream == NULL) != (error == NULL));
    call->dial = NULL;
    call->stream = stream;
    call->done = true;
    call->count++;
    snprintf(call->error, sizeof(call->error), "%s", error != NULL ? error : "");
}

static void dial(struct call *call, const char *host, uint16_t port)
{
    struct address address = {.port = port};
    snprintf(address.host, sizeof(address.host), "%s", host);
    call->done = false;
    assert_int_equal(dial_start(&call->dial, call->rig.loop, &address, on_done, call), 0);
    assert_false(call->done);
}

static void dial_and_wait(struct call *call, const char *host, uint16_t port)
{
    dial(call, host, port);
    assert_true(rig_run_until_true(&call->rig, &call->done));
    assert_int_equal(call->count, 1);
}

/* A port on which nobody listens, and which nobody else gets while the socket is open. */
static int dead_port(uint16_t *port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(own);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &size), 0);
    *port = ntohs(own.sin_port);
    return fd;
}

/* Something at `host` that answers no SYN: a full queue that nobody accepts from. */
struct black_hole {
    int fds[8];
};

static void black_hole_open(struct black_hole *hole, const char *host, uint16_t *port)
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

static void black_hole_close(struct black_hole *hole)
{
    for (size_t i = 0; i < 8; i++)
        close(hole->fds[i]);
}

/* --- addresses -------------------------------------------------------------------------------- */

static void test_a_numeric_address_connects(void **state)
{
    struct call *call = *state;
    char expected[ADDRESS_TEXT_MAX];
    dial_and_wait(call, "127.0.0.1", call->port);
    assert_non_null(call->stream);
    snprintf(expected, sizeof(expected), "127.0.0.1:%u", (unsigned)call->port);
    assert_string_equal(stream_origin(call->stream)->text, expected);
}

static void test_a_refusal_is_told_after_the_start(void **state)
{
    struct call *call = *state;
    uint16_t port;
    const int fd = dead_port(&port);
    dial_and_wait(call, "127.0.0.1", port);
    assert_null(call->stream);
    assert_string_equal(call->error, "Connection refused");
    close(fd);
}

static void test_an_immediate_failure_is_told_after_the_start(void **state)
{
    struct call *call = *state;
    /* A multicast address fails within connect(2). */
    dial_and_wait(call, "224.0.0.1", 1);
    assert_null(call->stream);
    assert_true(strlen(call->error) > 0);
}

static void test_an_interface_that_does_not_exist_is_told(void **state)
{
    struct call *call = *state;
    dial_and_wait(call, "fe80::1%nowhere", 1);
    assert_null(call->stream);
    assert_string_equal(call->error, "this machine has no such interface");
}

/* --- names ------------------------------------------------------------------------------------ */

static void test_a_name_is_looked_up_at_the_name_server(void **state)
{
    struct call *call = *state;
    dial_and_wait(call, "here.test", call->port);
    assert_string_equal(call->error, "");
    assert_non_null(call->stream);
}

static void test_the_hosts_file_comes_first_and_is_read_anew(void **state)
{
    struct call *call = *state;
    write_hosts("127.0.0.1 nearby\n");
    dial_and_wait(call, "nearby", call->port);
    assert_non_null(call->stream);
    stream_free(call->stream);
    call->count = 0;
    write_hosts("127.0.0.1 elsewhere\n");
    dial_and_wait(call, "nearby", call->port);
    assert_string_equal(call->error, "host not found");
}

static void test_an_unknown_host_is_not_found(void **state)
{
    struct call *call = *state;
    dial_and_wait(call, "nowhere.test", call->port);
    assert_string_equal(call->error, "host not found");
}

static void test_a_failing_name_server_is_told_apart(void **state)
{
    struct call *call = *state;
    dial_and_wait(call, "broken.test", call->port);
    assert_string_equal(call->error, "no answer from the name server");
}

static void test_without_name_servers_the_error_says_so(void **state)
{
    struct call *call = *state;
    machine.name_server[0] = '\0';
    dial_and_wait(call, "here.test", call->port);
    assert_string_equal(call->error, "no name server");
    call->count = 0;
    write_hosts("127.0.0.1 nearby\n");
    dial_and_wait(call, "nearby", call->port);
    assert_non_null(call->stream);
}

static void test_odd_names_are_errors(void **state)
{
    struct call *call = *state;
    static const char *const names[] = {"", ".", "a..b", "127.0.0.1.", "::1::", "[::1]"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        call->count = 0;
        dial_and_wait(call, names[i], 1);
        assert_null(call->stream);
        assert_true(strlen(call->error) > 0);
    }
}

/* --- several addresses, and patience ---------------------------------------------------------- */

static void test_a_refused_address_leads_to_the_next(void **state)
{
    struct call *call = *state;
    write_hosts("127.0.0.2 both\n127.0.0.1 both\n");
    dial_and_wait(call, "both", call->port);
    assert_non_null(call->stream);
}

static void test_a_dead_address_leaves_time_for_the_next(void **state)
{
    struct call *call = *state;
    struct black_hole hole;
    const uint64_t start = loop_now(call->rig.loop);
    /* An address that no other test uses: the port is given. */
    black_hole_open(&hole, "127.77.0.2", &call->port);
    write_hosts("127.77.0.2 both\n127.0.0.1 both\n");
    dial_and_wait(call, "both", call->port);
    assert_non_null(call->stream);
    assert_true(loop_now(call->rig.loop) - start >= DIAL_TIMEOUT_MS / 2 - 100);
    black_hole_close(&hole);
}

static bool both_done(void *context)
{
    const struct call *calls = context;
    return calls[0].done && calls[1].done;
}

static void test_patience_ends_at_a_silent_peer_and_a_silent_name_server(void **state)
{
    struct call *call = *state;
    struct call calls[2] = {{.rig = call->rig}, {.rig = call->rig}};
    struct black_hole hole;
    const uint64_t start = loop_now(call->rig.loop);
    uint16_t port = 0;
    black_hole_open(&hole, "127.0.0.1", &port);
    dial(&calls[0], "127.0.0.1", port);
    dial(&calls[1], "silent.test", port);
    assert_true(rig_run_until(&call->rig, both_done, calls));
    assert_string_equal(calls[0].error, "Connection timed out");
    assert_string_equal(calls[1].error, "no answer from the name server");
    assert_true(loop_now(call->rig.loop) - start >= DIAL_TIMEOUT_MS - 100);
    black_hole_close(&hole);
}

/* --- giving up -------------------------------------------------------------------------------- */

static void test_a_dial_can_be_cancelled_after_any_number_of_turns(void **state)
{
    struct call *call = *state;
    static const char *const hosts[] = {"127.0.0.1",   "here.test",   "nowhere.test",
                                        "silent.test", "broken.test", "nearby"};
    write_hosts("127.0.0.1 nearby\n");
    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
        for (unsigned ms = 0; ms < 10; ms++) {
            call->count = 0;
            dial(call, hosts[i], call->port);
            if (ms > 0)
                rig_run_for(&call->rig, ms - 1);
            dial_cancel(call->dial);
            if (call->dial != NULL)
                assert_int_equal(call->count, 0);
            stream_free(call->stream);
            call->dial = NULL;
            call->stream = NULL;
        }
    }
    dial_cancel(NULL);
}

static void test_a_cancelled_dial_never_calls_back(void **state)
{
    struct call *call = *state;
    dial(call, "here.test", call->port);
    dial_cancel(call->dial);
    dial(call, "127.0.0.1", call->port);
    dial_cancel(call->dial);
    rig_run_for(&call->rig, 100);
    assert_int_equal(call->count, 0);
}

static void test_a_loop_can_end_right_after_a_cancelled_look_up(void **state)
{
    struct call *call = *state;
    dial(call, "silent.test", call->port);
    rig_run_for(&call->rig, 5);
    dial_cancel(call->dial);
    machine.name_server[0] = '\0';
    dial(call, "here.test", call->port);
    dial_cancel(call->dial);
}

#define CALL(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CALL(test_a_numeric_address_connects),
        CALL(test_a_refusal_is_told_after_the_start),
        CALL(test_an_immediate_failure_is_told_after_the_start),
        CALL(test_an_interface_that_does_not_exist_is_told),
        CALL(test_a_name_is_looked_up_at_the_name_server),
        CALL(test_the_hosts_file_comes_first_and_is_read_anew),
        CALL(test_an_unknown_host_is_not_found),
        CALL(test_a_failing_name_server_is_told_apart),
        CALL(test_without_name_servers_the_error_says_so),
        CALL(test_odd_names_are_errors),
        CALL(test_a_refused_address_leads_to_the_next),
        CALL(test_a_dead_address_leaves_time_for_the_next),
        CALL(test_patience_ends_at_a_silent_peer_and_a_silent_name_server),
        CALL(test_a_dial_can_be_cancelled_after_any_number_of_turns),
        CALL(test_a_cancelled_dial_never_calls_back),
        CALL(test_a_loop_can_end_right_after_a_cancelled_look_up),
    };
    return cmocka_run_group_tests_name("dialer", tests, NULL, NULL);
}
