/* SPDX-License-Identifier: ISC */
/*
 * The clients of the daemons of reference.c: the least that `send` and `follow` can do.
 *
 *     reference_client follow OUT             copies what arrives to its standard output
 *     reference_client delivered IN           sends the lines of its standard input, and ends when
 *                                             all are delivered
 *     reference_client accepted IN TEXT       sends one line, and ends when it is accepted
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

static int follow(int fd)
{
    static char data[256 * 1024];
    for (ssize_t n; (n = read(fd, data, sizeof data)) > 0;)
        if (write(STDOUT_FILENO, data, (size_t)n) != n)
            return 1;
    return 0;
}

static int send_one(int fd, const char *text)
{
    struct iovec line[] = {{(char *)(uintptr_t)text, strlen(text)}, {(char[]){'\n'}, 1}};
    char answer;
    const ssize_t size = (ssize_t)line[0].iov_len + 1;
    return writev(fd, line, 2) == size && read(fd, &answer, 1) == 1 && answer == 'a' ? 0 : 1;
}

static size_t count(const char *data, size_t size, char what)
{
    size_t seen = 0;
    for (const char *at = data; (at = memchr(at, what, size - (size_t)(at - data))) != NULL; at++)
        seen++;
    return seen;
}

/* Sends what is read, until all lines are delivered. */
static int feed(int fd)
{
    static char data[64 * 1024];
    static char answers[64 * 1024];
    size_t size = 0, sent = 0, lines = 0;
    for (bool ended = false; !ended || sent < size || lines > 0;) {
        if (sent == size && !ended) {
            const ssize_t n = read(STDIN_FILENO, data, sizeof data);
            sent = 0;
            size = n > 0 ? (size_t)n : 0;
            ended = n <= 0;
            lines += count(data, size, '\n');
        }
        struct pollfd polled = {fd, (short)(sent < size ? POLLIN | POLLOUT : POLLIN), 0};
        if ((lines > 0 || sent < size) && poll(&polled, 1, -1) < 0)
            return 1;
        if ((polled.revents & POLLOUT) != 0) {
            const ssize_t n = send(fd, data + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            sent += n > 0 ? (size_t)n : 0;
        }
        if ((polled.revents & POLLIN) != 0) {
            const ssize_t n = read(fd, answers, sizeof answers);
            if (n <= 0)
                return 1;
            lines -= count(answers, (size_t)n, 'd');
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 64;
    int fd = connect_to(argv[2]);
    if (fd < 0) {
        perror(argv[2]);
        return 1;
    }
    if (argc == 4)
        return send_one(fd, argv[3]);
    return strcmp(argv[1], "follow") == 0 ? follow(fd) : feed(fd);
}
