/* SPDX-License-Identifier: ISC */
/*
 * Tests core/services: whose a name is, who provides it, and who may call it.
 */
#include "core/services.h"

#include <stdio.h>
#include <string.h>

#include "unit/cmocka_all.h"

enum { ALICE = 1000, EVE = 1001 };

/* --- stand-ins -------------------------------------------------------------------------------- */

enum peer_trust peer_trust(const struct peer *peer)
{
    return peer->row.trust;
}

bool peer_trusted(const struct peer *peer)
{
    return peer->row.trust == PEER_TOFU || peer->row.trust == PEER_VERIFIED;
}

/* --- the stage -------------------------------------------------------------------------------- */

static struct services services;
static const struct service_terms terms = {.everybody = true, .streams = true, .max = 4};
static int server, another; /* only their addresses count */

static int set_up(void **state)
{
    (void)state;
    services_init(&services);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    services_deinit(&services);
    return 0;
}

static int add(const char *name, uid_t uid, bool admin, void *by)
{
    struct service *service;
    return services_add(&services, name, &terms, uid, admin, by, &service);
}

static struct service *added(const char *name, uid_t uid)
{
    assert_int_equal(add(name, uid, false, &server), 0);
    return services_find(&services, name);
}

/* --- names ------------------------------------------------------------------------------------ */

static void test_names_are_those_of_the_protocol_but_for_our_own(void **state)
{
    static const char *const bad[] = {"", ".relay", "a b", "a/b", "\xc3\xa4"};
    char longest[SERVICE_NAME_MAX + 2];
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(add(bad[i], ALICE, true, &server), SERVICES_BAD_NAME);
    memset(longest, 'x', sizeof longest);
    longest[SERVICE_NAME_MAX + 1] = '\0';
    assert_int_equal(add(longest, ALICE, true, &server), SERVICES_BAD_NAME);
    longest[SERVICE_NAME_MAX] = '\0';
    assert_int_equal(add(longest, ALICE, false, &server), 0);
    assert_non_null(services_find(&services, longest));
    assert_int_equal(services.count, 1);
}

static void test_a_name_belongs_to_who_added_it(void **state)
{
    struct service *service = added("git", ALICE);
    (void)state;
    assert_int_equal(add("git", EVE, false, &another), SERVICES_NAME_TAKEN);
    assert_ptr_equal(service->server, &server);
    services_leave(&services, &server);
    assert_int_equal(add("git", EVE, false, &another), SERVICES_NAME_TAKEN);
    assert_null(service->server);
    assert_int_equal(services_remove(&services, "git", EVE, false), SERVICES_NAME_TAKEN);
    assert_ptr_equal(services_find(&services, "git"), service);
    assert_int_equal(services_remove(&services, "git", ALICE, false), 0);
    assert_null(services_find(&services, "git"));
    assert_int_equal(services_remove(&services, "git", ALICE, false), SERVICES_NONE);
    assert_int_equal(add("git", EVE, false, &another), 0);
}

static void test_an_admin_may_take_and_remove_any_name(void **state)
{
    struct service *service = added("git", ALICE);
    (void)state;
    assert_int_equal(add("git", EVE, true, &another), 0);
    assert_ptr_equal(service->server, &another);
    assert_int_equal(service->uid, ALICE);
    assert_int_equal(services_remove(&services, "git", EVE, true), 0);
    assert_int_equal(services.count, 0);
}

static void test_the_newest_server_takes_the_calls_on_its_own_terms(void **state)
{
    struct service *service = added("git", ALICE), *again = NULL;
    const struct service_terms others = {.once = true, .max = 1};
    (void)state;
    service->running = 3;
    assert_int_equal(services_add(&services, "git", &others, ALICE, false, &another, &again), 0);
    assert_ptr_equal(again, service);
    assert_true(service->terms.once && !service->terms.everybody);
    assert_int_equal(service->running, 3);
    services_leave(&services, &server); /* the former one, which provides nothing any more */
    assert_ptr_equal(service->server, &another);
}

