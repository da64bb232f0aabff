/* SPDX-License-Identifier: ISC */
/*
 * Tests rpc/rpc_method: every method takes what its line in the table says, and nothing else.
 */
#include "rpc/rpc_method.h"

#include <stdlib.h>
#include <string.h>

#include "unit/cmocka_all.h"

/* --- the table's own notation, read a second time ------------------------------------------------
 */

struct expected {
    char name[40];
    char type[16];
    bool optional;
};

static size_t read_parameters(const struct rpc_method *method, struct expected *expected,
                              size_t most)
{
    char *list = strdup(method->parameters), *rest = list;
    size_t count = 0;
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        if (word[0] == '\0')
            continue;
        char *type = strchr(word, ':');
        assert_non_null(type);
        *type++ = '\0';
        if (strcmp(type, "descriptor") == 0)
            continue; /* it comes beside the JSON */
        assert_true(count < most);
        struct expected *one = &expected[count++];
        one->optional = word[strlen(word) - 1] == '?';
        if (one->optional)
            word[strlen(word) - 1] = '\0';
        snprintf(one->name, sizeof one->name, "%s", word);
        snprintf(one->type, sizeof one->type, "%s", type);
    }
    free(list);
    return count;
}

static json_t *value_of(const char *type)
{
    if (strcmp(type, "string") == 0)
        return json_string("x");
    if (strcmp(type, "integer") == 0)
        return json_integer(0);
    if (strcmp(type, "boolean") == 0)
        return json_true();
    if (strcmp(type, "object") == 0)
        return json_object();
    assert_string_equal(type, "strings");
    return json_pack("[s,s]", "x", "y");
}

static json_t *all_parameters(const struct expected *expected, size_t count, bool optional_too)
{
    json_t *params = json_object();
    for (size_t i = 0; i < count; i++) {
        if (optional_too || !expected[i].optional)
            json_object_set_new(params, expected[i].name, value_of(expected[i].type));
    }
    return params;
}

static bool check(const struct rpc_method *method, const json_t *params)
{
    char complaint[RPC_COMPLAINT_MAX] = "";
    const bool fits = rpc_method_check(method, params, complaint);
    if (!fits)
        assert_true(strlen(complaint) > 0);
    return fits;
}

/* --- tests ---------------------------------------------------------------------------------------
 */

static void test_every_method_is_found_by_its_name_once(void **state)
{
    (void)state;
    assert_true(rpc_method_count > 20);
    for (size_t i = 0; i < rpc_method_count; i++)
        assert_ptr_equal(rpc_method_find(rpc_methods[i].name), &rpc_methods[i]);
    assert_null(rpc_method_find(""));
    assert_null(rpc_method_find("statu"));
    assert_null(rpc_method_find("STATUS"));
}

static void test_every_method_takes_all_and_only_the_needed_parameters(void **state)
{
    (void)state;
    for (size_t i = 0; i < rpc_method_count; i++) {
        struct expected expected[16];
        const size_t count = read_parameters(&rpc_methods[i], expected, COUNT_OF(expected));
        for (int optional = 0; optional < 2; optional++) {
            json_t *params = all_parameters(expected, count, optional == 1);
            assert_true(check(&rpc_methods[i], params));
            json_decref(params);
        }
    }
}

static void test_every_method_refuses_without_each_needed_parameter(void **state)
{
    (void)state;
    for (size_t i = 0; i < rpc_method_count; i++) {
        struct expected expected[16];
        const size_t count = read_parameters(&rpc_methods[i], expected, COUNT_OF(expected));
        bool needs_any = false;
        for (size_t j = 0; j < count; j++) {
            json_t *params = all_parameters(expected, count, true);
            json_object_del(params, expected[j].name);
            assert_int_equal(check(&rpc_methods[i], params), expected[j].optional);
            needs_any = needs_any || !expected[j].optional;
            json_decref(params);
        }
        assert_int_equal(check(&rpc_methods[i], NULL), !needs_any);
    }
}

