/* SPDX-License-Identifier: ISC */
/*
 * The process that unpacks.
 *
 * What it reads was made by somebody else. Should a mistake of ours be in the way it reads, then
 * whoever made use of it would find himself in a process that can do nothing for him.
 */
#include "client/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/landlock.h"
#include "client/connection.h"

/* --- system calls ----------------------------------------------------------------------------- */

#if defined(__x86_64__)
#define OUR_CALLS AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_CALLS AUDIT_ARCH_AARCH64
#elif defined(__i386__)
#define OUR_CALLS AUDIT_ARCH_I386
#elif defined(__arm__)
#define OUR_CALLS AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define OUR_CALLS AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define OUR_CALLS AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define OUR_CALLS AUDIT_ARCH_S390X
#else
#define OUR_CALLS 0 /* a filter is not made there */
#endif

enum { OTHER_TABLES = 0x40000000 }; /* numbers from here on are those of x32 */

/* What would lead out: to other programs, processes and machines, or past Landlock. */
static const unsigned refused[] = {
    SYS_execve,     SYS_execveat,
    SYS_ptrace,     SYS_process_vm_readv,
    SYS_kill,       SYS_process_vm_writev,
    SYS_truncate,   SYS_io_uring_setup,
    SYS_mount,      SYS_unshare,
    SYS_setns,      SYS_pidfd_getfd,
    SYS_clone3,     SYS_pidfd_open,
    SYS_bpf,        SYS_userfaultfd,
#ifdef SYS_socket
    SYS_socket,     SYS_socketpair,
    SYS_connect,    SYS_bind,
#endif
#ifdef SYS_socketcall
    SYS_socketcall,
#endif
#ifdef SYS_truncate64
    SYS_truncate64,
#endif
#ifdef SYS_fork
    SYS_fork,       SYS_vfork,
#endif
    SYS_clone,
};

enum {
    REFUSED = sizeof refused / sizeof *refused,
    FILTER_SIZE = 6 + 2 * REFUSED + 1,
};

/* "Unless the value that was loaded is this one, the next `skip` steps are left out." */
static struct sock_filter only_if(unsigned comparison, uint32_t value, uint8_t skip)
{
    return (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | comparison | BPF_K), value, 0, skip);
}

static struct sock_filter load(size_t offset)
{
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static struct sock_filter end(uint32_t what)
{
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what);
}

static int refuse_calls(void)
{
    struct sock_filter filter[FILTER_SIZE];
    unsigned short size = 0;
    if (OUR_CALLS == 0)
        return -ENOSYS;
    filter[size++] = load(offsetof(struct seccomp_data, arch));
    filter[size] = only_if(BPF_JEQ, OUR_CALLS, 1);
    filter[size].jt = 1;
    filter[size++].jf = 0;
    filter[size++] = end(SECCOMP_RET_KILL_PROCESS);
    filter[size++] = load(offsetof(struct seccomp_data, nr));
    filter[size++] = only_if(BPF_JGE, OTHER_TABLES, 1);
    filter[size++] = end(SECCOMP_RET_KILL_PROCESS);
    for (size_t i = 0; i < REFUSED; i++) {
        filter[size++] = only_if(BPF_JEQ, refused[i], 1);
        filter[size++] = end(SECCOMP_RET_ERRNO | EPERM);
    }
    filter[size++] = end(SECCOMP_RET_ALLOW);
    const struct sock_fprog program = {size, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        return -errno;
    return 0;
}

/* --- files ------------------------------------------------------------------------------------ */

enum {
    UNPACKING = LANDLOCK_KEEP | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                LANDLOCK_ACCESS_FS_MAKE_SYM,
};

static int restrict_files(int directory)
{
    const int rules = landlock_begin();
    if (rules < 0)
        return rules;
    int r = landlock_allow(rules, directory, UNPACKING);
    if (r == 0)
        r = landlock_enter(rules);
    close(rules);
    return r;
}

int apart_confine(int directory)
{
    const int files = restrict_files(directory), calls = refuse_calls();
    return files != 0 ? files : calls;
}

/* --- the child -------------------------------------------------------------------------------- */

enum { STATUS_CUT = 1 }; /* UNPACK_CUT, as an exit status; those of ctl are larger */

/* What the child tells. */
struct word {
    uint64_t position;
    uint64_t left_out;
};

static void tell(void *context, uint64_t position)
{
    const struct word word = {.position = position};
    while (write(*(const int *)context, &word, sizeof word) < 0 && errno == EINTR)
        ;
}

static int unpack_here(struct unpack *unpack, int socket, int out)
{
    struct ctl *ctl = unpack->ctl;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0);
    connection_free(ctl->connection);
    ctl->connection = NULL;
    close(unpack->directory);
    const int confined = apart_confine(unpack->staging);
    if (confined < 0)
        ctl_note(ctl,
                 "what comes is unpacked without Landlock and seccomp, which this kernel does not "
                 "have: %s",
                 strerror(-confined));
    unpack->progress = tell;
    unpack->context = &out;
    const int r = unpack_take(unpack, socket);
    const struct word word = {unpack->position, unpack->left_out};
    const bool told = write(out, &word, sizeof word) == (ssize_t)sizeof word;
    fflush(ctl->err);
    return r == UNPACK_CUT ? STATUS_CUT : r == 0 && !told ? EX_IOERR : r;
}

/* --- the parent ------------------------------------------------------------------------------- */

static void listen_to(struct unpack *unpack, int in)
{
    struct word word;
    ssize_t size;
    while ((size = read(in, &word, sizeof word)) != 0) {
        if (size < 0 && errno == EINTR)
            continue;
        if (size != (ssize_t)sizeof word)
            return;
        unpack->position = word.position;
        unpack->left_out = word.left_out;
        if (unpack->progress != NULL)
            unpack->progress(unpack->context, word.position);
    }
}

static int judge(struct unpack *unpack, pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status))
        return ctl_fail(unpack->ctl, RPC_KIND_internal, "unpacking was ended by signal %d; %s",
                        WTERMSIG(status),
                        "what has come is kept, the same command goes on with it");
    const int r = WEXITSTATUS(status);
    unpack->placing = r == 0;
    if (r == STATUS_CUT)
        return UNPACK_CUT;
    return unpack->ctl->status = r;
}

int apart_take(struct unpack *unpack, int socket)
{
    int ends[2];
    fflush(unpack->ctl->out);
    fflush(unpack->ctl->err);
    const pid_t child = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    if (child == 0) {
        close(ends[0]);
        _exit(unpack_here(unpack, socket, ends[1]));
    }
    const int error = errno;
    close(socket);
    if (child < 0)
        return ctl_fail(unpack->ctl, RPC_KIND_internal, "no process for unpacking: %s",
                        strerror(error));
    close(ends[1]);
    listen_to(unpack, ends[0]);
    close(ends[0]);
    return judge(unpack, child);
}
