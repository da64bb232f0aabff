/* SPDX-License-Identifier: ISC */
/*
 * Files of the spool: what is written is read, nothing else is, and no key seals two things under
 * one number.
 */
#include "core/spool.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "crypto/digest.h"
#include "unit/cmocka_all.h"

enum { CHUNK = 1 << FILE_CHUNK_LOG2_MIN, SEALS_MAX = 128, PATH_SIZE = 128 };

static char folder[] = "/tmp/p2pchat-spool-XXXXXX";
static struct spool *spool;

/* --- what is sealed under which number -------------------------------------------------------- */

static uint8_t seals[SEALS_MAX][AEAD_IV_SIZE];
static size_t seal_count;

int __real_aead_key_seal(struct aead_key *key, const uint8_t iv[static AEAD_IV_SIZE],
                         struct span aad, struct span plain, uint8_t *out);
int __wrap_aead_key_seal(struct aead_key *key, const uint8_t iv[static AEAD_IV_SIZE],
                         struct span aad, struct span plain, uint8_t *out);

int __wrap_aead_key_seal(struct aead_key *key, const uint8_t iv[static AEAD_IV_SIZE],
                         struct span aad, struct span plain, uint8_t *out)
{
    for (size_t i = 0; i < seal_count; i++)
        assert_memory_not_equal(seals[i], iv, AEAD_IV_SIZE);
    assert_in_range(seal_count, 0, SEALS_MAX - 1);
    memcpy(seals[seal_count++], iv, AEAD_IV_SIZE);
    return __real_aead_key_seal(key, iv, aad, plain, out);
}

/* --- a spool ---------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    struct secret key = {.bytes = {1, 2, 3}};
    (void)state;
    if (crypto_init() != 0 || mkdtemp(folder) == NULL)
        return -1;
    return spool_new(&spool, folder, &key);
}

static int nothing_is_wanted(void *context, const uint8_t *name)
{
    (void)context;
    (void)name;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    spool_sweep(spool, nothing_is_wanted, NULL);
    spool_free(spool);
    return rmdir(folder);
}

static unsigned count_files(void)
{
    unsigned count = 0;
    DIR *list = opendir(folder);
    assert_non_null(list);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count - 2;
}

static const char *path_of(const uint8_t *name)
{
    static char path[PATH_SIZE];
    char text[2 * SPOOL_NAME_SIZE + 1];
    hex_encode(name, SPOOL_NAME_SIZE, text);
    snprintf(path, sizeof path, "%s/%s", folder, text);
    return path;
}

static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)(at * 7 + at / 65536);
}

static struct file_offer make_offer(uint64_t data_size, uint64_t manifest_size)
{
    return (struct file_offer){.chunk_log2 = FILE_CHUNK_LOG2_MIN,
                               .data_size = data_size,
                               .manifest_size = manifest_size,
                               .entries = 1};
}

/* Gives a writer all it misses, in pieces of at most so many bytes. 0 or what it says. */
static int feed(struct spool_writer *writer, size_t most)
{
    uint64_t at = 0;
    int r = 0;
    while (r == 0 && spool_writer_missing(writer) > 0) {
        size_t room;
        uint8_t *place = spool_writer_place(writer, &room);
        assert_in_range(room, 1, SPOOL_UNIT);
        room = room < most ? room : most;
        for (size_t i = 0; i < room; i++)
            place[i] = byte_at(at++);
        r = spool_writer_add(writer, room);
    }
    return r;
}

/* Writes a file: its name, and the root in the offer. */
static void fill(struct file_offer *offer, size_t most, uint8_t name[static SPOOL_NAME_SIZE])
{
    struct spool_writer *writer;
    seal_count = 0;
    assert_int_equal(spool_writer_new(&writer, spool, offer), 0);
    assert_int_equal(spool_writer_missing(writer), offer->data_size + offer->manifest_size);
    assert_int_equal(feed(writer, most), 0);
    assert_int_equal(spool_writer_finish(writer, name, offer->root), 0);
    assert_true(spool_writer_has(writer, name));
    spool_writer_free(writer);
}

