/* SPDX-License-Identifier: ISC */
/*
 * Tests client/input: the same messages however standard input is cut.
 */
#include "client/input.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit/cmocka_all.h"

/* Gives one read() its data. */
static void give(int fd, const char *text, size_t size)
{
    assert_int_equal(write(fd, text, size), (ssize_t)size);
}

static void expect(struct input *input, const char *text)
{
    struct span line;
    assert_int_equal(input_line(input, &line), 0);
    assert_int_equal(line.size, strlen(text));
    assert_memory_equal(line.data, text, line.size);
}

static void expect_outcome(struct input *input, int outcome)
{
    struct span line;
    assert_int_equal(input_line(input, &line), outcome);
}

static void test_lines_are_the_same_split_at_every_offset(void **state)
{
    static const char lines_text[] = "one\n\ntwo\r\n\rthr\ree\r\r\nlast\r";
    static const char *const lines[] = {"one", "", "two", "\rthr\ree\r"};
    (void)state;
    for (size_t cut = 1; cut < sizeof lines_text - 1; cut++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        struct input input = {.fd = fds[0]};
        struct span line;
        size_t count = 0;

        give(fds[1], lines_text, cut);
        assert_int_equal(input_read(&input), 0);
        while (input_line(&input, &line) == 0) {
            assert_int_equal(line.size, strlen(lines[count]));
            assert_memory_equal(line.data, lines[count++], line.size);
        }
        give(fds[1], lines_text + cut, sizeof lines_text - 1 - cut);
        close(fds[1]);
        assert_int_equal(input_read(&input), 0);
        while (count < COUNT_OF(lines))
            expect(&input, lines[count++]);
        expect_outcome(&input, INPUT_NONE);
        assert_int_equal(input_read(&input), 0);
        expect(&input, "last");
        expect_outcome(&input, INPUT_END);
        expect_outcome(&input, INPUT_END);
        input_deinit(&input);
        close(fds[0]);
    }
}

static void test_an_empty_input_has_no_line(void **state)
{
    int fds[2];
    (void)state;
    assert_int_equal(pipe(fds), 0);
    struct input input = {.fd = fds[0]};
    expect_outcome(&input, INPUT_NONE);
    close(fds[1]);
    assert_int_equal(input_read(&input), 0);
    expect_outcome(&input, INPUT_END);
    input_deinit(&input);
    close(fds[0]);
}

/* A file with `count` times "x", then `tail`. */
static int file_of(size_t count, const char *tail)
{
    FILE *file = tmpfile();
    for (size_t i = 0; i < count; i++)
        fputc('x', file);
    fputs(tail, file);
    fflush(file);
    const int fd = dup(fileno(file));
    fclose(file);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

/* The outcomes of input_line() until the end, as letters: a line, Too long, End. */
static void expect_lines(size_t count, const char *tail, const char *outcomes)
{
    struct input input = {.fd = file_of(count, tail)};
    struct span line;
    int outcome;
    for (; *outcomes != '\0'; outcomes++) {
        while ((outcome = input_line(&input, &line)) == INPUT_NONE)
            assert_int_equal(input_read(&input), 0);
        assert_int_equal(outcome, *outcomes == 'l'   ? 0
                                  : *outcomes == 'T' ? INPUT_TOO_LONG
                                                     : INPUT_END);
    }
    close(input.fd);
    input_deinit(&input);
}

static void test_a_line_that_is_too_long_is_told_once_and_left_out(void **state)
{
    (void)state;
    expect_lines(INPUT_TEXT_MAX, "\n", "lE");
    expect_lines(INPUT_TEXT_MAX, "", "lE");
    expect_lines(INPUT_TEXT_MAX + 1, "\n", "TE");
    expect_lines(INPUT_TEXT_MAX + 1, "", "TE");
    expect_lines(10 * INPUT_TEXT_MAX, "\nnext\n\nlast", "TlllE");
    expect_lines(10 * INPUT_TEXT_MAX, "", "TE");
}

static void expect_all(size_t count, const char *tail, int outcome, size_t size)
{
    struct input input = {.fd = file_of(count, tail)};
    struct span text;
    assert_int_equal(input_all(&input, false, &text), outcome);
    if (outcome == 0)
        assert_int_equal(text.size, size);
    close(input.fd);
    input_deinit(&input);
}

static void test_all_loses_one_final_newline_only(void **state)
{
    (void)state;
    expect_all(0, "", 0, 0);
    expect_all(0, "\n", 0, 0);
    expect_all(0, "\n\n", 0, 1);
    expect_all(3, "\n", 0, 3);
    expect_all(3, "\r\n", 0, 4);
    expect_all(3, "\nx", 0, 5);
}

static void test_all_is_limited(void **state)
{
    (void)state;
    expect_all(INPUT_TEXT_MAX, "", 0, INPUT_TEXT_MAX);
    expect_all(INPUT_TEXT_MAX, "\n", 0, INPUT_TEXT_MAX);
    expect_all(INPUT_TEXT_MAX, "\n\n", INPUT_TOO_LONG, 0);
    expect_all(INPUT_TEXT_MAX + 1, "", INPUT_TOO_LONG, 0);
    expect_all(20 * INPUT_TEXT_MAX, "", INPUT_TOO_LONG, 0);
}

static void test_an_unreadable_input_is_an_error(void **state)
{
    struct input input = {.fd = -1};
    struct span text;
    (void)state;
    assert_true(input_read(&input) < 0);
    assert_true(input_all(&input, false, &text) < 0);
    input_deinit(&input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_are_the_same_split_at_every_offset),
        cmocka_unit_test(test_an_empty_input_has_no_line),
        cmocka_unit_test(test_a_line_that_is_too_long_is_told_once_and_left_out),
        cmocka_unit_test(test_all_loses_one_final_newline_only),
        cmocka_unit_test(test_all_is_limited),
        cmocka_unit_test(test_an_unreadable_input_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
