/* SPDX-License-Identifier: ISC */
/*
 * Stores of older versions are taken over with all that is in them; one that could not be taken
 * over, because the process died or the disk was full, is as it was.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "store/consumers.h"
#include "store/expiry.h"
#include "store/footprint.h"
#include "store/inbound.h"
#include "store/log.h"
#include "store/requests.h"
#include "store/schema.h"
#include "store/sql.h"
#include "unit/deep.h"
#include "unit/scratch_db.h"

enum {
    COUNT = 3000,
    COUNT_DEEP = 1000000,
    KILLS = 8,
    QUEUED_TEXT = 5,
};

static unsigned count_of_messages(void)
{
    return deep() ? COUNT_DEEP : COUNT;
}

static void run(sqlite3 *sqlite, const char *script)
{
    char *error = NULL;
    if (sqlite3_exec(sqlite, script, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", script, error);
}

/* Makes an empty store of an older version. */
static sqlite3 *make_old(struct scratch *scratch, int version)
{
    sqlite3 *sqlite;
    char mark[96];
    db_close(scratch->db);
    scratch->db = NULL;
    unlink(scratch->path);
    assert_int_equal(sqlite3_open(scratch->path, &sqlite), SQLITE_OK);
    assert_int_equal(log_register(sqlite), SQLITE_OK);
    assert_int_equal(footprint_register(sqlite), SQLITE_OK);
    run(sqlite, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; BEGIN");
    for (int i = 0; i < version; i++)
        run(sqlite, schema_migrations[i]);
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             SCHEMA_APPLICATION_ID, version);
    run(sqlite, mark);
    return sqlite;
}

static void close_old(sqlite3 *sqlite)
{
    run(sqlite, "COMMIT");
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
}

/*
 * As version 3 had it: message n has seq n, every second was received, the others are in each state
 * in turn; an event tells of each that left QUEUED. The id of message n ends in n.
 */
static void fill_old(sqlite3 *sqlite, unsigned count)
{
    char script[2400];
    run(sqlite, "INSERT INTO peer (name, key, trust, last_in, last_out, created_ms) VALUES"
                " ('alice', zeroblob(32), 2, x'000000000000000000000000000000aa',"
                "  x'000000000000000000000000000000bb', 5);"
                "INSERT INTO peer_address VALUES (1, 0, 'alice.example', 8766),"
                "  (1, 1, '192.0.2.1', 1);"
                "INSERT INTO consumer VALUES ('mail', 17, 18)");
    snprintf(script, sizeof script,
             "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < %u)"
             " INSERT INTO event (seq, type, time_ms, peer, trust)"
             " SELECT n, iif(n %% 2, 0, 1), n * 1000, 1, 2 FROM n;"
             "INSERT INTO message (seq, peer, direction, id, previous, state, trust, time_ms,"
             " sent_ms, expires_ms, client_id, text_size, body)"
             " SELECT seq, 1, type, unhex_id(seq), iif(type = 0 OR seq / 2 %% 7 > 0,"
             "  unhex_id(seq - 1), NULL), iif(type = 0, 0, 1 + seq / 2 %% 7), 2, time_ms,"
             "  time_ms - type, iif(type = 0, 0, 9000000000 + seq),"
             "  iif(type = 0, NULL, 'client-' || (seq / 4)), 5, CAST('sealed' || seq AS BLOB)"
             " FROM event ORDER BY seq;"
             "INSERT INTO event (type, time_ms, peer, trust, message, state, reason)"
             " SELECT 2, time_ms + 1, 1, 2, seq, state, iif(state = 6, 'why', NULL)"
             " FROM message WHERE direction = 1 AND state > 1 ORDER BY seq;"
             "INSERT INTO event (type, time_ms, peer, trust, offered_key)"
             " VALUES (3, 7, 1, 3, zeroblob(32));"
             "INSERT INTO tombstone VALUES (x'000000000000000000000000000000cc', 1, 0, 0, 0, NULL,"
             "  77)",
             count);
    run(sqlite, script);
}

static void sql_id(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct uuid id = scratch_id((unsigned)sqlite3_value_int64(values[0]));
    (void)count;
    sqlite3_result_blob(context, id.bytes, UUID_SIZE, SQLITE_TRANSIENT);
}

