/* SPDX-License-Identifier: ISC */
/*
 * The database when things go wrong: damage, a full disk, a broken disk, a sudden end.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "store/consumers.h"
#include "unit/scratch_db.h"

/* Failures are asked for here: their log lines would only alarm. */
static void ignore(const struct log_entry *entry)
{
    (void)entry;
}

/* Adds messages with bodies of 4 KiB until one is refused; how that one was. */
static int fill(struct scratch *scratch, int64_t peer, unsigned from)
{
    static const uint8_t body[4096];
    int r = 0;
    for (unsigned n = from; r == 0 && n < from + 10000; n++) {
        struct message_row row = scratch_message(peer, MESSAGE_IN, n);
        row.body = SPAN(body, sizeof body);
        r = messages_add(scratch->db, &row);
    }
    return r;
}

/* Closes the database, overwrites its file at `offset`, and opens it again. */
static int reopen_overwritten(struct scratch *scratch, off_t offset, const void *data, size_t size)
{
    db_close(scratch->db);
    scratch->db = NULL;
    int fd = open(scratch->path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, data, size, offset), (ssize_t)size);
    close(fd);
    return db_open(&scratch->db, scratch->path);
}

static void test_damage_is_found_at_opening(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    for (unsigned n = 1; n <= 200; n++)
        scratch_add(scratch, alice, MESSAGE_IN, n);
    scratch_commit(scratch);
    scratch_reopen(scratch);
    uint8_t noise[4096];
    memset(noise, 0x5a, sizeof noise);
    struct stat status;
    assert_int_equal(stat(scratch->path, &status), 0);
    off_t last = status.st_size / 4096 * 4096 - 4096;
    assert_int_equal(reopen_overwritten(scratch, last, noise, sizeof noise), DB_DAMAGED);
    assert_null(scratch->db);
    assert_int_equal(reopen_overwritten(scratch, 0, noise, sizeof noise), DB_DAMAGED);
}

static void test_a_cut_off_file_is_damaged(void **state)
{
    struct scratch *scratch = *state;
    db_close(scratch->db);
    scratch->db = NULL;
    assert_int_equal(truncate(scratch->path, 4096 * 4), 0);
    assert_int_equal(db_open(&scratch->db, scratch->path), DB_DAMAGED);
}

static void test_a_full_disk_undoes_the_turn_and_the_next_works(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    int64_t kept = scratch_add(scratch, alice, MESSAGE_IN, 1).seq;
    scratch_commit(scratch);
    scratch_execute(scratch, "PRAGMA max_page_count = 60");
    assert_int_equal(fill(scratch, alice, 2), DB_FULL);

    struct uuid id = scratch_id(2);
    struct message_row small = scratch_message(alice, MESSAGE_IN, 9);
    assert_int_equal(messages_known(scratch->db, alice, MESSAGE_IN, &id), DB_NOT_FOUND);
    assert_int_equal(messages_add(scratch->db, &small), DB_FULL);
    assert_int_equal(consumers_remove(scratch->db, "nobody"), DB_FULL);
    assert_true(db_dirty(scratch->db));
    assert_int_equal(db_commit(scratch->db), DB_FULL);
    assert_false(db_dirty(scratch->db));
    assert_int_equal(scratch_stored(scratch), 1);
    assert_int_equal(consumers_remove(scratch->db, "nobody"), DB_NOT_FOUND);
    scratch_commit(scratch);
    assert_int_equal(events_last(scratch->db), kept);

    scratch_execute(scratch, "PRAGMA max_page_count = 100000");
    assert_int_equal(messages_add(scratch->db, &small), 0);
    scratch_commit(scratch);
    scratch_reopen(scratch);
    assert_int_equal(scratch_stored(scratch), 2);
    assert_int_equal(events_last(scratch->db), small.seq);
}

struct filling {
    struct scratch *scratch;
    unsigned visited;
};

static int fill_once(void *context, const struct message_row *row)
{
    struct filling *filling = context;
    if (filling->visited++ == 0)
        assert_int_equal(fill(filling->scratch, row->peer, 1000), DB_FULL);
    assert_int_equal(row->body.size, 6);
    return 0;
}

static void test_a_walk_survives_a_full_disk(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    for (unsigned n = 1; n <= 5; n++)
        scratch_add(scratch, alice, MESSAGE_OUT, n);
    scratch_commit(scratch);
    scratch_execute(scratch, "PRAGMA max_page_count = 60");
    struct filling filling = {.scratch = scratch};
    assert_int_equal(queue_each(scratch->db, alice, 0, 9, fill_once, &filling), 0);
    assert_int_equal(filling.visited, 5);
    assert_int_equal(db_commit(scratch->db), DB_FULL);
    assert_int_equal(scratch_stored(scratch), 5);
}

enum { NOT_ALLOWED = 77 };

