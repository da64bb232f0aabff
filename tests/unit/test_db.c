/* SPDX-License-Identifier: ISC */
/*
 * The database file: private, alone, and durable from commit to commit.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/sql.h"
#include "unit/scratch_db.h"

static void assert_setting(struct scratch *scratch, const char *query, const char *expected)
{
    CLEANUP(sql_end) struct sql sql = sql_read(scratch->db, query);
    assert_true(sql_row(&sql));
    assert_string_equal(sql_text(&sql), expected);
}

static void test_files_are_private(void **state)
{
    struct scratch *scratch = *state;
    scratch_peer(scratch, "alice");
    scratch_commit(scratch);
    static const char *const suffixes[] = {"", "-wal"};
    for (unsigned i = 0; i < 2; i++) {
        char path[128];
        struct stat status;
        snprintf(path, sizeof path, "%s%s", scratch->path, suffixes[i]);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
    }
}

static int set_up_with_an_open_umask(void **state)
{
    mode_t mask = umask(0);
    int r = scratch_set_up(state);
    umask(mask);
    return r;
}

static void test_settings_are_in_force(void **state)
{
    static const char *const settings[][2] = {
        {"PRAGMA journal_mode", "wal"},
        {"PRAGMA synchronous", "2"},
        {"PRAGMA foreign_keys", "1"},
        {"PRAGMA trusted_schema", "0"},
        {"PRAGMA cell_size_check", "1"},
        {"PRAGMA secure_delete", "1"},
        {"PRAGMA temp_store", "2"},
        {"PRAGMA busy_timeout", "0"},
        {"PRAGMA wal_autocheckpoint", "0"},
        {"PRAGMA locking_mode", "exclusive"},
        {"PRAGMA application_id", "1882353763"},
        {"PRAGMA user_version", "6"},
    };
    struct scratch *scratch = *state;
    for (unsigned i = 0; i < sizeof settings / sizeof *settings; i++)
        assert_setting(scratch, settings[i][0], settings[i][1]);
    int defensive = 0;
    sqlite3_db_config(scratch->db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, -1, &defensive);
    assert_int_equal(defensive, 1);
    CLEANUP(sql_end)
    struct sql loose = sql_read(scratch->db, "SELECT 1 FROM pragma_table_list"
                                             " WHERE schema = 'main' AND NOT strict"
                                             " AND name NOT LIKE 'sqlite_%'");
    assert_false(sql_row(&loose));
}

static void test_commit_keeps_and_close_loses(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    scratch_add(scratch, alice, MESSAGE_IN, 1);
    scratch_commit(scratch);
    scratch_add(scratch, alice, MESSAGE_IN, 2);
    assert_int_equal(scratch_stored(scratch), 2);
    scratch_reopen(scratch);
    assert_int_equal(scratch_stored(scratch), 1);
}

static void test_dirty_from_the_first_write_to_the_commit(void **state)
{
    struct scratch *scratch = *state;
    assert_false(db_dirty(scratch->db));
    scratch_commit(scratch);
    int64_t alice = scratch_peer(scratch, "alice").id;
    assert_true(db_dirty(scratch->db));
    scratch_add(scratch, alice, MESSAGE_IN, 1);
    assert_true(db_dirty(scratch->db));
    scratch_commit(scratch);
    assert_false(db_dirty(scratch->db));
    scratch_stored(scratch);
    assert_false(db_dirty(scratch->db));
}

static void test_the_epoch_is_of_the_file(void **state)
{
    struct scratch *scratch = *state;
    char epoch[DB_EPOCH_MAX];
    snprintf(epoch, sizeof epoch, "%s", db_epoch(scratch->db));
    assert_int_equal(strspn(epoch, "0123456789abcdef"), 32);
    scratch_reopen(scratch);
    assert_string_equal(db_epoch(scratch->db), epoch);

    uint8_t instance[DB_INSTANCE_SIZE];
    memcpy(instance, db_instance(scratch->db), sizeof instance);
    scratch_reopen(scratch);
    assert_memory_equal(db_instance(scratch->db), instance, sizeof instance);

    void *other;
    scratch_set_up(&other);
    assert_string_not_equal(db_epoch(((struct scratch *)other)->db), epoch);
    assert_memory_not_equal(db_instance(((struct scratch *)other)->db), instance, sizeof instance);
    scratch_tear_down(&other);
}

static void test_the_size_grows(void **state)
{
    struct scratch *scratch = *state;
    uint64_t before = db_size(scratch->db);
    assert_true(before > 0);
    int64_t alice = scratch_peer(scratch, "alice").id;
    for (unsigned n = 1; n <= 500; n++)
        scratch_add(scratch, alice, MESSAGE_IN, n);
    assert_true(db_size(scratch->db) > before);
    scratch_reopen(scratch);
    assert_int_equal(db_size(scratch->db), before);
}

static void test_closing_nothing_is_allowed(void **state)
{
    (void)state;
    db_close(NULL);
}

/* Opens the database in another process, which has never had it, and holds it until it is killed.
 */