static void make_filled(struct scratch *scratch, unsigned count)
{
    sqlite3 *sqlite = make_old(scratch, 3);
    assert_int_equal(
        sqlite3_create_function(sqlite, "unhex_id", 1, SQLITE_UTF8, NULL, sql_id, NULL, NULL),
        SQLITE_OK);
    fill_old(sqlite, count);
    close_old(sqlite);
}

/* --- what has to be there --------------------------------------------------------------------- */

static enum message_state expected_state(int64_t seq)
{
    return seq % 2 ? MESSAGE_RECEIVED : (enum message_state)(1 + seq / 2 % 7);
}

static int check_message(void *context, const struct message_row *row)
{
    const int64_t n = row->seq;
    const struct uuid id = scratch_id((unsigned)n);
    char body[32];
    snprintf(body, sizeof body, "sealed%lld", (long long)n);
    assert_true(uuid_equal(&row->id, &id));
    assert_int_equal(row->direction, n % 2 ? MESSAGE_IN : MESSAGE_OUT);
    assert_int_equal(row->state, expected_state(n));
    assert_int_equal(row->trust, PEER_VERIFIED);
    assert_int_equal(row->time_ms, n * 1000);
    assert_int_equal(row->sent_ms, n * 1000 - (n % 2 == 0));
    assert_int_equal(row->text_size, QUEUED_TEXT);
    assert_int_equal(row->body.size, strlen(body));
    assert_memory_equal(row->body.data, body, row->body.size);
    if (row->direction == MESSAGE_OUT) {
        assert_int_equal(row->expires_ms, 9000000000 + n);
        assert_int_equal(row->transmitted, row->state != MESSAGE_QUEUED);
        assert_non_null(row->client_id);
    }
    ++*(unsigned *)context;
    return 0;
}

struct told {
    int64_t last;
    unsigned messages, states, keys;
};

static int check_event(void *context, const struct event_row *event)
{
    struct told *told = context;
    assert_int_equal(event->seq, told->last + 1);
    told->last = event->seq;
    told->messages += event->type <= EVENT_MESSAGE_SENT;
    told->states += event->type == EVENT_MESSAGE_STATE;
    told->keys += event->type == EVENT_PEER_KEY_CHANGED && event->offered;
    if (event->type == EVENT_MESSAGE_STATE) {
        assert_int_equal(event->state, expected_state(event->message->seq));
        assert_int_equal(event->reason != NULL, event->state == MESSAGE_FAILED);
    }
    return 0;
}

struct due {
    int64_t last;
    unsigned sent, queued;
};

/* What was transmitted goes first, as it was; both in the order of version 3. */
static int check_due(void *context, const struct message_row *row)
{
    struct due *due = context;
    const struct uuid before = scratch_id((unsigned)row->seq - 1);
    if (row->transmitted) {
        assert_int_equal(due->queued, 0);
        assert_true(uuid_equal(&row->previous, &before));
        due->sent++;
    } else {
        if (due->queued++ == 0)
            due->last = 0;
    }
    assert_true(row->seq > due->last);
    due->last = row->seq;
    return row->transmitted ? 0 : 1;
}

static int check_peer(void *context, const struct peer_row *row)
{
    (void)context;
    assert_string_equal(row->name, "alice");
    assert_int_equal(row->trust, PEER_VERIFIED);
    assert_int_equal(row->address_count, 2);
    assert_string_equal(row->addresses[0].host, "alice.example");
    assert_int_equal(row->addresses[0].port, 8766);
    assert_string_equal(row->addresses[1].host, "192.0.2.1");
    return 0;
}

static unsigned count_state(unsigned count, enum message_state state)
{
    unsigned n = 0;
    for (int64_t seq = 2; seq <= count; seq += 2)
        n += expected_state(seq) == state;
    return n;
}

static void check_queue(struct db *db, unsigned count)
{
    const unsigned sent = count_state(count, MESSAGE_SENT);
    const unsigned queued = count_state(count, MESSAGE_QUEUED);
    struct queue_session session = {0};
    struct due due = {0};
    struct messages_size size;
    uint64_t next;
    assert_int_equal(queue_size(db, 1, &size), 0);
    assert_int_equal(size.messages, sent + queued);
    assert_int_equal(size.bytes, QUEUED_TEXT * (sent + queued));
    assert_int_equal(queue_each_due(db, 1, &session, check_due, &due), 0);
    assert_int_equal(due.sent, sent);
    assert_int_equal(due.queued, queued > 0);
    assert_int_equal(expiry_next(db, &next), 0);
    assert_int_equal(next, 9000000000 + 2);
}

