/* SPDX-License-Identifier: ISC */
/*
 * In the sandbox what is forbidden does not work, and what the daemon does works on.
 */
#include "daemon/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "unit/cmocka_all.h"

/* --- rooms to try things in ------------------------------------------------------------------- */

static char home[] = "/tmp/p2pchat-sandbox-XXXXXX";
static struct paths paths;

static const char *in_home(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", home, name);
    return path;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(home) == NULL)
        return -1;
    paths.state_dir = strdup(in_home("state"));
    paths.config = strdup(in_home("config/p2pchatd.conf"));
    paths.control = strdup(in_home("run/control.sock"));
    assert_int_equal(directory_make(paths.state_dir), 0);
    assert_int_equal(directory_make(in_home("run")), 0);
    write_file(paths.control, "");
    write_file(in_home("precious"), "secret");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    const char *const names[] = {"state/kept",
                                 "config/p2pchatd.conf",
                                 "run/control.sock",
                                 "precious",
                                 "state",
                                 "config",
                                 "run",
                                 ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        remove(in_home(names[i]));
    free(paths.state_dir);
    free(paths.config);
    free(paths.control);
    return 0;
}

/* --- attempts: 0, or the errno with which they fail ------------------------------------------- */

static int outcome(long result)
{
    return result < 0 ? errno : 0;
}

static int open_it(const char *path, int flags)
{
    return outcome(open(path, flags | O_CLOEXEC, 0600));
}

static int read_elsewhere(void)
{
    return open_it(in_home("precious"), O_RDONLY);
}

static int write_elsewhere(void)
{
    return open_it(in_home("precious"), O_WRONLY);
}

static int make_elsewhere(void)
{
    return open_it(in_home("new"), O_WRONLY | O_CREAT);
}

static int remove_elsewhere(void)
{
    return outcome(unlink(in_home("precious")));
}

static int list_elsewhere(void)
{
    return open_it(home, O_RDONLY | O_DIRECTORY);
}

static int read_process_memory(void)
{
    return open_it("/proc/self/mem", O_RDONLY);
}

static int write_configuration(void)
{
    return open_it(paths.config, O_WRONLY | O_CREAT);
}

static int move_out_of_the_state(void)
{
    char from[128];
    snprintf(from, sizeof from, "%s/kept", paths.state_dir);
    write_file(from, "");
    return outcome(rename(from, in_home("run/kept")));
}

static int make_directory(void)
{
    return outcome(mkdir(in_home("state/directory"), 0700));
}

static int change_mode(void)
{
    return outcome(chmod(paths.state_dir, 0777));
}

static int truncate_by_path(void)
{
    return outcome(truncate(in_home("precious"), 0));
}

static int execute(void)
{
    char *const arguments[] = {"sh", "-c", ":", NULL};
    return outcome(execv("/bin/sh", arguments));
}

static int make_process(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return outcome(child);
}

