/* SPDX-License-Identifier: ISC */
/*
 * An authenticated peer that breaks the rules: records that are malformed, not allowed now, not
 * allowed from this role or too many.
 */
#include <stdlib.h>
#include <string.h>

#include "dialogue/puppet.h"
#include "proto/message.h"
#include "unit/cmocka_all.h"

static struct puppet puppet;
static struct bytes records;

static void begin(enum session_role role)
{
    puppet_init(&puppet, role, PUPPET_PACKETS);
    puppet.victim.event_count = 0;
    bytes_deinit(&records);
}

static void end(void)
{
    puppet_deinit(&puppet);
    bytes_deinit(&records);
}

static void add(unsigned type, const void *body, size_t size)
{
    assert_int_equal(record_append(&records, (enum record_type)type, SPAN(body, size)), 0);
}

static void add_number(enum record_type type, uint64_t number)
{
    uint8_t body[8];
    put_u64(body, number);
    add(type, body, sizeof(body));
}

static void add_text(const char *text, size_t size)
{
    struct session_item item = {.id = {{1}}, .content = SPAN(text, size)};
    assert_int_equal(message_append(&records, &item), 0);
}

static void send_added(void)
{
    puppet_send_records(&puppet, bytes_span(&records));
    bytes_clear(&records);
}

/* The packet must end the session before any of its records has an effect. */
static void expect_nothing_but(enum close_code code)
{
    send_added();
    puppet_expect_close(&puppet, code);
    assert_int_equal(puppet.victim.event_count, 1);
    assert_int_equal(puppet.victim.session->items_received, 0);
    end();
}

static void test_one_bad_record_spoils_its_packet(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum close_code code;
    } bad[] = {
        {"\0", 1, CLOSE_PROTOCOL_ERROR},
        {"\0\0\0\0", 4, CLOSE_PROTOCOL_ERROR},
        {"\0\0\0\1\xfe", 5, CLOSE_PROTOCOL_ERROR},
        {"\xff\xff\xff\xff\xfe", 5, CLOSE_PROTOCOL_ERROR},
        {"\0\0\0\7\1\0\0\0\0\0\0\0", 12, CLOSE_PROTOCOL_ERROR},
        {"\0\0\0\11\1\0\0\0\0\0\0\0\0\0", 14, CLOSE_PROTOCOL_ERROR},
        {"\0\0\0\0\3", 5, CLOSE_PROTOCOL_ERROR},
        {"\0\0\0\2\3\0\0", 7, CLOSE_PROTOCOL_ERROR},
        {"\0\0\0\1\4\0", 6, CLOSE_PROTOCOL_ERROR},
        {"\0\0\0\0\5", 5, CLOSE_PROTOCOL_ERROR},
        {"\0\0\0\0\0", 5, CLOSE_UNSUPPORTED_RECORD},
        {"\0\0\0\0\x11", 5, CLOSE_UNSUPPORTED_RECORD},
        {"\0\0\0\0\x20", 5, CLOSE_UNSUPPORTED_RECORD},
        {"\0\0\0\0\x30", 5, CLOSE_UNSUPPORTED_RECORD},
        {"\0\0\0\0\x7e", 5, CLOSE_UNSUPPORTED_RECORD},
        {"\0\0\0\0\x7f", 5, CLOSE_UNSUPPORTED_RECORD},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        begin(i % 2 ? SESSION_HOST : SESSION_JOINER);
        add_text("a good message before it", 24);
        assert_int_equal(bytes_append(&records, bad[i].bytes, bad[i].size), 0);
        expect_nothing_but(bad[i].code);
    }
}

static void test_unknown_optional_records_are_ignored(void **state)
{
    (void)state;
    begin(SESSION_JOINER);
    add(0xfe, "x", 1);
    add_text("between", 7);
    add(0xff, "", 0);
    send_added();
    assert_int_equal(party_count(&puppet.victim, SESSION_ITEM), 1);
    assert_int_equal(session_phase(puppet.victim.session), SESSION_OPEN);
    end();
}

static void test_close_must_be_the_last_record(void **state)
{
    (void)state;
    begin(SESSION_JOINER);
    add(RECORD_CLOSE, "\0", 1);
    add_number(RECORD_PING, 1);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
}

