/* SPDX-License-Identifier: ISC */
/*
 * Listeners: where they listen, whom they replace, and how they behave without descriptors.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "net/listener.h"
#include "net/unixsock.h"
#include "unit/net_rig.h"

enum { STREAMS_MAX = 64 };

/* A listener, what it accepted, and a directory to listen in. */
struct stage {
    struct rig rig;
    struct listener *listener;
    struct stream *streams[STREAMS_MAX];
    size_t accepted;
    size_t expected; /* to be accepted before the run ends */
    char directory[32];
    char path[64];
};

static unsigned warnings;

static void count_warnings(const struct log_entry *entry)
{
    if (entry->level <= LOG_LEVEL_WARNING)
        warnings++;
}

static int setup(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    rig_init(&stage->rig);
    snprintf(stage->directory, sizeof(stage->directory), "/tmp/test_listener.XXXXXX");
    assert_non_null(mkdtemp(stage->directory));
    snprintf(stage->path, sizeof(stage->path), "%s/socket", stage->directory);
    warnings = 0;
    log_set_sink(count_warnings);
    *state = stage;
    return 0;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    for (size_t i = 0; i < stage->accepted; i++)
        stream_free(stage->streams[i]);
    listener_free(stage->listener);
    unlink(stage->path);
    assert_int_equal(rmdir(stage->directory), 0);
    rig_deinit(&stage->rig);
    log_set_sink(NULL);
    free(stage);
    return 0;
}

static void on_accept(void *context, struct stream *stream)
{
    struct stage *stage = context;
    assert_true(stage->accepted < STREAMS_MAX);
    stage->streams[stage->accepted++] = stream;
}

static bool is_complete(void *context)
{
    const struct stage *stage = context;
    return stage->accepted >= stage->expected;
}

/* Runs until so many connections have been accepted. */
static bool has_accepted(struct stage *stage, size_t count)
{
    stage->expected = count;
    return rig_run_until(&stage->rig, is_complete, stage) && stage->accepted == count;
}

static int listen_tcp(struct stage *stage, const char *host, uint16_t port)
{
    struct address address = {.port = port};
    snprintf(address.host, sizeof(address.host), "%s", host);
    return listener_new_tcp(&stage->listener, stage->rig.loop, &address, on_accept, stage);
}

static int listen_unix(struct stage *stage, mode_t mode)
{
    return listener_new_unix(&stage->listener, stage->rig.loop, stage->path, mode, on_accept,
                             stage);
}

static uint16_t port_of(const struct stage *stage)
{
    struct address address;
    assert_int_equal(address_parse(listener_name(stage->listener), &address), 0);
    assert_int_not_equal(address.port, 0);
    return address.port;
}

