/* SPDX-License-Identifier: ISC */
/*
 * Tests rpc/rpc_message: what is a request and what is not, and the exact bytes that go out.
 */
#include "rpc/rpc_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_all.h"

/* --- reading ---------------------------------------------------------------------------------- */

static void test_requests_are_understood(void **state)
{
    static const struct {
        const char *line;
        const char *method;
        const char *id; /* as JSON, NULL: none */
        bool notification;
    } CASES[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}", "status", "1", false},
        {"{\"id\":\"a\",\"method\":\"status\",\"params\":{}}", "status", "\"a\"", false},
        {"{\"method\":\"status\"}", "status", NULL, false},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"status\"}", "status", NULL, true},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"status\"}", "status", "null", false},
        {" { \"method\" : \"peer.get\" , \"params\" : { \"name\" : \"x\" } } \t", "peer.get", NULL,
         false},
        {"{\"method\":\"status\",\"unknown\":{\"member\":[1]}}", "status", NULL, false},
        {"{\"id\":1.5,\"method\":\"status\"}", "status", "1.5", false},
        {"{\"id\":9223372036854775807,\"method\":\"status\"}", "status", "9223372036854775807",
         false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct rpc_request request;
        struct rpc_complaint complaint;
        assert_true(
            rpc_request_read(&request, SPAN(CASES[i].line, strlen(CASES[i].line)), &complaint));
        assert_string_equal(request.method->name, CASES[i].method);
        assert_int_equal(request.notification, CASES[i].notification);
        char *id = json_dumps(request.id, JSON_ENCODE_ANY);
        if (CASES[i].id == NULL)
            assert_null(id);
        else
            assert_string_equal(id, CASES[i].id);
        free(id);
        rpc_request_deinit(&request);
    }
}

/* Reads a line that is no request; what is wrong must be text for people. */
static void expect_complaint(const char *line, size_t size, int code, const char *kind,
                             bool with_id)
{
    struct rpc_request request;
    struct rpc_complaint complaint;
    assert_false(rpc_request_read(&request, SPAN(line, size), &complaint));
    assert_int_equal(complaint.code, code);
    if (kind == NULL)
        assert_null(complaint.kind);
    else
        assert_string_equal(complaint.kind, kind);
    assert_true(strlen(complaint.text) > 0);
    assert_int_equal(request.id != NULL, with_id);
    json_t *reply = rpc_error(request.id, complaint.code, complaint.kind, false, complaint.text);
    assert_non_null(reply);
    json_decref(reply);
    rpc_request_deinit(&request);
}

#define INVALID RPC_INVALID_REQUEST

