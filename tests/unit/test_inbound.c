/* SPDX-License-Identifier: ISC */
/*
 * What a peer's messages take on the disk: as much as they do, and counted through all that becomes
 * of them.
 */
#include "store/inbound.h"

#include <stdlib.h>
#include <string.h>

#include "store/footprint.h"
#include "store/handover.h"
#include "store/retention.h"
#include "store/settle.h"
#include "unit/cmocka_all.h"
#include "unit/scratch_db.h"

enum { SEAL = 45 }; /* bytes that a sealed body is longer than its text: core/body_sealer.h */

static uint64_t bytes_of(struct scratch *scratch, int64_t peer)
{
    uint64_t bytes;
    assert_int_equal(inbound_bytes(scratch->db, peer, &bytes), 0);
    return bytes;
}

/* --- what a row takes ------------------------------------------------------------------------- */

static void receive(struct scratch *scratch, int64_t peer, unsigned n, const uint8_t *body,
                    size_t text_size)
{
    struct message_row row = scratch_message(peer, MESSAGE_IN, n);
    row.time_ms = UINT64_C(1795374000000) + n;
    row.sent_ms = row.time_ms - 1;
    row.text_size = text_size;
    row.body = SPAN(body, text_size + SEAL);
    assert_int_equal(messages_add(scratch->db, &row), 0);
}

/* So many bytes of the file for so many messages of a size. */
static uint64_t measure(struct scratch *scratch, int64_t peer, unsigned *n, unsigned count,
                        size_t text_size)
{
    uint8_t *body = calloc(1, text_size + SEAL);
    const uint64_t before = db_size(scratch->db);
    assert_non_null(body);
    for (unsigned i = 0; i < count; i++)
        receive(scratch, peer, ++*n, body, text_size);
    assert_int_equal(settle_all(scratch->db), 0);
    scratch_commit(scratch);
    free(body);
    return db_size(scratch->db) - before;
}

static void test_what_counts_is_what_the_disk_holds(void **state)
{
    static const size_t sizes[] = {1, 100, 700, 1500, 2100, 3900, 4000, 6000, 12000, 65536};
    struct scratch *scratch = *state;
    const int64_t alice = scratch_peer(scratch, "alice").id;
    unsigned n = 0;
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const unsigned count = 100 + (unsigned)(2000000 / (sizes[i] + 200));
        const uint64_t counted_before = bytes_of(scratch, alice);
        const uint64_t taken = measure(scratch, alice, &n, count, sizes[i]);
        const uint64_t counted = bytes_of(scratch, alice) - counted_before;
        assert_true(counted > taken * 85 / 100);
        assert_true(counted < taken * 115 / 100);
    }
}

/* --- counting --------------------------------------------------------------------------------- */

enum { DAY_MS = 24 * 3600 * 1000 };

static void add(struct scratch *scratch, int64_t peer, unsigned first, unsigned count)
{
    for (unsigned n = first; n < first + count; n++)
        scratch_add(scratch, peer, MESSAGE_IN, n);
    scratch_commit(scratch);
}

static uint64_t size_of_one(void)
{
    return footprint_of(scratch_message(0, MESSAGE_IN, 10).text_size);
}

static void test_it_is_counted_for_its_peer_and_in_all(void **state)
{
    struct scratch *scratch = *state;
    const int64_t alice = scratch_peer(scratch, "alice").id;
    const int64_t bob = scratch_peer(scratch, "bob").id;
    add(scratch, alice, 10, 3);
    add(scratch, bob, 20, 2);
    scratch_add(scratch, bob, MESSAGE_OUT, 30);
    assert_int_equal(bytes_of(scratch, alice), 3 * size_of_one());
    assert_int_equal(bytes_of(scratch, bob), 2 * size_of_one());
    assert_int_equal(bytes_of(scratch, 0), 5 * size_of_one());
}

static void test_a_crash_does_not_lose_count(void **state)
{
    struct scratch *scratch = *state;
    const int64_t alice = scratch_peer(scratch, "alice").id;
    add(scratch, alice, 10, 3); /* told by the log only */
    scratch_reopen(scratch);
    assert_int_equal(bytes_of(scratch, alice), 3 * size_of_one());
    assert_int_equal(settle_all(scratch->db), 0);
    scratch_commit(scratch);
    scratch_add(scratch, alice, MESSAGE_IN, 13); /* never committed */
    scratch_reopen(scratch);
    assert_int_equal(bytes_of(scratch, alice), 3 * size_of_one());
    assert_int_equal(bytes_of(scratch, 0), 3 * size_of_one());
}

static void test_what_is_purged_leaves_its_id_and_then_nothing(void **state)
{
    struct scratch *scratch = *state;
    const int64_t alice = scratch_peer(scratch, "alice").id;
    const uint64_t later_ms = (RETENTION_IDS_DAYS + 2) * (uint64_t)DAY_MS;
    unsigned removed;
    bool more;
    add(scratch, alice, 10, 3);
    scratch_add(scratch, alice, MESSAGE_OUT, 20);
    assert_int_equal(queue_set_state(scratch->db, 4, MESSAGE_CANCELLED, NULL, 1), 0);
    assert_int_equal(retention_purge(scratch->db, alice, 0, DAY_MS, &removed), 0);
    assert_int_equal(removed, 4);
    scratch_commit(scratch);
    for (int reopened = 0; reopened < 2; reopened++) {
        assert_int_equal(bytes_of(scratch, alice), 3 * INBOUND_ID_BYTES);
        scratch_reopen(scratch);
    }
    assert_int_equal(retention_forget_ids(scratch->db, later_ms, &removed, &more), 0);
    assert_int_equal(removed, 4);
    scratch_commit(scratch);
    for (int reopened = 0; reopened < 2; reopened++) {
        assert_int_equal(bytes_of(scratch, alice), 0);
        assert_int_equal(bytes_of(scratch, 0), 0);
        scratch_reopen(scratch);
    }
}

static int keep_body(void *context, const struct message_row *row, struct bytes *body)
{
    (void)context;
    return bytes_append(body, row->body.data, row->body.size);
}

static void test_it_goes_along_when_two_peers_are_one(void **state)
{
    struct scratch *scratch = *state;
    const int64_t alice = scratch_peer(scratch, "alice").id;
    const int64_t bob = scratch_peer(scratch, "bob").id;
    add(scratch, alice, 10, 3);
    add(scratch, bob, 20, 2);
    struct handover handover = {.from = alice, .to = bob};
    for (bool more = true; more;)
        assert_int_equal(handover_step(scratch->db, &handover, keep_body, NULL, &more), 0);
    scratch_commit(scratch);
    scratch_reopen(scratch);
    assert_int_equal(bytes_of(scratch, alice), 0);
    assert_int_equal(bytes_of(scratch, bob), 5 * size_of_one());
    assert_int_equal(bytes_of(scratch, 0), 5 * size_of_one());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_what_counts_is_what_the_disk_holds),
        TEST(test_it_is_counted_for_its_peer_and_in_all),
        TEST(test_a_crash_does_not_lose_count),
        TEST(test_what_is_purged_leaves_its_id_and_then_nothing),
        TEST(test_it_goes_along_when_two_peers_are_one),
    };
    return cmocka_run_group_tests_name("inbound", tests, NULL, NULL);
}
