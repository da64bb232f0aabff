/* SPDX-License-Identifier: ISC */
/*
 * Cheating once the handshake is sealed: IDENT, KEY and CONFIRM with every kind of lie, by somebody
 * who owns an identity and does the key exchange properly.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"
#include "dialogue/puppet.h"
#include "proto/confirm.h"
#include "proto/ident.h"
#include "unit/cmocka_all.h"

static struct puppet puppet;

enum { SPKI = 294, MODULUS = 256, IDENT_SPKI = 54, KEY_SPKI = 6 };

/* What a puppet of this role sends as its identity, and where things are in it. */
struct layout {
    enum session_role role;
    enum signature_purpose purpose;
    size_t size;
    size_t spki;
    size_t signature;
};

static const struct layout layouts[] = {
    {SESSION_JOINER, SIGNATURE_IDENT, IDENT_SIZE, IDENT_SPKI, IDENT_SPKI + SPKI},
    {SESSION_HOST, SIGNATURE_KEY, KEY_SIZE, KEY_SPKI, KEY_SPKI + SPKI + 2 + MODULUS},
};

/* What the victim's transcript is while it waits for the identity: T2 or T3. */
static const uint8_t *transcript(void)
{
    return puppet.victim.session->handshake->hash;
}

/* Seals the changed plaintext and expects this alert; the owner must not have been asked anything.
 */
static void expect_refusal(const uint8_t *plaintext, size_t size, enum close_code code)
{
    puppet_reseal(&puppet, SPAN(plaintext, size));
    puppet_send(&puppet);
    puppet_expect_alert(&puppet, code);
    assert_int_equal(party_count(&puppet.victim, SESSION_IDENTIFIED), 0);
    assert_null(session_peer(puppet.victim.session));
    puppet_deinit(&puppet);
}

static void test_every_changed_byte_of_a_sealed_frame_breaks_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        for (unsigned frame = PUPPET_IDENTITY; frame <= PUPPET_CONFIRM; frame++) {
            size_t size = frame == PUPPET_IDENTITY ? layouts[i].size + 16 : CONFIRM_SIZE + 16;
            /* Each byte of the short frame, a sample of the long one. */
            size_t stride = frame == PUPPET_IDENTITY ? 13 : 1;
            for (size_t at = 0; at < size; at += stride) {
                puppet_init(&puppet, layouts[i].role, frame);
                puppet.out.data[FRAME_HEADER_SIZE + at] ^= (uint8_t)(1 << at % 8);
                puppet_send(&puppet);
                puppet_expect_alert(&puppet, CLOSE_HANDSHAKE_FAILED);
                puppet_deinit(&puppet);
            }
        }
    }
}

static void test_wrong_headers_are_refused_before_the_body(void **state)
{
    static const struct frame_header headers[] = {
        {1167, FRAME_IDENT},
        {1169, FRAME_IDENT},
        {1679, FRAME_KEY},
        {1681, FRAME_KEY},
        {80, FRAME_CONFIRM_J},
        {82, FRAME_CONFIRM_H},
        {80, FRAME_HELLO_J},
        {80, FRAME_HELLO_H},
        {1056, FRAME_PACKET},
        {1, FRAME_ALERT},
        {16, FRAME_ALERT},
        {18, FRAME_ALERT},
        {UINT32_MAX, FRAME_IDENT},
        {UINT32_MAX, FRAME_KEY},
        {0, 0},
        {17, 8},
        {1168, 0xff},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        for (unsigned frame = PUPPET_IDENTITY; frame <= PUPPET_CONFIRM; frame++) {
            for (size_t h = 0; h < COUNT_OF(headers); h++) {
                uint8_t header[FRAME_HEADER_SIZE];
                puppet_init(&puppet, layouts[i].role, frame);
                frame_header_put(header, headers[h]);
                puppet_send_bytes(&puppet, SPAN(header, sizeof(header)));
                puppet_expect_alert(&puppet, CLOSE_PROTOCOL_ERROR);
                assert_true(puppet.victim.session->body.capacity <= FRAME_HANDSHAKE_MAX);
                puppet_deinit(&puppet);
            }
        }
    }
}

