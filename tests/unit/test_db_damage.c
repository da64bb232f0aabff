/* SPDX-License-Identifier: ISC */
/*
 * Rows that the schema would refuse, as damage makes them: none is ever given to a reader, and the
 * store is refused from then on.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "store/invites.h"
#include "store/sql.h"
#include "unit/scratch_db.h"
#include "unit/whole_store.h"

static unsigned logged;

static void count(const struct log_entry *entry)
{
    (void)entry;
    logged++;
}

/* A row of every sort, and one that was removed. */
static void fill(struct scratch *scratch)
{
    const struct uuid last = scratch_id(1);
    struct invite_row invite = {.id = {1}, .sealed = {2}, .name = "carol"};
    struct peer_row alice = scratch_peer(scratch, "alice");
    alice.key[31] ^= 1;
    alice.offered = alice.invited = true;
    assert_int_equal(peers_update(scratch->db, &alice, 1), 0);
    assert_int_equal(invites_add(scratch->db, &invite), 0);
    struct message_row row = scratch_message(alice.id, MESSAGE_OUT, 1);
    row.client_id = "client";
    assert_int_equal(messages_add(scratch->db, &row), 0);
    assert_int_equal(queue_set_transmitted(scratch->db, row.seq, &last, 1), 0);
    scratch_add(scratch, alice.id, MESSAGE_IN, 2);
    scratch_add(scratch, alice.id, MESSAGE_OUT, 3);
    assert_int_equal(queue_set_state(scratch->db, 4, MESSAGE_FAILED, "why", 1), 0);
    struct event_row changed = {.type = EVENT_PEER_KEY_CHANGED, .peer = alice.id, .offered = true};
    assert_int_equal(events_add(scratch->db, &changed), 0);
    scratch_commit(scratch);
    scratch_execute(scratch, "INSERT INTO tombstone SELECT 99, randomblob(16), peer, type,"
                             " 3, 1 FROM log WHERE seq = 1");
    assert_int_equal(whole_store_read(scratch->db), 0);
}

/* The schema names no last state or type, so that it can get more: such a row is found when it is
 * read, any other when the store is opened. */
static const struct {
    const char *script;
    bool checked;
} impossible[] = {
    {"UPDATE log SET state = 8 WHERE type = 1", false},
    {"UPDATE log SET state = 14 WHERE type = 1", false},
    {"UPDATE log SET state = -1 WHERE type = 1", true},
    {"UPDATE log SET state = 4294967296 WHERE type = 1", false},
    {"UPDATE log SET state = 15 WHERE seq = 4", false}, /* a stray of which nothing is known */
    {"UPDATE log SET type = 5 WHERE type = 1", false},
    {"UPDATE log SET type = -1 WHERE type = 0", true},
    {"UPDATE log SET trust = 5 WHERE type = 1", false},
    {"UPDATE log SET trust = 5 WHERE type = 2", false},
    {"UPDATE log SET id = x'00' WHERE seq = 1", true},
    {"UPDATE log SET detail = x'' WHERE seq = 4", false},
    {"UPDATE log SET detail = x'' WHERE type = 2", false},
    {"UPDATE log SET detail = zeroblob(13) WHERE type = 2", false},
    {"UPDATE log SET detail = zeroblob(14) WHERE type = 2", false},
    {"UPDATE log SET detail = x'00010000000000000001ffffffff' WHERE type = 2", false},
    {"UPDATE log SET detail = x'00017fffffffffffffff00000001' WHERE type = 2", false},
    {"UPDATE log SET state = 8 WHERE type = 2", false},
    {"UPDATE log SET detail = zeroblob(33) WHERE type = 3", false},
    {"UPDATE extra SET state = 0", false},
    {"UPDATE extra SET state = 3", false},
    {"UPDATE extra SET prev = x'00'", true},
    {"UPDATE peer SET trust = 5", true},
    {"UPDATE peer SET key = zeroblob(33)", true},
    {"UPDATE peer SET offered_key = x'00'", true},
    {"UPDATE peer SET invite_sealed = zeroblob(17)", true},
    {"UPDATE peer_old_key SET key = zeroblob(31)", true},
    {"UPDATE invite SET id = x'00'", true},
    {"UPDATE invite SET sealed = zeroblob(1000)", false},
};

static void damage(struct scratch *scratch, const char *script)
{
    scratch_execute(scratch, "PRAGMA ignore_check_constraints = ON");
    scratch_execute(scratch, script);
    scratch_execute(scratch, "PRAGMA ignore_check_constraints = OFF");
    logged = 0;
}

static void test_an_impossible_value_fails_the_database_for_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        void *fresh = NULL;
        assert_int_equal(scratch_set_up(&fresh), 0);
        struct scratch *scratch = fresh;
        fill(scratch);
        damage(scratch, impossible[i].script);
        if (whole_store_read(scratch->db) != -EIO)
            fail_msg("it was read: %s", impossible[i].script);
        assert_int_equal(whole_store_read(scratch->db), -EIO);
        assert_int_equal(db_commit(scratch->db), -EIO);
        assert_int_equal(logged, 1);
        db_close(scratch->db);
        scratch->db = NULL;
        int r = db_open(&scratch->db, scratch->path);
        if (impossible[i].checked ? r != DB_DAMAGED
                                  : r == 0 && whole_store_read(scratch->db) != -EIO)
            fail_msg("it was opened: %s", impossible[i].script);
        assert_int_equal(scratch_tear_down(&fresh), 0);
    }
}

static int refuse(void *context, const struct message_row *row)
{
    (void)context;
    (void)row;
    fail_msg("a damaged row was given to a reader");
    return 0;
}

/* After the first of them nothing is read any more, so each has its turn anew. */
static void assert_damaged(struct scratch *scratch, int r)
{
    assert_int_equal(r, -EIO);
    assert_true(scratch->db->failed);
    scratch->db->failed = false;
}

static void test_no_walk_gives_a_damaged_message(void **state)
{
    struct scratch *scratch = *state;
    const struct messages_filter everything = {.limit = 10};
    const struct uuid id = scratch_id(1), previous = {{7}};
    fill(scratch);
    damage(scratch, "UPDATE log SET trust = 9; UPDATE tombstone SET state = 8;"
                    "UPDATE peer SET trust = 5");
    struct db *db = scratch->db;
    assert_damaged(scratch, messages_get(db, &id, refuse, NULL));
    assert_damaged(scratch, messages_newest(db, &everything, refuse, NULL));
    assert_damaged(scratch, queue_each(db, 1, 0, 10, refuse, NULL));
    assert_damaged(scratch, messages_at(db, 1, refuse, NULL));
    assert_damaged(scratch, messages_at(db, 99, refuse, NULL));
    assert_damaged(scratch, queue_set_state(db, 1, MESSAGE_QUEUED, NULL, 1));
    assert_int_equal(queue_set_transmitted(db, 99, &previous, 1), DB_NOT_FOUND);
}

static void test_an_invite_with_a_damaged_secret_is_not_given(void **state)
{
    struct scratch *scratch = *state;
    const uint8_t id[INVITE_ROW_ID_SIZE] = {1};
    struct invite_row row;
    fill(scratch);
    damage(scratch, "UPDATE invite SET sealed = x''");
    assert_damaged(scratch, invites_get(scratch->db, id, &row));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_impossible_value_fails_the_database_for_good),
        TEST(test_no_walk_gives_a_damaged_message),
        TEST(test_an_invite_with_a_damaged_secret_is_not_given),
    };
    log_set_sink(count);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