/* On a file system of its own with 1 MiB: the disk is full only when the log is written. */
static int fill_a_file_system(struct scratch *scratch)
{
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", scratch->directory, "tmpfs", 0, "size=1m") != 0)
        return NOT_ALLOWED;
    if (db_open(&scratch->db, scratch->path) != 0)
        return 1;
    struct peer_row alice = {.name = "alice"};
    if (peers_add(scratch->db, &alice) != 0 || db_commit(scratch->db) != 0)
        return 2;
    uint64_t acknowledged = 0;
    int r = 0;
    for (unsigned n = 1; r == 0 && n < 1000; n++) {
        uint8_t body[4096] = {0};
        struct message_row row = {.peer = alice.id, .id = scratch_id(n), .body = SPAN(body, 4096)};
        r = messages_add(scratch->db, &row);
        if (r == 0)
            r = db_commit(scratch->db);
        if (r == 0)
            acknowledged++;
    }
    if (r != DB_FULL)
        return 3;
    db_commit(scratch->db);
    db_close(scratch->db);
    struct messages_size size;
    if (db_open(&scratch->db, scratch->path) != 0 || messages_count(scratch->db, &size) != 0)
        return 4;
    return acknowledged > 0 && size.messages == acknowledged ? 0 : 5;
}

static void test_a_full_file_system_keeps_what_was_committed(void **state)
{
    struct scratch *scratch = *state;
    int status = scratch_in_child(fill_a_file_system, scratch);
    if (status == NOT_ALLOWED)
        skip();
    assert_int_equal(status, 0);
}

/* No file may grow beyond its size now: the kernel refuses the write, which SQLite sees as an I/O
 * error. */
static int break_the_disk(struct scratch *scratch)
{
    if (db_open(&scratch->db, scratch->path) != 0)
        return 9;
    struct rlimit limit = {4096, RLIM_INFINITY};
    struct peer_row alice = {.name = "alice"};
    if (peers_add(scratch->db, &alice) != 0 || db_commit(scratch->db) != 0)
        return 1;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    struct peer_row bob = {.name = "bob"};
    if (peers_add(scratch->db, &bob) != 0 || db_commit(scratch->db) != -EIO)
        return 2;
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);

    struct messages_size size;
    int64_t seq;
    struct peer_row carol = {.name = "carol"};
    if (db_commit(scratch->db) != -EIO || peers_add(scratch->db, &carol) != -EIO ||
        messages_count(scratch->db, &size) != -EIO ||
        events_tail(scratch->db, 0, 1, &seq) != -EIO || db_size(scratch->db) != 0)
        return 3;
    db_close(scratch->db);
    char log[128];
    snprintf(log, sizeof log, "%s-wal", scratch->path);
    return access(log, F_OK) == 0 ? 0 : 4; /* left for the next start */
}

static int count_peer(void *context, const struct peer_row *row)
{
    unsigned *count = context;
    (void)row;
    ++*count;
    return 0;
}

static void test_an_io_error_is_for_good(void **state)
{
    struct scratch *scratch = *state;
    db_close(scratch->db);
    scratch->db = NULL;
    assert_int_equal(scratch_in_child(break_the_disk, scratch), 0);

    unsigned peers = 0;
    assert_int_equal(db_open(&scratch->db, scratch->path), 0);
    assert_int_equal(peers_each(scratch->db, count_peer, &peers), 0);
    assert_int_equal(peers, 1);
}

/* Commits one message, then writes more than fits into the cache, and waits for its end. */
static void write_and_hang(struct scratch *scratch, int ready)
{
    if (db_open(&scratch->db, scratch->path) != 0)
        _exit(1);
    scratch_execute(scratch, "PRAGMA cache_size = 10");
    int64_t alice = scratch_peer(scratch, "alice").id;
    scratch_add(scratch, alice, MESSAGE_IN, 1);
    scratch_commit(scratch);
    for (unsigned n = 2; n < 2000; n++)
        scratch_add(scratch, alice, MESSAGE_IN, n);
    if (write(ready, "!", 1) == 1)
        pause();
    _exit(2);
}

static void test_a_killed_process_loses_only_what_was_not_committed(void **state)
{
    struct scratch *scratch = *state;
    db_close(scratch->db);
    scratch->db = NULL;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0)
        write_and_hang(scratch, ready[1]);
    close(ready[1]);
    char mark;
    assert_int_equal(read(ready[0], &mark, 1), 1);
    close(ready[0]);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);

    assert_int_equal(db_open(&scratch->db, scratch->path), 0);
    assert_int_equal(scratch_stored(scratch), 1);
    assert_int_equal(events_last(scratch->db), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_damage_is_found_at_opening),
        TEST(test_a_cut_off_file_is_damaged),
        TEST(test_a_full_disk_undoes_the_turn_and_the_next_works),
        TEST(test_a_walk_survives_a_full_disk),
        TEST(test_a_full_file_system_keeps_what_was_committed),
        TEST(test_an_io_error_is_for_good),
        TEST(test_a_killed_process_loses_only_what_was_not_committed),
    };
    log_set_sink(ignore);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
