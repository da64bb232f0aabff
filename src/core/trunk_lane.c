/* SPDX-License-Identifier: ISC */
/*
 * How a lane comes to be: wanting, offering, dialling and attaching one, and its new keys.
 */
#define LOG_COMPONENT "lane"
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "core/link.h"
#include "core/trunk_state.h"
#include "proto/record.h"

static const char too_many_lanes[] = "there are too many second connections at once";

const struct backoff_plan trunk_plan = {TRUNK_WANT_MIN_MS, 10 * 1000};

enum { ID_AT = RECORD_HEADER_SIZE + 1, BEHIND_ID = ID_AT + LANE_ID_SIZE };

static bool is_host(const struct trunk *trunk)
{
    return session_role(trunk->link->session) == SESSION_HOST;
}

/* Says a record about the lane: `body` follows the class. */
static void say(struct trunk *trunk, enum record_type type, struct span body)
{
    struct bytes record = {0};
    struct bytes content = {0};
    int r = bytes_append_u8(&content, trunk->class);
    if (r == 0)
        r = bytes_append(&content, body.data, body.size);
    if (r == 0)
        r = record_append(&record, type, bytes_span(&content));
    if (r == 0)
        r = session_send_lane(trunk->link->session, bytes_span(&record));
    if (r != 0)
        log_debug("a record of a lane is not sent: %s", strerror(-r));
    bytes_deinit(&content);
    bytes_deinit(&record);
    link_touch(trunk->link);
}

uint64_t trunk_offer_time(const struct trunk *trunk)
{
    return session_indirect(trunk->link->session) ? TRUNK_OFFER_INDIRECT_MS : TRUNK_OFFER_MS;
}

void trunk_forget_offer(struct trunk *trunk)
{
    hash_remove(&trunk->ground->offers, &trunk->by_offer);
    secret_wipe(&trunk->offer, sizeof trunk->offer);
    trunk->offered = false;
}

void trunk_drop_offer(struct trunk *trunk, const char *why)
{
    char text[TRUNK_ERROR_MAX];
    trunk_forget_offer(trunk);
    snprintf(text, sizeof text, "can't open a second connection: %s", why);
    trunk_fail(trunk, text);
}

/* --- host ------------------------------------------------------------------------------------- */

/* A lane that is there gives its place to the next one. */
static bool has_place(const struct trunk *trunk)
{
    return trunk->stream != NULL || trunk->ground->lanes < TRUNK_LANES_MAX;
}

static void make_offer(struct trunk *trunk)
{
    uint8_t body[LANE_ID_SIZE + SECRET_SIZE];
    trunk_forget_offer(trunk);
    if (!has_place(trunk) || lane_offer_make(&trunk->offer) != 0) {
        trunk_fail(trunk, has_place(trunk) ? "no randomness" : too_many_lanes);
        return;
    }
    trunk->offered = true;
    hash_add(&trunk->ground->offers, &trunk->by_offer, trunk->offer.id, LANE_ID_SIZE);
    trunk->offer_ms = trunk_now(trunk);
    memcpy(body, trunk->offer.id, LANE_ID_SIZE);
    memcpy(body + LANE_ID_SIZE, trunk->offer.secret.bytes, SECRET_SIZE);
    say(trunk, RECORD_LANE_OFFER, SPAN(body, sizeof body));
    secret_wipe(body, sizeof body);
}

static void take_want(struct trunk *trunk)
{
    bool barred = trunk_now(trunk) < trunk->barred_until_ms;
    if (!trunk->offered && !barred)
        make_offer(trunk);
}

static void take_failed(struct trunk *trunk, const uint8_t *record)
{
    static const char *const reasons[] = {
        [LANE_NOT_REACHED] = "the peer could not reach us again",
        [LANE_CLOSED_EARLY] = "it was closed at once",
        [LANE_NOT_WANTED] = "the peer wants none",
        [LANE_NO_RESOURCES] = "the peer is out of resources",
    };
    uint8_t reason = record[BEHIND_ID];
    if (!trunk->offered || memcmp(record + ID_AT, trunk->offer.id, LANE_ID_SIZE) != 0)
        return;
    bool known = reason >= LANE_NOT_REACHED && reason <= LANE_NO_RESOURCES;
    trunk_drop_offer(trunk, known ? reasons[reason] : "the peer failed");
}

/* The trunk that has offered the lane of this id, or NULL. */
static struct trunk *find_offer(const struct trunk_ground *ground, const uint8_t *id)
{
    struct hash_node *node = id != NULL ? hash_first(&ground->offers, id, LANE_ID_SIZE) : NULL;
    for (; node != NULL; node = hash_next(&ground->offers, node)) {
        struct trunk *trunk = container_of(node, struct trunk, by_offer);
        if (memcmp(id, trunk->offer.id, LANE_ID_SIZE) == 0)
            return trunk;
    }
    return NULL;
}

