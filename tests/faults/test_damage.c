/* SPDX-License-Identifier: ISC */
/*
 * Bytes of the database file flip, before the store is opened or while it is open: it is refused
 * or fails as damaged, or gives rows whose every value is one that the headers name.
 *
 * P2PCHAT_DEEP: 20,000 flips instead of 400.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "store/invites.h"
#include "unit/deep.h"
#include "unit/scratch_db.h"
#include "unit/whole_store.h"

enum { FLIPS = 400, FLIPS_DEEP = 20000, MESSAGES = 60 };

/* A sound file, and what became of its copies. */
struct damage {
    struct scratch *scratch;
    uint8_t *sound;
    size_t size;
    uint64_t random;
    unsigned refused; /* at opening */
    unsigned failed;  /* while it was read */
    unsigned read;    /* to the end */
};

static uint64_t pick(struct damage *damage, uint64_t below)
{
    damage->random = damage->random * 6364136223846793005U + 1442695040888963407U;
    return (damage->random >> 33) % below;
}

/* Peers of every sort, messages in both directions and of many lengths, and their events. */
static void fill(struct scratch *scratch)
{
    static const uint8_t body[6000] = {1, 2, 3};
    struct invite_row invite = {.id = {1}, .sealed = {2}, .name = "carol", .expires_ms = 1};
    struct peer_row alice = scratch_peer(scratch, "alice");
    alice.key[31] ^= 1;
    alice.offered = alice.invited = true;
    alice.address_count = PEER_ADDRESSES_MAX;
    for (unsigned i = 0; i < PEER_ADDRESSES_MAX; i++)
        alice.addresses[i] = (struct address){.host = "alice.example", .port = (uint16_t)(i + 1)};
    assert_int_equal(peers_update(scratch->db, &alice, 1), 0);
    assert_int_equal(invites_add(scratch->db, &invite), 0);
    for (unsigned n = 0; n < MESSAGES; n++) {
        struct message_row row = scratch_message(alice.id, n % 2 ? MESSAGE_IN : MESSAGE_OUT, n);
        row.client_id = n % 2 ? NULL : "client";
        row.body = SPAN(body, n % 20 == 0 ? sizeof body : 40);
        assert_int_equal(messages_add(scratch->db, &row), 0);
        if (n % 4 == 0)
            assert_int_equal(queue_set_state(scratch->db, row.seq, MESSAGE_FAILED, "a reason", n),
                             0);
    }
    scratch_commit(scratch);
}

/* Writes bytes over the file, past SQLite. */
static void overwrite(const struct damage *damage, const uint8_t *data, size_t size, size_t at)
{
    int fd = open(damage->scratch->path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)damage->size), 0);
    assert_int_equal(pwrite(fd, data, size, (off_t)at), (ssize_t)size);
    close(fd);
}

/* The sound file, with one byte changed. */
static void flip(struct damage *damage, size_t from)
{
    const size_t at = from + (size_t)pick(damage, damage->size - from);
    const uint8_t byte = damage->sound[at] ^ (uint8_t)(1 + pick(damage, 255));
    overwrite(damage, &byte, 1, at);
}

/* Closes the store and makes its file sound again. */
static void restore(struct damage *damage)
{
    char log[128];
    snprintf(log, sizeof log, "%s-wal", damage->scratch->path);
    db_close(damage->scratch->db);
    damage->scratch->db = NULL;
    unlink(log);
    overwrite(damage, damage->sound, damage->size, 0);
}

static void read_damaged(struct damage *damage)
{
    int r = whole_store_read(damage->scratch->db);
    if (r == 0) {
        damage->read++;
        return;
    }
    damage->failed++;
    assert_int_equal(r, -EIO);
    assert_int_equal(db_commit(damage->scratch->db), -EIO);
}

/* Closing moves the log into the file, which then is all there is. */
static void set_up(struct damage *damage, struct scratch *scratch)
{
    struct stat status;
    *damage = (struct damage){.scratch = scratch, .random = 1};
    fill(scratch);
    db_close(scratch->db);
    scratch->db = NULL;
    int fd = open(scratch->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(fd, &status), 0);
    damage->size = (size_t)status.st_size;
    damage->sound = malloc(damage->size);
    assert_non_null(damage->sound);
    assert_int_equal(read(fd, damage->sound, damage->size), status.st_size);
    close(fd);
}

static unsigned flips(void)
{
    return deep() ? FLIPS_DEEP : FLIPS;
}

static void test_a_damaged_file_is_refused_or_read_without_harm(void **state)
{
    struct damage damage;
    set_up(&damage, *state);
    for (unsigned i = 0; i < flips() / 2; i++) {
        restore(&damage);
        flip(&damage, 0);
        int r = db_open(&damage.scratch->db, damage.scratch->path);
        if (r == 0)
            read_damaged(&damage);
        else
            damage.refused++;
        if (r < 0)
            assert_int_equal(r, -EIO);
    }
    printf("%u refused, %u failed, %u read\n", damage.refused, damage.failed, damage.read);
    assert_true(damage.refused > 0);
    assert_true(damage.read > 0);
    free(damage.sound);
}

/* What is checked at opening says nothing of what a page holds when it is read. */
static void test_a_file_damaged_while_it_is_open_is_read_without_harm(void **state)
{
    struct damage damage;
    set_up(&damage, *state);
    for (unsigned i = 0; i < flips() / 2; i++) {
        restore(&damage);
        assert_int_equal(db_open(&damage.scratch->db, damage.scratch->path), 0);
        scratch_execute(damage.scratch, "PRAGMA cache_size = 0; PRAGMA shrink_memory");
        for (unsigned n = 0; n < 20; n++)
            flip(&damage, 4096);
        read_damaged(&damage);
    }
    printf("%u failed, %u read\n", damage.failed, damage.read);
    assert_true(damage.failed > 0);
    assert_true(damage.read > 0);
    free(damage.sound);
}

static void ignore(const struct log_entry *entry)
{
    (void)entry;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_damaged_file_is_refused_or_read_without_harm),
        TEST(test_a_file_damaged_while_it_is_open_is_read_without_harm),
    };
    log_set_sink(ignore);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
