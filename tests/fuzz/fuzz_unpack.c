/* SPDX-License-Identifier: ISC */
/*
 * What p2pchatctl makes of a manifest and contents from anybody: whatever they are, nothing outside
 * the directory that they are for is made, changed or followed, no name that is put there is hidden
 * or looks like an option, and no symlink leads out of what it came with.
 *
 *     input: how (below), how much the first of two tries gets, the manifest's size (2), manifest,
 *     data; and before the manifest's size, without HONEST, entries (4) and size of the data (8)
 */
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/unpack.h"
#include "fuzz/fuzz.h"
#include "fuzz/harmless.h"

enum {
    HONEST = 1 << 2,  /* the offer's numbers are those of the manifest */
    PLANTED = 1 << 3, /* somebody has put symlinks into the staging directory */
    TAKEN = 1 << 4,   /* names in the directory are taken */
    PLACING = 1 << 5, /* the staging directory says that all is made */
    CHUNK = 4096,
    OUTSIDE_S = 1000000000,
};

static char top[PATH_MAX]; /* the directory in which it all happens */
static bool planted;
static unsigned locked; /* directories that could not be looked into */

/* Nothing has to last. */
int __wrap_syncfs(int fd);
int __wrap_syncfs(int fd)
{
    (void)fd;
    return 0;
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    return __wrap_syncfs(fd);
}

/* --- the ground ------------------------------------------------------------------------------- */

