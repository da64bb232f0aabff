/* SPDX-License-Identifier: ISC */
/*
 * How SQLite carries out each statement of the store: by an index or in the order of the log, and
 * without sorting. Which statements there are is taken from what a store has prepared after it was
 * used in every way.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/calls.h"
#include "store/consumers.h"
#include "store/expiry.h"
#include "store/handover.h"
#include "store/invites.h"
#include "store/marks.h"
#include "store/requests.h"
#include "store/retention.h"
#include "store/served.h"
#include "store/settle.h"
#include "store/sql.h"
#include "unit/scratch_db.h"
#include "unit/whole_store.h"

static int reseal(void *context, const struct message_row *row, struct bytes *body)
{
    (void)context;
    return bytes_append(body, row->body.data, row->body.size);
}

static int pass(void *context, const struct message_row *row)
{
    (void)context;
    (void)row;
    return 0;
}

/* What a session takes. */
static int transmit(void *context, const struct message_row *row)
{
    struct uuid last;
    assert_int_equal(messages_last(context, row->peer, MESSAGE_OUT, &last), 0);
    return row->transmitted ? 0 : queue_set_transmitted(context, row->seq, &last, 1);
}

static int visit_consumer(void *context, const struct consumer_row *row)
{
    (void)context;
    (void)row;
    return 0;
}

static int visit_call(void *context, const struct call_row *row)
{
    (void)context;
    (void)row;
    return 0;
}

static int visit_served(void *context, const struct served_row *row)
{
    (void)context;
    (void)row;
    return 0;
}

/* Requests of a peer in every state, and one of ours with its result. */
static void use_calls(struct scratch *scratch, int64_t peer)
{
    static const uint8_t claim[CALL_CLAIM_SIZE] = {1};
    const struct served_row served = {.name = "it", .peer_count = 1, .peers = {peer}};
    const struct call_result result = {0, 0, 1};
    struct db *db = scratch->db;
    struct call_result found;
    assert_int_equal(served_put(db, &served), 0);
    assert_int_equal(served_merge(db, peer, peer + 1), 0);
    assert_int_equal(served_each(db, visit_served, NULL), 0);
    for (unsigned n = 900; n < 903; n++) {
        struct message_row row = scratch_message(peer, MESSAGE_IN, n);
        row.kind = MESSAGE_REQUEST;
        assert_int_equal(messages_add(db, &row), 0);
        const struct call_row call = {.seq = row.seq, .peer = peer, .service = "it"};
        assert_int_equal(calls_add(db, &call), 0);
        if (n > 900)
            assert_int_equal(calls_claim(db, row.seq, claim), 0);
        if (n > 901)
            assert_int_equal(calls_end(db, row.seq, 0, 0), 0);
    }
    const struct uuid id = scratch_id(902);
    assert_int_equal(calls_ended_as(db, &id, 0, 0), 0);
    assert_int_equal(calls_each_open(db, visit_call, NULL), 0);
    const struct message_row request = scratch_add(scratch, peer, MESSAGE_OUT, 903);
    assert_int_equal(calls_set_result(db, &request, &result), 0);
    assert_int_equal(calls_find_result(db, request.seq, &found), 0);
    assert_int_equal(served_remove(db, "it"), 0);
}

/* Messages of a peer in every state, some settled and some not. */
static void fill(struct scratch *scratch, int64_t peer, unsigned from)
{
    struct db *db = scratch->db;
    struct uuid odd = scratch_id(7), last;
    for (unsigned n = from; n < from + 8; n++) {
        struct message_row row = scratch_message(peer, MESSAGE_OUT, n);
        row.expires_ms = 100000 - n;
        assert_int_equal(messages_add(db, &row), 0);
        if (n % 8 == 0 || n % 8 == 5)
            assert_int_equal(queue_set_transmitted(db, row.seq, &odd, 1), 0);
        if (n % 8 == 1 || n % 8 == 2) {
            assert_int_equal(messages_last(db, peer, MESSAGE_OUT, &last), 0);
            assert_int_equal(queue_set_transmitted(db, row.seq, &last, 1), 0);
        }
        if (n % 8 == 3)
            assert_int_equal(queue_set_state(db, row.seq, MESSAGE_CANCELLED, NULL, 1), 0);
        scratch_add(scratch, peer, MESSAGE_IN, n + 1000);
    }
}

static void read_all(struct scratch *scratch, int64_t peer)
{
    struct db *db = scratch->db;
    struct messages_filter filter = {.peer = peer, .since_ms = 1, .limit = 100};
    struct queue_session session = {0};
    const struct uuid id = scratch_id(16);
    uint64_t next;
    int64_t after;
    assert_int_equal(whole_store_read(db), 0);
    assert_int_equal(messages_newest(db, &filter, pass, NULL), 0);
    filter.queued_only = true;
    assert_int_equal(messages_newest(db, &filter, pass, NULL), 0);
    assert_int_equal(queue_each(db, peer, 0, 100, pass, NULL), 0);
    assert_int_equal(messages_at(db, 1, pass, NULL), 0);
    assert_int_equal(messages_at(db, 9999, pass, NULL), DB_NOT_FOUND);
    assert_int_equal(messages_known(db, peer, MESSAGE_OUT, &id), 0);
    assert_int_equal(expiry_next(db, &next), 0);
    assert_int_equal(events_tail(db, peer, 3, &after), 0);
    assert_int_equal(events_tail(db, 0, 3, &after), 0);
    assert_int_equal(queue_each_due(db, peer, &session, transmit, db), 0);
}