static int connect_v4(uint16_t port)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static int connect_v6(uint16_t port)
{
    const int fd = socket(AF_INET6, SOCK_STREAM, 0);
    const struct sockaddr_in6 address = {
        .sin6_family = AF_INET6,
        .sin6_port = htons(port),
        .sin6_addr = IN6ADDR_LOOPBACK_INIT,
    };
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static int unix_socket(const char *path, int (*use)(int, const struct sockaddr *, socklen_t))
{
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(use(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* --- TCP -------------------------------------------------------------------------------------- */

static void test_a_listener_everywhere_serves_both_families(void **state)
{
    struct stage *stage = *state;
    static const char *const hosts[] = {"", "*"};
    for (size_t i = 0; i < 2; i++) {
        int v4;
        int v6;
        stage->accepted = 0;
        assert_int_equal(listen_tcp(stage, hosts[i], 0), 0);
        v4 = connect_v4(port_of(stage));
        v6 = connect_v6(port_of(stage));
        assert_true(has_accepted(stage, v6 >= 0 ? 2 : 1));
        assert_memory_equal(stream_origin(stage->streams[0])->text, "127.0.0.1:", 10);
        close(v4);
        if (v6 >= 0)
            close(v6);
        while (stage->accepted > 0)
            stream_free(stage->streams[--stage->accepted]);
        listener_free(stage->listener);
        stage->listener = NULL;
    }
}

static void test_a_listener_tells_its_real_port(void **state)
{
    struct stage *stage = *state;
    char expected[ADDRESS_TEXT_MAX];
    assert_int_equal(listen_tcp(stage, "127.0.0.1", 0), 0);
    snprintf(expected, sizeof(expected), "127.0.0.1:%u", (unsigned)port_of(stage));
    assert_string_equal(listener_name(stage->listener), expected);
}

static void test_a_port_in_use_is_refused(void **state)
{
    struct stage *stage = *state;
    struct listener *first;
    assert_int_equal(listen_tcp(stage, "127.0.0.1", 0), 0);
    first = stage->listener;
    assert_int_equal(listen_tcp(stage, "127.0.0.1", port_of(stage)), -EADDRINUSE);
    assert_ptr_equal(stage->listener, first);
}

static void test_many_connections_are_all_accepted(void **state)
{
    struct stage *stage = *state;
    int fds[50];
    assert_int_equal(listen_tcp(stage, "127.0.0.1", 0), 0);
    for (size_t i = 0; i < 50; i++)
        fds[i] = connect_v4(port_of(stage));
    assert_true(has_accepted(stage, 50));
    assert_true(stage->rig.turns >= 50 / 16); /* not all in one turn */
    for (size_t i = 0; i < 50; i++)
        close(fds[i]);
}

static void test_without_descriptors_it_rests_and_comes_back(void **state)
{
    struct stage *stage = *state;
    struct rlimit before;
    struct rlimit lowered;
    uint64_t start, rested;
    int fd;
    assert_int_equal(listen_tcp(stage, "127.0.0.1", 0), 0);
    fd = connect_v4(port_of(stage));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    lowered = (struct rlimit){.rlim_cur = (rlim_t)fd + 1, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &lowered), 0);
    start = loop_now(stage->rig.loop);
    rig_run_for(&stage->rig, 500);
    rested = loop_now(stage->rig.loop) - start; /* or more: the machine may have stood still */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

    assert_int_equal(stage->accepted, 0);
    assert_in_range(warnings, 1, 1 + rested / 900);
    assert_true(stage->rig.turns <= RIG_TURNS_MAX + 5);

    assert_true(has_accepted(stage, 1));
    assert_true(loop_now(stage->rig.loop) - start >= 900);
    close(fd);
}

static void test_accepted_sockets_do_not_leak_into_children(void **state)
{
    struct stage *stage = *state;
    int fd;
    assert_int_equal(listen_tcp(stage, "127.0.0.1", 0), 0);
    fd = connect_v4(port_of(stage));
    assert_true(has_accepted(stage, 1));
    close(fd);
    for (int i = fd - 3; i < fd + 3; i++) {
        struct stat status;
        if (i > 2 && fstat(i, &status) == 0 && S_ISSOCK(status.st_mode))
            assert_true((fcntl(i, F_GETFD) & FD_CLOEXEC) != 0);
    }
}

/* --- UNIX ------------------------------------------------------------------------------------- */

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

/* The mode that a socket's file has at the moment that there is one. */
static mode_t mode_at_first;

int __real_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size)
{
    int r = __real_bind(fd, address, size);
    if (r == 0 && address->sa_family == AF_UNIX)
        mode_at_first = mode_of(((const struct sockaddr_un *)(const void *)address)->sun_path);
    return r;
}

static void test_a_unix_listener_is_never_open_to_more_than_it_is_for(void **state)
{
    struct stage *stage = *state;
    const mode_t before = umask(0);
    assert_int_equal(listen_unix(stage, 0660), 0);
    assert_int_equal(mode_at_first, 0660);
    umask(before);
}

static void test_a_unix_listener_has_its_mode_and_leaves_the_umask(void **state)
{
    struct stage *stage = *state;
    static const mode_t modes[] = {0600, 0660, 0666};
    const mode_t before = umask(027);
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        assert_int_equal(listen_unix(stage, modes[i]), 0);
        assert_int_equal(mode_of(stage->path), modes[i]);
        listener_free(stage->listener);
        stage->listener = NULL;
    }
    assert_int_equal(umask(before), 027);
}

static void test_a_unix_listener_knows_its_path_and_removes_it(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(listen_unix(stage, 0600), 0);
    assert_string_equal(listener_name(stage->listener), stage->path);
    listener_free(stage->listener);
    stage->listener = NULL;
    assert_int_equal(access(stage->path, F_OK), -1);
}

static void test_unix_connections_carry_their_user(void **state)
{
    struct stage *stage = *state;
    int fd;
    assert_int_equal(listen_unix(stage, 0600), 0);
    fd = unix_socket(stage->path, connect);
    assert_true(has_accepted(stage, 1));
    assert_int_equal(stream_user(stage->streams[0]), getuid());
    close(fd);
}

static void test_a_stale_socket_is_replaced(void **state)
{
    struct stage *stage = *state;
    close(unix_socket(stage->path, bind));
    assert_int_equal(access(stage->path, F_OK), 0);
    assert_int_equal(listen_unix(stage, 0600), 0);
    close(unix_socket(stage->path, connect));
}

static void test_a_live_socket_is_not_displaced(void **state)
{
    struct stage *stage = *state;
    const int live = unix_socket(stage->path, bind);
    int client;
    assert_int_equal(listen(live, 0), 0);
    assert_int_equal(listen_unix(stage, 0600), -EADDRINUSE);
    assert_int_equal(listen_unix(stage, 0600), -EADDRINUSE); /* its queue is full now */
    client = accept(live, NULL, NULL);
    assert_true(client >= 0);
    close(client);
    close(live);
}

static void test_what_is_no_socket_is_not_displaced(void **state)
{
    struct stage *stage = *state;
    const int fd = open(stage->path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    assert_int_equal(listen_unix(stage, 0600), -EEXIST);
    assert_int_equal(mode_of(stage->path), 0600);
    assert_int_equal(unlink(stage->path), 0);

    assert_int_equal(symlink("/nowhere", stage->path), 0);
    assert_int_equal(listen_unix(stage, 0600), -EEXIST);
}

static void test_impossible_paths_are_refused(void **state)
{
    struct stage *stage = *state;
    struct listener *listener;
    char path[200];
    memset(path, 'x', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    memcpy(path, "/tmp/", 5);
    assert_int_equal(listener_new_unix(&listener, stage->rig.loop, path, 0600, on_accept, stage),
                     -ENAMETOOLONG);
    path[108] = '\0';
    assert_int_equal(listener_new_unix(&listener, stage->rig.loop, path, 0600, on_accept, stage),
                     -ENAMETOOLONG);
    assert_int_equal(listener_new_unix(&listener, stage->rig.loop, "", 0600, on_accept, stage),
                     -EINVAL);
    assert_int_equal(listener_new_unix(&listener, stage->rig.loop, "/nonexistent/socket", 0600,
                                       on_accept, stage),
                     -ENOENT);
}

static void test_the_socket_of_a_successor_is_left_alone(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(listen_unix(stage, 0600), 0);
    assert_int_equal(unlink(stage->path), 0);
    close(unix_socket(stage->path, bind));
    listener_free(stage->listener);
    stage->listener = NULL;
    assert_int_equal(access(stage->path, F_OK), 0);
}

/* --- inherited -------------------------------------------------------------------------------- */

static int inherit(struct stage *stage, int fd)
{
    return listener_inherit(&stage->listener, stage->rig.loop, fd, on_accept, stage);
}

static void test_an_inherited_unix_socket_works_and_stays(void **state)
{
    struct stage *stage = *state;
    const int fd = unix_socket(stage->path, bind);
    int client;
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(inherit(stage, fd), 0);
    assert_string_equal(listener_name(stage->listener), stage->path);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    client = unix_socket(stage->path, connect);
    assert_true(has_accepted(stage, 1));
    close(client);
    listener_free(stage->listener);
    stage->listener = NULL;
    assert_int_equal(access(stage->path, F_OK), 0);
}

static void test_an_inherited_tcp_socket_works(void **state)
{
    struct stage *stage = *state;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    int client;
    assert_int_equal(listen(fd, 1), 0); /* binds to any port */
    assert_int_equal(inherit(stage, fd), 0);
    client = connect_v4(port_of(stage));
    assert_true(has_accepted(stage, 1));
    close(client);
}

static void test_only_listening_stream_sockets_are_inherited(void **state)
{
    struct stage *stage = *state;
    const int idle = socket(AF_INET, SOCK_STREAM, 0);
    const int datagram = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(inherit(stage, idle), -EINVAL);
    assert_int_equal(inherit(stage, datagram), -EINVAL);
    assert_int_equal(inherit(stage, -1), -EBADF);
    assert_null(stage->listener);
    assert_int_equal(close(idle), 0);
    assert_int_equal(close(datagram), 0);
}

#define PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE(test_a_listener_everywhere_serves_both_families),
        PLACE(test_a_listener_tells_its_real_port),
        PLACE(test_a_port_in_use_is_refused),
        PLACE(test_many_connections_are_all_accepted),
        PLACE(test_without_descriptors_it_rests_and_comes_back),
        PLACE(test_accepted_sockets_do_not_leak_into_children),
        PLACE(test_a_unix_listener_is_never_open_to_more_than_it_is_for),
        PLACE(test_a_unix_listener_has_its_mode_and_leaves_the_umask),
        PLACE(test_a_unix_listener_knows_its_path_and_removes_it),
        PLACE(test_unix_connections_carry_their_user),
        PLACE(test_a_stale_socket_is_replaced),
        PLACE(test_a_live_socket_is_not_displaced),
        PLACE(test_what_is_no_socket_is_not_displaced),
        PLACE(test_impossible_paths_are_refused),
        PLACE(test_the_socket_of_a_successor_is_left_alone),
        PLACE(test_an_inherited_unix_socket_works_and_stays),
        PLACE(test_an_inherited_tcp_socket_works),
        PLACE(test_only_listening_stream_sockets_are_inherited),
    };
    return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