static void test_frames_of_the_other_role_and_repeated_ones_are_refused(void **state)
{
    struct bytes again = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        puppet_init(&puppet, layouts[i].role, PUPPET_IDENTITY);
        bytes_append(&again, puppet.out.data, puppet.out.size);
        puppet_send(&puppet);
        puppet_send_bytes(&puppet, bytes_span(&again));
        party_listen(&puppet.victim, puppet.now_ms);
        assert_int_equal(party_last(&puppet.victim, SESSION_ENDED)->code, CLOSE_PROTOCOL_ERROR);
        puppet_deinit(&puppet);
        bytes_clear(&again);
    }
    bytes_deinit(&again);
}

static void test_identity_recorded_from_another_connection_is_broken(void **state)
{
    struct bytes recorded = {0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        puppet_init(&puppet, layouts[i].role, PUPPET_IDENTITY);
        bytes_append(&recorded, puppet.out.data, puppet.out.size);
        puppet_deinit(&puppet);
        puppet_init(&puppet, layouts[i].role, PUPPET_IDENTITY);
        puppet_send_bytes(&puppet, bytes_span(&recorded));
        puppet_expect_alert(&puppet, CLOSE_HANDSHAKE_FAILED);
        puppet_deinit(&puppet);
        bytes_clear(&recorded);
    }
    bytes_deinit(&recorded);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void test_keys_beside_the_template_are_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {
        {0, 0x31},        /* no SEQUENCE */
        {1, 0x83},        /* BER length */
        {14, 0x0a},       /* RSASSA-PSS */
        {17, 0x06},       /* no NULL */
        {29, 0x00},       /* shorter modulus */
        {33, 0x7f},       /* top bit clear */
        {SPKI - 6, 0x00}, /* even modulus, see below */
        {SPKI - 1, 0x03}, /* e = 65539 */
        {SPKI - 3, 0x00}, /* e = 1 */
        {SPKI - 4, 0x04}, /* longer e */
    };
    uint8_t plaintext[KEY_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        const struct layout *layout = &layouts[i];
        for (size_t c = 0; c < COUNT_OF(changes); c++) {
            puppet_init(&puppet, layout->role, PUPPET_IDENTITY);
            assert_int_equal(puppet_unseal(&puppet, plaintext), layout->size);
            plaintext[layout->spki + changes[c].at] = changes[c].value;
            puppet_sign(&puppet, layout->purpose, transcript(), plaintext, layout->signature);
            expect_refusal(plaintext, layout->size, CLOSE_PROTOCOL_ERROR);
        }
    }
}

static void test_lengths_that_do_not_fit_are_refused(void **state)
{
    static const uint16_t sizes[] = {0, 1, 293, 295, 421, 549, 551, 1152, 65535};
    uint8_t plaintext[KEY_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        for (size_t s = 0; s < COUNT_OF(sizes); s++) {
            puppet_init(&puppet, layouts[i].role, PUPPET_IDENTITY);
            puppet_unseal(&puppet, plaintext);
            put_u16(plaintext + layouts[i].spki - 2, sizes[s]);
            expect_refusal(plaintext, layouts[i].size, CLOSE_PROTOCOL_ERROR);
        }
    }
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        puppet_init(&puppet, SESSION_HOST, PUPPET_IDENTITY);
        puppet_unseal(&puppet, plaintext);
        put_u16(plaintext + KEY_SPKI + SPKI, sizes[s]);
        expect_refusal(plaintext, KEY_SIZE, CLOSE_PROTOCOL_ERROR);
    }
}

static void test_padding_must_be_zero(void **state)
{
    uint8_t plaintext[KEY_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        const size_t places[] = {layouts[i].signature + MODULUS, layouts[i].size - 1};
        for (size_t p = 0; p < COUNT_OF(places); p++) {
            puppet_init(&puppet, layouts[i].role, PUPPET_IDENTITY);
            puppet_unseal(&puppet, plaintext);
            plaintext[places[p]] = 1;
            expect_refusal(plaintext, layouts[i].size, CLOSE_PROTOCOL_ERROR);
        }
    }
}

