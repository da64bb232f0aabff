/* SPDX-License-Identifier: ISC */
/*
 * No new privileges, no core files, no debuggers: prctl(2) and setrlimit(2).
 */
#define LOG_COMPONENT "confine"
#include "daemon/confine.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"

static void check(const char *what, int r)
{
    if (r < 0)
        log_warning("%s: %s", what, strerror(errno));
}

void confine_process(void)
{
    const struct rlimit none = {0, 0};
    check("no new privileges", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    /* The limit is for core files, the other also for programs that core files are piped to. */
    check("no core files", setrlimit(RLIMIT_CORE, &none));
    check("not dumpable", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}
