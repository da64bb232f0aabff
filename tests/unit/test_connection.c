/* SPDX-License-Identifier: ISC */
/*
 * Tests client/connection over a real socket: pieces, deadlines, and a daemon that goes away.
 */
#include "client/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit/cmocka_all.h"

static char directory[] = "/tmp/test_connection.XXXXXX";
static char path[64];

/* The two ends of a connection. */
struct ends {
    struct connection *client;
    int daemon;
};

static struct ends connect_ends(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ends ends;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(connection_open(path, &ends.client), 0);
    ends.daemon = accept(listener, NULL, NULL);
    assert_true(ends.daemon >= 0);
    close(listener);
    return ends;
}

static void say(const struct ends *ends, const char *text)
{
    assert_int_equal(write(ends->daemon, text, strlen(text)), (ssize_t)strlen(text));
}

static void expect(const struct ends *ends, const char *text)
{
    json_t *message = NULL;
    assert_int_equal(connection_receive(ends->client, NULL, 0, &message), 0);
    char *dump = json_dumps(message, JSON_COMPACT);
    assert_string_equal(dump, text);
    free(dump);
    json_decref(message);
}

static void expect_outcome(const struct ends *ends, struct pollfd *other, int outcome)
{
    json_t *message = NULL;
    assert_int_equal(connection_receive(ends->client, other, clock_monotonic_ms() + 20, &message),
                     outcome);
    json_decref(message);
}

static void test_messages_are_lines(void **state)
{
    struct ends ends = connect_ends();
    char text[64] = "";
    (void)state;
    assert_int_equal(connection_send(ends.client, json_pack("{s:s}", "a", "\n")), 0);
    assert_int_equal(read(ends.daemon, text, sizeof text - 1), 11);
    assert_string_equal(text, "{\"a\":\"\\n\"}\n");
    assert_int_equal(connection_send(ends.client, NULL), -ENOMEM);

    say(&ends, "{\"b\":1}\n{\"c\":2}\n{\"d\"");
    expect(&ends, "{\"b\":1}");
    expect(&ends, "{\"c\":2}");
    expect_outcome(&ends, NULL, CONNECTION_TIMEOUT);
    say(&ends, ":3}\n");
    expect(&ends, "{\"d\":3}");
    connection_free(ends.client);
    close(ends.daemon);
}

static void test_queued_messages_leave_before_anybody_waits(void **state)
{
    struct ends ends = connect_ends();
    char text[64] = "";
    (void)state;
    assert_int_equal(connection_queue(ends.client, json_pack("{s:i}", "a", 1)), 0);
    assert_int_equal(connection_queue(ends.client, json_pack("{s:i}", "b", 2)), 0);
    assert_int_equal(recv(ends.daemon, text, sizeof text - 1, MSG_DONTWAIT), -1);
    expect_outcome(&ends, NULL, CONNECTION_TIMEOUT);
    assert_int_equal(read(ends.daemon, text, sizeof text - 1), 16);
    assert_string_equal(text, "{\"a\":1}\n{\"b\":2}\n");

    assert_int_equal(connection_queue(ends.client, json_pack("{s:i}", "c", 3)), 0);
    assert_int_equal(connection_send(ends.client, json_pack("{s:i}", "d", 4)), 0);
    assert_int_equal(read(ends.daemon, text, sizeof text - 1), 16);
    assert_string_equal(text, "{\"c\":3}\n{\"d\":4}\n");
    assert_int_equal(connection_queue(ends.client, NULL), -ENOMEM);
    connection_free(ends.client);
    close(ends.daemon);
}

static void test_what_the_daemon_says_comes_before_the_other_descriptor(void **state)
{
    struct ends ends = connect_ends();
    int fds[2];
    (void)state;
    assert_int_equal(pipe(fds), 0);
    struct pollfd other = {.fd = fds[0], .events = POLLIN};
    expect_outcome(&ends, &other, CONNECTION_TIMEOUT);
    assert_int_equal(write(fds[1], "x", 1), 1);
    expect_outcome(&ends, &other, CONNECTION_OTHER);
    assert_true(other.revents & POLLIN);
    say(&ends, "{}\n");
    expect_outcome(&ends, &other, 0);
    close(fds[0]);
    close(fds[1]);
    connection_free(ends.client);
    close(ends.daemon);
}

static void test_a_pipe_without_reader_wakes_up(void **state)
{
    struct ends ends = connect_ends();
    int fds[2];
    (void)state;
    assert_int_equal(pipe(fds), 0);
    struct pollfd other = {.fd = fds[1]};
    expect_outcome(&ends, &other, CONNECTION_TIMEOUT);
    close(fds[0]);
    expect_outcome(&ends, &other, CONNECTION_OTHER);
    close(fds[1]);
    connection_free(ends.client);
    close(ends.daemon);
}

static void test_a_daemon_that_goes_away_is_lost(void **state)
{
    struct ends ends = connect_ends();
    (void)state;
    say(&ends, "{\"last\":1}\n{\"half\":");
    close(ends.daemon);
    expect(&ends, "{\"last\":1}");
    expect_outcome(&ends, NULL, CONNECTION_LOST);
    assert_int_equal(connection_send(ends.client, json_object()), CONNECTION_LOST);
    connection_free(ends.client);
}

static void test_nonsense_is_a_loss(void **state)
{
    static const char *const cases[] = {"\n", "hello\n", "[]\n", "{\"a\":1,\"a\":2}\n",
                                        "{\"\xff\":1}\n"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ends ends = connect_ends();
        say(&ends, cases[i]);
        expect_outcome(&ends, NULL, CONNECTION_LOST);
        connection_free(ends.client);
        close(ends.daemon);
    }
}

static void test_open_tells_why_it_fails(void **state)
{
    struct connection *connection;
    char long_path[200];
    (void)state;
    unlink(path);
    assert_int_equal(connection_open(path, &connection), -ENOENT);
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    assert_int_equal(connection_open(long_path, &connection), -ENAMETOOLONG);
    connection_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_are_lines),
        cmocka_unit_test(test_queued_messages_leave_before_anybody_waits),
        cmocka_unit_test(test_what_the_daemon_says_comes_before_the_other_descriptor),
        cmocka_unit_test(test_a_pipe_without_reader_wakes_up),
        cmocka_unit_test(test_a_daemon_that_goes_away_is_lost),
        cmocka_unit_test(test_nonsense_is_a_loss),
        cmocka_unit_test(test_open_tells_why_it_fails),
    };
    if (mkdtemp(directory) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/socket", directory);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rmdir(directory);
    return failed;
}
