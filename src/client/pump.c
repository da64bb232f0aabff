/* SPDX-License-Identifier: ISC */
/*
 * Two ways at once: a thread reads the input, so that neither way ever waits for the other.
 */
#include "client/pump.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/file.h"

enum { PUMP_SIZE = 64 * 1024 };

struct pump {
    int in;
    int socket;
};

static ssize_t read_some(int fd, uint8_t *data)
{
    ssize_t size;
    do
        size = read(fd, data, PUMP_SIZE);
    while (size < 0 && errno == EINTR);
    return size;
}

/* From the input to the socket; it ends with the program if not before. */
static void *send_input(void *argument)
{
    struct pump *pump = argument;
    uint8_t *data = malloc(PUMP_SIZE);
    ssize_t size = -1;
    while (data != NULL && (size = read_some(pump->in, data)) > 0)
        if (file_write_all(pump->socket, SPAN(data, (size_t)size)) != 0)
            break;
    shutdown(pump->socket, SHUT_WR);
    free(data);
    return NULL;
}

int pump_run(int in, int out, int socket)
{
    static struct pump pump; /* the thread may live longer than this call */
    pthread_t thread;
    int r = 0;
    uint8_t *data = malloc(PUMP_SIZE);
    pump = (struct pump){in, socket};
    if (data == NULL)
        return -ENOMEM;
    if (pthread_create(&thread, NULL, send_input, &pump) != 0) {
        free(data);
        return -EAGAIN;
    }
    pthread_detach(thread);
    for (ssize_t size; (size = read_some(socket, data)) > 0 && r == 0;)
        r = file_write_all(out, SPAN(data, (size_t)size));
    if (r != 0)
        shutdown(socket, SHUT_RD);
    free(data);
    return r;
}
