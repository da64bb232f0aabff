/* SPDX-License-Identifier: ISC */
/*
 * The control socket, as a client sees it.
 */
#include "rpc/rpc_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

char *rpc_path_find(const char *option)
{
    if (option == NULL)
        option = environment("P2PCHAT_SOCKET");
    if (option != NULL)
        return strdup(option);

    const char *runtime = environment("XDG_RUNTIME_DIR");
    if (runtime != NULL) {
        char *path = path_join(runtime, "p2pchat/control.sock");
        if (path == NULL || access(path, F_OK) == 0)
            return path;
        free(path);
    }
    return strdup(RUNSTATEDIR "/p2pchat/control.sock");
}

int rpc_path_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        const int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}