static const char *at(const char *name)
{
    static char path[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", top, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(at(name), "w");
    assert(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void prepare(unsigned how)
{
    const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    const struct timespec times[2] = {{.tv_sec = OUTSIDE_S}, {.tv_sec = OUTSIDE_S}};
    snprintf(top, sizeof top, "%s/fuzz_unpack.XXXXXX", folder);
    assert(mkdtemp(top) != NULL);
    assert(mkdir(at("dir"), 0700) == 0 && mkdir(at("out"), 0750) == 0);
    write_file("out/kept", "kept");
    assert(chmod(at("out/kept"), 0640) == 0);
    assert(utimensat(AT_FDCWD, at("out/kept"), times, 0) == 0);
    assert(utimensat(AT_FDCWD, at("out"), times, 0) == 0);
    if ((how & TAKEN) != 0) {
        assert(symlink("../out", at("dir/a")) == 0 && symlink("../out/kept", at("dir/b")) == 0);
        assert(mkdir(at("dir/c"), 0700) == 0);
    }
    planted = (how & (PLANTED | PLACING)) != 0;
    if (!planted)
        return;
    assert(mkdir(at("dir/.p2pchat-id"), 0700) == 0 && mkdir(at("dir/.p2pchat-id/tree"), 0700) == 0);
    assert(symlink("../../../out", at("dir/.p2pchat-id/tree/a")) == 0);
    assert(symlink("../../../out/kept", at("dir/.p2pchat-id/tree/b")) == 0);
    write_file("dir/.p2pchat-id/have",
               (how & PLACING) != 0 ? "p2pchat 1 4096 placing\n" : "p2pchat 1 4096 moving\n");
}

static void check_unchanged(const char *name, mode_t mode, nlink_t links)
{
    struct stat status;
    assert(lstat(at(name), &status) == 0);
    assert(status.st_mode == mode && status.st_mtim.tv_sec == OUTSIDE_S);
    assert(status.st_mtim.tv_nsec == 0 && (links == 0 || status.st_nlink == links));
}

static void check_outside(void)
{
    char text[8] = "";
    FILE *file = fopen(at("out/kept"), "r");
    assert(file != NULL && fread(text, 1, sizeof text, file) == 4 && fclose(file) == 0);
    assert(memcmp(text, "kept", 4) == 0);
    check_unchanged("out/kept", S_IFREG | 0640, 1);
    check_unchanged("out", S_IFDIR | 0750, 0);
    for (const char *const *name = (const char *const[]){"dir", "out", NULL}; *name != NULL; name++)
        assert(access(at(*name), F_OK) == 0);
}

/* --- what was made ---------------------------------------------------------------------------- */

/* A symlink that leads anywhere leads into the top-level entry that it is in. */
static void check_link(const char *path)
{
    char real[PATH_MAX], home[PATH_MAX];
    const size_t start = strlen(at("dir/"));
    assert(realpath(at("dir"), home) != NULL);
    if (realpath(path, real) == NULL)
        return;
    const size_t size = strlen(home) + 1 + strcspn(path + start, "/");
    assert(strncmp(real, home, strlen(home)) == 0);
    assert(strncmp(real + strlen(home), path + start - 1, size - strlen(home)) == 0);
    assert(real[size] == '\0' || real[size] == '/');
}

static void check_name(const char *name)
{
    const bool ours = strncmp(name, UNPACK_STAGING, strlen(UNPACK_STAGING)) == 0;
    assert(ours || (name[0] != '.' && name[0] != '-'));
}

static int look(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    const size_t start = strlen(at("dir/"));
    if (type == FTW_DNR) {
        chmod(path, 0700);
        locked++;
    }
    if (strncmp(path, at("dir/"), start) != 0)
        return 0;
    if (ftw->level == 2)
        check_name(path + start);
    assert(S_ISREG(status->st_mode) || S_ISDIR(status->st_mode) || S_ISLNK(status->st_mode));
    assert((status->st_mode & 07000) == 0);
    if (type == FTW_SL && !planted && strstr(path + start, "/") != NULL)
        check_link(path);
    return 0;
}

static int drop(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void check_and_remove(void)
{
    check_outside();
    do {
        locked = 0;
        assert(nftw(top, look, 16, FTW_PHYS) == 0);
    } while (locked > 0);
    assert(nftw(top, drop, 16, FTW_PHYS | FTW_DEPTH) == 0);
}

/* --- unpacking -------------------------------------------------------------------------------- */

static void ignore(void *context, const char *name)
{
    (void)context;
    check_name(name);
    assert(strchr(name, '/') == NULL);
}

/* Who gives: what is there from the wanted offset on, as far as `most` bytes. */
static int make_source(struct span manifest, struct span data, uint64_t offset, size_t most)
{
    const int source = memfd_create("source", MFD_CLOEXEC);
    struct bytes all = {0};
    assert(source >= 0 && bytes_append(&all, manifest.data, manifest.size) == 0);
    if (offset < data.size)
        assert(bytes_append(&all, data.data + offset, data.size - (size_t)offset) == 0);
    const size_t size = all.size < most ? all.size : most;
    assert(size == 0 || write(source, all.data, size) == (ssize_t)size);
    assert(lseek(source, 0, SEEK_SET) == 0);
    bytes_deinit(&all);
    return source;
}

static void unpack(struct ctl *ctl, const struct unpack_offer *offer, unsigned how,
                   struct span manifest, struct span data, size_t most)
{
    struct unpack unpack;
    const int directory = open(at("dir"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = unpack_init(&unpack, ctl, directory, offer);
    unpack.conflict = (enum unpack_conflict)(how % 4 % 3);
    if (r == 0 && !unpack.placing) {
        const int source = make_source(manifest, data, unpack.offset, most);
        r = unpack_take(&unpack, source);
        close(source);
    }
    if (r == 0 && unpack_place(&unpack, ignore, NULL) == 0)
        unpack_forget(&unpack);
    unpack_deinit(&unpack);
    close(directory);
}

/* What a sender that tells the truth says of its manifest. */
static void count(struct span manifest, struct unpack_offer *offer)
{
    struct manifest_walk walk;
    struct manifest_entry entry;
    manifest_begin(&walk, manifest);
    while (manifest_next(&walk, &entry) == 0)
        ;
    offer->entries = walk.entries;
    offer->data_size = walk.data_size;
}

static void play(struct ctl *ctl, struct reader *reader)
{
    struct unpack_offer offer = {.id = "id", .chunk_size = CHUNK};
    const unsigned how = reader_u8(reader), first = reader_u8(reader);
    if ((how & HONEST) == 0) {
        offer.entries = reader_u32(reader);
        offer.data_size = reader_u64(reader);
    }
    const size_t size = reader_u16(reader);
    if (reader->failed || reader->left < size)
        return;
    const struct span manifest = SPAN(reader_take(reader, size), size);
    const size_t left = reader->left;
    const struct span data = SPAN(reader_take(reader, left), left);
    offer.manifest_size = size;
    if ((how & HONEST) != 0)
        count(manifest, &offer);
    prepare(how);
    unpack(ctl, &offer, how, manifest, data, first * (size_t)64);
    unpack(ctl, &offer, how, manifest, data, SIZE_MAX);
    check_and_remove();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader reader = reader_of(SPAN(data, size));
    struct ctl ctl = {.terminal = true};
    char *text = NULL;
    size_t shown;
    ctl.out = ctl.err = open_memstream(&text, &shown);
    assert(ctl.out != NULL);
    play(&ctl, &reader);
    assert(fclose(ctl.out) == 0);
    assert(harmless(text, shown));
    free(text);
    return 0;
}
