/* SPDX-License-Identifier: ISC */
/*
 * Tests core/pending_keys: a bounded list in which keys that wait are never pushed out by keys that
 * left.
 */
#include "core/pending_keys.h"

#include "base/bytes.h"
#include "unit/cmocka_all.h"

/* Links are only compared here. */
static char links[PENDING_KEYS_MAX + 1];

static struct pending_keys pending_keys;

static int start(void **state)
{
    (void)state;
    pending_keys_init(&pending_keys);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    pending_keys_deinit(&pending_keys);
    return 0;
}

static struct fingerprint key_of(unsigned number)
{
    struct fingerprint key = {{0}};
    put_u32(key.bytes, number);
    return key;
}

static struct link *link_of(unsigned number)
{
    return (struct link *)(void *)&links[number];
}

static struct pending_key *add(unsigned number, struct link *link)
{
    struct fingerprint key = key_of(number);
    return pending_keys_add(&pending_keys, &key, "192.0.2.1:40000", link, 1000 + number);
}

static struct pending_key *find(unsigned number)
{
    struct fingerprint key = key_of(number);
    return pending_keys_find(&pending_keys, &key);
}

static void test_request_is_found_by_its_key(void **state)
{
    (void)state;
    assert_null(find(1));
    struct pending_key *request = add(1, link_of(1));
    assert_ptr_equal(find(1), request);
    assert_null(find(2));
    assert_string_equal(request->origin, "192.0.2.1:40000");
    assert_int_equal(request->since_ms, 1001);
}

static void test_asking_again_keeps_the_place_and_the_time(void **state)
{
    struct fingerprint key = key_of(1);
    (void)state;
    struct pending_key *first = add(1, link_of(1));
    struct pending_key *again =
        pending_keys_add(&pending_keys, &key, "192.0.2.9:40001", link_of(2), 999999);
    assert_ptr_equal(again, first);
    assert_int_equal(again->since_ms, 1001);
    assert_ptr_equal(again->link, link_of(2));
    assert_string_equal(again->origin, "192.0.2.9:40001");
    assert_int_equal(pending_keys.count, 1);
}

static void test_full_list_forgets_the_oldest_that_no_longer_waits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PENDING_KEYS_MAX; i++)
        add(i, link_of(i));
    pending_keys_forget_link(&pending_keys, link_of(7));
    pending_keys_forget_link(&pending_keys, link_of(3));
    assert_non_null(add(100, link_of(PENDING_KEYS_MAX)));
    assert_null(find(3));
    assert_non_null(find(7));
    assert_int_equal(pending_keys.count, PENDING_KEYS_MAX);
}

static void test_full_list_of_waiting_links_takes_nobody(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PENDING_KEYS_MAX; i++)
        add(i, link_of(i));
    assert_null(add(100, link_of(PENDING_KEYS_MAX)));
    assert_int_equal(pending_keys.count, PENDING_KEYS_MAX);
    assert_non_null(find(0));
}

static void test_request_outlives_its_link(void **state)
{
    (void)state;
    add(1, link_of(1));
    add(2, link_of(2));
    assert_int_equal(pending_keys_waiting(&pending_keys), 2);
    pending_keys_forget_link(&pending_keys, link_of(1));
    assert_int_equal(pending_keys_waiting(&pending_keys), 1);
    assert_null(find(1)->link);
    assert_ptr_equal(find(2)->link, link_of(2));
}

static void test_removed_request_is_gone(void **state)
{
    (void)state;
    pending_keys_remove(&pending_keys, add(1, NULL));
    assert_null(find(1));
    assert_int_equal(pending_keys.count, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_request_is_found_by_its_key),
        TEST(test_asking_again_keeps_the_place_and_the_time),
        TEST(test_full_list_forgets_the_oldest_that_no_longer_waits),
        TEST(test_full_list_of_waiting_links_takes_nobody),
        TEST(test_request_outlives_its_link),
        TEST(test_removed_request_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
