/* SPDX-License-Identifier: ISC */
/*
 * Tests base/list: order, removal while walking, and nodes that are in no list.
 */
#include "base/list.h"

#include "unit/cmocka_all.h"

struct item {
    int value;
    struct list node;
};

/* The values in walking order as one decimal number. */
static int digits_of(struct list *list)
{
    int digits = 0;
    list_for_each (node, list)
        digits = digits * 10 + container_of(node, struct item, node)->value;
    return digits;
}

static void fill(struct list *list, struct item *items, int count)
{
    for (int i = 0; i < count; i++) {
        items[i].value = i + 1;
        list_append(list, &items[i].node);
    }
}

static void test_append_keeps_the_order(void **state)
{
    struct list list = LIST_INIT(list);
    struct item items[4];
    (void)state;
    assert_true(list_empty(&list));
    assert_int_equal(digits_of(&list), 0);
    fill(&list, items, 4);
    assert_false(list_empty(&list));
    assert_int_equal(digits_of(&list), 1234);
}

static void test_remove_takes_out_only_its_node(void **state)
{
    struct list list = LIST_INIT(list);
    struct item items[4];
    (void)state;
    fill(&list, items, 4);
    list_remove(&items[1].node);
    assert_int_equal(digits_of(&list), 134);
    list_remove(&items[0].node);
    list_remove(&items[3].node);
    assert_int_equal(digits_of(&list), 3);
    list_remove(&items[2].node);
    assert_true(list_empty(&list));
}

static void test_removing_twice_does_nothing(void **state)
{
    struct list list = LIST_INIT(list);
    struct item items[2];
    (void)state;
    fill(&list, items, 2);
    list_remove(&items[0].node);
    list_remove(&items[0].node);
    assert_int_equal(digits_of(&list), 2);
    list_append(&list, &items[0].node);
    assert_int_equal(digits_of(&list), 21);
}

static void test_safe_walk_survives_removal(void **state)
{
    struct list list = LIST_INIT(list);
    struct item items[5];
    (void)state;
    fill(&list, items, 5);
    list_for_each_safe (node, &list) {
        if (container_of(node, struct item, node)->value % 2 == 1)
            list_remove(node);
    }
    assert_int_equal(digits_of(&list), 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_keeps_the_order),
        cmocka_unit_test(test_remove_takes_out_only_its_node),
        cmocka_unit_test(test_removing_twice_does_nothing),
        cmocka_unit_test(test_safe_walk_survives_removal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