static void test_what_is_no_request_is_refused(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *kind;
        bool with_id;
    } CASES[] = {
        {"", RPC_PARSE_ERROR, NULL, false},
        {" ", RPC_PARSE_ERROR, NULL, false},
        {"{", RPC_PARSE_ERROR, NULL, false},
        {"}", RPC_PARSE_ERROR, NULL, false},
        {"hello", RPC_PARSE_ERROR, NULL, false},
        {"GET / HTTP/1.1", RPC_PARSE_ERROR, NULL, false},
        {"{\"method\":\"status\"}x", RPC_PARSE_ERROR, NULL, false},
        {"{\"method\":\"status\"}{}", RPC_PARSE_ERROR, NULL, false},
        {"{\"method\":\"status\",}", RPC_PARSE_ERROR, NULL, false},
        {"{'method':'status'}", RPC_PARSE_ERROR, NULL, false},
        {"{\"method\":\"sta\ttus\"}", RPC_PARSE_ERROR, NULL, false},
        {"{\"method\":\"\\ud800\"}", RPC_PARSE_ERROR, NULL, false},
        {"{\"method\":\"\\x\"}", RPC_PARSE_ERROR, NULL, false},
        {"{\"method\":\"\xff\"}", RPC_PARSE_ERROR, NULL, false},
        {"{\"method\":\"\xc0\x80\"}", RPC_PARSE_ERROR, NULL, false},
        {"{\"method\":\"\xed\xa0\x80\"}", RPC_PARSE_ERROR, NULL, false},
        {"\xef\xbb\xbf{\"method\":\"status\"}", RPC_PARSE_ERROR, NULL, false},
        {"{\"id\":01,\"method\":\"status\"}", RPC_PARSE_ERROR, NULL, false},
        {"{\"id\":NaN,\"method\":\"status\"}", RPC_PARSE_ERROR, NULL, false},

        {"[]", INVALID, "batch_unsupported", false},
        {"[{\"id\":1,\"method\":\"status\"}]", INVALID, "batch_unsupported", false},
        {"1", INVALID, NULL, false},
        {"\"status\"", INVALID, NULL, false},
        {"null", INVALID, NULL, false},
        {"{}", INVALID, NULL, false},
        {"{\"id\":1}", INVALID, NULL, true},
        {"{\"id\":1,\"method\":1}", INVALID, NULL, true},
        {"{\"id\":{},\"method\":\"status\"}", INVALID, NULL, false},
        {"{\"id\":[1],\"method\":\"status\"}", INVALID, NULL, false},
        {"{\"id\":true,\"method\":\"status\"}", INVALID, NULL, false},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status\"}", INVALID, NULL, true},
        {"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"status\"}", INVALID, NULL, true},
        {"{\"method\":\"status\",\"method\":\"status\"}", INVALID, NULL, false},
        {"{\"id\":1,\"id\":2,\"method\":\"status\"}", INVALID, NULL, false},
        {"{\"method\":\"peer.get\",\"params\":{\"name\":\"a\",\"name\":\"b\"}}", INVALID, NULL,
         false},
        {"{\"method\":\"peer.get\",\"params\":{\"name\":\"a\\u0000b\"}}", INVALID, NULL, false},
        {"{\"id\":9223372036854775808,\"method\":\"status\"}", INVALID, NULL, false},
        {"{\"id\":1e999,\"method\":\"status\"}", INVALID, NULL, false},

        {"{\"id\":1,\"method\":\"nope\"}", RPC_METHOD_NOT_FOUND, "usage", true},
        {"{\"id\":1,\"method\":\"\"}", RPC_METHOD_NOT_FOUND, "usage", true},
        {"{\"id\":1,\"method\":\"status\",\"params\":[]}", RPC_INVALID_PARAMS, "usage", true},
        {"{\"id\":1,\"method\":\"status\",\"params\":null}", RPC_INVALID_PARAMS, "usage", true},
        {"{\"id\":1,\"method\":\"message.get\"}", RPC_INVALID_PARAMS, "usage", true},
        {"{\"id\":1,\"method\":\"status\",\"params\":{\"x\":1}}", RPC_INVALID_PARAMS, "usage",
         true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        expect_complaint(CASES[i].line, strlen(CASES[i].line), CASES[i].code, CASES[i].kind,
                         CASES[i].with_id);
}

static void test_a_nul_byte_ends_nothing(void **state)
{
    static const char request_line[] = "{\"method\":\"status\"}\0{\"x\":1}";
    (void)state;
    expect_complaint(request_line, sizeof request_line - 1, RPC_PARSE_ERROR, NULL, false);
}

static void test_every_cut_of_a_request_is_refused(void **state)
{
    static const char request_line[] =
        "{\"id\":1,\"method\":\"peer.get\",\"params\":{\"name\":\"\\u00e4\"}}";
    (void)state;
    for (size_t size = 0; size < sizeof request_line - 1; size++)
        expect_complaint(request_line, size, RPC_PARSE_ERROR, NULL, false);
}

static void test_an_unknown_notification_is_known_to_be_one(void **state)
{
    static const char request_line[] = "{\"jsonrpc\":\"2.0\",\"method\":\"nope\"}";
    struct rpc_request request;
    struct rpc_complaint complaint;
    (void)state;
    assert_false(
        rpc_request_read(&request, SPAN(request_line, sizeof request_line - 1), &complaint));
    assert_true(request.notification);
    rpc_request_deinit(&request);
}

