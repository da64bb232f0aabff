/* SPDX-License-Identifier: ISC */
/*
 * Tests core/trust: every case of who meets whom.
 */
#include "core/trust.h"

#include "unit/cmocka_all.h"

/* All combinations of what may be known of a key. */
enum { CASES = 1 << 10 };

static struct trust_case make_case(enum session_role role, enum unknown_policy policy,
                                   unsigned bits)
{
    return (struct trust_case){.role = role,
                               .policy = policy,
                               .known = bits & 1,
                               .blocked = bits & 2,
                               .expected = bits & 4,
                               .expected_pinned = bits & 8,
                               .expected_is_it = bits & 16,
                               .invited = bits & 32,
                               .unnamed = bits & 64,
                               .expected_online = bits & 128,
                               .weak = bits & 256,
                               .expected_there = bits & 512};
}

static const enum unknown_policy policies[] = {UNKNOWN_ASK, UNKNOWN_REJECT, UNKNOWN_ACCEPT};

/* Calls `check` with every case of a role. */
static void each_case(enum session_role role,
                      void (*check)(const struct trust_case *facts, enum trust_verdict verdict))
{
    for (unsigned p = 0; p < 3; p++)
        for (unsigned bits = 0; bits < CASES; bits++) {
            struct trust_case facts = make_case(role, policies[p], bits);
            check(&facts, trust_decide(&facts));
        }
}

static void check_no_blocked_key(const struct trust_case *facts, enum trust_verdict verdict)
{
    if (facts->blocked)
        assert_true(verdict == TRUST_REFUSE || verdict == TRUST_ALARM ||
                    verdict == TRUST_ELSEWHERE);
}

static void test_blocked_key_never_comes_in(void **state)
{
    (void)state;
    each_case(SESSION_HOST, check_no_blocked_key);
    each_case(SESSION_JOINER, check_no_blocked_key);
}

static void check_joiner_alarm(const struct trust_case *facts, enum trust_verdict verdict)
{
    const bool other = facts->expected_pinned && !facts->expected_is_it;
    if (other)
        assert_true(verdict == TRUST_ALARM || verdict == TRUST_ELSEWHERE);
    const bool others = facts->known && !facts->unnamed;
    assert_int_equal(verdict == TRUST_ALARM,
                     other && !facts->expected_online && !others && facts->expected_there);
}

static void test_dialled_peer_with_another_key_raises_the_alarm(void **state)
{
    (void)state;
    each_case(SESSION_JOINER, check_joiner_alarm);
}

static void test_who_is_online_with_its_own_key_has_no_other(void **state)
{
    struct trust_case facts = {
        .role = SESSION_JOINER, .expected = true, .expected_pinned = true, .expected_there = true};
    (void)state;
    assert_int_equal(trust_decide(&facts), TRUST_ALARM);
    facts.expected_online = true;
    assert_int_equal(trust_decide(&facts), TRUST_ELSEWHERE);
}

static void test_where_a_peer_once_was_somebody_else_may_be(void **state)
{
    struct trust_case facts = {.role = SESSION_JOINER, .expected = true, .expected_pinned = true};
    (void)state;
    assert_int_equal(trust_decide(&facts), TRUST_ELSEWHERE);
    facts.expected_there = true;
    assert_int_equal(trust_decide(&facts), TRUST_ALARM);
}

static void test_key_of_another_peer_is_no_new_key(void **state)
{
    struct trust_case facts = {.role = SESSION_JOINER,
                               .expected = true,
                               .expected_pinned = true,
                               .known = true,
                               .expected_there = true};
    (void)state;
    assert_int_equal(trust_decide(&facts), TRUST_ELSEWHERE);
    facts.unnamed = true; /* it may be the new one, that called in before */
    assert_int_equal(trust_decide(&facts), TRUST_ALARM);
}

static void check_policy_only_for_unknown(const struct trust_case *facts,
                                          enum trust_verdict verdict)
{
    struct trust_case other = *facts;
    for (unsigned p = 0; p < 3; p++) {
        other.policy = policies[p];
        if (facts->role == SESSION_JOINER || facts->known || facts->blocked || facts->invited)
            assert_int_equal(trust_decide(&other), verdict);
    }
}

static void test_policy_decides_only_about_unknown_callers(void **state)
{
    (void)state;
    each_case(SESSION_HOST, check_policy_only_for_unknown);
    each_case(SESSION_JOINER, check_policy_only_for_unknown);
}

static void check_host_alarm(const struct trust_case *facts, enum trust_verdict verdict)
{
    (void)facts;
    assert_int_not_equal(verdict, TRUST_ALARM);
}

static void test_callers_raise_no_alarm(void **state)
{
    (void)state;
    each_case(SESSION_HOST, check_host_alarm);
}

