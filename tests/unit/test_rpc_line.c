/* SPDX-License-Identifier: ISC */
/*
 * Tests rpc/rpc_line: the same lines however the stream is cut, and none that is too long.
 */
#include "rpc/rpc_line.h"

#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_all.h"

static void feed(struct rpc_line *line, const char *text, size_t size)
{
    assert_int_equal(rpc_line_feed(line, SPAN(text, size)), 0);
}

static void expect(struct rpc_line *line, const char *text)
{
    struct span got;
    assert_int_equal(rpc_line_next(line, &got), 0);
    assert_int_equal(got.size, strlen(text));
    assert_memory_equal(got.data, text, got.size);
}

static void expect_none(struct rpc_line *line)
{
    struct span got;
    assert_int_equal(rpc_line_next(line, &got), RPC_LINE_NONE);
}

static void test_an_empty_one_has_no_line(void **state)
{
    struct rpc_line line = {0};
    (void)state;
    expect_none(&line);
    feed(&line, NULL, 0);
    expect_none(&line);
    rpc_line_deinit(&line);
}

static void test_lines_are_the_same_split_at_every_offset(void **state)
{
    static const char stream[] = "one\n\ntwo\r\n\r\nthr\ree\nrest";
    const size_t size = sizeof stream - 1;
    (void)state;
    for (size_t cut = 0; cut <= size; cut++) {
        struct rpc_line line = {0};
        struct span got;
        size_t count = 0;
        static const char *const lines[] = {"one", "", "two", "", "thr\ree"};
        feed(&line, stream, cut);
        while (rpc_line_next(&line, &got) == 0) {
            assert_int_equal(got.size, strlen(lines[count]));
            assert_memory_equal(got.data, lines[count], got.size);
            count++;
        }
        feed(&line, stream + cut, size - cut);
        for (; count < COUNT_OF(lines); count++)
            expect(&line, lines[count]);
        expect_none(&line);
        feed(&line, "\n", 1);
        expect(&line, "rest");
        expect_none(&line);
        rpc_line_deinit(&line);
    }
}

static void test_lines_come_byte_by_byte(void **state)
{
    struct rpc_line line = {0};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        feed(&line, "a", 1);
        expect_none(&line);
        feed(&line, "\n", 1);
        expect(&line, "a");
        expect_none(&line);
    }
    assert_true(line.buffer.capacity < 1000);
    rpc_line_deinit(&line);
}

static void test_nul_bytes_are_handed_out(void **state)
{
    struct rpc_line line = {0};
    struct span got;
    (void)state;
    feed(&line, "a\0b\n", 4);
    assert_int_equal(rpc_line_next(&line, &got), 0);
    assert_int_equal(got.size, 3);
    rpc_line_deinit(&line);
}

/* What comes of `size` bytes and, when `ended`, an LF. */
static int outcome_of(size_t limit, size_t size, bool ended)
{
    struct rpc_line line = {.limit = limit};
    struct span got;
    char *text = malloc(size + 1);
    memset(text, 'x', size);
    text[size] = '\n';
    feed(&line, text, size + ended);
    const int outcome = rpc_line_next(&line, &got);
    rpc_line_deinit(&line);
    free(text);
    return outcome;
}

static void test_a_line_of_the_limit_passes_and_one_more_byte_does_not(void **state)
{
    (void)state;
    assert_int_equal(outcome_of(0, RPC_LINE_MAX, true), 0);
    assert_int_equal(outcome_of(0, RPC_LINE_MAX + 1, true), RPC_LINE_TOO_LONG);
    assert_int_equal(outcome_of(0, RPC_LINE_MAX, false), RPC_LINE_NONE);
    assert_int_equal(outcome_of(0, RPC_LINE_MAX + 1, false), RPC_LINE_TOO_LONG);
    assert_int_equal(outcome_of(10, 10, true), 0);
    assert_int_equal(outcome_of(10, 11, true), RPC_LINE_TOO_LONG);
}

static void test_lines_before_the_long_one_are_handed_out_and_it_stays_too_long(void **state)
{
    struct rpc_line line = {.limit = 4};
    struct span got;
    (void)state;
    feed(&line, "ok\n12345\nok\n", 12);
    expect(&line, "ok");
    assert_int_equal(rpc_line_next(&line, &got), RPC_LINE_TOO_LONG);
    feed(&line, "ok\n", 3);
    assert_int_equal(rpc_line_next(&line, &got), RPC_LINE_TOO_LONG);
    rpc_line_deinit(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_one_has_no_line),
        cmocka_unit_test(test_lines_are_the_same_split_at_every_offset),
        cmocka_unit_test(test_lines_come_byte_by_byte),
        cmocka_unit_test(test_nul_bytes_are_handed_out),
        cmocka_unit_test(test_a_line_of_the_limit_passes_and_one_more_byte_does_not),
        cmocka_unit_test(test_lines_before_the_long_one_are_handed_out_and_it_stays_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