static void test_a_long_unknown_method_makes_a_short_complaint(void **state)
{
    struct bytes line = {0};
    (void)state;
    bytes_append(&line, "{\"id\":1,\"method\":\"", 18);
    for (int i = 0; i < 1000; i++)
        bytes_append(&line, "\xc3\xa4", 2);
    bytes_append(&line, "\"}", 2);
    expect_complaint((const char *)line.data, line.size, RPC_METHOD_NOT_FOUND, "usage", true);
    bytes_deinit(&line);
}

/* {"method":"status","x":[[…]]} with `depth` levels in all. */
static bool reads_at_depth(int depth, bool in_string)
{
    struct bytes line = {0};
    struct rpc_request request;
    struct rpc_complaint complaint;
    bytes_append(&line, "{\"method\":\"status\",\"x\":", 23);
    bytes_append(&line, "\"\\\"", in_string ? 3 : 0);
    for (int i = 1; i < depth; i++)
        bytes_append_u8(&line, '[');
    for (int i = 1; i < depth; i++)
        bytes_append_u8(&line, ']');
    bytes_append(&line, in_string ? "\"}" : "}", in_string ? 2 : 1);
    const bool read = rpc_request_read(&request, bytes_span(&line), &complaint);
    if (!read)
        assert_int_equal(complaint.code, RPC_INVALID_REQUEST);
    rpc_request_deinit(&request);
    bytes_deinit(&line);
    return read;
}

static void test_nesting_is_limited(void **state)
{
    (void)state;
    assert_true(reads_at_depth(RPC_DEPTH_MAX, false));
    assert_false(reads_at_depth(RPC_DEPTH_MAX + 1, false));
    assert_false(reads_at_depth(100000, false));
}

static void test_brackets_in_strings_are_no_nesting(void **state)
{
    (void)state;
    assert_true(reads_at_depth(1000, true));
}

static void test_a_servers_line_is_any_object(void **state)
{
    json_t *message = rpc_read(SPAN("{\"id\":1,\"result\":{}}", 20));
    (void)state;
    assert_non_null(message);
    json_decref(message);
    assert_null(rpc_read(SPAN("[]", 2)));
    assert_null(rpc_read(SPAN("{\"a\":1,\"a\":1}", 13)));
    assert_null(rpc_read(SPAN("{\"a\":\"\xff\"}", 9)));
    assert_null(rpc_read(SPAN("", 0)));
}

/* --- building --------------------------------------------------------------------------------- */

static void expect_line(json_t *message, const char *line)
{
    struct bytes out = {0};
    assert_non_null(message);
    assert_int_equal(rpc_write(&out, message), 0);
    bytes_append_u8(&out, '\0');
    assert_string_equal((const char *)out.data, line);
    bytes_deinit(&out);
    json_decref(message);
}