static void check_all(struct db *db, unsigned count)
{
    struct told told = {0};
    struct messages_filter all = {.limit = count + 1};
    struct messages_filter of_peer = {.peer = 1, .limit = count + 1};
    struct request_row request = {.client_id = "client-1"};
    struct uuid last, removed = {{0}}, expected = {{0}};
    unsigned seen = 0, seen_of_peer = 0;
    int64_t consumer;
    removed.bytes[15] = 0xcc;
    assert_int_equal(messages_newest(db, &all, check_message, &seen), 0);
    assert_int_equal(seen, count);
    assert_int_equal(messages_newest(db, &of_peer, check_message, &seen_of_peer), 0);
    assert_int_equal(seen_of_peer, count);
    assert_int_equal(events_each(db, 0, check_event, &told), 0);
    assert_int_equal(told.messages, count);
    assert_int_equal(told.states, count / 2 - count_state(count, MESSAGE_QUEUED));
    assert_int_equal(told.keys, 1);
    assert_int_equal(told.last, events_last(db));
    assert_int_equal(messages_last(db, 1, MESSAGE_IN, &last), 0);
    expected.bytes[15] = 0xaa;
    assert_true(uuid_equal(&last, &expected));
    assert_int_equal(messages_last(db, 1, MESSAGE_OUT, &last), 0);
    expected.bytes[15] = 0xbb;
    assert_true(uuid_equal(&last, &expected));
    assert_int_equal(messages_known(db, 1, MESSAGE_IN, &removed), 0);
    assert_int_equal(requests_find(db, &request), 0);
    assert_int_equal(request.first, 4);
    assert_int_equal(request.count, 2);
    assert_false(request.compared);
    assert_int_equal(consumers_find(db, "mail", &consumer), 0);
    assert_int_equal(consumer, 17);
    assert_int_equal(peers_each(db, check_peer, NULL), 0);
    check_queue(db, count);
}

/* A store that was taken over works on: one more message gets the next seq and the last place. */
static void check_goes_on(struct scratch *scratch, unsigned count)
{
    const int64_t last = events_last(scratch->db);
    struct messages_size before, after;
    assert_int_equal(queue_size(scratch->db, 1, &before), 0);
    assert_int_equal(scratch_add(scratch, 1, MESSAGE_OUT, count + 5).seq, last + 1);
    scratch_commit(scratch);
    scratch_reopen(scratch);
    assert_int_equal(queue_size(scratch->db, 1, &after), 0);
    assert_int_equal(after.messages, before.messages + 1);
    assert_int_equal(events_last(scratch->db), last + 1);
}

/* One message of 4 bytes that was received from a peer, and the id of one that was removed. */
static const char one_message[] =
    "INSERT INTO peer (name, trust, last_in, last_out, created_ms)"
    " VALUES ('alice', 0, zeroblob(16), zeroblob(16), 5);"
    "INSERT INTO event (type, time_ms, peer, trust) VALUES (0, 6000, 1, 0), (0, 7000, 1, 0);"
    "INSERT INTO message (seq, peer, direction, id, state, trust, time_ms, sent_ms,"
    " expires_ms, text_size, body) VALUES (2, 1, 0, zeroblob(16), 0, 0, 7000, 6, 0, 4, x'00');"
    "INSERT INTO tombstone VALUES (x'000000000000000000000000000000cc', 1, 0, 1, 0, NULL, 77)";

/* The same, as it is since version 4. */
static const char one_message_logged[] =
    "INSERT INTO peer (name, trust, created_ms) VALUES ('alice', 0, 5);"
    "INSERT INTO log (seq, type, peer, trust, time_ms, id, sent_ms, text_size, body)"
    " VALUES (2, 0, 1, 0, 7000, zeroblob(16), 6, 4, x'00');"
    "INSERT INTO message_of_peer VALUES (1, 0, 2);"
    "INSERT INTO peer_mark (peer, messages, bytes) VALUES (1, 1, 4);"
    "UPDATE meta SET settled = 2;"
    "INSERT INTO tombstone VALUES (1, x'000000000000000000000000000000cc', 1, 0, 0, 77)";

