/* SPDX-License-Identifier: ISC */
/*
 * The lane to one peer: how it comes to be, carries frames, and ends.
 */
#define LOG_COMPONENT "lane"
#include "core/trunk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "core/link.h"
#include "core/trunk_state.h"
#include "crypto/random.h"
#include "proto/record.h"

static void on_timer(void *context)
{
    struct trunk *trunk = context;
    uint64_t now = trunk_now(trunk);
    channels_tick(&trunk->channels);
    if (trunk->stream != NULL && now >= lane_deadline(&trunk->lane))
        trunk_lose(trunk, "the other side went silent");
    if (trunk->offered && session_role(trunk->link->session) == SESSION_HOST &&
        now - trunk->offer_ms >= trunk_offer_time(trunk))
        trunk_drop_offer(trunk, "the other side did not come for it");
    if (trunk->leaving != NULL && now - trunk->leaving_ms >= TRUNK_LINGER_MS) {
        stream_free(trunk->leaving);
        trunk->leaving = NULL;
    }
    if (trunk->stream != NULL && trunk->channels.count == 0 &&
        now - trunk->idle_ms >= TRUNK_IDLE_MS)
        trunk_leave(trunk, CLOSE_NORMAL);
    trunk_touch(trunk);
}

uint64_t trunk_now(const struct trunk *trunk)
{
    return loop_now(trunk->runtime->loop);
}

void trunk_ground_init(struct trunk_ground *ground, const struct runtime *runtime)
{
    *ground = (struct trunk_ground){.runtime = runtime};
    list_init(&ground->touched);
    hash_init(&ground->offers, ((uint64_t)random_u32() << 32) | random_u32());
}

void trunk_ground_deinit(struct trunk_ground *ground)
{
    hash_deinit(&ground->offers);
}

void trunk_touch(struct trunk *trunk)
{
    trunk->again = !list_empty(&trunk->touched);
    if (!trunk->again)
        list_append(&trunk->ground->touched, &trunk->touched);
    loop_wake(trunk->runtime->loop);
}

int trunk_new(struct trunk **trunk, struct trunk_ground *ground, int64_t peer, uint8_t class,
              const struct channels_parts *parts)
{
    struct trunk *made = calloc(1, sizeof *made);
    if (made == NULL)
        return -ENOMEM;
    struct channels_parts own = *parts;
    own.context = made;
    made->ground = ground;
    made->runtime = ground->runtime;
    made->peer = peer;
    made->class = class;
    list_init(&made->node);
    list_init(&made->touched);
    hash_node_init(&made->by_peer);
    hash_node_init(&made->by_offer);
    made->idle_ms = trunk_now(made);
    int r = channels_init(&made->channels, &own);
    if (r == 0)
        r = timer_new(&made->timer, made->runtime->loop, on_timer, made);
    if (r < 0) {
        trunk_free(made);
        return r;
    }
    *trunk = made;
    return 0;
}

static void drop_lane(struct trunk *trunk)
{
    trunk->ground->lanes -= trunk->stream != NULL;
    stream_free(trunk->stream);
    trunk->stream = NULL;
    lane_deinit(&trunk->lane);
    trunk->input_due = trunk->ended = trunk->key_owed = trunk->unwell = false;
}

void trunk_free(struct trunk *trunk)
{
    list_remove(&trunk->node);
    list_remove(&trunk->touched);
    dial_cancel(trunk->dial);
    drop_lane(trunk);
    stream_free(trunk->leaving);
    timer_free(trunk->timer);
    channels_deinit(&trunk->channels);
    trunk_forget_offer(trunk);
    free(trunk);
}

/* --- the session ------------------------------------------------------------------------------ */

void trunk_session_up(struct trunk *trunk, struct link *link)
{
    trunk->link = link;
    trunk->try_at_ms = 0;
    backoff_reset(&trunk->backoff);
    trunk_touch(trunk);
}

