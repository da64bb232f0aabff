/* SPDX-License-Identifier: ISC */
/*
 * Headers of messages: one form for each set of them, and nothing beyond their limits.
 */
#include <stdio.h>
#include <string.h>

#include "proto/features.h"
#include "proto/headers.h"
#include "unit/cmocka_all.h"
#include "vectors/vectors.h"

enum { ALL = FEATURE_HEADERS | FEATURE_CALLS };

static struct bytes content, again;

static int clear(void **state)
{
    (void)state;
    bytes_deinit(&content);
    bytes_deinit(&again);
    return 0;
}

static struct span text(const char *value)
{
    return SPAN(value, strlen(value));
}

static bool same(struct span a, const char *b)
{
    return a.size == strlen(b) && memcmp(a.data, b, a.size) == 0;
}

/* Makes `content` of encoded headers and a body. */
static struct span make(const void *headers, size_t size, const char *body)
{
    bytes_clear(&content);
    assert_int_equal(bytes_append_u16(&content, (uint16_t)size), 0);
    assert_int_equal(bytes_append(&content, headers, size), 0);
    assert_int_equal(bytes_append(&content, body, strlen(body)), 0);
    return bytes_span(&content);
}

static int parse(struct span whole, uint32_t features)
{
    struct headers headers;
    struct span body;
    return headers_parse(whole, features, &headers, &body);
}

/* What is accepted, and has nothing unknown, is written in the same bytes. */
static void check_form(struct span whole)
{
    struct headers headers;
    struct span body;
    if (headers_parse(whole, ALL, &headers, &body) != 0 || headers.unknown_count > 0)
        return;
    bytes_clear(&again);
    assert_int_equal(headers_append(&again, &headers, body), 0);
    assert_int_equal(again.size, whole.size);
    assert_memory_equal(again.data, whole.data, whole.size);
}

static struct span recorded(const char *name)
{
    const struct span all = vector(name);
    assert_int_equal(all.data[0], 1);
    return SPAN(all.data + 1, all.size - 1);
}

static const char *const names[] = {"alert",  "bytes",           "ask", "result", "processed",
                                    "cancel", "unknown_tag_kept"};

static void test_recorded_contents_are_read_and_written(void **state)
{
    struct headers headers;
    struct span body;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(parse(recorded(names[i]), ALL), 0);
        check_form(recorded(names[i]));
    }
    assert_int_equal(headers_parse(recorded("alert"), ALL, &headers, &body), 0);
    assert_true(same(headers.type, "application/json") && same(headers.topic, "disk/root"));
    assert_true(same(headers.key, "web7/disk") && headers.priority == PRIORITY_HIGH);
    assert_int_equal(headers.user_count, 2);
    assert_true(same(headers.users[0].name, "host") && same(headers.users[0].value, "web7"));
    assert_true(same(headers.users[1].name, "note") && same(headers.users[1].value, "grüß"));
    assert_true(same(body, "{\"free\":3}"));
    assert_int_equal(headers_parse(recorded("bytes"), ALL, &headers, &body), 0);
    assert_int_equal(body.size, 3);
    assert_memory_equal(body.data, "\0\xff\n", 3);
    assert_int_equal(headers_parse(recorded("ask"), ALL, &headers, &body), 0);
    assert_true(headers.ask_s == 60 && same(headers.service, "uptime"));
    assert_int_equal(headers_parse(recorded("result"), ALL, &headers, &body), 0);
    assert_true(headers.has_result && headers.outcome == 0 && headers.status == 0);
    assert_int_equal(headers_parse(recorded("unknown_tag_kept"), ALL, &headers, &body), 0);
    assert_int_equal(headers.unknown_count, 1);
    assert_int_equal(headers.unknown[0], 0x20);
}

static void test_calls_need_their_feature(void **state)
{
    static const char *const calls[] = {"ask", "result", "processed", "cancel"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(calls); i++)
        assert_int_equal(parse(recorded(calls[i]), FEATURE_HEADERS), HEADERS_MALFORMED);
    assert_int_equal(parse(recorded("alert"), FEATURE_HEADERS), 0);
}

static void test_every_truncation_is_malformed_or_a_shorter_body(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct span whole = recorded(names[i]);
        const size_t headers = HEADERS_PREFIX_SIZE + get_u16(whole.data);
        for (size_t size = 0; size < whole.size; size++)
            assert_int_equal(parse(SPAN(whole.data, size), ALL),
                             size < headers ? HEADERS_MALFORMED : 0);
    }
}