static void use(struct scratch *scratch)
{
    struct db *db = scratch->db;
    const int64_t alice = scratch_peer(scratch, "alice").id;
    const int64_t bob = scratch_peer(scratch, "bob").id;
    struct request_row request = {.client_id = "c", .first = 1, .count = 1};
    const struct consumer_row consumer = {"mail", 1, 1};
    const struct retention retention = {.before_ms = 3000, .keep_messages = 30};
    const struct uuid late = {{0xff}};
    unsigned count;
    bool more;
    int64_t seq;
    fill(scratch, alice, 8);
    assert_int_equal(settle_all(db), 0);
    fill(scratch, alice, 16);
    fill(scratch, bob, 24);
    use_calls(scratch, alice);
    assert_int_equal(requests_add(db, &request), 0);
    assert_int_equal(requests_find(db, &request), 0);
    assert_int_equal(consumers_set(db, &consumer), 0);
    assert_int_equal(consumers_find(db, "mail", &seq), 0);
    assert_int_equal(consumers_each(db, visit_consumer, NULL), 0);
    scratch_commit(scratch);
    read_all(scratch, alice);
    scratch_commit(scratch);
    struct handover handover = {.from = bob, .to = alice};
    for (bool left = true; left;)
        assert_int_equal(handover_step(db, &handover, reseal, NULL, &left), 0);
    read_all(scratch, alice);
    assert_int_equal(expiry_apply(db, 99000, &count), 0);
    assert_int_equal(retention_apply(db, &retention, 1000000, &count), 0);
    assert_int_equal(retention_purge(db, alice, 0, 1000000, &count), 0);
    assert_int_equal(retention_purge(db, 0, 0, 1000000, &count), 0);
    assert_int_equal(messages_known(db, alice, MESSAGE_IN, &late), DB_NOT_FOUND);
    assert_int_equal(retention_forget_ids(db, UINT64_MAX / 4, &count, &more), 0);
    assert_int_equal(consumers_remove(db, "mail"), 0);
    scratch_commit(scratch);
    scratch_execute(scratch, "INSERT INTO tombstone VALUES (1, zeroblob(16), 1, 0, 0, 0)");
    assert_int_equal(marks_load(db), 0);
}

/* What may be gone through as a whole, because it is small or because all of it is wanted. */
static const char *const whole[] = {
    "SCAN meta",     "SCAN life",      "SCAN CONSTANT ROW",
    "SCAN consumer", "SCAN peer_mark", "SCAN peer",
    "SCAN invite",   "SCAN expiry",    "SCAN p",
    "SCAN e",        "SCAN minute",    "SCAN pragma_page_count",
    "SCAN o",        "SCAN (subquery", "SCAN n",
    "SCAN service",
};

/* Statements that read the log from one end until they have enough. */
static const char *const walks[] = {
    "WHERE m.type <= 1 AND ?1 = 0",      /* purges what is there */
    "WHERE m.type <= 2 ORDER BY m.seq",  /* removes the oldest */
    "WHERE ?2 = 0 AND type = 0 AND seq", /* the newest that were received */
    /* once, when two peers turn out to be one */
    "UPDATE log SET peer = ? WHERE peer = ? AND type = 2",
    "UPDATE tombstone SET peer",
};

/* Statements that sort what is little. */
static const char *const sorts[] = {"FROM consumer", "FROM invite", "WHERE m.id = ?",
                                    "WHERE e.call IN (0, 1)"};

/* Those that go through the few rows of an index, not through the table. */
static const char *const indexed[] = {"WHERE e.call IN (0, 1)"};

static bool contains_one(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(text, list[i]) != NULL)
            return true;
    return false;
}

#define CONTAINS_ONE(text, list) contains_one(text, list, sizeof list / sizeof *list)

static unsigned faults;

static void check_step(const char *statement, const char *step)
{
    if (strncmp(step, "SCAN", 4) == 0 && !CONTAINS_ONE(step, whole) &&
        !CONTAINS_ONE(statement, walks))
        print_error("%s: %s\n", step, statement), faults++;
    if (strncmp(step, "SCAN", 4) == 0 && strstr(step, "USING INDEX") == NULL &&
        CONTAINS_ONE(statement, indexed))
        print_error("%s: %s\n", step, statement), faults++;
    if (strstr(step, "TEMP B-TREE") != NULL && !CONTAINS_ONE(statement, sorts))
        print_error("%s: %s\n", step, statement), faults++;
}

static void check_plan(struct db *db, const char *statement)
{
    sqlite3_stmt *plan;
    char *text = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", statement);
    assert_int_equal(sqlite3_prepare_v2(db->sqlite, text, -1, &plan, NULL), SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW)
        check_step(statement, (const char *)sqlite3_column_text(plan, 3));
    sqlite3_finalize(plan);
    sqlite3_free(text);
}

static void test_no_statement_searches_or_sorts_the_log(void **state)
{
    struct scratch *scratch = *state;
    struct db *db = scratch->db;
    use(scratch);
    printf("%u statements\n", db->cached);
    assert_in_range(db->cached, 80, SQL_CACHE_SIZE - 1); /* so that none was left out */
    for (unsigned i = 0; i < db->cached; i++)
        check_plan(db, db->cache[i].text);
    assert_int_equal(faults, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_statement_searches_or_sorts_the_log, scratch_set_up,
                                        scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