bool trunk_attach(struct trunk_ground *ground, struct stream *stream,
                  const uint8_t frame[static LANE_ATTACH_SIZE])
{
    struct lane_secrets secrets;
    struct trunk *trunk = find_offer(ground, lane_attach_id(frame));
    bool is_ours =
        trunk != NULL && has_place(trunk) &&
        lane_attach_check(session_id(trunk->link->session), &trunk->offer, frame, &secrets) == 0;
    if (is_ours)
        trunk_begin(trunk, stream, &secrets);
    secret_wipe(&secrets, sizeof secrets);
    return is_ours;
}

/* The next generation of the lane's keys: only in an epoch that is new. */
static void say_key(struct trunk *trunk)
{
    struct bytes record = {0};
    uint8_t body[LANE_KEY_SIZE] = {trunk->class};
    struct lane_offer fresh;
    int r = lane_offer_make(&fresh);
    memcpy(body + 1, trunk->lane.id, LANE_ID_SIZE);
    put_u32(body + 1 + LANE_ID_SIZE, trunk->lane.sending.generation + 1);
    memcpy(body + LANE_KEY_SIZE - SECRET_SIZE, fresh.secret.bytes, SECRET_SIZE);
    if (r == 0)
        r = record_append(&record, RECORD_LANE_KEY, SPAN(body, sizeof body));
    if (r == 0)
        r = lane_take_key(&trunk->lane, bytes_span(&record), trunk_now(trunk));
    if (r == 0)
        r = session_send_lane(trunk->link->session, bytes_span(&record));
    if (r != 0)
        trunk_lose(trunk, "new keys could not be made");
    link_touch(trunk->link);
    trunk->key_owed = false;
    secret_wipe(&fresh, sizeof fresh);
    secret_wipe(body, sizeof body);
    bytes_deinit(&record);
}

/* Whoever knew the old keys of the session knows the secrets that were said with them. */
void trunk_rekeyed(struct trunk *trunk)
{
    if (trunk->link == NULL || !is_host(trunk))
        return;
    if (trunk->offered)
        make_offer(trunk);
    trunk->key_owed = trunk->stream != NULL;
    trunk_touch(trunk);
}

/* --- joiner ----------------------------------------------------------------------------------- */

static void say_failed_of(struct trunk *trunk, const uint8_t id[static LANE_ID_SIZE],
                          enum lane_failed_reason reason)
{
    uint8_t body[LANE_ID_SIZE + 1];
    memcpy(body, id, LANE_ID_SIZE);
    body[LANE_ID_SIZE] = (uint8_t)reason;
    say(trunk, RECORD_LANE_FAILED, SPAN(body, sizeof body));
}

static void say_failed(struct trunk *trunk, enum lane_failed_reason reason)
{
    say_failed_of(trunk, trunk->offer.id, reason);
    trunk_forget_offer(trunk);
}

void trunk_say_closed_early(struct trunk *trunk)
{
    if (trunk->link != NULL && !is_host(trunk))
        say_failed_of(trunk, trunk->lane.id, LANE_CLOSED_EARLY);
}

static void give_back(struct trunk *trunk, struct stream *stream, const char *why)
{
    stream_free(stream);
    trunk_fail(trunk, why);
    say_failed(trunk, LANE_NO_RESOURCES);
}

/* Shows over a new connection that we have the secret. */
static void join(struct trunk *trunk, struct stream *stream)
{
    uint8_t frame[LANE_ATTACH_SIZE];
    struct lane_secrets secrets;
    if (!has_place(trunk)) {
        give_back(trunk, stream, too_many_lanes);
        return;
    }
    int r = lane_attach_make(session_id(trunk->link->session), &trunk->offer, frame, &secrets);
    if (r == 0)
        r = stream_write(stream, SPAN(frame, sizeof frame));
    if (r == 0)
        trunk_begin(trunk, stream, &secrets);
    else
        give_back(trunk, stream, strerror(-r));
    secret_wipe(&secrets, sizeof secrets);
}

static bool on_connected(void *context, unsigned way, struct stream *stream)
{
    struct trunk *trunk = context;
    (void)way;
    trunk->dialled = true;
    if (trunk->offered)
        join(trunk, stream);
    else
        stream_free(stream); /* it was for an offer that is no good any more */
    trunk_touch(trunk);
    return true;
}

static void on_failed(void *context, unsigned way, const char *error)
{
    struct trunk *trunk = context;
    char text[TRUNK_ERROR_MAX], address[ADDRESS_TEXT_MAX];
    (void)way;
    address_format(&trunk->way, address);
    snprintf(text, sizeof text, "can't open a second connection to %s: %s", address, error);
    trunk_fail(trunk, text);
}

static void on_over(void *context)
{
    struct trunk *trunk = context;
    trunk->dial = NULL;
    if (trunk->offered)
        say_failed(trunk, LANE_NOT_REACHED);
    trunk_touch(trunk);
}

static const struct dial_events dial_events = {on_connected, on_failed, on_over};

/* Where the session's own connection leads, a second one does too. */
static void dial(struct trunk *trunk)
{
    int r = address_parse(stream_origin(trunk->link->stream)->text, &trunk->way);
    trunk->dial_ms = trunk_now(trunk);
    trunk->dialled = false;
    if (r == 0)
        r = dial_start(&trunk->dial, trunk->runtime->dialer, DIAL_AWAITED, &trunk->way, 1,
                       &dial_events, trunk);
    if (r < 0) {
        trunk_fail(trunk, strerror(-r));
        say_failed(trunk, LANE_NO_RESOURCES);
    }
}