static void test_each_older_version_is_taken_over(void **state)
{
    struct scratch *scratch = *state;
    for (int version = 1; version < schema_version; version++) {
        sqlite3 *sqlite = make_old(scratch, version);
        uint64_t inbound;
        run(sqlite, version < 4 ? one_message : one_message_logged);
        if (version >= 5)
            run(sqlite, "UPDATE peer_mark SET inbound = inbound_size(4) + 100");
        close_old(sqlite);
        assert_int_equal(db_open(&scratch->db, scratch->path), 0);
        assert_int_equal(scratch_stored(scratch), 1);
        assert_int_equal(inbound_bytes(scratch->db, 1, &inbound), 0);
        assert_int_equal(inbound, footprint_of(4) + INBOUND_ID_BYTES);
        check_goes_on(scratch, 10);
        scratch_reopen(scratch);
        assert_int_equal(scratch_stored(scratch), 2);
    }
}

static void test_everything_is_taken_over(void **state)
{
    struct scratch *scratch = *state;
    const unsigned count = count_of_messages();
    make_filled(scratch, count);
    assert_int_equal(db_open(&scratch->db, scratch->path), 0);
    check_all(scratch->db, count);
    scratch_reopen(scratch);
    check_all(scratch->db, count);
    check_goes_on(scratch, count);
    deep_result("a store of version 3 with %u messages is taken over with all that is in it",
                count);
}

/* --- when it can't be ------------------------------------------------------------------------- */

static int64_t version_of(struct scratch *scratch)
{
    sqlite3 *sqlite;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(scratch->path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite, "PRAGMA user_version", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t version = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(sqlite);
    return version;
}

static off_t log_size(const struct scratch *scratch)
{
    char path[128];
    struct stat status;
    snprintf(path, sizeof path, "%s-wal", scratch->path);
    return stat(path, &status) == 0 ? status.st_size : 0;
}

/* Opens the store in a process that is killed when the log is so long. Whether it was in time. */
static bool kill_at(struct scratch *scratch, off_t size)
{
    pid_t child = fork();
    if (child == 0)
        _exit(db_open(&scratch->db, scratch->path) == 0 ? 0 : 1);
    int status = 0;
    pid_t ended = 0;
    while (ended == 0 && log_size(scratch) < size)
        ended = waitpid(child, &status, WNOHANG);
    if (ended == 0) {
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
    }
    return WIFSIGNALED(status);
}

static void test_a_kill_in_the_middle_leaves_the_old_or_the_new(void **state)
{
    struct scratch *scratch = *state;
    const unsigned count = deep() ? 100000 : 20000;
    unsigned old = 0;
    make_filled(scratch, count);
    for (unsigned i = 0; i < KILLS; i++) {
        if (!kill_at(scratch, 32 + (off_t)i * count * 40))
            break;
        const int64_t version = version_of(scratch);
        assert_in_range(version, 3, schema_version);
        old += version == 3;
        if (version > 3)
            break;
    }
    assert_true(old > 0);
    assert_int_equal(db_open(&scratch->db, scratch->path), 0);
    check_all(scratch->db, count);
}

enum { NOT_ALLOWED = 77 };

/* On a file system that has no room for both. */
static int migrate_without_room(struct scratch *scratch)
{
    char options[32];
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", scratch->directory, "tmpfs", 0, "size=64m") != 0)
        return NOT_ALLOWED;
    make_filled(scratch, 20000);
    struct stat status;
    if (stat(scratch->path, &status) != 0)
        return 1;
    snprintf(options, sizeof options, "size=%lld", (long long)status.st_size * 3 / 2);
    if (mount("none", scratch->directory, "tmpfs", MS_REMOUNT, options) != 0)
        return 2;
    if (db_open(&scratch->db, scratch->path) != -ENOSPC)
        return 3;
    if (mount("none", scratch->directory, "tmpfs", MS_REMOUNT, "size=64m") != 0)
        return 4;
    if (version_of(scratch) != 3 || db_open(&scratch->db, scratch->path) != 0)
        return 5;
    check_all(scratch->db, 20000);
    return 0;
}

static void test_a_full_disk_leaves_the_old(void **state)
{
    struct scratch *scratch = *state;
    int status = scratch_in_child(migrate_without_room, scratch);
    if (status == NOT_ALLOWED)
        skip();
    assert_int_equal(status, 0);
}

static void ignore(const struct log_entry *entry)
{
    (void)entry;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_older_version_is_taken_over),
        TEST(test_everything_is_taken_over),
        TEST(test_a_kill_in_the_middle_leaves_the_old_or_the_new),
        TEST(test_a_full_disk_leaves_the_old),
    };
    log_set_sink(ignore);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
