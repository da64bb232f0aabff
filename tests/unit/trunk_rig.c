/* SPDX-License-Identifier: ISC */
/*
 * A trunk on a stage.
 */
#include "unit/trunk_rig.h"

#include <stdio.h>
#include <string.h>

#include "crypto/random.h"
#include "unit/cmocka_all.h"

struct stage stage;

/* --- stand-ins: the session ------------------------------------------------------------------- */

enum session_role session_role(const struct session *session)
{
    return session->role;
}

bool session_indirect(const struct session *session)
{
    return session->indirect;
}

const uint8_t *session_id(const struct session *session)
{
    static const uint8_t id[SHA256_SIZE] = {'s'};
    assert_ptr_equal(session, &stage.session);
    return id;
}

int session_send_lane(struct session *session, struct span record)
{
    if (session->refusal != 0)
        return session->refusal;
    assert_in_range(record.size, 1, sizeof session->said.bytes);
    memcpy(session->said.bytes, record.data, record.size);
    session->said.size = record.size;
    session->records++;
    return 0;
}

void session_note_traffic(struct session *session)
{
    session->noted++;
}

void link_touch(struct link *link)
{
    link->dirty = true;
}

uint32_t random_u32(void)
{
    return UINT32_MAX / 2;
}

/* --- stand-ins: connections ------------------------------------------------------------------- */

void stream_set_bulk(struct stream *stream, bool background)
{
    stream->bulk = true;
    stream->background = background;
}

void stream_attach(struct stream *stream, const struct stream_events *events, void *context)
{
    stream->events = events;
    stream->context = context;
}

void stream_free(struct stream *stream)
{
    if (stream != NULL)
        stream->freed = true;
}

struct span stream_input(const struct stream *stream)
{
    static const uint8_t bytes[4 * FRAME_BYTES];
    return SPAN(bytes, stream->unread);
}

void stream_consume(struct stream *stream, size_t size)
{
    stream->unread -= size;
}

void stream_pause(struct stream *stream, bool paused)
{
    stream->paused = paused;
}

int stream_write(struct stream *stream, struct span data)
{
    stream->written += data.size;
    stream->unsent += data.size;
    return 0;
}

size_t stream_unsent(const struct stream *stream)
{
    return stream->unsent;
}

void stream_finish(struct stream *stream)
{
    stream->finished = true;
}

const struct origin *stream_origin(const struct stream *stream)
{
    return &stream->origin;
}

int dial_start(struct dial **dial, struct dialer *dialer, enum dial_priority priority,
               const struct address *ways, unsigned count, const struct dial_events *events,
               void *context)
{
    static int race; /* only its address counts */
    (void)dialer;
    assert_int_equal(priority, DIAL_AWAITED);
    assert_int_equal(count, 1);
    assert_ptr_equal(context, stage.trunk);
    stage.dials++;
    if (stage.dial_error != 0)
        return stage.dial_error;
    stage.way = ways[0];
    stage.race = events;
    *dial = (struct dial *)(void *)&race;
    return 0;
}

void dial_cancel(struct dial *dial)
{
    if (dial != NULL)
        stage.race = NULL;
}

/* --- stand-ins: the streams ------------------------------------------------------------------- */

int channels_init(struct channels *channels, const struct channels_parts *parts)
{
    channels->context = parts->context;
    return 0;
}

void channels_deinit(struct channels *channels)
{
    (void)channels;
}

void channels_attach(struct channels *channels)
{
    (void)channels;
    stage.attached++;
}

void channels_detach(struct channels *channels)
{
    (void)channels;
    stage.detached++;
}

void channels_end_all(struct channels *channels, uint8_t code)
{
    (void)channels;
    stage.end_code = code;
}

int channels_take(struct channels *channels, const struct lane_record *record)
{
    (void)record;
    channels->complaint = "nonsense";
    stage.taken++;
    return stage.take_error;
}

