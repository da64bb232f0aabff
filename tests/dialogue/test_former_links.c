/* SPDX-License-Identifier: ISC */
/*
 * What two sessions of the same peers know of each other: which link the joiner calls gone, and
 * whether a link is indirect.
 */
#include <string.h>

#include "dialogue/fixture.h"
#include "proto/features.h"
#include "proto/handshake_state.h"

/* The sessions that are met again. */
static struct rig before;

/* A rig whose joiner names these links, NULL for nothing, and where both offer these features. */
static void start_naming(const struct gone *gone, uint32_t joiner, uint32_t host)
{
    const struct session_settings joining = {.role = SESSION_JOINER,
                                             .self = party_identity(SESSION_JOINER),
                                             .suites = party_suites,
                                             .features = joiner,
                                             .gone = gone};
    const struct session_settings hosting = {.role = SESSION_HOST,
                                             .self = party_identity(SESSION_HOST),
                                             .suites = party_suites,
                                             .features = host};
    memset(&rig, 0, sizeof rig);
    rig.now_ms = RIG_START_MS;
    assert_int_equal(session_new(&rig.joiner.session, &joining, rig.now_ms), 0);
    assert_int_equal(session_new(&rig.host.session, &hosting, rig.now_ms), 0);
}

static void meet_before(void)
{
    rig_open(&rig);
    before = rig;
}

/* Runs until the host is asked whether the session may exist. */
static void run_to_the_question(void)
{
    rig.host.asks = true;
    rig_run(&rig);
    session_admit(rig.host.session, true, rig.now_ms);
    rig_run(&rig);
    assert_int_equal(party_count(&rig.host, SESSION_CONFIRMED), 1);
}

static void end_all(void)
{
    rig_deinit(&rig);
    rig_deinit(&before);
}

static void test_both_ends_know_a_link_by_the_same_tag(void **state)
{
    (void)state;
    meet_before();
    assert_non_null(session_tag(before.joiner.session));
    assert_memory_equal(session_tag(before.joiner.session), session_tag(before.host.session),
                        SECRET_SIZE);
    rig_open(&rig);
    assert_memory_not_equal(session_tag(rig.host.session), session_tag(before.host.session),
                            SECRET_SIZE);
    end_all();
}

static void test_tag_outlives_the_session(void **state)
{
    struct secret tag;
    (void)state;
    rig_open(&rig);
    tag = *session_tag(rig.joiner.session);
    session_close(rig.joiner.session, CLOSE_NORMAL, rig.now_ms);
    rig_run(&rig);
    assert_memory_equal(session_tag(rig.joiner.session), &tag, SECRET_SIZE);
    assert_memory_equal(session_tag(rig.host.session), &tag, SECRET_SIZE);
    rig_deinit(&rig);
}

/* A link that the other end cannot take for one has no name: it would push out one that has. */
static void test_tag_exists_since_the_joiner_confirmed(void **state)
{
    (void)state;
    rig_init(&rig);
    rig.joiner.asks = rig.host.asks = true;
    rig_run(&rig);
    session_admit(rig.host.session, true, rig.now_ms);
    rig_run(&rig);
    assert_int_equal(party_count(&rig.joiner, SESSION_IDENTIFIED), 1);
    assert_null(session_tag(rig.joiner.session));
    assert_null(session_tag(rig.host.session));
    session_admit(rig.joiner.session, true, rig.now_ms);
    assert_non_null(session_tag(rig.joiner.session));
    assert_null(session_tag(rig.host.session));
    /* Given up now, it leaves a host that may go on. */
    session_close(rig.joiner.session, CLOSE_NORMAL, rig.now_ms);
    assert_non_null(session_tag(rig.joiner.session));
    rig_deinit(&rig);

    rig_init(&rig);
    session_close(rig.joiner.session, CLOSE_NORMAL, rig.now_ms);
    assert_null(session_tag(rig.joiner.session));
    rig_deinit(&rig);
}

static void test_host_finds_each_link_that_is_named(void **state)
{
    (void)state;
    for (unsigned count = 0; count <= GONE_NAMES; count++)
        for (unsigned place = 0; place <= count; place++) {
            struct gone gone = {.count = count};
            meet_before();
            for (unsigned i = 0; i < count; i++)
                gone.keys[i] = (struct secret){{(uint8_t)i}};
            if (place < count)
                gone.keys[place] = *session_tag(before.joiner.session);
            start_naming(&gone, 0, 0);
            run_to_the_question();
            assert_int_equal(session_says_gone(rig.host.session, before.host.session),
                             place < count);
            end_all();
        }
}

static void test_who_names_nothing_says_nothing(void **state)
{
    (void)state;
    meet_before();
    start_naming(NULL, 0, 0);
    run_to_the_question();
    assert_false(session_says_gone(rig.host.session, before.host.session));
    assert_false(session_says_gone(rig.joiner.session, before.joiner.session));
    end_all();
}

/* Whoever sees two dials cannot tell that they name the same link, or how many they name. */
static void test_names_differ_from_dial_to_dial(void **state)
{
    struct hello hellos[3];
    (void)state;
    meet_before();
    for (unsigned i = 0; i < COUNT_OF(hellos); i++) {
        const struct gone gone = {{*session_tag(before.joiner.session)}, i == 0 ? 0 : 1};
        start_naming(&gone, 0, 0);
        hellos[i] = rig.joiner.session->handshake->hello;
        assert_int_equal(hellos[i].gone_size, GONE_SIZE);
        rig_deinit(&rig);
    }
    for (unsigned i = 0; i < GONE_SIZE; i += GONE_NAME_SIZE)
        for (unsigned k = 0; k < GONE_SIZE; k += GONE_NAME_SIZE)
            assert_memory_not_equal(hellos[1].gone + i, hellos[2].gone + k, GONE_NAME_SIZE);
    rig_deinit(&before);
}

static void test_link_is_indirect_if_the_joiner_says_so_and_both_understand(void **state)
{
    const uint32_t indirect = FEATURE_REACH | FEATURE_PATH_INDIRECT;
    const struct {
        uint32_t joiner, host;
        bool indirect;
    } table[] = {
        {0, 0, false},
        {FEATURE_REACH, FEATURE_REACH, false},
        {indirect, FEATURE_REACH, true},
        {indirect, 0, false},                     /* a host that does not know the difference */
        {FEATURE_PATH_INDIRECT, indirect, false}, /* nonsense */
        {FEATURE_REACH, indirect, false},         /* the host has no say in it */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        start_naming(NULL, table[i].joiner, table[i].host);
        rig_run(&rig);
        assert_int_equal(session_phase(rig.host.session), SESSION_OPEN);
        assert_int_equal(session_indirect(rig.joiner.session), table[i].indirect);
        assert_int_equal(session_indirect(rig.host.session), table[i].indirect);
        assert_int_equal(session_features(rig.host.session) & FEATURE_PATH_INDIRECT,
                         table[i].joiner & table[i].host & FEATURE_PATH_INDIRECT);
        rig_deinit(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ends_know_a_link_by_the_same_tag),
        cmocka_unit_test(test_tag_outlives_the_session),
        cmocka_unit_test(test_tag_exists_since_the_joiner_confirmed),
        cmocka_unit_test(test_host_finds_each_link_that_is_named),
        cmocka_unit_test(test_who_names_nothing_says_nothing),
        cmocka_unit_test(test_names_differ_from_dial_to_dial),
        cmocka_unit_test(test_link_is_indirect_if_the_joiner_says_so_and_both_understand),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
