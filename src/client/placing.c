/* SPDX-License-Identifier: ISC */
/*
 * The end of unpacking: what was made goes to its place, name by name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/unpack_state.h"

enum {
    FINAL_MAX = MANIFEST_NAME_MAX + 32,
    TRIES_MAX = 10000, /* of "name (2)", "name (3)" … */
};

/* Nobody sends .bash_profile into a home, or -rf into an argument list. */
static void make_harmless(const char *name, char final[static FINAL_MAX])
{
    const bool odd = name[0] == '.' || name[0] == '-';
    snprintf(final, FINAL_MAX, "%s%s", odd ? "_" : "", name);
    if (strlen(final) > MANIFEST_NAME_MAX)
        final[MANIFEST_NAME_MAX] = '\0';
}

/* "report (2).pdf" */
static void make_another(const char *name, unsigned number, char final[static FINAL_MAX])
{
    const char *dot = strrchr(name, '.');
    const size_t stem = dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name);
    snprintf(final, FINAL_MAX, "%.*s (%u)%s", (int)stem, name, number, name + stem);
}

/* Moves without replacing. 0 or -errno. File systems without such a call get another one. */
static int move(const struct unpack *unpack, const char *name, const char *final)
{
    struct stat status;
    if (renameat2(unpack->tree, name, unpack->directory, final, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (fstatat(unpack->tree, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (!S_ISDIR(status.st_mode)) {
        if (linkat(unpack->tree, name, unpack->directory, final, 0) < 0)
            return -errno;
        unlinkat(unpack->tree, name, 0);
        return 0;
    }
    /* An empty directory that we have just made may be replaced. */
    if (mkdirat(unpack->directory, final, 0700) < 0)
        return -errno;
    return renameat(unpack->tree, name, unpack->directory, final) < 0 ? -errno : 0;
}

static bool are_files(const struct unpack *unpack, const char *name, const char *final)
{
    struct stat ours, theirs;
    return fstatat(unpack->tree, name, &ours, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(unpack->directory, final, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(ours.st_mode) && !S_ISDIR(theirs.st_mode);
}

/* The name is taken. 0, 1 (the entry is left out) or -errno; `final` is what it got. */
static int resolve(const struct unpack *unpack, const char *name, const char *wanted,
                   char final[static FINAL_MAX])
{
    if (unpack->conflict == CONFLICT_SKIP)
        return 1;
    if (unpack->conflict == CONFLICT_OVERWRITE) {
        if (!are_files(unpack, name, final))
            return -EEXIST;
        return renameat(unpack->tree, name, unpack->directory, final) < 0 ? -errno : 0;
    }
    int r = -EEXIST;
    for (unsigned number = 2; r == -EEXIST && number < TRIES_MAX; number++) {
        make_another(wanted, number, final);
        r = move(unpack, name, final);
    }
    return r;
}

static int place(const struct unpack *unpack, const char *name, char final[static FINAL_MAX])
{
    char wanted[FINAL_MAX];
    make_harmless(name, wanted);
    memcpy(final, wanted, sizeof wanted);
    if (strcmp(wanted, name) != 0)
        ctl_note(unpack->ctl, "%s is put as %s", name, wanted);
    int r = move(unpack, name, final);
    return r == -EEXIST ? resolve(unpack, name, wanted, final) : r;
}

/* What is skipped goes with the staging directory only when it is a file; a tree stays there. */
static void leave_out(const struct unpack *unpack, const char *name)
{
    ctl_note(unpack->ctl, "%s is there already, and left as it is", name);
    unlinkat(unpack->tree, name, 0);
}

static int fail_place(const struct unpack *unpack, const char *name, int error)
{
    if (error == EEXIST)
        return ctl_fail_as(unpack->ctl, EX_CANTCREAT, "exists",
                           "%s is there already, and only a file can be replaced; what has come is "
                           "kept",
                           name);
    return ctl_fail(unpack->ctl, RPC_KIND_store_error, "%s: %s; what has come is kept", name,
                    strerror(error));
}

int unpack_place(struct unpack *unpack, void (*placed)(void *context, const char *name),
                 void *context)
{
    const int own = openat(unpack->tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = own >= 0 ? fdopendir(own) : NULL;
    const struct dirent *entry;
    int r = 0;
    if (list == NULL) {
        r = fail_place(unpack, "the staging directory", errno);
        if (own >= 0)
            close(own);
        return r;
    }
    while (r == 0 && (entry = readdir(list)) != NULL) {
        char final[FINAL_MAX];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        r = place(unpack, entry->d_name, final);
        if (r == 0)
            placed(context, final);
        else if (r > 0)
            leave_out(unpack, entry->d_name);
        r = r < 0 ? fail_place(unpack, entry->d_name, -r) : 0;
    }
    closedir(list);
    if (r == 0 && fsync(unpack->directory) < 0)
        r = fail_place(unpack, "the directory", errno);
    return r;
}