void trunk_session_down(struct trunk *trunk, bool final)
{
    bool attached = trunk->stream != NULL;
    trunk->link = NULL;
    trunk_forget_offer(trunk);
    dial_cancel(trunk->dial);
    trunk->dial = NULL;
    drop_lane(trunk);
    if (final)
        channels_end_all(&trunk->channels, LANE_LOST);
    else if (attached)
        channels_detach(&trunk->channels);
    trunk_touch(trunk);
}

/* --- the end of a lane ------------------------------------------------------------------------ */

void trunk_fail(struct trunk *trunk, const char *text)
{
    snprintf(trunk->error, sizeof trunk->error, "%s", text);
    trunk->try_at_ms = trunk_now(trunk) + backoff_next(&trunk->backoff, &trunk_plan, random_u32());
    trunk_touch(trunk);
}

void trunk_lose(struct trunk *trunk, const char *why)
{
    if (trunk->stream == NULL)
        return;
    log_info("the lane to or from %s is lost: %s", stream_origin(trunk->stream)->text, why);
    trunk_fail(trunk, why);
    if (!trunk->lane.heard)
        trunk_say_closed_early(trunk);
    drop_lane(trunk);
    channels_detach(&trunk->channels);
}

static void say_bye(struct trunk *trunk, uint8_t code)
{
    const struct lane_record bye = {.type = LANE_BYE, .code = code};
    struct bytes frame = {0};
    int r = lane_frame_begin(&frame);
    if (r == 0)
        r = lane_record_append(&frame, &bye);
    if (r == 0)
        r = lane_frame_seal(&trunk->lane, &frame);
    if (r == 0)
        stream_write(trunk->stream, bytes_span(&frame));
    bytes_deinit(&frame);
}

void trunk_leave(struct trunk *trunk, uint8_t code)
{
    /* The last record of the next frame is a SWITCH then, and a BYE would have to be it. */
    if (!lane_has_switch(&trunk->lane))
        say_bye(trunk, code);
    stream_free(trunk->leaving);
    trunk->leaving = STEAL(trunk->stream);
    trunk->ground->lanes--;
    trunk->leaving_ms = trunk_now(trunk);
    stream_pause(trunk->leaving, true);
    stream_finish(trunk->leaving);
    drop_lane(trunk);
    channels_detach(&trunk->channels);
    trunk_touch(trunk);
}

/* The other side broke the rules: no stream can be trusted to be whole. */
static void break_off(struct trunk *trunk, const char *complaint)
{
    log_warning("a lane to or from %s broke the rules: %s", stream_origin(trunk->stream)->text,
                complaint != NULL ? complaint : "unknown");
    trunk_leave(trunk, CLOSE_PROTOCOL_ERROR);
    channels_end_all(&trunk->channels, LANE_LOST);
    snprintf(trunk->error, sizeof trunk->error, "it broke the rules of a lane");
    trunk->barred_until_ms = trunk_now(trunk) + TRUNK_BARRED_MS;
}

/* --- its connection --------------------------------------------------------------------------- */

static void on_readable(void *context)
{
    struct trunk *trunk = context;
    trunk->input_due = true;
    trunk_touch(trunk);
}

static void on_writable(void *context)
{
    struct trunk *trunk = context;
    trunk_touch(trunk);
}

static void on_ended(void *context, int error)
{
    struct trunk *trunk = context;
    trunk->ended = true;
    trunk->unwell = error != 0;
    trunk->input_due = true;
    trunk_touch(trunk);
}

static const struct stream_events stream_events = {on_readable, on_writable, on_ended};

