/* SPDX-License-Identifier: ISC */
/*
 * What both roles of the handshake share: the states, the transcript, alerts and CONFIRM. What
 * differs is in handshake_joiner.c and handshake_host.c.
 */
#define LOG_COMPONENT "handshake"
#include "proto/handshake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "crypto/aead.h"
#include "crypto/random.h"
#include "proto/handshake_state.h"
#include "proto/ident.h"

DEFINE_CLEANUP(struct handshake *, handshake_cleanup, handshake_free)

static const char *const state_names[] = {
    [HANDSHAKE_WAIT_HELLO] = "waiting for HELLO",
    [HANDSHAKE_WAIT_IDENTITY] = "waiting for the identity",
    [HANDSHAKE_ASK_ADMISSION] = "asking for admission",
    [HANDSHAKE_WAIT_CONFIRM] = "waiting for CONFIRM",
    [HANDSHAKE_ASK_ESTABLISHED] = "asking to establish",
    [HANDSHAKE_DONE] = "done",
};

void handshake_enter(struct handshake *handshake, enum handshake_state state)
{
    log_debug("%s: %s -> %s", handshake->role->name, state_names[handshake->state],
              state_names[state]);
    handshake->state = state;
}

int handshake_fail(struct handshake *handshake, enum close_code code, const char *complaint)
{
    handshake->complaint = complaint;
    return (int)code;
}

int handshake_record(struct handshake *handshake, enum frame_type type, struct span plaintext)
{
    uint8_t element[FRAME_HEADER_SIZE];
    int r;
    frame_header_put(
        element, (struct frame_header){.length = (uint32_t)plaintext.size, .type = (uint8_t)type});
    r = sha256_state_add(handshake->transcript, SPAN(element, sizeof element));
    if (r == 0)
        r = sha256_state_add(handshake->transcript, plaintext);
    if (r == 0)
        r = sha256_state_value(handshake->transcript, handshake->hash);
    return r;
}

int handshake_agree(struct handshake *handshake, const struct hello *other,
                    const struct exchange_secret *secret)
{
    struct handshake_secrets *secrets = &handshake->secrets;
    if (memcmp(other->random, handshake->hello.random, HELLO_RANDOM_SIZE) == 0 ||
        memcmp(other->share, handshake->hello.share, KEYX_SIZE) == 0)
        return handshake_fail(handshake, CLOSE_PROTOCOL_ERROR, "our own HELLO was sent back");
    int r = keyschedule_exchange(secrets, handshake->hash, exchange_secret_span(secret));
    if (r != 0)
        return r;
    handshake->sending.key = secrets->seal[handshake->role->ours];
    handshake->receiving.key = secrets->seal[!handshake->role->ours];
    return 0;
}

int handshake_send(struct handshake *handshake, enum frame_type type, struct span plaintext,
                   struct bytes *out)
{
    int r = handshake_record(handshake, type, plaintext);
    return r != 0 ? r : seal_frame(&handshake->sending, type, plaintext, out);
}

int handshake_authenticate(struct handshake *handshake, struct span spki,
                           enum signature_purpose purpose, struct span prefix,
                           struct span signature)
{
    const struct span own = pubkey_spki(identity_pubkey(handshake->self));
    const struct span parts[] = {SPAN(handshake->hash, SHA256_SIZE), prefix};
    CLEANUP(pubkey_cleanup) struct pubkey *peer = NULL;
    int r = pubkey_new(&peer, spki);
    if (r > 0)
        return handshake_fail(handshake, CLOSE_PROTOCOL_ERROR, "not a legal RSA key");
    if (r == 0)
        r = pubkey_verify(peer, purpose, parts, 2, signature);
    if (r < 0)
        return r;
    const bool is_own = spki.size == own.size && memcmp(spki.data, own.data, own.size) == 0;
    handshake->met_own_key = is_own && r == 0;
    if (is_own)
        return handshake_fail(handshake, CLOSE_SELF,
                              r == 0 ? "the peer is ourselves, or has our private key"
                                     : "the peer claims our identity");
    if (r > 0)
        return handshake_fail(handshake, CLOSE_HANDSHAKE_FAILED, "wrong signature");
    handshake->peer = STEAL(peer);
    return 0;
}

int handshake_sign(struct handshake *handshake, enum signature_purpose purpose, uint8_t *plaintext,
                   size_t prefix_size)
{
    const struct span parts[] = {SPAN(handshake->hash, SHA256_SIZE), SPAN(plaintext, prefix_size)};
    return identity_sign(handshake->self, purpose, parts, 2, plaintext + prefix_size);
}

static int combine_checksum(const struct handshake *handshake,
                            uint8_t checksum[static CHECKSUM_SIZE])
{
    return checksum_combine(pubkey_fingerprint(identity_pubkey(handshake->self)),
                            pubkey_fingerprint(handshake->peer), checksum);
}