static void test_every_flipped_bit_is_malformed_or_in_the_one_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct span whole = recorded(names[i]);
        bytes_clear(&content);
        assert_int_equal(bytes_append(&content, whole.data, whole.size), 0);
        for (size_t bit = 0; bit < 8 * whole.size; bit++) {
            content.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            check_form(bytes_span(&content));
            content.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

/* Encoded headers that must not be. */
static void test_other_forms_are_malformed(void **state)
{
#define WRONG(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }
    static const struct {
        const char *headers;
        size_t size;
    } wrong[] = {
        WRONG("\x02\0\1x\x01\0\3a/b"),                       /* descending */
        WRONG("\x02\0\1x\x02\0\1y"),                         /* twice */
        WRONG("\x05\0\1\1"),                                 /* the default */
        WRONG("\x05\0\1\3"),                                 /* no such priority */
        WRONG("\x06\0\4\0\0\0\0"),                           /* at once */
        WRONG("\x06\0\3\0\0\1"),                             /* too short */
        WRONG("\x02\0\0"),                                   /* empty */
        WRONG("\x04\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), /* zero */
        WRONG("\x80\0\0"),                                   /* above all */
        WRONG("\x7f\0\2\1b\x7f\0\2\1a"),                     /* names descend */
        WRONG("\x7f\0\2\1a\x7f\0\2\1a"),                     /* and repeat */
        WRONG("\x7f\0\1\1"),                                 /* a name beyond its end */
        WRONG("\x7f\0\2\1A"),                                /* no such name */
        WRONG("\x11\0\1x"),                                  /* report says nothing */
        WRONG("\x12\0\2\0\0"),                               /* a result of nothing */
        WRONG("\x13\0\0"),                                   /* takes back nothing */
        WRONG("\x03\0\1k\x10\0\5\0\0\0\1s"),                 /* a key and a question */
        WRONG("\x10\0\4\0\0\0\1"),                           /* to no service */
        WRONG("\x10\0\5\0\0\0\1."),                          /* to one of ours */
        WRONG("\x10\0\5\0\x27\x8d\x01s"),                    /* for more than 30 days */
        WRONG("\x10\0\5\0\0\0\1s\x11\0\0"),                  /* two calls */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(parse(make(wrong[i].headers, wrong[i].size, ""), ALL), HEADERS_MALFORMED);
    assert_int_equal(parse(make("\x10\0\5\0\x27\x8d\0s", 8, ""), ALL), 0); /* 30 days */
    assert_int_equal(parse(make("\0\0\0", 3, ""), ALL), 0); /* the lowest tag, unknown */
}

static void test_a_cancel_says_nothing_else(void **state)
{
    static const char cancel[] = "\x04\0\x10"
                                 "0123456789abcdef"
                                 "\x13\0\0",
                      unknown[] = "\x04\0\x10"
                                  "0123456789abcdef"
                                  "\x13\0\0\x20\0\0",
                      high[] = "\x04\0\x10"
                               "0123456789abcdef"
                               "\x05\0\1\2\x13\0\0";
    (void)state;
    assert_int_equal(parse(make(cancel, sizeof cancel - 1, ""), ALL), 0);
    assert_int_equal(parse(make(high, sizeof high - 1, ""), ALL), 0);
    assert_int_equal(parse(make(cancel, sizeof cancel - 1, "x"), ALL), HEADERS_MALFORMED);
    assert_int_equal(parse(make(unknown, sizeof unknown - 1, ""), ALL), HEADERS_MALFORMED);
}

/* --- limits ----------------------------------------------------------------------------------- */

/* Some character so often. */
static struct span long_text(char character, size_t size)
{
    static char room[8192];
    memset(room, character, sizeof room);
    room[1] = '/';
    return SPAN(room, size);
}

static void test_texts_have_limits(void **state)
{
    struct headers headers;
    (void)state;
    headers_init(&headers);
    headers.type = long_text('a', HEADERS_TYPE_MAX);
    headers.topic = long_text('a', HEADERS_TOPIC_MAX);
    headers.key = long_text('a', HEADERS_KEY_MAX);
    assert_null(headers_flaw(&headers, 0, ALL));
    headers.type.size++;
    assert_string_equal(headers_flaw(&headers, 0, ALL), "type");
    headers.type.size = 2;
    assert_string_equal(headers_flaw(&headers, 0, ALL), "type");
    headers.type.size = 3;
    headers.topic.size++;
    assert_string_equal(headers_flaw(&headers, 0, ALL), "topic");
    headers.topic.size--;
    headers.key.size++;
    assert_string_equal(headers_flaw(&headers, 0, ALL), "key");
    static const char *const types[] = {"/ab", "ab/", "abc", "a/\x7f", "a/\xc3\xbc", "a/\n"};
    headers.key.size--;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        headers.type = text(types[i]);
        assert_string_equal(headers_flaw(&headers, 0, ALL), "type");
    }
}

static void test_lines_have_no_control_characters(void **state)
{
    struct headers headers;
    (void)state;
    headers_init(&headers);
    for (unsigned character = 1; character < 0x100; character++) {
        const char latin[] = {(char)(0xc0 | character >> 6), (char)(0x80 | (character & 0x3f)), 0};
        const char ascii[] = {(char)character, 0};
        headers.key = text(character < 0x80 ? ascii : latin);
        const bool bad = character < 0x20 || (character >= 0x7f && character < 0xa0);
        assert_int_equal(headers_flaw(&headers, 0, ALL) != NULL, bad);
    }
    headers.key = SPAN("\0", 1);
    assert_string_equal(headers_flaw(&headers, 0, ALL), "key");
    headers.key = text("\xff");
    assert_string_equal(headers_flaw(&headers, 0, ALL), "key");
    headers.key = text("a+b#");
    assert_null(headers_flaw(&headers, 0, ALL));
    headers.topic = text("a+b");
    assert_string_equal(headers_flaw(&headers, 0, ALL), "topic");
    headers.topic = text("a#b");
    assert_string_equal(headers_flaw(&headers, 0, ALL), "topic");
}

static void test_users_have_limits(void **state)
{
    static char user_names[HEADERS_USERS_MAX + 1][16];
    struct headers headers;
    (void)state;
    headers_init(&headers);
    for (unsigned i = 0; i <= HEADERS_USERS_MAX; i++)
        snprintf(user_names[i], sizeof user_names[i], "n%02u", HEADERS_USERS_MAX - i);
    for (unsigned i = 0; i < HEADERS_USERS_MAX; i++)
        headers.users[headers.user_count++] = (struct headers_user){text(user_names[i]), text("")};
    assert_string_equal(headers_flaw(&headers, 0, ALL), "user"); /* they descend */
    assert_true(headers_sort_users(&headers));
    assert_null(headers_flaw(&headers, 0, ALL));
    assert_int_equal(headers_append(&content, &headers, text("")), 0);
    /* One more header, and one more in the size of all. */
    bytes_append(&content, "\x7f\0\4\3n99", 7);
    put_u16(content.data, (uint16_t)(content.size - HEADERS_PREFIX_SIZE));
    assert_int_equal(parse(bytes_span(&content), ALL), HEADERS_MALFORMED);
    headers.user_count = 2;
    headers.users[0].value = long_text('v', HEADERS_VALUE_MAX);
    headers.users[1].value = long_text('v', HEADERS_USERS_SIZE - HEADERS_VALUE_MAX - 2 * 7);
    assert_null(headers_flaw(&headers, 0, ALL));
    headers.users[1].value.size++;
    assert_string_equal(headers_flaw(&headers, 0, ALL), "user");
    headers.users[1].value.size = 0;
    headers.users[0].value.size++;
    assert_string_equal(headers_flaw(&headers, 0, ALL), "user");
    headers.users[0].value.size = 0;
    headers.users[1].name = headers.users[0].name;
    assert_false(headers_sort_users(&headers));
}

static void test_a_body_has_any_bytes_up_to_its_limit(void **state)
{
    static uint8_t body[HEADERS_BODY_MAX + 1];
    struct headers headers;
    (void)state;
    headers_init(&headers);
    headers.topic = text("t");
    assert_int_equal(headers_append(&content, &headers, SPAN(body, HEADERS_BODY_MAX)), 0);
    assert_int_equal(parse(bytes_span(&content), ALL), 0);
    bytes_clear(&content);
    assert_int_equal(headers_append(&content, &headers, SPAN(body, sizeof body)), 0);
    assert_int_equal(parse(bytes_span(&content), ALL), HEADERS_MALFORMED);
}

static void test_no_headers_are_no_message(void **state)
{
    struct headers headers;
    (void)state;
    headers_init(&headers);
    assert_true(headers_empty(&headers));
    assert_int_equal(headers_append(&content, &headers, text("x")), HEADERS_MALFORMED);
    assert_int_equal(parse(SPAN("\0\0x", 3), ALL), HEADERS_MALFORMED);
    headers.priority = PRIORITY_LOW;
    assert_false(headers_empty(&headers));
}

/* Unknown headers fill what is left, and no more. */
static void test_all_headers_have_a_limit_together(void **state)
{
    static uint8_t encoded[HEADERS_SIZE_MAX + 1] = {0x20, 0x0f, 0xfd};
    (void)state;
    assert_int_equal(parse(make(encoded, HEADERS_SIZE_MAX, ""), ALL), 0);
    encoded[2]++;
    assert_int_equal(parse(make(encoded, HEADERS_SIZE_MAX + 1, ""), ALL), HEADERS_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_recorded_contents_are_read_and_written, clear),
        cmocka_unit_test_teardown(test_calls_need_their_feature, clear),
        cmocka_unit_test_teardown(test_every_truncation_is_malformed_or_a_shorter_body, clear),
        cmocka_unit_test_teardown(test_every_flipped_bit_is_malformed_or_in_the_one_form, clear),
        cmocka_unit_test_teardown(test_other_forms_are_malformed, clear),
        cmocka_unit_test_teardown(test_a_cancel_says_nothing_else, clear),
        cmocka_unit_test_teardown(test_texts_have_limits, clear),
        cmocka_unit_test_teardown(test_lines_have_no_control_characters, clear),
        cmocka_unit_test_teardown(test_users_have_limits, clear),
        cmocka_unit_test_teardown(test_a_body_has_any_bytes_up_to_its_limit, clear),
        cmocka_unit_test_teardown(test_no_headers_are_no_message, clear),
        cmocka_unit_test_teardown(test_all_headers_have_a_limit_together, clear),
    };
    vectors_choose("message-kind1.json");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