static int trace(void)
{
    return outcome(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int signal_another(void)
{
    return outcome(kill(getppid(), 0));
}

static int signal_another_thread(void)
{
    return outcome(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int map_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : 0;
}

static int make_memory_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? 0 : outcome(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int open_netlink(void)
{
    return outcome(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int open_packet(void)
{
    return outcome(socket(AF_PACKET, SOCK_RAW, 0));
}

static int open_vsock(void)
{
    return outcome(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static int listen_anew(void)
{
    return outcome(listen(socket(AF_INET, SOCK_STREAM, 0), 1));
}

static int bind_anew(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? 0 : outcome(bind(fd, (const struct sockaddr *)&address, sizeof address));
}

static int make_namespace(void)
{
    return outcome(unshare(CLONE_NEWUSER));
}

static int mount_something(void)
{
    return outcome(mount("none", home, "tmpfs", 0, NULL));
}

static int become_another(void)
{
    return outcome(setuid(getuid()));
}

static int become_dumpable(void)
{
    return outcome(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int raise_a_limit(void)
{
    const struct rlimit limit = {1, 1};
    return outcome(setrlimit(RLIMIT_CORE, &limit));
}

static int make_ring(void)
{
    struct io_uring_params parameters = {0};
    return outcome(syscall(SYS_io_uring_setup, 1, &parameters));
}

static int type_for_the_user(void)
{
    return outcome(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}

/* --- running them ----------------------------------------------------------------------------- */

static bool kernel_has(enum sandbox_part part)
{
    return part == SANDBOX_CALLS
               ? prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0
               : syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

/* Enters the sandbox in a child, which tries; its errno, or -1 when the kernel lacks that part. */
static int try(enum sandbox_part part, int (*attempt)(void))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        unsigned held = sandbox_enter(&paths);
        _exit((held & part) != 0 ? attempt() : 255);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 255)
        return WEXITSTATUS(status);
    assert_false(kernel_has(part));
    return -1;
}

struct attempt {
    const char *name;
    int (*make)(void);
};

/* Makes all attempts of a table and expects this of each. */
static void try_all(enum sandbox_part part, const struct attempt *table, size_t count, int expected)
{
    for (size_t i = 0; i < count; i++) {
        int error = try(part, table[i].make);
        if (error < 0)
            skip();
        if (error != expected)
            fail_msg("%s: %s, not %s", table[i].name, strerror(error), strerror(expected));
    }
}

#define SIZE(table)                    (sizeof(table) / sizeof *(table))
#define TRY_ALL(part, table, expected) try_all(part, table, SIZE(table), expected)

static void test_files_elsewhere_are_out_of_reach(void **state)
{
    static const struct attempt table[] = {
        {"read", read_elsewhere},
        {"write", write_elsewhere},
        {"make", make_elsewhere},
        {"remove", remove_elsewhere},
        {"list", list_elsewhere},
        {"memory of a process", read_process_memory},
        {"write the configuration", write_configuration},
        {"move something out", move_out_of_the_state},
    };
    (void)state;
    TRY_ALL(SANDBOX_FILES, table, EACCES);
}

static void test_calls_that_it_does_not_need_are_gone(void **state)
{
    static const struct attempt table[] = {
        {"execve", execute},
        {"fork", make_process},
        {"ptrace", trace},
        {"kill", signal_another},
        {"tgkill", signal_another_thread},
        {"mmap of code", map_code},
        {"mprotect to code", make_memory_code},
        {"listen", listen_anew},
        {"bind", bind_anew},
        {"unshare", make_namespace},
        {"mount", mount_something},
        {"setuid", become_another},
        {"prctl", become_dumpable},
        {"setrlimit", raise_a_limit},
        {"io_uring", make_ring},
        {"ioctl", type_for_the_user},
        {"mkdir", make_directory},
        {"chmod", change_mode},
        {"truncate", truncate_by_path},
    };
    (void)state;
    TRY_ALL(SANDBOX_CALLS, table, ENOSYS);
}

/* Where the C library makes sockets through socketcall(), no filter sees the family. */
static void test_sockets_of_other_families_are_gone(void **state)
{
    static const struct attempt table[] = {
        {"netlink", open_netlink},
        {"packet socket", open_packet},
        {"vsock", open_vsock},
    };
    (void)state;
#ifdef SYS_socketcall
    skip();
#endif
    TRY_ALL(SANDBOX_CALLS, table, ENOSYS);
}

/* --- what still works ------------------------------------------------------------------------- */

static int replace_in_the_state(void)
{
    char from[128], to[128];
    snprintf(from, sizeof from, "%s/new", paths.state_dir);
    snprintf(to, sizeof to, "%s/kept", paths.state_dir);
    int fd = open(from, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1 || fdatasync(fd) < 0 || ftruncate(fd, 0) < 0)
        return errno;
    return outcome(rename(from, to));
}

static int read_configuration(void)
{
    return open_it(paths.config, O_RDONLY);
}

static int read_hosts(void)
{
    return open_it("/etc/hosts", O_RDONLY);
}

static int remove_socket(void)
{
    return outcome(unlink(paths.control));
}

static int ask_a_name_server(void)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    return fd < 0 ? errno : outcome(connect(fd, (const struct sockaddr *)&address, sizeof address));
}

static int name_an_interface(void)
{
    char name[IF_NAMESIZE];
    return if_indextoname(1, name) != NULL && if_nametoindex(name) == 1 ? 0 : errno;
}

static int use_memory(void)
{
    char *block = realloc(malloc(64 * 1024 * 1024), 128 * 1024 * 1024);
    free(block);
    return block != NULL ? 0 : errno;
}

static int draw_random(void)
{
    char bytes[16];
    return outcome(getrandom(bytes, sizeof bytes, 0));
}

static const struct attempt daily_work[] = {
    {"replace a file of the state", replace_in_the_state},
    {"read /etc/hosts", read_hosts},
    {"ask a name server", ask_a_name_server},
    {"name an interface", name_an_interface},
    {"use memory", use_memory},
    {"draw random bytes", draw_random},
};

static void test_the_daily_work_goes_on(void **state)
{
    (void)state;
    TRY_ALL(SANDBOX_FILES, daily_work, 0);
    TRY_ALL(SANDBOX_CALLS, daily_work, 0);
}

static void test_a_configuration_written_later_can_be_read(void **state)
{
    int ready[2], status;
    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(ready[1]);
        sandbox_enter(&paths);
        _exit(read(ready[0], &byte, 1) == 1 ? read_configuration() : 1);
    }
    close(ready[0]);
    write_file(paths.config, "log-level = debug\n");
    assert_int_equal(write(ready[1], "x", 1), 1);
    close(ready[1]);
    assert_true(waitpid(child, &status, 0) == child && status == 0);
}

static void test_what_lies_among_other_things_opens_nothing_but_itself(void **state)
{
    const char *const homes[] = {home, paths.state_dir, "/nonexistent"};
    struct paths usual = paths;
    (void)state;
    paths.control = paths.config = strdup(in_home("p2pchatd.conf"));
    write_file(paths.config, "");
    for (size_t i = 0; i < 3; i++) {
        setenv("HOME", homes[i], 1);
        chmod(home, i == 2 ? 01777 : 0700);
        assert_true(try(SANDBOX_FILES, read_configuration) <= 0);
        assert_true(try(SANDBOX_FILES, read_elsewhere) != 0);
        assert_true(try(SANDBOX_FILES, remove_elsewhere) != 0);
    }
    remove(paths.config);
    free(paths.config);
    paths = usual;
}

static void test_the_control_socket_can_be_removed(void **state)
{
    (void)state;
    if (try(SANDBOX_FILES, remove_socket) < 0)
        skip();
    assert_int_equal(access(paths.control, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_elsewhere_are_out_of_reach),
        cmocka_unit_test(test_calls_that_it_does_not_need_are_gone),
        cmocka_unit_test(test_sockets_of_other_families_are_gone),
        cmocka_unit_test(test_the_daily_work_goes_on),
        cmocka_unit_test(test_a_configuration_written_later_can_be_read),
        cmocka_unit_test(test_what_lies_among_other_things_opens_nothing_but_itself),
        cmocka_unit_test(test_the_control_socket_can_be_removed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