bool channels_have_output(const struct channels *channels)
{
    (void)channels;
    return stage.frames > 0;
}

int channels_fill(struct channels *channels, struct bytes *frame, size_t room)
{
    static const uint8_t bytes[FRAME_BYTES - LANE_FRAME_START];
    (void)channels;
    assert_in_range(room, sizeof bytes, LANE_RECORDS_MAX);
    if (stage.frames == 0)
        return 0;
    stage.frames--;
    return bytes_append(frame, bytes, sizeof bytes);
}

uint64_t channels_deadline(struct channels *channels)
{
    (void)channels;
    return stage.deadline_ms;
}

void channels_tick(struct channels *channels)
{
    (void)channels;
    stage.ticks++;
}

void channels_reap(struct channels *channels)
{
    (void)channels;
    stage.reaped++;
}

/* --- stand-ins: the lane ---------------------------------------------------------------------- */

int lane_offer_make(struct lane_offer *offer)
{
    memset(offer, 0, sizeof *offer);
    offer->id[0] = (uint8_t)++stage.offers;
    offer->secret.bytes[0] = 's';
    return 0;
}

int lane_attach_make(const uint8_t sid[static SHA256_SIZE], const struct lane_offer *offer,
                     uint8_t frame[static LANE_ATTACH_SIZE], struct lane_secrets *secrets)
{
    assert_int_equal(sid[0], 's');
    memset(frame, 0, LANE_ATTACH_SIZE);
    memset(secrets, 0, sizeof *secrets);
    frame[0] = offer->id[0];
    return stage.lane_error;
}

const uint8_t *lane_attach_id(const uint8_t frame[static LANE_ATTACH_SIZE])
{
    return frame;
}

int lane_attach_check(const uint8_t sid[static SHA256_SIZE], const struct lane_offer *offer,
                      const uint8_t frame[static LANE_ATTACH_SIZE], struct lane_secrets *secrets)
{
    assert_int_equal(sid[0], 's');
    assert_memory_equal(offer->id, frame, LANE_ID_SIZE);
    memset(secrets, 0, sizeof *secrets);
    return stage.forged ? LANE_KEYS_FORGED : 0;
}

void lane_begin(struct lane *lane, enum session_role role, const struct lane_offer *offer,
                const struct lane_secrets *secrets, uint64_t now_ms)
{
    (void)secrets;
    assert_int_equal(role, stage.session.role);
    assert_int_equal(now_ms, fake_loop.now_ms);
    memset(lane, 0, sizeof *lane);
    memcpy(lane->id, offer->id, LANE_ID_SIZE);
    stage.begun++;
}

void lane_deinit(struct lane *lane)
{
    memset(lane, 0, sizeof *lane);
}

int lane_take_key(struct lane *lane, struct span record, uint64_t now_ms)
{
    (void)lane, (void)now_ms;
    assert_int_equal(record.size, RECORD_HEADER_SIZE + LANE_KEY_SIZE);
    stage.key = get_u32(record.data + RECORD_HEADER_SIZE + 1 + LANE_ID_SIZE);
    return stage.key_error;
}

bool lane_switching(const struct lane *lane)
{
    (void)lane;
    return stage.switching;
}

size_t lane_room(const struct lane *lane)
{
    (void)lane;
    return LANE_RECORDS_MAX;
}

bool lane_has_switch(const struct lane *lane)
{
    (void)lane;
    return stage.switch_due;
}

int lane_frame_begin(struct bytes *frame)
{
    static const uint8_t start[LANE_FRAME_START];
    bytes_clear(frame);
    return bytes_append(frame, start, sizeof start);
}

int lane_frame_seal(struct lane *lane, struct bytes *frame)
{
    (void)lane, (void)frame;
    stage.sealed++;
    stage.switch_due = false;
    return stage.lane_error;
}