/* --- room ------------------------------------------------------------------------------------- */

static void fill(uid_t uid)
{
    char name[8];
    for (unsigned i = services.count; i < SERVICES_MAX; i++) {
        snprintf(name, sizeof name, "s%u", i);
        assert_int_equal(add(name, uid, false, &server), 0);
    }
}

static void test_a_name_that_is_provided_makes_no_room(void **state)
{
    (void)state;
    fill(ALICE);
    assert_int_equal(add("more", ALICE, false, &another), SERVICES_FULL);
    assert_int_equal(add("s7", ALICE, false, &another), 0);
    assert_int_equal(services.count, SERVICES_MAX);
}

static void test_the_oldest_name_that_nobody_provides_makes_room(void **state)
{
    (void)state;
    assert_int_equal(add("first", ALICE, false, &another), 0);
    assert_int_equal(add("second", ALICE, false, &another), 0);
    assert_int_equal(add("third", ALICE, false, &another), 0);
    services_find(&services, "first")->running = 1;
    fill(ALICE);
    services_leave(&services, &another);
    assert_int_equal(add("more", ALICE, false, &server), 0);
    assert_non_null(services_find(&services, "first"));
    assert_null(services_find(&services, "second"));
    assert_non_null(services_find(&services, "third"));
    assert_int_equal(services.count, SERVICES_MAX);
}

static void test_nobody_s_name_makes_room_for_another_user(void **state)
{
    (void)state;
    fill(ALICE);
    services_leave(&services, &server);
    assert_int_equal(add("more", EVE, false, &another), SERVICES_FULL);
    assert_non_null(services_find(&services, "s0"));
}

/* --- who may call ----------------------------------------------------------------------------- */

static void test_who_may_call(void **state)
{
    enum { NAMED = 5, OTHER = 6 };
    static const struct {
        bool everybody, tofu;
        int64_t peer;
        enum peer_trust trust;
        bool admitted;
    } rows[] = {
        {false, false, NAMED, PEER_VERIFIED, true}, {false, false, NAMED, PEER_TOFU, false},
        {false, true, NAMED, PEER_TOFU, true},      {false, true, OTHER, PEER_VERIFIED, false},
        {true, false, OTHER, PEER_VERIFIED, true},  {true, false, OTHER, PEER_TOFU, false},
        {true, true, OTHER, PEER_TOFU, true},       {true, true, NAMED, PEER_CHANGED, false},
        {true, true, NAMED, PEER_BLOCKED, false},   {true, true, NAMED, PEER_UNPINNED, false},
        {false, true, NAMED, PEER_UNPINNED, false},
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        const struct service service = {.terms = {.everybody = rows[i].everybody,
                                                  .peers = {NAMED + 10, NAMED},
                                                  .peer_count = 2,
                                                  .tofu = rows[i].tofu}};
        const struct peer peer = {.row = {.id = rows[i].peer, .trust = rows[i].trust}};
        if (service_admits(&service, &peer) != rows[i].admitted)
            fail_msg("row %u", i);
    }
}

static void test_a_list_of_peers_ends_where_it_says(void **state)
{
    const struct service service = {.terms = {.peers = {1, 2}, .peer_count = 1}};
    const struct peer peer = {.row = {.id = 2, .trust = PEER_VERIFIED}};
    (void)state;
    assert_false(service_admits(&service, &peer));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names_are_those_of_the_protocol_but_for_our_own),
        TEST(test_a_name_belongs_to_who_added_it),
        TEST(test_an_admin_may_take_and_remove_any_name),
        TEST(test_the_newest_server_takes_the_calls_on_its_own_terms),
        TEST(test_a_name_that_is_provided_makes_no_room),
        TEST(test_the_oldest_name_that_nobody_provides_makes_room),
        TEST(test_nobody_s_name_makes_room_for_another_user),
        TEST(test_who_may_call),
        TEST(test_a_list_of_peers_ends_where_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
