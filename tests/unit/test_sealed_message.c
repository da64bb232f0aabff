/* SPDX-License-Identifier: ISC */
/*
 * Tests core/sealed_message over a real store; sealing is a stand-in.
 */
#include "core/sealed_message.h"

#include <errno.h>
#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/scratch_db.h"

static struct stage {
    struct scratch *scratch;
    int64_t bob;
    int error; /* what sealing comes to */
    struct message_row read;
    char body[16];
} stage;

int body_sealer_seal(struct body_sealer *body_sealer, const struct message_row *row,
                     struct span content, struct bytes *sealed)
{
    (void)body_sealer, (void)row;
    if (stage.error != 0)
        return stage.error;
    assert_int_equal(bytes_append(sealed, "<", 1), 0);
    return bytes_append(sealed, content.data, content.size);
}

static int set_up(void **state)
{
    memset(&stage, 0, sizeof stage);
    int r = scratch_set_up(state);
    stage.scratch = *state;
    stage.bob = scratch_peer(stage.scratch, "bob").id;
    return r;
}

static int note(void *context, const struct message_row *row)
{
    (void)context;
    stage.read = *row;
    assert_true(row->body.size < sizeof stage.body);
    if (row->body.size > 0)
        memcpy(stage.body, row->body.data, row->body.size);
    return 0;
}

/* Adds message n of bob, and reads it back. */
static int add(unsigned n, const char *content)
{
    struct message_row row = scratch_message(stage.bob, MESSAGE_IN, n);
    row.body = SPAN(NULL, 0);
    row.text_size = 99;
    int r = sealed_message_add(stage.scratch->db, NULL, &row, SPAN(content, strlen(content)));
    assert_int_equal(row.body.size, 0);
    if (r == 0)
        assert_int_equal(messages_at(stage.scratch->db, row.seq, note, NULL), 0);
    return r;
}

static void test_the_sealed_content_is_stored(void **state)
{
    (void)state;
    assert_int_equal(add(1, "hello"), 0);
    assert_int_equal(stage.read.text_size, 5);
    assert_int_equal(stage.read.body.size, 6);
    assert_memory_equal(stage.body, "<hello", 6);
}

static void test_nothing_is_sealed_for_nothing(void **state)
{
    (void)state;
    assert_int_equal(add(1, ""), 0);
    assert_int_equal(stage.read.text_size, 0);
    assert_int_equal(stage.read.body.size, 0);
}

static void test_what_can_not_be_sealed_is_not_stored(void **state)
{
    struct uuid id = scratch_id(1);
    (void)state;
    stage.error = -ENOMEM;
    assert_int_equal(add(1, "hello"), -ENOMEM);
    assert_int_equal(messages_known(stage.scratch->db, stage.bob, MESSAGE_IN, &id), DB_NOT_FOUND);
}

static void test_one_that_is_known_is_not_stored_again(void **state)
{
    (void)state;
    assert_int_equal(add(1, "hello"), 0);
    assert_int_equal(add(1, "other"), DB_EXISTS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_sealed_content_is_stored),
        TEST(test_nothing_is_sealed_for_nothing),
        TEST(test_what_can_not_be_sealed_is_not_stored),
        TEST(test_one_that_is_known_is_not_stored_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
