/* SPDX-License-Identifier: ISC */
/*
 * The calls of Landlock, which the C library does not have.
 */
#include "base/landlock.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int landlock_begin(void)
{
    const struct landlock_ruleset_attr attributes = {.handled_access_fs = LANDLOCK_EVERYTHING};
    const long rules = syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    return rules < 0 ? -errno : (int)rules;
}

int landlock_allow(int rules, int fd, uint64_t access)
{
    const struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
    const long r = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    return r < 0 ? -errno : 0;
}

int landlock_enter(int rules)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return syscall(SYS_landlock_restrict_self, rules, 0) < 0 ? -errno : 0;
}