static void test_own_key_is_recognised_with_and_without_its_signature(void **state)
{
    uint8_t plaintext[KEY_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        const struct layout *layout = &layouts[i];
        enum session_role victim = session_role_other(layout->role);
        for (unsigned stolen = 0; stolen <= 1; stolen++) {
            const char *detail;
            puppet_init(&puppet, layout->role, PUPPET_IDENTITY);
            puppet_unseal(&puppet, plaintext);
            memcpy(plaintext + layout->spki,
                   pubkey_spki(identity_pubkey(party_identity(victim))).data, SPKI);
            if (stolen) {
                const struct span parts[] = {SPAN(transcript(), SHA256_SIZE),
                                             SPAN(plaintext, layout->signature)};
                assert_int_equal(identity_sign(party_identity(victim), layout->purpose, parts, 2,
                                               plaintext + layout->signature),
                                 0);
            }
            puppet_reseal(&puppet, SPAN(plaintext, layout->size));
            puppet_send(&puppet);
            puppet_expect_alert(&puppet, CLOSE_SELF);
            detail = party_last(&puppet.victim, SESSION_ENDED)->detail;
            assert_string_equal(detail, stolen ? "the peer is ourselves, or has our private key"
                                               : "the peer claims our identity");
            puppet_deinit(&puppet);
        }
    }
}

/* --- signatures ------------------------------------------------------------------------------- */

static void test_wrong_signatures_fail_the_handshake(void **state)
{
    uint8_t plaintext[KEY_SIZE], elsewhere[SHA256_SIZE] = {1};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        const struct layout *layout = &layouts[i];
        uint8_t *signature = plaintext + layout->signature;
        for (unsigned lie = 0; lie < 7; lie++) {
            puppet_init(&puppet, layout->role, PUPPET_IDENTITY);
            puppet_unseal(&puppet, plaintext);
            switch (lie) {
            case 0: /* for something else */
                puppet_sign(&puppet, SIGNATURE_PACKET, transcript(), plaintext, layout->signature);
                break;
            case 1: /* for the other role */
                puppet_sign(&puppet,
                            layout->purpose == SIGNATURE_KEY ? SIGNATURE_IDENT : SIGNATURE_KEY,
                            transcript(), plaintext, layout->signature);
                break;
            case 2: /* relayed from another connection */
                puppet_sign(&puppet, layout->purpose, elsewhere, plaintext, layout->signature);
                break;
            case 3: /* not over the key */
                puppet_sign(&puppet, layout->purpose, transcript(), plaintext, layout->spki);
                memmove(signature, plaintext + layout->spki, MODULUS);
                memcpy(plaintext + layout->spki,
                       pubkey_spki(identity_pubkey(party_identity(layout->role))).data, SPKI);
                break;
            case 4:
                memset(signature, 0, MODULUS);
                break;
            case 5: /* no less than the modulus */
                memset(signature, 0xff, MODULUS);
                break;
            default: /* features changed after signing */
                plaintext[0] ^= 1;
                break;
            }
            expect_refusal(plaintext, layout->size, CLOSE_HANDSHAKE_FAILED);
        }
    }
}

static void test_unknown_features_are_ignored(void **state)
{
    uint8_t plaintext[IDENT_SIZE];
    (void)state;
    puppet_init(&puppet, SESSION_JOINER, PUPPET_IDENTITY);
    puppet_unseal(&puppet, plaintext);
    memset(plaintext, 0xff, 4);
    puppet_sign(&puppet, SIGNATURE_IDENT, transcript(), plaintext, IDENT_SPKI + SPKI);
    puppet_reseal(&puppet, SPAN(plaintext, sizeof(plaintext)));
    puppet_send(&puppet);
    assert_int_equal(party_count(&puppet.victim, SESSION_IDENTIFIED), 1);
    puppet_deinit(&puppet);
}

