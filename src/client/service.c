/* SPDX-License-Identifier: ISC */
/*
 * The sockets of the units that come with p2pchat are known; any other is somebody's own.
 */
#include "client/service.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/shell.h"
#include "base/text.h"
#include "client/manager.h"
#include "rpc/rpc_path.h"

static const char system_socket[] = RUNSTATEDIR "/p2pchat/control.sock";

enum service service_of(const char *socket)
{
    static const char name[] = "/p2pchat/control.sock";
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const size_t length = runtime != NULL ? strlen(runtime) : 0;
    if (strcmp(socket, system_socket) == 0)
        return SERVICE_SYSTEM;
    if (length > 0 && strncmp(socket, runtime, length) == 0 && strcmp(socket + length, name) == 0)
        return SERVICE_USER;
    return SERVICE_PRIVATE;
}

char *service_unit_command(enum service service, const char *verb, const char *unit)
{
    if (service == SERVICE_USER)
        return text_format("systemctl --user %s %s", verb, unit);
    CLEANUP(cleanup_free) char *command = text_format("systemctl %s %s", verb, unit);
    return command != NULL ? manager_as_root(command) : NULL;
}

/*
 * The state directory of a daemon with a socket of its own, if it is where people put it: the
 * socket's directory, one of its name, "state" beside it. In new memory, or NULL.
 */
static char *find_state(const char *socket)
{
    const char *slash = strrchr(socket, '/');
    const int folder = slash != NULL ? (int)(slash - socket) : 0;
    const char *dot = strrchr(slash != NULL ? slash : socket, '.');
    const int stem = dot != NULL ? (int)(dot - socket) : folder;
    const struct {
        int size;
        const char *end;
    } guesses[] = {{folder, ""}, {stem, ""}, {folder, "/state"}};
    for (size_t i = 0; slash != NULL && i < sizeof guesses / sizeof guesses[0]; i++) {
        CLEANUP(cleanup_free)
        char *store = text_format("%.*s%s/p2pchat.db", guesses[i].size, socket, guesses[i].end);
        if (store != NULL && access(store, F_OK) == 0)
            return strndup(store, strlen(store) - strlen("/p2pchat.db"));
    }
    return NULL;
}

char *service_start_command(const char *socket)
{
    const enum service service = service_of(socket);
    if (service == SERVICE_PRIVATE) {
        CLEANUP(cleanup_free) char *state = find_state(socket);
        return state != NULL ? text_format("p2pchatd --state-dir %s --control %s",
                                           shell_word(state).text, shell_word(socket).text)
                             : text_format("p2pchatd --control %s, with its --state-dir",
                                           shell_word(socket).text);
    }
    if (manager_has_unit(service == SERVICE_USER))
        return service_unit_command(service, "start", "p2pchatd");
    return service == SERVICE_USER ? strdup("p2pchatd") : manager_as_root("p2pchatd");
}

/* Somebody else's socket, or one in a directory that this user may not enter. */
static char *strangers_remedy(const char *socket)
{
    CLEANUP(cleanup_free)
    char *command = text_format("p2pchatctl -s %s status", shell_word(socket).text);
    CLEANUP(cleanup_free) char *typed = command != NULL ? manager_as_root(command) : NULL;
    return typed != NULL ? text_format("it belongs to another user; root may: %s", typed) : NULL;
}

static char *access_remedy(const char *socket)
{
    const struct membership membership = manager_membership(socket);
    if (service_of(socket) != SERVICE_SYSTEM || membership.standing == STANDING_INSIDE)
        return strangers_remedy(socket);
    if (membership.standing == STANDING_STALE)
        return text_format("%s is in the group %s, but was not when this session began: log "
                           "in again, or type: newgrp %s",
                           membership.user, membership.group, membership.group);
    CLEANUP(cleanup_free)
    char *command =
        text_format("usermod -aG %s %s", membership.group, shell_word(membership.user).text);
    CLEANUP(cleanup_free) char *typed = command != NULL ? manager_as_root(command) : NULL;
    return typed != NULL ? text_format("it is for root and the group %s; to join it: %s, "
                                       "then log in again",
                                       membership.group, typed)
                         : NULL;
}

/* One for the user alone comes to mind where there is neither. */
static const char alone[] = "; or one for you alone: systemctl --user start p2pchatd";

char *service_remedy(const char *socket, int error)
{
    const enum service service = service_of(socket);
    const bool by_unit = service != SERVICE_PRIVATE && manager_has_unit(service == SERVICE_USER);
    CLEANUP(cleanup_free) char *start = NULL, *restart = NULL;
    if (error == EACCES || error == EPERM)
        return access_remedy(socket);
    start = service_start_command(socket);
    if (start == NULL || error != ENOENT || !by_unit)
        return start != NULL ? text_format("start it: %s", start) : NULL;
    restart = service_unit_command(service, "restart", "p2pchatd.socket");
    if (restart == NULL)
        return NULL;
    return text_format(
        "start it: %s%s; if it runs, its socket was deleted: %s", start,
        service == SERVICE_SYSTEM && manager_has_unit(true) && !manager_is_root() ? alone : "",
        restart);
}

static int append_word(struct bytes *line, const char *word)
{
    const struct shell_word quoted = shell_word(word);
    int r = bytes_append_u8(line, ' ');
    return r == 0 ? bytes_append(line, quoted.text, strlen(quoted.text)) : r;
}

/* -s and its value, which root may not have got by the environment; the rest as it was typed. */
static int append_arguments(struct bytes *line, char *const *arguments, const char *given)
{
    CLEANUP(cleanup_free) char *socket = rpc_path_find(given);
    int r = socket != NULL ? bytes_append(line, "p2pchatctl", 10) : -1;
    if (r == 0 && given == NULL && strcmp(socket, system_socket) != 0) {
        r = append_word(line, "-s");
        if (r == 0)
            r = append_word(line, socket);
    }
    for (char *const *word = arguments; r == 0 && word != NULL && *word != NULL; word++)
        r = append_word(line, *word);
    return r == 0 ? bytes_append_u8(line, '\0') : r;
}

char *service_root_command(char *const *arguments, const char *socket)
{
    CLEANUP(bytes_deinit) struct bytes line = {0};
    int r = append_arguments(&line, arguments, socket);
    return r == 0 ? manager_as_root((const char *)line.data) : NULL;
}
