/* SPDX-License-Identifier: ISC */
/*
 * Where the control socket is.
 */
#include "rpc/rpc_path.h"

#include <stdlib.h>
#include <string.h>
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
