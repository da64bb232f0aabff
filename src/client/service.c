/* SPDX-License-Identifier: ISC */
/*
 * The sockets of the units that come with p2pchat are known; any other is somebody's own.
 */
#include "client/service.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/shell.h"

enum service service_of(const char *socket)
{
    static const char name[] = "/p2pchat/control.sock";
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const size_t length = runtime != NULL ? strlen(runtime) : 0;
    if (strcmp(socket, RUNSTATEDIR "/p2pchat/control.sock") == 0)
        return SERVICE_SYSTEM;
    if (length > 0 && strncmp(socket, runtime, length) == 0 && strcmp(socket + length, name) == 0)
        return SERVICE_USER;
    return SERVICE_PRIVATE;
}

char *service_start_command(const char *socket)
{
    char *command;
    switch (service_of(socket)) {
    case SERVICE_SYSTEM:
        return strdup("systemctl start p2pchatd");
    case SERVICE_USER:
        return strdup("systemctl --user start p2pchatd");
    case SERVICE_PRIVATE:
        break;
    }
    return asprintf(&command, "p2pchatd --state-dir ITS-STATE-DIRECTORY --control %s",
                    shell_word(socket).text) < 0
               ? NULL
               : command;
}
