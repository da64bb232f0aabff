/* SPDX-License-Identifier: ISC */
/*
 * How long a byte takes to another process and back, by the system alone.
 *
 *     trip tcp|unix     prints the median in nanoseconds
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5000 };

static int pair_tcp(int ends[static 2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    const int yes = 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0 ||
        connect(ends[0], (struct sockaddr *)&address, size) < 0)
        return -1;
    ends[1] = accept(listener, NULL, NULL);
    for (int i = 0; i < 2; i++)
        setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return ends[1];
}

static void echo(int fd)
{
    for (char byte; read(fd, &byte, 1) == 1;)
        if (write(fd, &byte, 1) != 1)
            return;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int compare(const void *one, const void *other)
{
    const int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    static int64_t times[ROUNDS];
    int ends[2];
    char byte = 0;
    if (argc != 2)
        return 64;
    int r =
        strcmp(argv[1], "tcp") == 0 ? pair_tcp(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    if (r < 0)
        return 1;
    if (fork() == 0) {
        close(ends[0]);
        echo(ends[1]);
        return 0;
    }
    for (int i = 0; i < ROUNDS; i++) {
        const int64_t start = now_ns();
        if (write(ends[0], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1)
            return 1;
        times[i] = now_ns() - start;
    }
    qsort(times, ROUNDS, sizeof times[0], compare);
    printf("%lld\n", (long long)times[ROUNDS / 2]);
    return 0;
}