static void test_messages_have_these_bytes(void **state)
{
    json_t *id = json_string("x");
    (void)state;
    expect_line(rpc_call(7, "status", NULL),
                "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"status\"}\n");
    expect_line(rpc_call(8, "peer.get", json_pack("{s:s}", "name", "\xc3\xa4\n")),
                "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"peer.get\","
                "\"params\":{\"name\":\"\xc3\xa4\\n\"}}\n");
    expect_line(rpc_reply(id, json_object()), "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{}}\n");
    expect_line(rpc_reply(NULL, json_object()),
                "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}\n");
    expect_line(rpc_error(id, RPC_PARSE_ERROR, NULL, false, "not JSON"),
                "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":{\"code\":-32700,"
                "\"message\":\"not JSON\"}}\n");
    expect_line(rpc_error_of_kind(NULL, RPC_KIND_queue_full, "full"),
                "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-75,\"message\":\"full\","
                "\"data\":{\"kind\":\"queue_full\",\"retryable\":true}}}\n");
    expect_line(rpc_event(json_pack("{s:i}", "sub", 1)),
                "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"sub\":1}}\n");
    json_decref(id);
}

static void test_a_reply_outlives_the_request(void **state)
{
    static const char request_line[] = "{\"id\":5,\"method\":\"status\"}";
    struct rpc_request request;
    struct rpc_complaint complaint;
    (void)state;
    assert_true(
        rpc_request_read(&request, SPAN(request_line, sizeof request_line - 1), &complaint));
    json_t *reply = rpc_reply(request.id, json_object());
    rpc_request_deinit(&request);
    expect_line(reply, "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}\n");
}

static void test_a_missing_part_makes_no_message(void **state)
{
    (void)state;
    assert_null(rpc_reply(NULL, NULL));
    assert_null(rpc_event(NULL));
    assert_null(rpc_error(NULL, -70, "internal", false, "\xff"));
}

static void test_write_appends_or_leaves_the_buffer_as_it_was(void **state)
{
    struct bytes out = {0};
    json_t *number = json_integer(1);
    (void)state;
    bytes_append(&out, "before", 6);
    assert_int_equal(rpc_write(&out, number), -ENOMEM);
    assert_int_equal(out.size, 6);
    bytes_deinit(&out);
    json_decref(number);
}

/* What one side builds, the other side reads. */
static void test_calls_are_read_as_requests(void **state)
{
    struct bytes line = {0};
    struct rpc_request request;
    struct rpc_complaint complaint;
    json_t *call = rpc_call(3, "message.send", json_pack("{s:s}", "body", "\x1b[31m\xe2\x80\xae"));
    (void)state;
    assert_int_equal(rpc_write(&line, call), 0);
    assert_true(rpc_request_read(&request, SPAN(line.data, line.size - 1), &complaint));
    assert_int_equal(json_integer_value(request.id), 3);
    assert_string_equal(json_string_value(json_object_get(request.params, "body")),
                        "\x1b[31m\xe2\x80\xae");
    rpc_request_deinit(&request);
    bytes_deinit(&line);
    json_decref(call);
}

int __real_bytes_append(struct bytes *bytes, const void *data, size_t size);
int __wrap_bytes_append(struct bytes *bytes, const void *data, size_t size);

static int appends_left = -1; /* before one fails; negative: none does */

int __wrap_bytes_append(struct bytes *bytes, const void *data, size_t size)
{
    return appends_left-- == 0 ? -ENOMEM : __real_bytes_append(bytes, data, size);
}

static void test_a_line_is_written_whole_or_not_at_all(void **state)
{
    struct bytes line = {0};
    json_t *message = json_pack("{s:{s:[i,b,s]}}", "result", "list", 1, 1, "x");
    int appends = 0, r;
    (void)state;
    assert_non_null(message);
    do {
        bytes_clear(&line);
        appends_left = appends++;
        r = rpc_write(&line, message);
        appends_left = -1;
        if (r != 0)
            assert_int_equal(line.size, 0);
    } while (r != 0);
    assert_true(appends > 10);
    assert_memory_equal(line.data, "{\"result\":{\"list\":[1,true,\"x\"]}}\n", line.size);
    bytes_deinit(&line);
    json_decref(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_are_understood),
        cmocka_unit_test(test_what_is_no_request_is_refused),
        cmocka_unit_test(test_a_nul_byte_ends_nothing),
        cmocka_unit_test(test_every_cut_of_a_request_is_refused),
        cmocka_unit_test(test_an_unknown_notification_is_known_to_be_one),
        cmocka_unit_test(test_a_long_unknown_method_makes_a_short_complaint),
        cmocka_unit_test(test_nesting_is_limited),
        cmocka_unit_test(test_brackets_in_strings_are_no_nesting),
        cmocka_unit_test(test_a_servers_line_is_any_object),
        cmocka_unit_test(test_messages_have_these_bytes),
        cmocka_unit_test(test_a_reply_outlives_the_request),
        cmocka_unit_test(test_a_missing_part_makes_no_message),
        cmocka_unit_test(test_write_appends_or_leaves_the_buffer_as_it_was),
        cmocka_unit_test(test_calls_are_read_as_requests),
        cmocka_unit_test(test_a_line_is_written_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
