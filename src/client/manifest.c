/* SPDX-License-Identifier: ISC */
/*
 * The rules of manifests. Those that are read may come from anybody.
 */
#include "client/manifest.h"

#include <string.h>

int manifest_append(struct bytes *manifest, const struct manifest_entry *entry)
{
    const bool is_link = entry->type == MANIFEST_SYMLINK;
    int r = bytes_reserve(manifest, 2 + entry->path.size + 19 + 2 + entry->target.size);
    if (r < 0)
        return r;
    bytes_append_u16(manifest, (uint16_t)entry->path.size);
    bytes_append(manifest, entry->path.data, entry->path.size);
    bytes_append_u8(manifest, (uint8_t)entry->type);
    bytes_append_u16(manifest, entry->mode);
    bytes_append_u64(manifest, entry->mtime_ns);
    r = bytes_append_u64(manifest, entry->size);
    if (!is_link)
        return r;
    bytes_append_u16(manifest, (uint16_t)entry->target.size);
    return bytes_append(manifest, entry->target.data, entry->target.size);
}

/* --- paths ------------------------------------------------------------------------------------ */

static bool component_legal(const uint8_t *name, size_t size)
{
    const bool dots =
        (size == 1 && name[0] == '.') || (size == 2 && name[0] == '.' && name[1] == '.');
    return size >= 1 && size <= MANIFEST_NAME_MAX && !dots;
}

static size_t component_size(struct span path, size_t start)
{
    const uint8_t *slash = memchr(path.data + start, '/', path.size - start);
    return slash != NULL ? (size_t)(slash - path.data) - start : path.size - start;
}

static bool path_legal(struct span path)
{
    size_t depth = 0, start = 0;
    if (path.size < 1 || path.size > BENEATH_PATH_MAX || memchr(path.data, '\0', path.size) != NULL)
        return false;
    for (;;) {
        const size_t size = component_size(path, start);
        if (!component_legal(path.data + start, size) || ++depth > BENEATH_DEPTH_MAX)
            return false;
        start += size + 1;
        if (start > path.size)
            return true;
    }
}

/* A slash ends a component, so it comes before every byte of a longer one. */
static int rank(uint8_t byte)
{
    return byte == '/' ? 0 : byte;
}

static bool ascends(struct span before, struct span path)
{
    const size_t common = before.size < path.size ? before.size : path.size;
    for (size_t i = 0; i < common; i++)
        if (before.data[i] != path.data[i])
            return rank(before.data[i]) < rank(path.data[i]);
    return before.size < path.size;
}

/* Whether what contains the path is the last entry, or contains that one, too. */
static bool is_contained(const struct manifest_entry *last, struct span path)
{
    size_t parent = path.size;
    while (parent > 0 && path.data[parent - 1] != '/')
        parent--;
    if (parent == 0)
        return true;
    parent--; /* without its slash */
    if (last->path.size < parent || memcmp(last->path.data, path.data, parent) != 0)
        return false;
    return last->path.size == parent ? last->type == MANIFEST_DIRECTORY
                                     : last->path.data[parent] == '/';
}

/* By leading ".." only: behind a name, which may be a symlink, nobody knows where one leads. */
bool manifest_link_stays(const struct manifest_entry *entry)
{
    const struct span target = entry->target;
    size_t level = 0;
    bool named = false;
    for (size_t i = 0; i < entry->path.size; i++)
        level += entry->path.data[i] == '/';
    if (level == 0 || target.size == 0 || target.data[0] == '/')
        return false;
    for (size_t start = 0; start <= target.size;) {
        const size_t size = component_size(target, start);
        const uint8_t *name = target.data + start;
        start += size + 1;
        if (size == 0 || (size == 1 && name[0] == '.'))
            continue;
        if (size != 2 || name[0] != '.' || name[1] != '.') {
            named = true;
            continue;
        }
        if (named || level == 1)
            return false;
        level--;
    }
    return true;
}

void manifest_path(const struct manifest_entry *entry, char path[static BENEATH_PATH_MAX + 1])
{
    memcpy(path, entry->path.data, entry->path.size);
    path[entry->path.size] = '\0';
}

/* --- walking ---------------------------------------------------------------------------------- */

void manifest_begin(struct manifest_walk *walk, struct span manifest)
{
    *walk = (struct manifest_walk){.reader = reader_of(manifest)};
}

static bool read_entry(struct reader *reader, struct manifest_entry *entry)
{
    const uint16_t size = reader_u16(reader);
    *entry = (struct manifest_entry){.path = SPAN(reader_take(reader, size), size)};
    entry->type = (enum manifest_type)reader_u8(reader);
    entry->mode = reader_u16(reader);
    entry->mtime_ns = reader_u64(reader);
    entry->size = reader_u64(reader);
    if (entry->type == MANIFEST_SYMLINK) {
        const uint16_t length = reader_u16(reader);
        entry->target = SPAN(reader_take(reader, length), length);
    }
    return !reader->failed;
}

static bool target_legal(struct span target)
{
    return target.size >= 1 && target.size <= MANIFEST_TARGET_MAX &&
           memchr(target.data, '\0', target.size) == NULL;
}

/* What is wrong with an entry by itself, or NULL. */
static const char *flaw(const struct manifest_entry *entry)
{
    if (!path_legal(entry->path))
        return "a path that no entry may have";
    if (entry->type > MANIFEST_SYMLINK)
        return "an entry that is no file, directory or symlink";
    if (entry->mode > 0777)
        return "a mode beyond 0777";
    if (entry->type != MANIFEST_FILE && entry->size != 0)
        return "a size of what is no file";
    if (entry->type == MANIFEST_SYMLINK && !target_legal(entry->target))
        return "a symlink without a target";
    return NULL;
}

static int complain(struct manifest_walk *walk, const char *complaint)
{
    walk->complaint = complaint;
    return MANIFEST_BAD;
}

int manifest_next(struct manifest_walk *walk, struct manifest_entry *entry)
{
    if (walk->reader.left == 0)
        return MANIFEST_END;
    if (!read_entry(&walk->reader, entry))
        return complain(walk, "it ends too early");
    const char *wrong = flaw(entry);
    if (wrong != NULL)
        return complain(walk, wrong);
    if (walk->last.path.size > 0 && !ascends(walk->last.path, entry->path))
        return complain(walk, "entries out of order, or twice");
    if (!is_contained(&walk->last, entry->path))
        return complain(walk, "an entry in what is no directory");
    if (walk->entries == MANIFEST_ENTRIES_MAX || entry->size > UINT64_MAX - walk->data_size)
        return complain(walk, "too many entries, or too much data");
    walk->entries++;
    walk->data_size += entry->size;
    walk->last = *entry;
    return 0;
}

int manifest_check(struct span manifest, uint32_t entries, uint64_t data_size,
                   const char **complaint)
{
    struct manifest_walk walk;
    struct manifest_entry entry;
    int r;
    manifest_begin(&walk, manifest);
    do
        r = manifest_next(&walk, &entry);
    while (r == 0);
    if (r == MANIFEST_END && (walk.entries != entries || walk.data_size != data_size))
        r = complain(&walk, "other sizes than the offer's");
    *complaint = walk.complaint;
    return r == MANIFEST_END ? 0 : r;
}