static enum trust_verdict verdict_on_stranger(enum unknown_policy policy)
{
    struct trust_case facts = {.role = SESSION_HOST, .policy = policy};
    return trust_decide(&facts);
}

static void test_policy_for_unknown_callers(void **state)
{
    (void)state;
    assert_int_equal(verdict_on_stranger(UNKNOWN_ASK), TRUST_ASK);
    assert_int_equal(verdict_on_stranger(UNKNOWN_REJECT), TRUST_REFUSE);
    assert_int_equal(verdict_on_stranger(UNKNOWN_ACCEPT), TRUST_PIN);
}

static void test_invite_opens_the_door_under_every_policy(void **state)
{
    (void)state;
    for (unsigned p = 0; p < 3; p++) {
        struct trust_case facts = {.role = SESSION_HOST, .policy = policies[p], .invited = true};
        assert_int_equal(trust_decide(&facts), TRUST_INVITED);
        facts.known = true;
        assert_int_equal(trust_decide(&facts), TRUST_WELCOME);
    }
}

static void test_joiner_pins_who_answers_for_a_peer_without_a_key(void **state)
{
    struct trust_case facts = {.role = SESSION_JOINER, .expected = true};
    (void)state;
    assert_int_equal(trust_decide(&facts), TRUST_PIN);
    facts.known = true; /* it is somebody else */
    assert_int_equal(trust_decide(&facts), TRUST_ELSEWHERE);
}

static void check_weak(const struct trust_case *facts, enum trust_verdict verdict)
{
    struct trust_case strong = *facts;
    strong.weak = false;
    const enum trust_verdict otherwise = trust_decide(&strong);
    const bool is_peer =
        otherwise == TRUST_WELCOME || otherwise == TRUST_PIN || otherwise == TRUST_MERGE;
    assert_int_equal(verdict, facts->weak && is_peer ? TRUST_WEAK : otherwise);
}

static void test_a_weak_suite_keeps_out_whoever_would_be_a_peer_and_changes_nothing_else(
    void **state)
{
    (void)state;
    each_case(SESSION_HOST, check_weak);
    each_case(SESSION_JOINER, check_weak);
}

static void check_union(const struct trust_case *facts, enum trust_verdict verdict)
{
    if (verdict != TRUST_MERGE)
        return;
    assert_int_equal(facts->role, SESSION_JOINER);
    assert_true(facts->expected && !facts->expected_pinned);
    assert_true(facts->known && facts->unnamed && !facts->blocked);
}

static void test_only_who_answers_where_a_peer_without_a_key_is_dialled_can_become_it(void **state)
{
    struct trust_case facts = {
        .role = SESSION_JOINER, .known = true, .unnamed = true, .expected = true};
    (void)state;
    assert_int_equal(trust_decide(&facts), TRUST_MERGE);
    each_case(SESSION_HOST, check_union);
    each_case(SESSION_JOINER, check_union);
}

static void test_joiner_welcomes_the_peer_it_dialled(void **state)
{
    struct trust_case facts = {.role = SESSION_JOINER,
                               .known = true,
                               .expected = true,
                               .expected_pinned = true,
                               .expected_is_it = true};
    (void)state;
    assert_int_equal(trust_decide(&facts), TRUST_WELCOME);
}

static void test_every_trust_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int one = PEER_UNPINNED; one <= PEER_BLOCKED; one++)
        for (int other = PEER_UNPINNED; other < one; other++)
            assert_string_not_equal(trust_name((enum peer_trust)one),
                                    trust_name((enum peer_trust)other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocked_key_never_comes_in),
        cmocka_unit_test(test_dialled_peer_with_another_key_raises_the_alarm),
        cmocka_unit_test(test_who_is_online_with_its_own_key_has_no_other),
        cmocka_unit_test(test_where_a_peer_once_was_somebody_else_may_be),
        cmocka_unit_test(test_key_of_another_peer_is_no_new_key),
        cmocka_unit_test(test_policy_decides_only_about_unknown_callers),
        cmocka_unit_test(test_callers_raise_no_alarm),
        cmocka_unit_test(test_policy_for_unknown_callers),
        cmocka_unit_test(test_invite_opens_the_door_under_every_policy),
        cmocka_unit_test(test_joiner_pins_who_answers_for_a_peer_without_a_key),
        cmocka_unit_test(
            test_a_weak_suite_keeps_out_whoever_would_be_a_peer_and_changes_nothing_else),
        cmocka_unit_test(test_only_who_answers_where_a_peer_without_a_key_is_dialled_can_become_it),
        cmocka_unit_test(test_joiner_welcomes_the_peer_it_dialled),
        cmocka_unit_test(test_every_trust_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