static pid_t open_elsewhere(struct scratch *scratch)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        if (db_open(&scratch->db, scratch->path) == 0 && write(ready[1], "!", 1) == 1)
            pause();
        _exit(1);
    }
    char mark;
    close(ready[1]);
    assert_int_equal(read(ready[0], &mark, 1), 1);
    close(ready[0]);
    return child;
}

static void test_a_second_process_is_locked_out(void **state)
{
    struct scratch *scratch = *state;
    db_close(scratch->db);
    scratch->db = NULL;
    pid_t child = open_elsewhere(scratch);
    assert_int_equal(db_open(&scratch->db, scratch->path), -EBUSY);
    assert_int_equal(db_open(&scratch->db, scratch->path), -EBUSY);
    assert_null(scratch->db);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(db_open(&scratch->db, scratch->path), 0);
}

static void test_opening_in_no_directory_fails(void **state)
{
    (void)state;
    struct db *db = NULL;
    assert_int_equal(db_open(&db, "/nonexistent/p2pchat.db"), -ENOENT);
    assert_int_equal(db_open(&db, "/dev/null/p2pchat.db"), -ENOTDIR);
    assert_null(db);
}

static void test_an_empty_file_is_a_new_database(void **state)
{
    struct scratch *scratch = *state;
    db_close(scratch->db);
    scratch->db = NULL;
    assert_int_equal(truncate(scratch->path, 0), 0);
    assert_int_equal(db_open(&scratch->db, scratch->path), 0);
    assert_int_equal(scratch_stored(scratch), 0);
}

static void test_somebody_elses_database_is_refused(void **state)
{
    struct scratch *scratch = *state;
    scratch_execute(scratch, "PRAGMA application_id = 1");
    db_close(scratch->db);
    scratch->db = NULL;
    assert_int_equal(db_open(&scratch->db, scratch->path), DB_DAMAGED);
}

static void test_a_newer_schema_is_refused_untouched(void **state)
{
    struct scratch *scratch = *state;
    scratch_execute(scratch, "PRAGMA user_version = 99");
    db_close(scratch->db);
    scratch->db = NULL;
    assert_int_equal(db_open(&scratch->db, scratch->path), DB_TOO_NEW);
    assert_int_equal(db_open(&scratch->db, scratch->path), DB_TOO_NEW);
}

static void test_the_log_does_not_grow_for_ever(void **state)
{
    struct scratch *scratch = *state;
    scratch_execute(scratch, "PRAGMA synchronous = OFF"); /* for speed */
    int64_t alice = scratch_peer(scratch, "alice").id;
    for (unsigned n = 1; n <= 2000; n++) {
        scratch_add(scratch, alice, MESSAGE_IN, n);
        scratch_commit(scratch);
    }
    char path[128];
    struct stat status;
    snprintf(path, sizeof path, "%s-wal", scratch->path);
    assert_int_equal(stat(path, &status), 0);
    assert_in_range(status.st_size, 1, 1100 * 4120);
    scratch_reopen(scratch);
    assert_int_equal(scratch_stored(scratch), 2000);
}

static void test_many_messages_are_counted_and_found(void **state)
{
    struct scratch *scratch = *state;
    int64_t alice = scratch_peer(scratch, "alice").id;
    for (unsigned n = 1; n <= 20000; n++)
        scratch_add(scratch, alice, n % 2 != 0 ? MESSAGE_IN : MESSAGE_OUT, n);
    scratch_commit(scratch);
    scratch_reopen(scratch);
    struct messages_size size;
    assert_int_equal(scratch_stored(scratch), 20000);
    assert_int_equal(queue_size(scratch->db, 0, &size), 0);
    assert_int_equal(size.messages, 10000);
    assert_int_equal(events_last(scratch->db), 20000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files_are_private, set_up_with_an_open_umask,
                                        scratch_tear_down),
        TEST(test_settings_are_in_force),
        TEST(test_commit_keeps_and_close_loses),
        TEST(test_dirty_from_the_first_write_to_the_commit),
        TEST(test_the_epoch_is_of_the_file),
        TEST(test_the_size_grows),
        cmocka_unit_test(test_closing_nothing_is_allowed),
        TEST(test_a_second_process_is_locked_out),
        cmocka_unit_test(test_opening_in_no_directory_fails),
        TEST(test_an_empty_file_is_a_new_database),
        TEST(test_somebody_elses_database_is_refused),
        TEST(test_a_newer_schema_is_refused_untouched),
        TEST(test_the_log_does_not_grow_for_ever),
        TEST(test_many_messages_are_counted_and_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
