/*
 * Where the daemon keeps its things.
 */
#define LOG_COMPONENT "daemon"
#include "daemon/places.h"

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

static bool is_system_daemon(void)
{
    CLEANUP(cleanup_free) char *state = service_directory("STATE_DIRECTORY");
    return geteuid() == 0 ||
           (state != NULL && strncmp(state, LOCALSTATEDIR "/", strlen(LOCALSTATEDIR) + 1) == 0);
}

static char *find_config(void)
{
    if (is_system_daemon())
        return strdup(SYSCONFDIR "/p2pchat/p2pchatd.conf");
    CLEANUP(cleanup_free) char *directory = user_directory("XDG_CONFIG_HOME", ".config");
    return directory != NULL ? path_join(directory, "p2pchatd.conf") : NULL;
}

static char *find_state_dir(void)
{
    char *directory = service_directory("STATE_DIRECTORY");
    if (directory != NULL)
        return directory;
    return is_system_daemon() ? strdup(LOCALSTATEDIR "/lib/p2pchat")
                              : user_directory("XDG_STATE_HOME", ".local/state");
}

static char *find_control(void)
{
    CLEANUP(cleanup_free) char *directory = service_directory("RUNTIME_DIRECTORY");
    if (directory == NULL)
        directory = is_system_daemon() ? strdup(RUNSTATEDIR "/p2pchat")
                                       : user_directory("XDG_RUNTIME_DIR", NULL);
    return directory != NULL ? path_join(directory, "control.sock") : NULL;
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

int places_find(struct places *places, const struct options *options)
{
    *places = (struct places){.config_required = options->config != NULL};
    places->config = options->config != NULL ? strdup(options->config) : find_config();
    int r = check(places->config, "configuration", "set HOME or give --config");
    if (r < 0)
        return r;
    places->state_dir = options->state_dir != NULL ? strdup(options->state_dir) : find_state_dir();
    r = check(places->state_dir, "state", "set HOME or give --state-dir");
    if (r < 0)
        return r;
    places->control = options->control != NULL ? strdup(options->control) : find_control();
    return check(places->control, "control socket", "set XDG_RUNTIME_DIR or give --control");
}

void places_deinit(struct places *places)
{
    free(places->config);
    free(places->state_dir);
    free(places->control);
}