int handshake_make_confirm(struct handshake *handshake, uint8_t message[static CONFIRM_SIZE])
{
    uint8_t checksum[CHECKSUM_SIZE];
    int r = combine_checksum(handshake, checksum);
    if (r != 0)
        return r;
    return confirm_make(&handshake->secrets.confirm[handshake->role->ours], handshake->hash,
                        checksum, handshake->approved_here, message);
}

static int take_confirm(struct handshake *handshake, struct span message)
{
    const struct handshake_role *role = handshake->role;
    uint8_t checksum[CHECKSUM_SIZE];
    int r = combine_checksum(handshake, checksum);
    if (r != 0)
        return r;
    r = confirm_check(&handshake->secrets.confirm[!role->ours], handshake->hash, checksum,
                      message.data, &handshake->approved_there);
    if (r == CONFIRM_MALFORMED)
        return handshake_fail(handshake, CLOSE_PROTOCOL_ERROR, "unknown flags in CONFIRM");
    if (r == CONFIRM_FORGED)
        return handshake_fail(handshake, CLOSE_HANDSHAKE_FAILED, "CONFIRM does not match");
    if (r == 0)
        r = handshake_record(handshake, role->confirm, message);
    if (r == 0)
        handshake_enter(handshake, HANDSHAKE_ASK_ESTABLISHED);
    return r;
}

int handshake_new(struct handshake **handshake, const struct session_settings *settings,
                  struct bytes *out)
{
    CLEANUP(handshake_cleanup) struct handshake *made = calloc(1, sizeof *made);
    int r;
    if (made == NULL)
        return -ENOMEM;
    made->role = settings->role == SESSION_JOINER ? &handshake_joiner : &handshake_host;
    made->self = settings->self;
    made->invite_secret = settings->invite_secret;
    made->former = settings->gone;
    made->features = settings->features;
    made->suites = settings->suites != 0 ? settings->suites : exchange_suites();
    r = sha256_state_new(&made->transcript);
    if (r == 0)
        r = made->role->start(made, out);
    if (r == 0)
        *handshake = STEAL(made);
    return r;
}

void handshake_free(struct handshake *handshake)
{
    if (handshake == NULL)
        return;
    sha256_state_free(handshake->transcript);
    pubkey_free(handshake->peer);
    secret_wipe(handshake, sizeof *handshake);
    free(handshake);
}

/* The one type of frame that this state waits for. */
static enum frame_type expected_type(const struct handshake *handshake)
{
    switch (handshake->state) {
    case HANDSHAKE_WAIT_HELLO:
        return handshake->role->hello;
    case HANDSHAKE_WAIT_IDENTITY:
        return handshake->role->identity;
    case HANDSHAKE_ASK_ADMISSION:
    case HANDSHAKE_WAIT_CONFIRM:
    case HANDSHAKE_ASK_ESTABLISHED:
    case HANDSHAKE_DONE:
        break;
    }
    return handshake->role->confirm;
}

/* A clear alert can only be the host's answer to HELLO_J; the others are sealed. */
static uint32_t expected_alert_length(const struct handshake *handshake)
{
    return handshake->state == HANDSHAKE_WAIT_HELLO ? handshake->role->clear_alert_size
                                                    : FRAME_SEALED_ALERT_SIZE;
}

int handshake_judge(struct handshake *handshake, struct frame_header header)
{
    enum frame_type expected = expected_type(handshake);
    /* What is not even roughly a HELLO_J is no peer and gets no answer. */
    handshake->answers_hello = expected == FRAME_HELLO_J && header.type == FRAME_HELLO_J &&
                               header.length <= FRAME_HANDSHAKE_MAX;
    if (expected == FRAME_HELLO_H && header.type == FRAME_HELLO_J)
        return handshake_fail(handshake, CLOSE_PROTOCOL_ERROR,
                              "both sides joined, or dialled self");
    if (!frame_acceptable(header, expected, expected_alert_length(handshake)))
        return handshake_fail(handshake, CLOSE_PROTOCOL_ERROR, "unexpected frame");
    return 0;
}

int handshake_take(struct handshake *handshake, struct frame_header header, struct span body,
                   struct bytes *out)
{
    uint8_t opened[KEY_SIZE];
    if (handshake->state == HANDSHAKE_WAIT_HELLO)
        return handshake->role->take_hello(handshake, body, out);
    int r = seal_open(&handshake->receiving, header, body, opened);
    if (r > 0)
        return handshake_fail(handshake, CLOSE_HANDSHAKE_FAILED, "a sealed frame is broken");
    if (r < 0)
        return r;
    struct span plaintext = SPAN(opened, body.size - AEAD_TAG_SIZE);
    return handshake->state == HANDSHAKE_WAIT_CONFIRM
               ? take_confirm(handshake, plaintext)
               : handshake->role->take_identity(handshake, plaintext);
}

