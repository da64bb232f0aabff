/* SPDX-License-Identifier: ISC */
/*
 * Tests base/hash.
 */
#include "base/hash.h"

#include "unit/cmocka_all.h"

enum { THINGS = 1000 };

struct thing {
    struct hash_node node;
    uint32_t key;
};

static struct thing things[THINGS];

static struct thing *find(const struct hash *hash, uint32_t key)
{
    for (struct hash_node *node = hash_first(hash, &key, sizeof key); node != NULL;
         node = hash_next(hash, node)) {
        struct thing *thing = container_of(node, struct thing, node);
        if (thing->key == key)
            return thing;
    }
    return NULL;
}

static void fill(struct hash *hash)
{
    hash_init(hash, 7);
    for (uint32_t i = 0; i < THINGS; i++) {
        things[i].key = i;
        hash_node_init(&things[i].node);
        hash_add(hash, &things[i].node, &i, sizeof i);
    }
}

static void test_everything_is_found(void **state)
{
    struct hash hash;
    (void)state;
    fill(&hash);
    for (uint32_t i = 0; i < THINGS; i++)
        assert_ptr_equal(find(&hash, i), &things[i]);
    assert_null(find(&hash, THINGS));
    hash_deinit(&hash);
}

static void test_what_was_taken_out_is_not_found(void **state)
{
    struct hash hash;
    (void)state;
    fill(&hash);
    for (uint32_t i = 0; i < THINGS; i += 2) {
        hash_remove(&hash, &things[i].node);
        hash_remove(&hash, &things[i].node);
    }
    for (uint32_t i = 0; i < THINGS; i++)
        assert_ptr_equal(find(&hash, i), i % 2 == 0 ? NULL : &things[i]);
    assert_int_equal(hash.count, THINGS / 2);
    hash_deinit(&hash);
}

static void test_an_empty_one_holds_nothing(void **state)
{
    struct hash hash;
    (void)state;
    hash_init(&hash, 7);
    assert_null(find(&hash, 1));
    hash_deinit(&hash);
}

static void test_no_chain_is_long(void **state)
{
    struct hash hash;
    (void)state;
    fill(&hash);
    for (size_t i = 0; i < hash.size; i++) {
        unsigned length = 0;
        list_for_each (node, &hash.chains[i])
            length++;
        assert_true(length <= 8);
    }
    hash_deinit(&hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_found),
        cmocka_unit_test(test_what_was_taken_out_is_not_found),
        cmocka_unit_test(test_an_empty_one_holds_nothing),
        cmocka_unit_test(test_no_chain_is_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
