/* SPDX-License-Identifier: ISC */
/*
 * The process that unpacks can do what unpacking needs below its directory, and nothing else.
 */
#include "client/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/landlock.h"
#include "unit/cmocka_all.h"

static char home[] = "/tmp/p2pchat-apart-XXXXXX";
static int staging;

static const char *at(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", home, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(home) == NULL)
        return -1;
    mkdir(at("staging"), 0700);
    close(creat(at("precious"), 0600));
    staging = open(at("staging"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return staging < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"staging/dir", "staging/link", "staging/renamed",
                                        "staging",     "precious",     "made"};
    (void)state;
    close(staging);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove(at(names[i]));
    return rmdir(home);
}

/* Runs it in a confined process. 0, or the errno with which it failed. */
static int confined(int (*action)(void))
{
    int status;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (apart_confine(staging) != 0)
            _exit(255);
        errno = 0;
        _exit(action() < 0 ? errno : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 255);
    return WEXITSTATUS(status);
}

static void need_landlock(void)
{
    const int rules = landlock_begin();
    if (rules < 0) {
        print_message("this kernel has no Landlock: %s\n", strerror(-rules));
        skip();
    }
    close(rules);
}

/* --- what unpacking does ---------------------------------------------------------------------- */

static int unpack_things(void)
{
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};
    const int fd = openat(staging, "file", O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || write(fd, "text", 4) != 4 || ftruncate(fd, 100000) < 0 || fdatasync(fd) < 0 ||
        syncfs(fd) < 0 || close(fd) < 0)
        return -1;
    if (mkdirat(staging, "dir", 0700) < 0 || symlinkat("dir", staging, "link") < 0 ||
        utimensat(staging, "link", times, AT_SYMLINK_NOFOLLOW) < 0 ||
        fchmodat(staging, "file", 0640, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    return renameat(staging, "file", staging, "renamed") < 0 || fsync(staging) < 0 ? -1 : 0;
}

static void test_unpacking_works(void **state)
{
    struct stat status;
    (void)state;
    need_landlock();
    assert_int_equal(confined(unpack_things), 0);
    assert_int_equal(stat(at("staging/renamed"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

/* --- and nothing else ------------------------------------------------------------------------- */

static int read_outside(void)
{
    return open(at("precious"), O_RDONLY);
}

static int write_outside(void)
{
    return open(at("precious"), O_WRONLY);
}

static int write_outside_by_way_of_staging(void)
{
    return openat(staging, "../precious", O_WRONLY);
}

static int make_outside(void)
{
    return creat(at("made"), 0600);
}

static int move_outside(void)
{
    return symlinkat("x", staging, "link2") < 0 ? -1
                                                : renameat(staging, "link2", AT_FDCWD, at("made"));
}

static int remove_outside(void)
{
    return unlink(at("precious"));
}

static int truncate_outside(void)
{
    return truncate(at("precious"), 0);
}

static int run_a_program(void)
{
    return execl("/bin/true", "true", (char *)NULL);
}

static int connect_to_somebody(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int end_another(void)
{
    return kill(getppid(), 0);
}

static int look_into_another(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0 ? -1 : 0;
}

static int start_a_process(void)
{
    return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void test_nothing_else_does(void **state)
{
    static const struct {
        int (*action)(void);
        int error;
    } actions[] = {
        {read_outside, EACCES},   {write_outside, EACCES},
        {make_outside, EACCES},   {write_outside_by_way_of_staging, EACCES},
        {remove_outside, EACCES}, {truncate_outside, EPERM},
        {run_a_program, EPERM},   {connect_to_somebody, EPERM},
        {end_another, EPERM},     {look_into_another, EPERM},
        {start_a_process, EPERM},
    };
    (void)state;
    need_landlock();
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        print_message("action %zu\n", i);
        assert_int_equal(confined(actions[i].action), actions[i].error);
    }
    assert_int_equal(confined(move_outside), EACCES);
    unlink(at("staging/link2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unpacking_works),
        cmocka_unit_test(test_nothing_else_does),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