static void test_unknown_close_codes_are_protocol_errors(void **state)
{
    (void)state;
    begin(SESSION_JOINER);
    puppet_send_record(&puppet, RECORD_CLOSE, "\x77", 1);
    assert_int_equal(party_last(&puppet.victim, SESSION_ENDED)->code, CLOSE_PROTOCOL_ERROR);
    assert_true(party_last(&puppet.victim, SESSION_ENDED)->by_peer);
    end();
}

/* --- messages --------------------------------------------------------------------------------- */

static void test_illegal_texts_are_refused(void **state)
{
    static const struct {
        const char *text;
        size_t size;
    } illegal[] = {
        {"", 0},
        {"a\0b", 3},
        {"\0", 1},
        {"\xc0\xaf", 2},         /* overlong */
        {"\xe0\x80\xaf", 3},     /* overlong */
        {"\xed\xa0\x80", 3},     /* surrogate */
        {"\xf4\x90\x80\x80", 4}, /* above U+10FFFF */
        {"caf\xc3", 4},          /* truncated */
        {"\xff", 1},
    };
    char *text = malloc(SESSION_TEXT_MAX + 1);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < COUNT_OF(illegal); i++) {
        begin(SESSION_JOINER);
        add_text("good", 4);
        add_text(illegal[i].text, illegal[i].size);
        expect_nothing_but(CLOSE_BAD_ITEM);
    }
    memset(text, 'x', SESSION_TEXT_MAX + 1);
    begin(SESSION_JOINER);
    add_text(text, SESSION_TEXT_MAX + 1);
    expect_nothing_but(CLOSE_BAD_ITEM);
    begin(SESSION_JOINER);
    add_text(text, SESSION_TEXT_MAX);
    send_added();
    assert_int_equal(party_count(&puppet.victim, SESSION_ITEM), 1);
    end();
    free(text);
}

static void test_unknown_kind_or_zero_id_is_refused(void **state)
{
    (void)state;
    begin(SESSION_JOINER);
    add_text("kind 7", 6);
    records.data[RECORD_HEADER_SIZE + 40] = 7;
    expect_nothing_but(CLOSE_BAD_ITEM);
    begin(SESSION_JOINER);
    add_text("no id", 5);
    memset(records.data + RECORD_HEADER_SIZE, 0, 16);
    expect_nothing_but(CLOSE_BAD_ITEM);
    begin(SESSION_JOINER);
    add(RECORD_MESSAGE, "short", 5);
    expect_nothing_but(CLOSE_BAD_ITEM);
}

static void test_harmful_but_legal_text_is_delivered_unchanged(void **state)
{
    static const char text[] = "\x1b]52;c;AAAA\x07 \x1b[2J \xe2\x80\xae";
    (void)state;
    begin(SESSION_HOST);
    add_text(text, sizeof(text) - 1);
    send_added();
    assert_memory_equal(party_last(&puppet.victim, SESSION_ITEM)->item.content.data, text,
                        sizeof(text) - 1);
    end();
}

/* --- acknowledgements ------------------------------------------------------------------------- */

static void test_impossible_acknowledgements_are_refused(void **state)
{
    static const struct {
        uint64_t first; /* 0: none */
        uint64_t second;
    } acks[] = {{0, 0}, {0, 4}, {0, UINT64_MAX}, {3, 3}, {3, 2}, {2, 4}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(acks); i++) {
        begin(SESSION_JOINER);
        for (unsigned n = 1; n <= 3; n++)
            assert_int_equal(party_send_text(&puppet.victim, "item", n, puppet.now_ms), 0);
        puppet_hear_records(&puppet);
        /* One more waits for its packet: the peer can't have seen it. */
        assert_int_equal(party_send_text(&puppet.victim, "unsent", 4, puppet.now_ms), 0);
        if (acks[i].first != 0) {
            add_number(RECORD_ACK, acks[i].first);
            send_added();
            assert_int_equal(party_last(&puppet.victim, SESSION_ACKED)->ordinal, acks[i].first);
        }
        add_number(RECORD_ACK, acks[i].second);
        send_added();
        puppet_expect_close(&puppet, CLOSE_PROTOCOL_ERROR);
        end();
    }
}

/* --- PINGs ------------------------------------------------------------------------------------ */

