/* SPDX-License-Identifier: ISC */
/*
 * Backup files: what was written is read, and nothing that was changed, moved or cut off is.
 */
#include "daemon/backup_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "crypto/kdf.h"
#include "unit/cmocka_all.h"

enum { SEALED_CHUNK = 4 + BACKUP_CHUNK_SIZE + AEAD_TAG_SIZE };

static const char passphrase[] = "correct horse";

int __wrap_scrypt(const char *words, struct span salt, unsigned log2_n, struct secret *key);

/* In the place of the real one, which takes its time on purpose. */
int __wrap_scrypt(const char *words, struct span salt, unsigned log2_n, struct secret *key)
{
    assert_int_equal(log2_n, 17);
    return hmac_sha256(salt, &SPAN(words, strlen(words)), 1, key->bytes);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_init();
}

static int tear_down(void **state)
{
    (void)state;
    crypto_deinit();
    return 0;
}

/* A file in memory with a backup of `size` bytes, each other than its neighbours. */
static int write_one(size_t size)
{
    struct backup_file file;
    int fd = memfd_create("backup", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(backup_file_create(&file, fd, passphrase), 0);
    for (size_t i = 0; i < size; i++) {
        const uint8_t byte = (uint8_t)(i * 7 + i / 251);
        assert_int_equal(backup_file_write(&file, SPAN(&byte, 1)), 0);
    }
    assert_int_equal(backup_file_finish(&file), 0);
    backup_file_deinit(&file);
    return fd;
}

/* What comes of reading `size` bytes and the end. */
static int read_one(int fd, size_t size, const char *key)
{
    struct backup_file file;
    uint8_t byte = 0;
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    int r = backup_file_open(&file, fd, key);
    for (size_t i = 0; r == 0 && i < size; i++) {
        r = backup_file_read(&file, &byte, 1);
        if (r == 0)
            assert_int_equal(byte, (uint8_t)(i * 7 + i / 251));
    }
    if (r == 0)
        r = backup_file_end(&file);
    backup_file_deinit(&file);
    return r;
}

static void test_what_was_written_is_read(void **state)
{
    static const size_t sizes[] = {0, 1, BACKUP_CHUNK_SIZE - 1, BACKUP_CHUNK_SIZE,
                                   2 * BACKUP_CHUNK_SIZE + 17};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int fd = write_one(sizes[i]);
        assert_int_equal(read_one(fd, sizes[i], passphrase), 0);
        assert_int_equal(read_one(fd, sizes[i] + 1, passphrase), BACKUP_FORGED);
        if (sizes[i] > 0)
            assert_int_equal(read_one(fd, sizes[i] - 1, passphrase), BACKUP_FORGED);
        assert_int_equal(read_one(fd, sizes[i], "another"), BACKUP_FORGED);
        close(fd);
    }
}

static void flip(int fd, off_t place)
{
    uint8_t byte;
    assert_int_equal(pread(fd, &byte, 1, place), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, place), 1);
}

static void test_no_byte_may_change(void **state)
{
    static const off_t places[] = {
        0, 14, 15, 16, 17, 18, 19, 34, 35, 38, 39, 60, SEALED_CHUNK + 35, SEALED_CHUNK + 45};
    (void)state;
    int fd = write_one(BACKUP_CHUNK_SIZE + 50);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        flip(fd, places[i]);
        assert_int_equal(read_one(fd, BACKUP_CHUNK_SIZE + 50, passphrase),
                         places[i] < 19 ? BACKUP_ALIEN : BACKUP_FORGED);
        flip(fd, places[i]);
    }
    assert_int_equal(read_one(fd, BACKUP_CHUNK_SIZE + 50, passphrase), 0);
    close(fd);
}

static void test_chunks_are_read_in_their_order_and_all(void **state)
{
    static uint8_t first[SEALED_CHUNK], second[SEALED_CHUNK];
    const size_t size = 2 * BACKUP_CHUNK_SIZE + 50;
    (void)state;
    int fd = write_one(size);
    const off_t end = lseek(fd, 0, SEEK_END);
    assert_int_equal(pread(fd, first, SEALED_CHUNK, 35), SEALED_CHUNK);
    assert_int_equal(pread(fd, second, SEALED_CHUNK, 35 + SEALED_CHUNK), SEALED_CHUNK);
    assert_int_equal(pwrite(fd, first, SEALED_CHUNK, 35 + SEALED_CHUNK), SEALED_CHUNK);
    assert_int_equal(read_one(fd, size, passphrase), BACKUP_FORGED); /* repeated */
    assert_int_equal(pwrite(fd, second, SEALED_CHUNK, 35), SEALED_CHUNK);
    assert_int_equal(read_one(fd, size, passphrase), BACKUP_FORGED); /* swapped */
    assert_int_equal(pwrite(fd, first, SEALED_CHUNK, 35), SEALED_CHUNK);
    assert_int_equal(pwrite(fd, second, SEALED_CHUNK, 35 + SEALED_CHUNK), SEALED_CHUNK);
    assert_int_equal(ftruncate(fd, 35 + 2 * SEALED_CHUNK), 0);
    assert_int_equal(read_one(fd, (size_t)2 * BACKUP_CHUNK_SIZE, passphrase), BACKUP_FORGED);
    assert_int_equal(ftruncate(fd, end), 0); /* the last chunk is zeros now */
    assert_int_equal(read_one(fd, size, passphrase), BACKUP_FORGED);
    close(fd);
}

static void test_nothing_follows_the_end(void **state)
{
    (void)state;
    int fd = write_one(100);
    assert_int_equal(pwrite(fd, "x", 1, lseek(fd, 0, SEEK_END)), 1);
    assert_int_equal(read_one(fd, 100, passphrase), BACKUP_FORGED);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_written_is_read),
        cmocka_unit_test(test_no_byte_may_change),
        cmocka_unit_test(test_chunks_are_read_in_their_order_and_all),
        cmocka_unit_test(test_nothing_follows_the_end),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