static void test_replaced_wrapping_under_the_old_signature_fails_the_handshake(void **state)
{
    struct secret other = {{1}};
    uint8_t plaintext[KEY_SIZE];
    (void)state;
    puppet_init(&puppet, SESSION_HOST, PUPPET_IDENTITY);
    puppet_unseal(&puppet, plaintext);
    assert_int_equal(pubkey_wrap(identity_pubkey(party_identity(SESSION_JOINER)), &other,
                                 plaintext + KEY_SPKI + SPKI + 2),
                     0);
    expect_refusal(plaintext, KEY_SIZE, CLOSE_HANDSHAKE_FAILED);
}

/* A host that signs a bad wrapping must not learn that it was bad: CONFIRM_J comes as ever. */
static void test_bad_wrapping_shows_only_when_confirming(void **state)
{
    uint8_t plaintext[KEY_SIZE];
    (void)state;
    for (unsigned kind = 0; kind < 3; kind++) {
        uint8_t *wrapped = plaintext + KEY_SPKI + SPKI + 2;
        struct frame_header header;
        struct span body;
        puppet_init(&puppet, SESSION_HOST, PUPPET_IDENTITY);
        puppet_unseal(&puppet, plaintext);
        if (kind < 2)
            memset(wrapped, kind == 0 ? 0 : 0xff, MODULUS);
        else
            wrapped[100] ^= 1;
        puppet_sign(&puppet, SIGNATURE_KEY, transcript(), plaintext, layouts[1].signature);
        puppet_reseal(&puppet, SPAN(plaintext, sizeof(plaintext)));
        puppet_send(&puppet);
        assert_true(puppet_hear(&puppet, &header, &body));
        assert_int_equal(header.type, FRAME_CONFIRM_J);
        assert_int_equal(handshake_take(puppet.handshake, header, body, &puppet.out),
                         CLOSE_HANDSHAKE_FAILED);
        puppet_deinit(&puppet);
    }
}

/* --- CONFIRM ---------------------------------------------------------------------------------- */

static void test_wrong_confirmations_are_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t flip;
        enum close_code code;
    } lies[] = {
        {0, 0x01, CLOSE_HANDSHAKE_FAILED}, /* approval under the old MAC */
        {0, 0x02, CLOSE_PROTOCOL_ERROR},   /* reserved flags */
        {0, 0x80, CLOSE_PROTOCOL_ERROR},    {1, 0x01, CLOSE_HANDSHAKE_FAILED},
        {32, 0x80, CLOSE_HANDSHAKE_FAILED}, {33, 0x01, CLOSE_HANDSHAKE_FAILED},
        {64, 0x80, CLOSE_HANDSHAKE_FAILED},
    };
    uint8_t message[CONFIRM_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        for (size_t l = 0; l < COUNT_OF(lies); l++) {
            puppet_init(&puppet, layouts[i].role, PUPPET_CONFIRM);
            puppet_unseal(&puppet, message);
            message[lies[l].at] ^= lies[l].flip;
            puppet_reseal(&puppet, SPAN(message, sizeof(message)));
            puppet_send(&puppet);
            puppet_expect_alert(&puppet, lies[l].code);
            assert_int_equal(party_count(&puppet.victim, SESSION_CONFIRMED), 0);
            puppet_deinit(&puppet);
        }
    }
}

static void test_wrong_checksum_under_a_right_mac_fails_the_handshake(void **state)
{
    uint8_t message[CONFIRM_SIZE];
    (void)state;
    puppet_init(&puppet, SESSION_JOINER, PUPPET_CONFIRM);
    puppet_unseal(&puppet, message);
    message[1] ^= 1;
    assert_int_equal(confirm_make(&puppet.handshake->secrets.confirm[SIDE_JOINER],
                                  puppet.victim.session->handshake->hash, message + 1, true,
                                  message),
                     0);
    puppet_reseal(&puppet, SPAN(message, sizeof(message)));
    puppet_send(&puppet);
    puppet_expect_alert(&puppet, CLOSE_HANDSHAKE_FAILED);
    puppet_deinit(&puppet);
}