static void test_eleventh_ping_in_ten_seconds_is_one_too_many(void **state)
{
    (void)state;
    begin(SESSION_JOINER);
    for (unsigned i = 0; i < 10; i++)
        add_number(RECORD_PING, i);
    send_added();
    assert_int_equal(session_phase(puppet.victim.session), SESSION_OPEN);
    puppet_hear_records(&puppet);
    puppet.now_ms += 9999;
    add_number(RECORD_PING, 10);
    send_added();
    puppet_expect_close(&puppet, CLOSE_PROTOCOL_ERROR);
    end();

    begin(SESSION_JOINER);
    for (unsigned i = 0; i < 50; i++) {
        add_number(RECORD_PING, i);
        send_added();
        puppet.now_ms += 1000;
    }
    assert_int_equal(session_phase(puppet.victim.session), SESSION_OPEN);
    end();
}

static void test_pongs_nobody_asked_for_are_refused(void **state)
{
    (void)state;
    begin(SESSION_JOINER);
    add_number(RECORD_PONG, 0);
    send_added();
    puppet_expect_close(&puppet, CLOSE_PROTOCOL_ERROR);
    end();

    for (unsigned lie = 0; lie < 3; lie++) {
        begin(SESSION_HOST);
        session_ping(puppet.victim.session, 1, puppet.now_ms);
        session_ping(puppet.victim.session, 2, puppet.now_ms);
        /* Other bytes, the wrong order, or before it was even sent. */
        if (lie < 2)
            puppet_hear_records(&puppet);
        add_number(RECORD_PONG, lie == 0 ? 77 : lie == 1 ? 2 : 1);
        send_added();
        puppet_expect_close(&puppet, CLOSE_PROTOCOL_ERROR);
        end();
    }
}

static void test_peer_that_asks_and_never_reads_is_too_slow(void **state)
{
    (void)state;
    begin(SESSION_JOINER);
    for (unsigned i = 0; session_phase(puppet.victim.session) == SESSION_OPEN; i++) {
        assert_true(i < 1000);
        assert_true(puppet.victim.session->answers.size <= SESSION_ANSWERS_MAX);
        add_number(RECORD_PING, i);
        send_added();
        puppet.now_ms += 1000;
    }
    puppet_expect_close(&puppet, CLOSE_SLOW_PEER);
    end();
}

/* --- approval --------------------------------------------------------------------------------- */

/* A puppet whose victim, a host, has not approved it. */
static void begin_pending(void)
{
    begin(SESSION_JOINER);
    puppet.victim.session->approved_here = false;
    puppet.victim.session->phase = SESSION_PENDING;
}

static void test_items_before_approval_are_refused(void **state)
{
    (void)state;
    begin_pending();
    add_text("let me in", 9);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
    begin_pending();
    add_number(RECORD_ACK, 1);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
}

static void test_second_approval_is_refused(void **state)
{
    (void)state;
    begin(SESSION_JOINER);
    add(RECORD_APPROVE, "", 0);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
    begin_pending();
    add(RECORD_APPROVE, "", 0);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
    begin_pending();
    puppet.victim.session->approved_there = false;
    add(RECORD_APPROVE, "", 0);
    add(RECORD_APPROVE, "", 0);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
}

/* --- rekey ------------------------------------------------------------------------------------ */

static const uint8_t share[KEYX_SIZE + 1] = {9};

static void test_steps_of_a_rekey_belong_to_a_role(void **state)
{
    (void)state;
    begin(SESSION_JOINER);
    add(RECORD_REKEY_INIT, share, KEYX_SIZE);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
    begin(SESSION_JOINER);
    add(RECORD_REKEY_DONE, "", 0);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
    begin(SESSION_HOST);
    add(RECORD_REKEY_RESP, share, KEYX_SIZE);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
    begin(SESSION_HOST);
    add(RECORD_REKEY_WANT, "", 0);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
}

static void test_steps_out_of_order_are_refused(void **state)
{
    (void)state;
    begin(SESSION_JOINER);
    add(RECORD_REKEY_RESP, share, KEYX_SIZE);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
    begin(SESSION_HOST);
    add(RECORD_REKEY_DONE, "", 0);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
    begin(SESSION_HOST);
    add(RECORD_REKEY_INIT, share, KEYX_SIZE);
    add(RECORD_REKEY_INIT, share, KEYX_SIZE);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
    /* DONE before RESP was sent. */
    begin(SESSION_HOST);
    add(RECORD_REKEY_INIT, share, KEYX_SIZE);
    add(RECORD_REKEY_DONE, "", 0);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
}

