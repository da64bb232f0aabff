/* SPDX-License-Identifier: ISC */
/*
 * The sandbox: Landlock for files, seccomp for system calls.
 *
 * Of Landlock only what its first version has is used. Truncating by path, ioctl() and listening,
 * which later versions restrict, are system calls that the filter leaves out anyway.
 */
#define LOG_COMPONENT "sandbox"
#include "daemon/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/landlock.h"

/* --- files ------------------------------------------------------------------------------------ */

/* Allows access to a file, or to what lies in a directory; one that does not exist needs no rule.
 */
static int allow(int ruleset, const char *path, int kind, unsigned access)
{
    int fd = open(path, O_PATH | O_CLOEXEC | kind);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    int r = landlock_allow(ruleset, fd, access);
    close(fd);
    return r;
}

static int allow_directory(int ruleset, const char *directory, unsigned access)
{
    return allow(ruleset, directory, O_DIRECTORY, access);
}

/* The directory that a file is in, or would be; newly allocated, or NULL. */
static char *directory_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash != NULL ? strndup(file, (size_t)(slash - file) + 1) : strdup(".");
}

/*
 * Whether so much else lies in a directory that no rule may open it: it is the user's home, holds
 * it, or is for everybody, as /tmp is.
 */
static bool is_shared(const char *directory)
{
    struct stat status;
    CLEANUP(cleanup_free) char *place = realpath(directory, NULL);
    const char *home_name = getenv("HOME");
    CLEANUP(cleanup_free) char *home = home_name != NULL ? realpath(home_name, NULL) : NULL;
    if (place == NULL || stat(place, &status) < 0)
        return false;
    const size_t size = strcmp(place, "/") == 0 ? 0 : strlen(place);
    const bool holds_home = home != NULL && strncmp(home, place, size) == 0 &&
                            (home[size] == '/' || home[size] == '\0');
    return holds_home || (status.st_mode & S_ISVTX) != 0;
}

/*
 * Reading a file that is replaced as a whole. The new one is another file to the kernel: only a
 * rule for its directory holds for both. In a shared directory the file that is there now has to
 * do.
 */
static int allow_replaced(int ruleset, const char *file)
{
    CLEANUP(cleanup_free) char *directory = directory_of(file);
    if (directory == NULL)
        return -ENOMEM;
    return is_shared(directory) ? allow(ruleset, file, 0, LANDLOCK_READ)
                                : allow_directory(ruleset, directory, LANDLOCK_READ);
}

/* The same, also where it is a link: then what may be replaced is what it leads to as well. */
static int allow_reading(int ruleset, const char *file)
{
    CLEANUP(cleanup_free) char *target = realpath(file, NULL);
    int r = allow_replaced(ruleset, file);
    return r == 0 && target != NULL ? allow_replaced(ruleset, target) : r;
}

/*
 * Only a rule for its directory, and for all below, lets a file be removed. In a shared directory
 * it stays behind, which is harmless: the next start takes its place.
 */
static int allow_removing(int ruleset, const char *file)
{
    CLEANUP(cleanup_free) char *directory = directory_of(file);
    if (directory == NULL)
        return -ENOMEM;
    return is_shared(directory) ? 0 : allow_directory(ruleset, directory, LANDLOCK_REMOVE);
}

/*
 * resolv.conf(5) is a file, or a link to that of the service that manages it, which another one may
 * point elsewhere at any time. Their directories come and go with them; all but one lie in /run.
 */
static int allow_resolving(int ruleset)
{
    static const char *const homes[] = {"/run", "/usr/lib/systemd"};
    int r = allow_reading(ruleset, "/etc/resolv.conf");
    if (r == 0)
        r = allow_reading(ruleset, "/etc/hosts");
    for (size_t i = 0; r == 0 && i < sizeof homes / sizeof homes[0]; i++)
        r = allow_directory(ruleset, homes[i], LANDLOCK_READ);
    return r;
}

static int add_rules(int ruleset, const struct paths *paths)
{
    int r = allow_directory(ruleset, paths->state_dir, LANDLOCK_KEEP);
    if (r == 0)
        r = allow_reading(ruleset, paths->config);
    if (r == 0)
        r = allow_removing(ruleset, paths->control);
    return r == 0 ? allow_resolving(ruleset) : r;
}

static int restrict_files(const struct paths *paths)
{
    int ruleset = landlock_begin();
    if (ruleset < 0)
        return ruleset;
    int r = add_rules(ruleset, paths);
    if (r == 0)
        r = landlock_enter(ruleset);
    close(ruleset);
    return r;
}