/* The newest offer counts; a dial that is on its way will use it. */
static void take_offer(struct trunk *trunk, const uint8_t *record)
{
    memcpy(trunk->offer.id, record + ID_AT, LANE_ID_SIZE);
    memcpy(trunk->offer.secret.bytes, record + BEHIND_ID, SECRET_SIZE);
    trunk->offered = true;
    trunk->offer_ms = trunk_now(trunk);
    trunk_touch(trunk);
}

static void take_key(struct trunk *trunk, struct span record)
{
    if (trunk->stream == NULL || memcmp(record.data + ID_AT, trunk->lane.id, LANE_ID_SIZE) != 0)
        return;
    if (lane_take_key(&trunk->lane, record, trunk_now(trunk)) != 0)
        trunk_lose(trunk, "new keys out of turn");
    trunk_touch(trunk);
}

/* --- both ------------------------------------------------------------------------------------- */

void trunk_hear(struct trunk *trunk, struct span record)
{
    if (trunk->link == NULL)
        return;
    switch (record.data[RECORD_HEADER_SIZE - 1]) {
    case RECORD_LANE_WANT:
        take_want(trunk);
        break;
    case RECORD_LANE_OFFER:
        take_offer(trunk, record.data);
        break;
    case RECORD_LANE_FAILED:
        take_failed(trunk, record.data);
        break;
    case RECORD_LANE_KEY:
        take_key(trunk, record);
        break;
    default:
        break;
    }
    trunk_touch(trunk);
}

/* Whether it is time to ask for a lane, or to offer one. */
static bool needs_lane(const struct trunk *trunk)
{
    uint64_t now = trunk_now(trunk);
    return trunk->link != NULL && trunk->stream == NULL && trunk->channels.count > 0 &&
           !trunk->offered && trunk->dial == NULL && now >= trunk->try_at_ms &&
           now >= trunk->barred_until_ms;
}

static void seek(struct trunk *trunk)
{
    if (!needs_lane(trunk))
        return;
    if (is_host(trunk)) {
        make_offer(trunk);
    } else {
        say(trunk, RECORD_LANE_WANT, SPAN(NULL, 0));
        trunk->try_at_ms = trunk_now(trunk) + backoff_next(&trunk->backoff, &trunk_plan, 0);
    }
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

/* It carries nothing, and nothing is on its way. */
static bool is_empty(const struct trunk *trunk)
{
    return trunk->channels.count == 0 && trunk->stream == NULL && !trunk->offered &&
           trunk->dial == NULL && trunk->leaving == NULL;
}

bool trunk_done(const struct trunk *trunk, bool removed)
{
    return removed ? trunk->channels.count == 0
                   : is_empty(trunk) && trunk_now(trunk) >= trunk->idle_ms + TRUNK_KEPT_MS;
}

static uint64_t find_deadline(struct trunk *trunk)
{
    uint64_t deadline = channels_deadline(&trunk->channels);
    if (trunk->stream != NULL) {
        deadline = earlier(deadline, lane_deadline(&trunk->lane));
        if (trunk->channels.count == 0)
            deadline = earlier(deadline, trunk->idle_ms + TRUNK_IDLE_MS);
    }
    if (is_empty(trunk))
        deadline = earlier(deadline, trunk->idle_ms + TRUNK_KEPT_MS);
    if (trunk->leaving != NULL)
        deadline = earlier(deadline, trunk->leaving_ms + TRUNK_LINGER_MS);
    if (trunk->link == NULL)
        return deadline;
    if (trunk->offered && is_host(trunk))
        deadline = earlier(deadline, trunk->offer_ms + trunk_offer_time(trunk));
    else if (trunk->offered && trunk->dial == NULL)
        deadline = earlier(deadline, trunk->dial_ms + TRUNK_WANT_MIN_MS);
    else if (trunk->stream == NULL && trunk->channels.count > 0)
        deadline =
            earlier(deadline, trunk->try_at_ms > trunk->barred_until_ms ? trunk->try_at_ms
                                                                        : trunk->barred_until_ms);
    return deadline;
}

void trunk_settle(struct trunk *trunk)
{
    bool may_dial = trunk->link != NULL && trunk->offered && trunk->dial == NULL &&
                    !is_host(trunk) && trunk_now(trunk) - trunk->dial_ms >= TRUNK_WANT_MIN_MS;
    if (trunk->channels.count > 0 || trunk->carried)
        trunk->idle_ms = trunk_now(trunk);
    trunk->carried = trunk->channels.count > 0;
    if (trunk->dialled)
        dial_cancel(STEAL(trunk->dial));
    trunk->dialled = false;
    if (may_dial)
        dial(trunk);
    if (trunk->key_owed && trunk->stream != NULL && !lane_switching(&trunk->lane))
        say_key(trunk);
    seek(trunk);
    channels_reap(&trunk->channels);
    timer_arm_at(trunk->timer, find_deadline(trunk));
}