int handshake_take_alert(struct handshake *handshake, struct frame_header header, struct span body,
                         enum close_code *code)
{
    uint8_t value = body.data[0];
    if (handshake->state != HANDSHAKE_WAIT_HELLO) {
        int r = seal_open(&handshake->receiving, header, body, &value);
        if (r > 0)
            return handshake_fail(handshake, CLOSE_HANDSHAKE_FAILED, "a sealed alert is broken");
        if (r < 0)
            return r;
    }
    *code = close_code_from_wire(value);
    return 0;
}

void handshake_alert(struct handshake *handshake, enum close_code code, struct bytes *out)
{
    uint8_t frame[FRAME_HEADER_SIZE + FRAME_CLEAR_ALERT_SIZE];
    /* Best effort: the link ends in any case. */
    if (handshake->state != HANDSHAKE_WAIT_HELLO) {
        uint8_t value = (uint8_t)code;
        seal_frame(&handshake->sending, FRAME_ALERT, SPAN(&value, 1), out);
    } else if (handshake->answers_hello) {
        frame_header_put(
            frame, (struct frame_header){.length = FRAME_CLEAR_ALERT_SIZE, .type = FRAME_ALERT});
        frame[FRAME_HEADER_SIZE] = (uint8_t)code;
        bytes_append(out, frame, sizeof frame);
    }
}

bool handshake_asks_admission(const struct handshake *handshake)
{
    return handshake->state == HANDSHAKE_ASK_ADMISSION;
}

bool handshake_asks_establishment(const struct handshake *handshake)
{
    return handshake->state == HANDSHAKE_ASK_ESTABLISHED;
}

bool handshake_met(const struct handshake *handshake)
{
    return handshake->state != HANDSHAKE_WAIT_HELLO;
}

bool handshake_awaits_verdict(const struct handshake *handshake)
{
    return !handshake->role->confirms_last && handshake->state == HANDSHAKE_WAIT_CONFIRM;
}

int handshake_admit(struct handshake *handshake, bool approved, struct bytes *out)
{
    int r;
    handshake->approved_here = approved;
    r = handshake->role->admit(handshake, out);
    if (r == 0)
        handshake_enter(handshake, HANDSHAKE_WAIT_CONFIRM);
    return r;
}

int handshake_finish(struct handshake *handshake, struct bytes *out,
                     uint8_t sid[static SHA256_SIZE], struct epoch_secrets *epoch)
{
    bool confirms = handshake->role->confirms_last;
    uint8_t message[CONFIRM_SIZE];
    int r = 0;
    if (confirms)
        r = handshake_make_confirm(handshake, message);
    if (r == 0 && confirms)
        r = handshake_record(handshake, FRAME_CONFIRM_H, SPAN(message, sizeof message));
    if (r == 0)
        r = keyschedule_session(&handshake->secrets, handshake->hash, epoch);
    if (r == 0 && confirms)
        r = seal_frame(&handshake->sending, FRAME_CONFIRM_H, SPAN(message, sizeof message), out);
    if (r != 0)
        return r;
    memcpy(sid, handshake->hash, SHA256_SIZE);
    handshake_enter(handshake, HANDSHAKE_DONE);
    return 0;
}

const struct pubkey *handshake_peer(const struct handshake *handshake)
{
    return handshake->peer;
}

struct pubkey *handshake_steal_peer(struct handshake *handshake)
{
    return STEAL(handshake->peer);
}

const struct handshake_invite *handshake_invite(const struct handshake *handshake)
{
    return &handshake->invite;
}

enum suite handshake_suite(const struct handshake *handshake)
{
    return handshake->suite;
}

const struct secret *handshake_tag(const struct handshake *handshake)
{
    bool confirmed =
        handshake->state > HANDSHAKE_WAIT_CONFIRM || handshake_awaits_verdict(handshake);
    return confirmed ? &handshake->secrets.tag : NULL;
}

bool handshake_says_gone(const struct handshake *handshake, const struct secret *tag)
{
    return gone_has(SPAN(handshake->gone, handshake->gone_size), handshake->joiner_random, tag);
}

bool handshake_met_own_key(const struct handshake *handshake)
{
    return handshake->met_own_key;
}

const uint8_t *handshake_joiner_random(const struct handshake *handshake)
{
    if (handshake->role == &handshake_joiner)
        return handshake->hello.random;
    return handshake_met(handshake) ? handshake->joiner_random : NULL;
}

uint32_t handshake_peer_features(const struct handshake *handshake)
{
    return handshake->peer_features;
}

bool handshake_approved_there(const struct handshake *handshake)
{
    return handshake->approved_there;
}

const char *handshake_complaint(const struct handshake *handshake)
{
    return handshake->complaint;
}
