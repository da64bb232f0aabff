/* SPDX-License-Identifier: ISC */
/*
 * Tests client/diagnosis: what keeps a peer from being online, and what to do, word by word.
 */
#include "client/diagnosis.h"

#include <string.h>

#include "base/timestamp.h"
#include "unit/cmocka_all.h"
#include "unit/fake_clock.h"

static int set_up(void **state)
{
    uint64_t now;
    (void)state;
    assert_int_equal(timestamp_parse("2026-11-22T20:00:00.000Z", &now), 0);
    fake_clock_set(now);
    return 0;
}

static json_t *make(const char *members)
{
    char text[512];
    snprintf(text, sizeof text, "{\"name\":\"bob\",\"trust\":\"tofu\",\"addresses\":[\"b:1\"],%s}",
             members);
    json_t *peer = json_loads(text, 0, NULL);
    assert_non_null(peer);
    return peer;
}

static void expect(const char *members, const char *reason, const char *remedy)
{
    struct diagnosis diagnosis;
    json_t *peer = make(members);
    assert_int_equal(diagnosis_find(&diagnosis, peer), 0);
    assert_string_equal(diagnosis.reason, reason);
    if (remedy != NULL)
        assert_string_equal(diagnosis.remedy, remedy);
    diagnosis_deinit(&diagnosis);
    json_decref(peer);
}

static void test_a_peer_that_is_online_has_none(void **state)
{
    struct diagnosis diagnosis;
    json_t *peer = make("\"link\":\"online\"");
    (void)state;
    assert_int_equal(diagnosis_find(&diagnosis, peer), DIAGNOSIS_NONE);
    diagnosis_deinit(&diagnosis);
    json_decref(peer);
}

#define DIAL                                                                                  \
    "is p2pchatd running there, its port open, and this machine let in (there: p2pchatctl "   \
    "peer requests)? Try: p2pchatctl peer connect bob; other addresses: p2pchatctl peer set " \
    "bob ADDRESS..."

static void test_the_error_comes_with_the_next_try(void **state)
{
    (void)state;
    expect("\"link\":\"backoff\",\"last_error\":\"b:1: no route\",\"failed_dials\":1,"
           "\"next_dial\":\"2026-11-22T20:00:11.001Z\"",
           "b:1: no route; next try in 12 s, 1 has failed", DIAL);
    expect("\"link\":\"backoff\",\"last_error\":\"b:1: no route\",\"failed_dials\":25,"
           "\"next_dial\":\"2026-11-22T20:02:05.000Z\"",
           "b:1: no route; next try in 2 min 5 s, 25 have failed", DIAL);
    expect("\"link\":\"connecting\",\"last_error\":\"b:1: no route\",\"failed_dials\":2",
           "b:1: no route; dialled again just now", DIAL);
}

static void test_a_try_that_is_due_is_not_in_the_past(void **state)
{
    (void)state;
    expect("\"link\":\"backoff\",\"last_error\":\"lost\",\"failed_dials\":0,"
           "\"next_dial\":\"2026-11-22T19:59:00.000Z\"",
           "lost; next try in 0 s", DIAL);
}

static void test_what_an_older_daemon_does_not_say_is_left_out(void **state)
{
    (void)state;
    expect("\"link\":\"backoff\",\"last_error\":\"lost\"", "lost", DIAL);
    expect("\"link\":\"offline\"", "not dialled yet", DIAL);
}

static void test_a_peer_that_has_not_let_us_in_is_asked_to(void **state)
{
    (void)state;
    expect("\"link\":\"handshake\",\"last_error\":\"it has yet to let us in\"",
           "it has yet to let us in",
           "its owner has to let this machine in; there: p2pchatctl peer requests");
}

static void test_a_peer_that_refuses_us_is_not_searched_for(void **state)
{
    (void)state;
    expect("\"link\":\"backoff\",\"last_error\":\"the peer says: refused\",\"refused\":true,"
           "\"next_dial\":\"2026-11-22T20:01:00.000Z\"",
           "the peer says: refused; next try in 1 min 0 s",
           "let this machine in there (p2pchatctl peer unblock NAME, p2pchatctl peer requests, or "
           "pair "
           "again by p2pchatctl invite), then here: p2pchatctl peer connect bob");
}

static void test_what_people_did_comes_before_errors(void **state)
{
    (void)state;
    expect("\"link\":\"offline\",\"disconnected\":true,\"last_error\":\"lost\"",
           "disconnected by hand", "p2pchatctl peer connect bob");
    expect("\"link\":\"offline\",\"trust\":\"blocked\",\"last_error\":\"lost\"",
           "blocked: its key is refused", "to let it in again: p2pchatctl peer unblock bob");
    expect("\"link\":\"offline\",\"addresses\":[],\"disconnected\":false",
           "no address, so it has to dial us",
           "let it dial us, or tell where it is: p2pchatctl peer set bob ADDRESS");
    expect("\"link\":\"offline\",\"addresses\":[],\"last_error\":\"connection lost\"",
           "no address, so it has to dial us; connection lost", NULL);
}

static void test_another_key_comes_before_everything(void **state)
{
    (void)state;
    expect("\"link\":\"online\",\"trust\":\"changed\",\"offered\":\"SHA256:other\"",
           "another key answered in its place: SHA256:other",
           "compare the new fingerprint with its owner, then: p2pchatctl peer accept bob "
           "--fingerprint SHA256:other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_peer_that_is_online_has_none),
        cmocka_unit_test(test_the_error_comes_with_the_next_try),
        cmocka_unit_test(test_a_try_that_is_due_is_not_in_the_past),
        cmocka_unit_test(test_what_an_older_daemon_does_not_say_is_left_out),
        cmocka_unit_test(test_a_peer_that_has_not_let_us_in_is_asked_to),
        cmocka_unit_test(test_a_peer_that_refuses_us_is_not_searched_for),
        cmocka_unit_test(test_what_people_did_comes_before_errors),
        cmocka_unit_test(test_another_key_comes_before_everything),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
