/* SPDX-License-Identifier: ISC */
/*
 * Acting as the owner of the state.
 */
#define LOG_COMPONENT "backup"
#include "daemon/backup_parts.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"

int backup_become_owner(const char *directory)
{
    struct stat status;
    if (geteuid() != 0 || stat(directory, &status) < 0 || status.st_uid == 0)
        return 0;
    if (setgroups(0, NULL) == 0 && setegid(status.st_gid) == 0 && seteuid(status.st_uid) == 0)
        return 0;
    int r = -errno;
    log_error("can't act as the owner of %s: %s", directory, strerror(-r));
    return r;
}

void backup_become_oneself(void)
{
    if (geteuid() == getuid() || (seteuid(getuid()) == 0 && setegid(getgid()) == 0))
        return;
    log_warning("can't act as before: %s", strerror(errno));
}

void backup_discard_copy(const char *state_dir)
{
    CLEANUP(cleanup_free) char *path = path_join(state_dir, BACKUP_COPY);
    if (path != NULL && unlink(path) == 0)
        log_info("removed %s, which an interrupted backup has left", path);
}

void backup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