void trunk_begin(struct trunk *trunk, struct stream *stream, const struct lane_secrets *secrets)
{
    if (trunk->stream != NULL) {
        drop_lane(trunk);
        channels_detach(&trunk->channels);
    }
    trunk->stream = stream;
    trunk->ground->lanes++;
    trunk->idle_ms = trunk_now(trunk);
    lane_begin(&trunk->lane, session_role(trunk->link->session), &trunk->offer, secrets,
               trunk_now(trunk));
    trunk_forget_offer(trunk);
    stream_set_bulk(stream, trunk->class > 0);
    stream_attach(stream, &stream_events, trunk);
    channels_attach(&trunk->channels);
    trunk_touch(trunk);
}

/* --- frames ----------------------------------------------------------------------------------- */

static int take_record(struct trunk *trunk, const struct lane_record *record)
{
    if (record->type == LANE_SWITCH)
        return lane_take_switch(&trunk->lane, record->value);
    int r = channels_take(&trunk->channels, record);
    if (r == LANE_FAULT)
        trunk->lane.complaint = trunk->channels.complaint;
    return r;
}

/* Takes the records of a whole frame. 0, LANE_FAULT or -errno; *bye is set by the last words. */
static int take_records(struct trunk *trunk, bool *bye)
{
    struct lane_record record;
    int r = 0;
    while (r == 0 && lane_next(&trunk->lane, &record)) {
        if (record.type == LANE_BYE) {
            *bye = true;
            if (record.code != CLOSE_NORMAL)
                r = LANE_FAULT;
        } else {
            r = take_record(trunk, &record);
        }
    }
    return r;
}

/* What went wrong, or a BYE, ends the lane. Whether it still lives. */
static bool survives(struct trunk *trunk, int r, bool bye)
{
    if (r == LANE_FAULT)
        break_off(trunk, bye ? "it says that we did" : trunk->lane.complaint);
    else if (r == LANE_TAMPERED)
        trunk_lose(trunk, "a frame was forged or damaged");
    else if (r < 0)
        trunk_lose(trunk, strerror(-r));
    else if (bye)
        trunk_lose(trunk, "the other side gave it up");
    else
        return true;
    return false;
}

bool trunk_read(struct trunk *trunk, size_t *budget)
{
    while (trunk->stream != NULL && trunk->input_due && *budget > 0) {
        struct span data = stream_input(trunk->stream);
        size_t used = 0;
        bool bye = false;
        if (data.size == 0) {
            trunk->input_due = false;
            lane_rest(&trunk->lane);
            if (trunk->ended)
                trunk_lose(trunk, trunk->unwell ? "connection lost" : "connection closed");
            return false;
        }
        int r = lane_take(&trunk->lane, data, &used, trunk_now(trunk));
        stream_consume(trunk->stream, used);
        if (r == 0)
            r = take_records(trunk, &bye);
        if (!survives(trunk, r, bye))
            return false;
        *budget -= used < *budget ? used : *budget;
    }
    return trunk->stream != NULL && trunk->input_due;
}

static bool has_output(const struct trunk *trunk)
{
    return trunk->stream != NULL &&
           (channels_have_output(&trunk->channels) || lane_has_switch(&trunk->lane));
}

bool trunk_write(struct trunk *trunk, struct bytes *frame, size_t *budget)
{
    while (*budget > 0 && has_output(trunk) && stream_unsent(trunk->stream) < TRUNK_UNSENT_MAX) {
        int r = lane_frame_begin(frame);
        if (r == 0)
            r = channels_fill(&trunk->channels, frame, lane_room(&trunk->lane));
        if (r == 0 && frame->size == LANE_FRAME_START && !lane_has_switch(&trunk->lane))
            return false;
        if (r == 0)
            r = lane_frame_seal(&trunk->lane, frame);
        if (r == 0)
            r = stream_write(trunk->stream, bytes_span(frame));
        if (r != 0) {
            trunk_lose(trunk, strerror(-r));
            return false;
        }
        *budget -= frame->size < *budget ? frame->size : *budget;
        session_note_traffic(trunk->link->session);
    }
    return has_output(trunk) && stream_unsent(trunk->stream) < TRUNK_UNSENT_MAX;
}
