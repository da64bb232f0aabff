/* SPDX-License-Identifier: ISC */
/*
 * Where the daemon keeps its things.
 */
#define LOG_COMPONENT "daemon"
#include "daemon/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

/* $variable/p2pchat, or ~/fallback/p2pchat; NULL when neither is there (errno ENOENT or ENOMEM). */
static char *user_directory(const char *variable, const char *fallback)
{
    const char *base = getenv(variable);
    const char *home = getenv("HOME");
    if (base != NULL && base[0] == '/')
        return path_join(base, "p2pchat");
    if (fallback == NULL || home == NULL || home[0] != '/') {
        errno = ENOENT;
        return NULL;
    }
    CLEANUP(cleanup_free) char *directory = path_join(home, fallback);
    return directory != NULL ? path_join(directory, "p2pchat") : NULL;
}

/* The first of a directory list as the service manager gives it ("a:b"), newly allocated; or NULL.
 */
static char *service_directory(const char *variable)
{
    const char *list = getenv(variable);
    return list != NULL && list[0] == '/' ? strndup(list, strcspn(list, ":")) : NULL;
}

/* Only a system service is given this runtime directory; one of a user lies in the user's own. */
static bool is_system_daemon(void)
{
    CLEANUP(cleanup_free) char *runtime = service_directory("RUNTIME_DIRECTORY");
    return geteuid() == 0 || (runtime != NULL && strcmp(runtime, RUNSTATEDIR "/p2pchat") == 0);
}

static char *find_config(bool system)
{
    CLEANUP(cleanup_free) char *directory = service_directory("CONFIGURATION_DIRECTORY");
    if (directory == NULL)
        directory =
            system ? strdup(SYSCONFDIR "/p2pchat") : user_directory("XDG_CONFIG_HOME", ".config");
    return directory != NULL ? path_join(directory, "p2pchatd.conf") : NULL;
}

static char *find_state_dir(bool system)
{
    char *directory = service_directory("STATE_DIRECTORY");
    if (directory != NULL)
        return directory;
    return system ? strdup(LOCALSTATEDIR "/lib/p2pchat")
                  : user_directory("XDG_STATE_HOME", ".local/state");
}

static char *find_control(bool system)
{
    CLEANUP(cleanup_free) char *directory = service_directory("RUNTIME_DIRECTORY");
    if (directory == NULL)
        directory =
            system ? strdup(RUNSTATEDIR "/p2pchat") : user_directory("XDG_RUNTIME_DIR", NULL);
    return directory != NULL ? path_join(directory, "control.sock") : NULL;
}

/* So that it means the same to those who are told of it. */
static char *make_absolute(const char *path)
{
    CLEANUP(cleanup_free) char *here = path[0] != '/' ? getcwd(NULL, 0) : NULL;
    return here != NULL ? path_join(here, path) : strdup(path);
}

static int check(const char *place, const char *what, const char *remedy)
{
    if (place != NULL)
        return 0;
    if (errno == ENOMEM)
        return -ENOMEM;
    log_error("no place for the %s: %s", what, remedy);
    return -ENOENT;
}

int paths_find(struct paths *paths, const struct options *options)
{
    *paths =
        (struct paths){.config_required = options->config != NULL, .system = is_system_daemon()};
    paths->config = options->config != NULL ? strdup(options->config) : find_config(paths->system);
    int r = check(paths->config, "configuration", "set HOME or give --config");
    if (r < 0 || options->action == OPTIONS_TEST || options->action == OPTIONS_SHOW)
        return r;
    paths->state_dir = options->state_dir != NULL ? make_absolute(options->state_dir)
                                                  : find_state_dir(paths->system);
    r = check(paths->state_dir, "state", "set HOME or give --state-dir");
    if (r == 0)
        paths->store = path_join(paths->state_dir, PATHS_STORE);
    if (r == 0 && paths->store == NULL)
        r = -ENOMEM;
    if (!paths->system && options->state_dir == NULL && getenv("STATE_DIRECTORY") == NULL)
        paths->former_state_dir = user_directory("XDG_CONFIG_HOME", ".config");
    if (r < 0 || options->action == OPTIONS_PREPARE || options->action == OPTIONS_GENERATE ||
        options->action == OPTIONS_RESTORE)
        return r;
    paths->control =
        options->control != NULL ? strdup(options->control) : find_control(paths->system);
    return check(paths->control, "control socket", "set XDG_RUNTIME_DIR or give --control");
}

void paths_deinit(struct paths *paths)
{
    free(paths->config);
    free(paths->state_dir);
    free(paths->store);
    free(paths->former_state_dir);
    free(paths->control);
}
