/* SPDX-License-Identifier: ISC */
/*
 * A clean start: each case inherits something bad in a child of its own.
 */
#include "base/startup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/cmocka_all.h"

/* What a child comes to that runs this; 0 is good. */
static int in_child(int (*act)(void))
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(act());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int start_without_descriptors(void)
{
    char byte = 'x';
    for (int fd = 0; fd <= 2; fd++)
        close(fd);
    if (startup_open_standard() != 0)
        return 1;
    if (open("/dev/null", O_RDONLY) != 3)
        return 2;
    if (read(0, &byte, 1) >= 0 || errno != EBADF)
        return 3;
    return write(1, &byte, 1) >= 0 || errno != EBADF ? 4 : 0;
}

static void test_closed_descriptors_are_taken_and_of_no_use(void **state)
{
    (void)state;
    assert_int_equal(in_child(start_without_descriptors), 0);
}

static int start_with_descriptors(void)
{
    int ends[2];
    char byte = 'x';
    if (pipe(ends) < 0 || dup2(ends[0], 0) < 0 || dup2(ends[1], 1) < 0)
        return 1;
    if (startup_open_standard() != 0)
        return 2;
    return write(1, &byte, 1) == 1 && read(0, &byte, 1) == 1 ? 0 : 3;
}

static void test_open_descriptors_are_left_alone(void **state)
{
    (void)state;
    assert_int_equal(in_child(start_with_descriptors), 0);
}

static int start_deaf(void)
{
    sigset_t all, now;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_IGN);
    startup_reset_signals();
    sigprocmask(SIG_SETMASK, NULL, &now);
    if (sigismember(&now, SIGTERM) != 0 || sigismember(&now, SIGHUP) != 0)
        return 1;
    if (signal(SIGTERM, SIG_DFL) != SIG_DFL || signal(SIGCHLD, SIG_DFL) != SIG_DFL)
        return 2;
    if (signal(SIGHUP, SIG_DFL) != SIG_IGN || signal(SIGINT, SIG_DFL) != SIG_IGN)
        return 3;
    return signal(SIGPIPE, SIG_DFL) == SIG_IGN && signal(SIGXFSZ, SIG_DFL) == SIG_IGN ? 0 : 4;
}

static void test_what_a_parent_ignores_or_blocks_is_heard(void **state)
{
    (void)state;
    assert_int_equal(in_child(start_deaf), 0);
}

static int print_to(const char *path)
{
    if (freopen(path, "w", stdout) == NULL)
        return 1;
    puts("something");
    return startup_flush_output() == 0 ? 0 : 2;
}

static int print_to_full_disk(void)
{
    return print_to("/dev/full");
}

static int print_to_nowhere(void)
{
    return print_to("/dev/null");
}

static void test_lost_output_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(in_child(print_to_full_disk), 2);
    assert_int_equal(in_child(print_to_nowhere), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_descriptors_are_taken_and_of_no_use),
        cmocka_unit_test(test_open_descriptors_are_left_alone),
        cmocka_unit_test(test_what_a_parent_ignores_or_blocks_is_heard),
        cmocka_unit_test(test_lost_output_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