/* Reads a part; `out` is emptied first. 0 or what the reader says. */
static int read_part(const struct file_offer *offer, const uint8_t *name, enum spool_part part,
                     struct bytes *out)
{
    static uint8_t unit[SPOOL_UNIT];
    struct spool_reader *reader;
    size_t size = 1;
    bytes_clear(out);
    assert_int_equal(spool_reader_new(&reader, spool, name, offer), 0);
    int r = 0;
    for (uint64_t i = 0; r == 0 && size > 0; i++) {
        r = spool_reader_get(reader, part, i, unit, &size);
        if (r == 0)
            assert_int_equal(bytes_append(out, unit, size), 0);
    }
    spool_reader_free(reader);
    return r;
}

static void append_hashes(struct bytes *hashes, struct span part)
{
    for (size_t at = 0; at < part.size; at += CHUNK) {
        uint8_t hash[SHA256_SIZE];
        const size_t left = part.size - at;
        const struct span chunk = SPAN(part.data + at, left < CHUNK ? left : CHUNK);
        assert_int_equal(sha256(&chunk, 1, hash), 0);
        assert_int_equal(bytes_append(hashes, hash, sizeof hash), 0);
    }
}

static void check_file(const struct file_offer *offer, const uint8_t *name)
{
    struct bytes manifest = {0}, data = {0}, hashes = {0}, right = {0};
    uint8_t root[FILE_HASH_SIZE];
    assert_int_equal(read_part(offer, name, SPOOL_MANIFEST, &manifest), 0);
    assert_int_equal(read_part(offer, name, SPOOL_DATA, &data), 0);
    assert_int_equal(read_part(offer, name, SPOOL_HASHES, &hashes), 0);
    assert_int_equal(manifest.size, offer->manifest_size);
    assert_int_equal(data.size, offer->data_size);
    for (size_t i = 0; i < manifest.size; i++)
        assert_int_equal(manifest.data[i], byte_at(i));
    for (size_t i = 0; i < data.size; i++)
        assert_int_equal(data.data[i], byte_at(manifest.size + i));
    append_hashes(&right, bytes_span(&data));
    append_hashes(&right, bytes_span(&manifest));
    assert_int_equal(hashes.size, right.size);
    assert_memory_equal(hashes.data, right.data, right.size);
    assert_int_equal(file_root(offer, bytes_span(&hashes), root), 0);
    assert_memory_equal(root, offer->root, sizeof root);
    bytes_deinit(&manifest);
    bytes_deinit(&data);
    bytes_deinit(&hashes);
    bytes_deinit(&right);
}

/* --- the tests -------------------------------------------------------------------------------- */

static void test_what_is_written_is_read(void **state)
{
    static const uint64_t sizes[] = {
        0, 1, SPOOL_UNIT - 1, SPOOL_UNIT, SPOOL_UNIT + 1, CHUNK - 1, CHUNK + 1, CHUNK, 2 * CHUNK};
    uint8_t name[SPOOL_NAME_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct file_offer offer = make_offer(sizes[i], sizes[i] % 100 + 1);
        fill(&offer, i % 2 == 0 ? SPOOL_UNIT : 50001, name);
        check_file(&offer, name);
    }
}

static void test_a_long_manifest_is_cut_into_units_too(void **state)
{
    struct file_offer offer = make_offer(10, 2 * SPOOL_UNIT + 5);
    uint8_t name[SPOOL_NAME_SIZE];
    (void)state;
    fill(&offer, 9999, name);
    check_file(&offer, name);
    assert_int_equal(seal_count, 3 + 1 + 1);
}

static void test_the_same_again_has_another_name_and_other_bytes(void **state)
{
    struct file_offer offer = make_offer(100, 10);
    uint8_t names[2][SPOOL_NAME_SIZE], content[2][256];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        fill(&offer, SPOOL_UNIT, names[i]);
        FILE *file = fopen(path_of(names[i]), "r");
        assert_non_null(file);
        assert_int_equal(fread(content[i], 1, 256, file), 100 + 10 + 2 * FILE_HASH_SIZE + 3 * 16);
        fclose(file);
    }
    assert_memory_not_equal(names[0], names[1], SPOOL_NAME_SIZE);
    assert_memory_not_equal(content[0], content[1], 100);
}

