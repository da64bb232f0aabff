/* SPDX-License-Identifier: ISC */
/*
 * A database in a directory of its own, for the tests of store/.
 */
#include "unit/scratch_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/sql.h"

enum { TEXTS = 64, TEXT_MAX = 16 };

int scratch_set_up(void **state)
{
    struct scratch *scratch = calloc(1, sizeof *scratch);
    assert_non_null(scratch);
    snprintf(scratch->directory, sizeof scratch->directory, "/tmp/p2pchat-store-XXXXXX");
    assert_non_null(mkdtemp(scratch->directory));
    snprintf(scratch->path, sizeof scratch->path, "%s/p2pchat.db", scratch->directory);
    assert_int_equal(db_open(&scratch->db, scratch->path), 0);
    *state = scratch;
    return 0;
}

int scratch_tear_down(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    struct scratch *scratch = *state;
    db_close(scratch->db);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", scratch->path, suffixes[i]);
        unlink(path);
    }
    int r = rmdir(scratch->directory);
    free(scratch);
    return r;
}

void scratch_reopen(struct scratch *scratch)
{
    db_close(scratch->db);
    scratch->db = NULL;
    assert_int_equal(db_open(&scratch->db, scratch->path), 0);
}

void scratch_commit(struct scratch *scratch)
{
    assert_int_equal(db_commit(scratch->db), 0);
}

void scratch_execute(struct scratch *scratch, const char *script)
{
    assert_int_equal(sqlite3_exec(scratch->db->sqlite, script, NULL, NULL, NULL), SQLITE_OK);
}

uint64_t scratch_stored(struct scratch *scratch)
{
    struct messages_size size;
    assert_int_equal(messages_count(scratch->db, &size), 0);
    return size.messages;
}

int scratch_in_child(int (*body)(struct scratch *scratch), struct scratch *scratch)
{
    pid_t child = fork();
    if (child == 0)
        _exit(body(scratch));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

struct peer_row scratch_peer(struct scratch *scratch, const char *name)
{
    struct peer_row row = {.pinned = true, .trust = PEER_TOFU, .created_ms = 1};
    snprintf(row.name, sizeof row.name, "%s", name);
    memcpy(row.key, name, strlen(name));
    assert_int_equal(peers_add(scratch->db, &row), 0);
    assert_true(row.id > 0);
    return row;
}

struct uuid scratch_id(unsigned n)
{
    struct uuid id = {{0x01, 0x93}};
    put_u32(id.bytes + UUID_SIZE - 4, n);
    return id;
}

struct message_row scratch_message(int64_t peer, enum message_direction direction, unsigned n)
{
    static char texts[TEXTS][TEXT_MAX]; /* rows only borrow their bodies */
    char *text = texts[n % TEXTS];
    int length = snprintf(text, TEXT_MAX, "text %u", n);
    return (struct message_row){
        .peer = peer,
        .direction = direction,
        .id = scratch_id(n),
        .state = direction == MESSAGE_IN ? MESSAGE_RECEIVED : MESSAGE_QUEUED,
        .trust = PEER_TOFU,
        .time_ms = n * 1000,
        .sent_ms = n * 1000 - 1,
        .body = SPAN(text, (size_t)length),
        .text_size = (size_t)length,
    };
}

struct message_row scratch_add(struct scratch *scratch, int64_t peer,
                               enum message_direction direction, unsigned n)
{
    struct message_row row = scratch_message(peer, direction, n);
    assert_int_equal(messages_add(scratch->db, &row), 0);
    assert_true(row.seq > 0);
    return row;
}
