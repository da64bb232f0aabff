/* SPDX-License-Identifier: ISC */
/*
 * Power is lost at every sync of a store at work, and again with other luck: whatever was
 * acknowledged is there, in order, and the store goes on.
 *
 * P2PCHAT_DEEP: 20,000 disks instead of 200, and the figures go to P2PCHAT_RESULTS.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "faults/lossy_vfs.h"
#include "store/db.h"
#include "store/events.h"
#include "store/messages.h"
#include "store/peers.h"
#include "unit/deep.h"

enum { TURNS = 400, TURN_MAX = 12, IMAGES = 200, IMAGES_DEEP = 20000 };

/* The store at work, and what it has promised. */
struct work {
    char path[64]; /* the name of the database; only its first, empty file is on a real disk */
    struct lossy_disk *disk;
    struct db *db;
    int64_t peer;
    unsigned added;        /* messages */
    unsigned acknowledged; /* of them */
    int64_t seq;           /* of the newest committed event */
    unsigned syncs;
    unsigned images;
    unsigned wanted; /* images in all */
    uint64_t random;
};

static uint64_t pick(struct work *work, uint64_t below)
{
    work->random = work->random * 6364136223846793005U + 1442695040888963407U;
    return (work->random >> 33) % below;
}

static struct uuid id_of(unsigned n)
{
    struct uuid id = {{1}};
    put_u32(id.bytes + 12, n);
    return id;
}

static int add(struct db *db, int64_t peer, unsigned n, size_t size)
{
    static const uint8_t body[8192];
    struct message_row row = {.peer = peer,
                              .direction = MESSAGE_IN,
                              .id = id_of(n),
                              .time_ms = n,
                              .body = SPAN(body, size),
                              .text_size = size};
    return messages_add(db, &row);
}

/* Messages come in the order in which they were added. */
static int check_order(void *context, const struct event_row *event)
{
    unsigned *count = context;
    struct uuid expected = id_of(*count);
    assert_non_null(event->message);
    assert_memory_equal(&event->message->id, &expected, sizeof expected);
    ++*count;
    return 0;
}

static int note_peer(void *context, const struct peer_row *row)
{
    *(int64_t *)context = row->id;
    return 0;
}

/* Opens what is left after a power loss, and looks for everything that was promised. */
static void check_image(const struct work *work, uint64_t seed)
{
    struct lossy_disk *found = lossy_power_loss(work->disk, seed);
    struct db *db = NULL;
    unsigned count = 0;
    int64_t peer = 0;
    lossy_mount(found);
    int r = db_open(&db, work->path);
    if (r != 0)
        fail_msg("sync %u, seed %llu: the store does not open: %d", work->syncs,
                 (unsigned long long)seed, r);
    assert_int_equal(events_each(db, 0, check_order, &count), 0);
    if (count < work->acknowledged || count > work->added)
        fail_msg("sync %u, seed %llu: %u messages, %u acknowledged", work->syncs,
                 (unsigned long long)seed, count, work->acknowledged);
    assert_true(events_last(db) >= work->seq);
    if (work->peer != 0) {
        assert_int_equal(peers_each(db, note_peer, &peer), 0);
        assert_int_equal(peer, work->peer);
        assert_int_equal(add(db, peer, count, 100), 0);
        assert_int_equal(db_commit(db), 0);
    }
    db_close(db);
    lossy_disk_free(found);
    lossy_mount(work->disk);
}

/* The images are spread over the syncs as evenly as their unknown number allows. */
static void on_sync(void *context)
{
    struct work *work = context;
    work->syncs++;
    const uint64_t due = (uint64_t)work->wanted * (work->added + 1) / (TURNS * (TURN_MAX - 1) / 2);
    while (work->images < due && work->images < work->wanted)
        check_image(work, 1000003ULL * work->syncs + work->images++);
}

static void do_turn(struct work *work)
{
    const uint64_t count = pick(work, TURN_MAX);
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(add(work->db, work->peer, work->added++, 1 + (size_t)pick(work, 6000)), 0);
    assert_int_equal(db_commit(work->db), 0);
    work->acknowledged = work->added;
    work->seq = events_last(work->db);
}

static void test_what_was_acknowledged_survives_a_power_loss(void **state)
{
    struct work work = {.random = 1, .wanted = deep() ? IMAGES_DEEP : IMAGES};
    struct peer_row alice = {.name = "alice"};
    (void)state;
    snprintf(work.path, sizeof work.path, "/tmp/p2pchat-power-loss-%d.db", (int)getpid());
    assert_int_equal(lossy_disk_new(&work.disk), 0);
    lossy_mount(work.disk);
    assert_int_equal(db_open(&work.db, work.path), 0);
    lossy_on_sync(work.disk, on_sync, &work);
    assert_int_equal(peers_add(work.db, &alice), 0);
    assert_int_equal(db_commit(work.db), 0);
    work.peer = alice.id;
    for (unsigned turn = 0; turn < TURNS || work.images < work.wanted; turn++)
        do_turn(&work);
    deep_result("power loss at each of %u syncs, with lost, torn and reordered writes: %u disks, "
                "each with all that was acknowledged",
                work.syncs, work.images);
    db_close(work.db);
    lossy_disk_free(work.disk);
    unlink(work.path);
}

static void ignore(const struct log_entry *entry)
{
    (void)entry;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_acknowledged_survives_a_power_loss),
    };
    log_set_sink(ignore);
    if (lossy_register() != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