/* --- system calls ----------------------------------------------------------------------------- */

/*
 * Every architecture has some of these, and libraries prefer the newest that the kernel knows. By
 * sockets nobody can listen any more.
 */
static const char allowed_calls[] =
    /* memory */
    "brk madvise mremap munmap "
    /* files */
    "_llseek access close faccessat faccessat2 fallocate fchmod fchown fchown32 fcntl fcntl64 "
    "fdatasync fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 getcwd "
    "getdents64 lseek lstat lstat64 newfstatat open openat pread64 pwrite64 read readlink "
    "readlinkat readv rename renameat renameat2 stat stat64 statfs statfs64 statx umask unlink "
    "unlinkat write writev "
    /* events and time */
    "_newselect clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 epoll_create1 "
    "epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd2 gettimeofday nanosleep pipe2 poll "
    "ppoll ppoll_time64 time timerfd_create timerfd_settime timerfd_settime64 "
    /* sockets */
    "accept accept4 connect getpeername getsockname getsockopt recv recvfrom recvmmsg "
    "recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketpair "
    /* the process itself */
    "exit exit_group futex futex_time64 getegid getegid32 geteuid geteuid32 getgid getgid32 getpid "
    "getrandom getrusage gettid getuid getuid32 restart_syscall rt_sigaction rt_sigprocmask "
    "rt_sigreturn sched_getaffinity sched_yield sigaltstack sigreturn sysinfo uname";

/*
 * A call that the library does not know can't be made either. One that this architecture does not
 * have, or has only within another call, has a negative number that the library knows what to do
 * with.
 */
static int allow_call(scmp_filter_ctx filter, const char *name, unsigned count,
                      const struct scmp_arg_cmp *conditions)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return 0;
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, count, conditions);
}

static int allow_all(scmp_filter_ctx filter, const char *names)
{
    char name[32];
    int r = 0, size = 0;
    for (; r == 0 && sscanf(names, "%31s%n", name, &size) == 1; names += size)
        r = allow_call(filter, name, 0, NULL);
    return r;
}

/*
 * Calls of which only some uses are allowed. Which families sockets may have does not hold where
 * the C library makes them through socketcall(), as on i386 and s390x: its arguments lie in memory.
 */
static int allow_uses(scmp_filter_ctx filter)
{
    const struct {
        const char *name;
        struct scmp_arg_cmp condition;
    } uses[] = {
        {"socket", {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = AF_UNIX}},
        {"socket", {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = AF_INET}},
        {"socket", {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = AF_INET6}},
        {"ioctl", {.arg = 1, .op = SCMP_CMP_EQ, .datum_a = FIONREAD}},
        {"ioctl", {.arg = 1, .op = SCMP_CMP_EQ, .datum_a = SIOCGIFINDEX}}, /* fe80::1%eth0 */
        {"ioctl", {.arg = 1, .op = SCMP_CMP_EQ, .datum_a = SIOCGIFNAME}},
        {"tgkill", {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid()}}, /* abort() */
        {"prlimit64", {.arg = 2, .op = SCMP_CMP_EQ, .datum_a = 0}}, /* asking, not setting */
        {"mmap", {.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC}},
        {"mmap2", {.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC}},
        {"mprotect", {.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC}},
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof uses / sizeof uses[0]; i++)
        r = allow_call(filter, uses[i].name, 1, &uses[i].condition);
    return r;
}

/*
 * The kernel seems to have nothing but the calls allowed: libraries then do without, instead of
 * failing over a permission that they never thought of.
 */
static int restrict_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (filter == NULL)
        return -ENOMEM;
    int r = allow_uses(filter);
    if (r == 0)
        r = allow_all(filter, allowed_calls);
    if (r == 0)
        r = seccomp_load(filter);
    seccomp_release(filter);
    return r;
}

/* --- both ------------------------------------------------------------------------------------- */

const bool sandbox_built = true;

static unsigned holds(enum sandbox_part part, const char *name, int r)
{
    if (r == 0)
        return part;
    log_debug("no %s here: %s", name, strerror(-r));
    return 0;
}

unsigned sandbox_enter(const struct paths *paths)
{
    unsigned held = 0;
    /* A configuration that is written later must lie in a directory that there is a rule for. */
    directory_make_parents(paths->config);
    held |= holds(SANDBOX_FILES, "Landlock", restrict_files(paths));
    held |= holds(SANDBOX_CALLS, "seccomp", restrict_calls());
    return held;
}