/* Each frame is of one size. */
int lane_take(struct lane *lane, struct span data, size_t *used, uint64_t now_ms)
{
    assert_int_equal(now_ms, fake_loop.now_ms);
    *used = data.size < FRAME_BYTES ? data.size : FRAME_BYTES;
    lane->heard = stage.lane_error == 0;
    stage.record_next = 0;
    return stage.lane_error;
}

bool lane_next(struct lane *lane, struct lane_record *record)
{
    (void)lane;
    if (stage.record_next == stage.record_count)
        return false;
    *record = stage.records[stage.record_next++];
    return true;
}

int lane_take_switch(struct lane *lane, uint32_t generation)
{
    (void)lane;
    stage.switched = generation;
    return 0;
}

void lane_rest(struct lane *lane)
{
    (void)lane;
    stage.rested++;
}

uint64_t lane_deadline(const struct lane *lane)
{
    (void)lane;
    return stage.lane_deadline_ms;
}

int lane_record_append(struct bytes *out, const struct lane_record *record)
{
    assert_int_equal(record->type, LANE_BYE);
    return bytes_append_u8(out, record->code);
}

/* --- the stage -------------------------------------------------------------------------------- */

int trunk_stage_set_up(void **state)
{
    const struct channels_parts parts = {0};
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(START_MS, 0);
    stage.deadline_ms = stage.lane_deadline_ms = UINT64_MAX;
    stage.link = (struct link){.session = &stage.session, .stream = &stage.session_stream};
    snprintf(stage.session_stream.origin.text, ADDRESS_TEXT_MAX, "198.51.100.9:8766");
    for (unsigned i = 0; i < CONNECTIONS; i++)
        snprintf(stage.connections[i].origin.text, ADDRESS_TEXT_MAX, "connection %u", i);
    trunk_ground_init(&stage.ground, &stage.runtime);
    return trunk_new(&stage.trunk, &stage.ground, 7, 0, &parts);
}

int trunk_stage_tear_down(void **state)
{
    (void)state;
    trunk_free(stage.trunk);
    assert_int_equal(stage.ground.lanes, 0);
    assert_int_equal(stage.ground.offers.count, 0);
    assert_true(list_empty(&stage.ground.touched));
    trunk_ground_deinit(&stage.ground);
    return 0;
}

void trunk_stage_open(enum session_role role, unsigned streams)
{
    stage.session.role = role;
    stage.trunk->channels.count = streams;
    trunk_session_up(stage.trunk, &stage.link);
}

void trunk_stage_hear(enum record_type type, uint8_t id, const void *rest, size_t size)
{
    uint8_t content[1 + LANE_ID_SIZE + 64] = {stage.trunk->class, id};
    struct bytes record = {0};
    const size_t head = type == RECORD_LANE_WANT ? 1 : 1 + LANE_ID_SIZE;
    assert_in_range(size, 0, 64);
    if (size > 0)
        memcpy(content + head, rest, size);
    assert_int_equal(record_append(&record, type, SPAN(content, head + size)), 0);
    trunk_hear(stage.trunk, bytes_span(&record));
    bytes_deinit(&record);
}

bool trunk_stage_attach(uint8_t id, struct stream *stream)
{
    const uint8_t frame[LANE_ATTACH_SIZE] = {id};
    return trunk_attach(&stage.ground, stream, frame);
}

void trunk_stage_lane(void)
{
    trunk_settle(stage.trunk);
    assert_true(trunk_stage_attach((uint8_t)stage.offers, &stage.connections[0]));
    stage.connections[0].written = stage.connections[0].unsent = 0;
}

void assert_said(enum record_type type, uint8_t id)
{
    const uint8_t *record = stage.session.said.bytes;
    assert_true(stage.session.said.size > RECORD_HEADER_SIZE);
    assert_int_equal(record[RECORD_HEADER_SIZE - 1], type);
    assert_int_equal(record[RECORD_HEADER_SIZE], stage.trunk->class);
    if (type != RECORD_LANE_WANT)
        assert_int_equal(record[RECORD_HEADER_SIZE + 1], id);
}