static void flip(const char *path, long at)
{
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    const int byte = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
}

static void test_what_was_not_written_is_not_read(void **state)
{
    struct file_offer offer = make_offer(SPOOL_UNIT + 10, 10);
    uint8_t name[SPOOL_NAME_SIZE], other[SPOOL_NAME_SIZE] = {1};
    struct bytes part = {0};
    char path[PATH_SIZE];
    (void)state;
    fill(&offer, SPOOL_UNIT, name);
    flip(path_of(name), 30);
    assert_int_equal(read_part(&offer, name, SPOOL_MANIFEST, &part), 0);
    assert_int_equal(read_part(&offer, name, SPOOL_DATA, &part), SPOOL_DAMAGED);
    flip(path_of(name), 30);
    assert_int_equal(read_part(&offer, name, SPOOL_DATA, &part), 0);
    snprintf(path, sizeof path, "%s", path_of(name));
    assert_int_equal(rename(path, path_of(other)), 0);
    assert_int_equal(read_part(&offer, other, SPOOL_DATA, &part), SPOOL_DAMAGED);
    assert_int_equal(truncate(path_of(other), 20), 0);
    assert_int_equal(read_part(&offer, other, SPOOL_MANIFEST, &part), SPOOL_DAMAGED);
    bytes_deinit(&part);
}

static void test_what_is_not_finished_goes(void **state)
{
    const struct file_offer offer = make_offer(100, 10);
    const unsigned before = count_files();
    struct spool_writer *writer;
    (void)state;
    seal_count = 0;
    assert_int_equal(spool_writer_new(&writer, spool, &offer), 0);
    assert_int_equal(count_files(), before + 1);
    assert_int_equal(feed(writer, 7), 0);
    spool_writer_free(writer);
    assert_int_equal(count_files(), before);
}

/* A write that fails is not made again with other bytes: sealing twice under a number fails. */
static void test_a_write_that_fails_is_the_end(void **state)
{
    const struct rlimit small = {SPOOL_UNIT, RLIM_INFINITY};
    const struct file_offer offer = make_offer(CHUNK, 10);
    struct rlimit usual;
    struct spool_writer *writer;
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    seal_count = 0;
    assert_int_equal(spool_writer_new(&writer, spool, &offer), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){small.rlim_cur, usual.rlim_max}), 0);
    assert_int_equal(feed(writer, SPOOL_UNIT), -EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
    assert_int_equal(seal_count, 2);
    spool_writer_free(writer);
}

static int is_this(void *context, const uint8_t *name)
{
    return memcmp(context, name, SPOOL_NAME_SIZE) == 0;
}

static void test_sweeping_leaves_what_is_wanted(void **state)
{
    struct file_offer offer = make_offer(100, 10);
    uint8_t kept[SPOOL_NAME_SIZE], gone[SPOOL_NAME_SIZE];
    char path[PATH_SIZE];
    (void)state;
    fill(&offer, SPOOL_UNIT, kept);
    fill(&offer, SPOOL_UNIT, gone);
    snprintf(path, sizeof path, "%s/something", folder);
    fclose(fopen(path, "w"));
    assert_int_equal(spool_sweep(spool, is_this, kept), 0);
    assert_int_equal(count_files(), 1);
    assert_int_equal(access(path_of(kept), F_OK), 0);
    spool_remove(spool, kept);
    spool_remove(spool, kept);
    assert_int_equal(count_files(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_a_long_manifest_is_cut_into_units_too),
        cmocka_unit_test(test_the_same_again_has_another_name_and_other_bytes),
        cmocka_unit_test(test_what_was_not_written_is_not_read),
        cmocka_unit_test(test_what_is_not_finished_goes),
        cmocka_unit_test(test_a_write_that_fails_is_the_end),
        cmocka_unit_test(test_sweeping_leaves_what_is_wanted),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