static void test_reflected_confirmation_is_refused(void **state)
{
    struct bytes reflected = {0};
    struct frame_header header;
    struct span body;
    (void)state;
    puppet_init(&puppet, SESSION_HOST, PUPPET_IDENTITY);
    puppet_send(&puppet);
    assert_true(puppet_hear(&puppet, &header, &body));
    assert_int_equal(header.type, FRAME_CONFIRM_J);
    puppet.handshake->receiving.count++;
    bytes_append(&reflected, body.data - FRAME_HEADER_SIZE, body.size + FRAME_HEADER_SIZE);
    puppet_send_bytes(&puppet, bytes_span(&reflected));
    puppet_expect_alert(&puppet, CLOSE_PROTOCOL_ERROR);
    puppet_deinit(&puppet);

    puppet_init(&puppet, SESSION_HOST, PUPPET_IDENTITY);
    puppet_send(&puppet);
    assert_true(puppet_hear(&puppet, &header, &body));
    puppet.handshake->receiving.count++;
    reflected.data[4] = FRAME_CONFIRM_H;
    puppet_send_bytes(&puppet, bytes_span(&reflected));
    puppet_expect_alert(&puppet, CLOSE_HANDSHAKE_FAILED);
    puppet_deinit(&puppet);
    bytes_deinit(&reflected);
}

static void test_sealed_alerts_end_the_handshake_with_their_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(layouts); i++) {
        for (unsigned frame = PUPPET_IDENTITY; frame <= PUPPET_CONFIRM; frame++) {
            puppet_init(&puppet, layouts[i].role, frame);
            bytes_clear(&puppet.out);
            puppet.handshake->sending.count--;
            handshake_alert(puppet.handshake, CLOSE_BUSY, &puppet.out);
            puppet_send(&puppet);
            assert_int_equal(party_last(&puppet.victim, SESSION_ENDED)->code, CLOSE_BUSY);
            assert_true(party_last(&puppet.victim, SESSION_ENDED)->by_peer);
            assert_false(session_has_output(puppet.victim.session));
            puppet_deinit(&puppet);
        }
    }
}

static void test_forged_alert_fails_the_handshake(void **state)
{
    const uint8_t alert[FRAME_HEADER_SIZE + FRAME_SEALED_ALERT_SIZE] = {
        0, 0, 0, FRAME_SEALED_ALERT_SIZE, FRAME_ALERT, CLOSE_REFUSED};
    (void)state;
    puppet_init(&puppet, SESSION_HOST, PUPPET_IDENTITY);
    puppet_send_bytes(&puppet, SPAN(alert, sizeof(alert)));
    puppet_expect_alert(&puppet, CLOSE_HANDSHAKE_FAILED);
    puppet_deinit(&puppet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_changed_byte_of_a_sealed_frame_breaks_it),
        cmocka_unit_test(test_wrong_headers_are_refused_before_the_body),
        cmocka_unit_test(test_frames_of_the_other_role_and_repeated_ones_are_refused),
        cmocka_unit_test(test_identity_recorded_from_another_connection_is_broken),
        cmocka_unit_test(test_keys_beside_the_template_are_refused),
        cmocka_unit_test(test_lengths_that_do_not_fit_are_refused),
        cmocka_unit_test(test_padding_must_be_zero),
        cmocka_unit_test(test_own_key_is_recognised_with_and_without_its_signature),
        cmocka_unit_test(test_wrong_signatures_fail_the_handshake),
        cmocka_unit_test(test_unknown_features_are_ignored),
        cmocka_unit_test(test_replaced_wrapping_under_the_old_signature_fails_the_handshake),
        cmocka_unit_test(test_bad_wrapping_shows_only_when_confirming),
        cmocka_unit_test(test_wrong_confirmations_are_refused),
        cmocka_unit_test(test_wrong_checksum_under_a_right_mac_fails_the_handshake),
        cmocka_unit_test(test_reflected_confirmation_is_refused),
        cmocka_unit_test(test_sealed_alerts_end_the_handshake_with_their_code),
        cmocka_unit_test(test_forged_alert_fails_the_handshake),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