static void test_steps_that_end_an_epoch_must_be_last(void **state)
{
    (void)state;
    begin(SESSION_JOINER);
    add(RECORD_REKEY_RESP, share, KEYX_SIZE);
    add_number(RECORD_PING, 1);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
    begin(SESSION_HOST);
    add(RECORD_REKEY_DONE, "", 0);
    add_number(RECORD_PING, 1);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
}

static void test_bad_shares_are_refused(void **state)
{
    static const uint8_t zero[KEYX_SIZE];
    (void)state;
    begin(SESSION_HOST);
    add(RECORD_REKEY_INIT, zero, KEYX_SIZE);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
    for (size_t size = KEYX_SIZE - 1; size <= KEYX_SIZE + 1; size += 2) {
        begin(SESSION_HOST);
        add(RECORD_REKEY_INIT, share, size);
        expect_nothing_but(CLOSE_PROTOCOL_ERROR);
    }
    begin(SESSION_JOINER);
    assert_int_equal(epoch_start_rekey(&puppet.victim.session->epoch, puppet.now_ms), 0);
    puppet_hear_records(&puppet);
    add(RECORD_REKEY_RESP, zero, KEYX_SIZE);
    expect_nothing_but(CLOSE_PROTOCOL_ERROR);
}

static void test_packet_of_the_old_epoch_after_its_end_is_refused(void **state)
{
    struct span init;
    (void)state;
    begin(SESSION_JOINER);
    assert_int_equal(epoch_start_rekey(&puppet.victim.session->epoch, puppet.now_ms), 0);
    init = puppet_hear_records(&puppet);
    assert_int_equal(init.size, RECORD_HEADER_SIZE + KEYX_SIZE);
    add(RECORD_REKEY_RESP, share, KEYX_SIZE);
    send_added();
    assert_int_equal(party_last(&puppet.victim, SESSION_REKEYED)->epoch, 1);
    /* The puppet's chain is still that of epoch 0. */
    add_number(RECORD_PING, 1);
    send_added();
    puppet_expect_close(&puppet, CLOSE_PROTOCOL_ERROR);
    end();
}

static void test_wanting_a_rekey_all_the_time_gives_one_per_ten_seconds(void **state)
{
    uint64_t started_ms;
    (void)state;
    begin(SESSION_JOINER);
    started_ms = puppet.now_ms;
    for (unsigned i = 0; i < 20; i++)
        add(RECORD_REKEY_WANT, "", 0);
    send_added();
    session_tick(puppet.victim.session, puppet.now_ms);
    assert_false(session_has_output(puppet.victim.session));
    assert_true(session_deadline(puppet.victim.session) == started_ms + EPOCH_AGE_WANTED_MS);
    session_tick(puppet.victim.session, started_ms + EPOCH_AGE_WANTED_MS);
    assert_true(session_has_output(puppet.victim.session));
    assert_int_equal(puppet_hear_records(&puppet).data[4], RECORD_REKEY_INIT);
    add(RECORD_REKEY_WANT, "", 0);
    send_added();
    assert_false(session_has_output(puppet.victim.session));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_bad_record_spoils_its_packet),
        cmocka_unit_test(test_unknown_optional_records_are_ignored),
        cmocka_unit_test(test_close_must_be_the_last_record),
        cmocka_unit_test(test_unknown_close_codes_are_protocol_errors),
        cmocka_unit_test(test_illegal_texts_are_refused),
        cmocka_unit_test(test_unknown_kind_or_zero_id_is_refused),
        cmocka_unit_test(test_harmful_but_legal_text_is_delivered_unchanged),
        cmocka_unit_test(test_impossible_acknowledgements_are_refused),
        cmocka_unit_test(test_eleventh_ping_in_ten_seconds_is_one_too_many),
        cmocka_unit_test(test_pongs_nobody_asked_for_are_refused),
        cmocka_unit_test(test_peer_that_asks_and_never_reads_is_too_slow),
        cmocka_unit_test(test_items_before_approval_are_refused),
        cmocka_unit_test(test_second_approval_is_refused),
        cmocka_unit_test(test_steps_of_a_rekey_belong_to_a_role),
        cmocka_unit_test(test_steps_out_of_order_are_refused),
        cmocka_unit_test(test_steps_that_end_an_epoch_must_be_last),
        cmocka_unit_test(test_bad_shares_are_refused),
        cmocka_unit_test(test_packet_of_the_old_epoch_after_its_end_is_refused),
        cmocka_unit_test(test_wanting_a_rekey_all_the_time_gives_one_per_ten_seconds),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