static void test_every_method_refuses_each_parameter_of_a_wrong_type(void **state)
{
    static const char *const wrong[] = {"null", "{}", "1.5", "-1", "[1]", "[\"a\",null]", "[[]]"};
    (void)state;
    for (size_t i = 0; i < rpc_method_count; i++) {
        struct expected expected[16];
        const size_t count = read_parameters(&rpc_methods[i], expected, COUNT_OF(expected));
        for (size_t j = 0; j < count; j++) {
            json_t *params = all_parameters(expected, count, true);
            for (size_t k = 0; k < COUNT_OF(wrong); k++) {
                if (strcmp(expected[j].type, "object") == 0 && strcmp(wrong[k], "{}") == 0)
                    continue;
                json_object_set_new(params, expected[j].name,
                                    json_loads(wrong[k], JSON_DECODE_ANY, NULL));
                assert_false(check(&rpc_methods[i], params));
            }
            json_object_set_new(
                params, expected[j].name,
                value_of(strcmp(expected[j].type, "string") == 0 ? "integer" : "string"));
            assert_false(check(&rpc_methods[i], params));
            json_decref(params);
        }
    }
}

static void test_every_method_refuses_an_unknown_parameter(void **state)
{
    (void)state;
    for (size_t i = 0; i < rpc_method_count; i++) {
        struct expected expected[16];
        const size_t count = read_parameters(&rpc_methods[i], expected, COUNT_OF(expected));
        json_t *params = all_parameters(expected, count, true);
        json_object_set_new(params, "na", json_string("x"));
        assert_false(check(&rpc_methods[i], params));
        json_decref(params);
    }
}

static void test_params_must_be_an_object(void **state)
{
    json_t *array = json_array(), *text = json_string("x");
    (void)state;
    assert_false(check(rpc_method_find("status"), array));
    assert_false(check(rpc_method_find("status"), text));
    json_decref(array);
    json_decref(text);
}

static void test_complaints_name_the_trouble(void **state)
{
    const struct rpc_method *method = rpc_method_find("peer.ping");
    char complaint[RPC_COMPLAINT_MAX];
    json_t *params = json_object();
    (void)state;
    assert_false(rpc_method_check(method, params, complaint));
    assert_string_equal(complaint, "peer.ping needs the parameter \"name\"");
    json_object_set_new(params, "name", json_string("alice"));
    json_object_set_new(params, "timeout_ms", json_integer(-1));
    assert_false(rpc_method_check(method, params, complaint));
    assert_string_equal(complaint,
                        "the parameter \"timeout_ms\" of peer.ping must be an integer of "
                        "at least 0");
    json_object_del(params, "timeout_ms");
    json_object_set_new(params, "n\x1b\n", json_integer(1));
    assert_false(rpc_method_check(method, params, complaint));
    assert_string_equal(complaint, "peer.ping has no parameter \"n^[^J\"; it takes "
                                   "name:string timeout_ms?:integer");
    json_decref(params);
}

static void test_a_long_unknown_name_is_cut(void **state)
{
    char complaint[RPC_COMPLAINT_MAX], name[5000];
    json_t *params = json_object();
    (void)state;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    json_object_set_new(params, name, json_true());
    assert_false(rpc_method_check(rpc_method_find("status"), params, complaint));
    assert_true(strlen(complaint) < RPC_COMPLAINT_MAX - 1);
    json_decref(params);
}

static void test_changes_of_trust_are_for_administrators(void **state)
{
    static const char *const admin[] = {
        "peer.add",      "peer.rename",  "peer.set",      "peer.remove",   "peer.verify",
        "peer.block",    "peer.unblock", "peer.accept",   "peer.reject",   "invite.create",
        "invite.accept", "invite.list",  "invite.revoke", "history.purge", "daemon.reload",
        "daemon.stop",   "log.level",    "store.snapshot"};
    size_t admins = 0;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(admin); i++)
        assert_int_equal(rpc_method_find(admin[i])->access, RPC_ADMIN);
    for (size_t i = 0; i < rpc_method_count; i++)
        admins += rpc_methods[i].access == RPC_ADMIN;
    assert_int_equal(admins, COUNT_OF(admin));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_method_is_found_by_its_name_once),
        cmocka_unit_test(test_every_method_takes_all_and_only_the_needed_parameters),
        cmocka_unit_test(test_every_method_refuses_without_each_needed_parameter),
        cmocka_unit_test(test_every_method_refuses_each_parameter_of_a_wrong_type),
        cmocka_unit_test(test_every_method_refuses_an_unknown_parameter),
        cmocka_unit_test(test_params_must_be_an_object),
        cmocka_unit_test(test_complaints_name_the_trouble),
        cmocka_unit_test(test_a_long_unknown_name_is_cut),
        cmocka_unit_test(test_changes_of_trust_are_for_administrators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
