/* SPDX-License-Identifier: ISC */
/*
 * Looks at the system. Nothing here runs a program.
 */
#include "client/manager.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/shell.h"
#include "rpc/rpc_path.h"

bool manager_has_unit(bool user)
{
    const char *unit = user ? USERUNITDIR "/p2pchatd.service" : SYSTEMUNITDIR "/p2pchatd.service";
    return access("/run/systemd/system", F_OK) == 0 && access(unit, F_OK) == 0;
}

bool manager_is_root(void)
{
    return geteuid() == 0;
}

char *manager_as_root(const char *command)
{
    char *typed;
    if (manager_is_root())
        return strdup(command);
    const int size = hint_has_sudo() ? asprintf(&typed, "sudo %s", command)
                                     : asprintf(&typed, "su -c %s", shell_word(command).text);
    return size >= 0 ? typed : NULL;
}

/* Whether the daemon behind the socket is this user's, as far as can be seen. */
static bool is_own(const char *socket)
{
    struct stat file;
    return stat(socket, &file) == 0 ? file.st_uid == geteuid() : errno != EACCES;
}

struct hint_reader manager_reader(const char *option)
{
    CLEANUP(cleanup_free) char *path = rpc_path_find(option);
    const bool own = manager_is_root() || path == NULL || is_own(path);
    /* sudo does not hand on the environment */
    const char *kept = !own && option == NULL ? getenv("P2PCHAT_SOCKET") : option;
    return (struct hint_reader){.socket = kept, .own = own, .sudo = hint_has_sudo()};
}

/* By the system's lists, which may have changed since this process got its groups. */
static bool is_listed(const struct passwd *user, gid_t group)
{
    int count = 0;
    getgrouplist(user->pw_name, user->pw_gid, NULL, &count);
    CLEANUP(cleanup_free) gid_t *groups = calloc((size_t)count + 1, sizeof *groups);
    if (groups == NULL || getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
        return false;
    for (int i = 0; i < count; i++)
        if (groups[i] == group)
            return true;
    return false;
}

struct membership manager_membership(const char *socket)
{
    struct membership membership = {STANDING_OUTSIDE, "p2pchat", ""};
    struct stat file;
    const struct group *group =
        stat(socket, &file) == 0 ? getgrgid(file.st_gid) : getgrnam(membership.group);
    const gid_t number = group != NULL ? group->gr_gid : (gid_t)-1;
    if (group != NULL)
        snprintf(membership.group, sizeof membership.group, "%s", group->gr_name);
    const struct passwd *user = getpwuid(geteuid());
    snprintf(membership.user, sizeof membership.user, "%s", user != NULL ? user->pw_name : "USER");
    if (group_member(number))
        membership.standing = STANDING_INSIDE;
    else if (user != NULL && is_listed(user, number))
        membership.standing = STANDING_STALE;
    return membership;
}
