/* SPDX-License-Identifier: ISC */
/*
 * Sealing and opening of lane frames, the ratchet of their keys and the change of generations.
 */
#include "proto/lane.h"

#include <string.h>

#include "base/cleanup.h"
#include "crypto/aead.h"
#include "proto/keyschedule.h"

enum { LENGTH_SIZE = 4, SWITCH_SIZE = 9, LANE_KEY_GENERATION_AT = 22 };

static int fault(struct lane *lane, const char *complaint)
{
    lane->complaint = complaint;
    return LANE_FAULT;
}

/* --- keys ------------------------------------------------------------------------------------- */

/* Which of the two chains is for sending. */
static void take_chains(const struct lane *lane, const struct lane_secrets *secrets,
                        struct secret *sending, struct secret *receiving)
{
    bool joining = lane->role == SESSION_JOINER;
    *sending = joining ? secrets->chain_joiner : secrets->chain_host;
    *receiving = joining ? secrets->chain_host : secrets->chain_joiner;
}

void lane_begin(struct lane *lane, enum session_role role, const struct lane_offer *offer,
                const struct lane_secrets *secrets, uint64_t now_ms)
{
    *lane = (struct lane){.role = role, .root = secrets->root, .started_ms = now_ms};
    memcpy(lane->id, offer->id, LANE_ID_SIZE);
    take_chains(lane, secrets, &lane->sending.chain, &lane->receiving.chain);
}

void lane_deinit(struct lane *lane)
{
    bytes_deinit(&lane->frame);
    secret_wipe(lane, sizeof *lane);
}

int lane_take_key(struct lane *lane, struct span record, uint64_t now_ms)
{
    struct lane_secrets secrets;
    uint32_t generation = get_u32(record.data + LANE_KEY_GENERATION_AT);
    if (lane->next_generation != 0 || generation != lane->sending.generation + 1)
        return fault(lane, "a key of another generation");
    int r = lane_rekey(&lane->root, record, &secrets);
    if (r == 0) {
        lane->root = secrets.root;
        take_chains(lane, &secrets, &lane->next_sending, &lane->next_receiving);
        lane->next_generation = generation;
        lane->switch_due = lane->role == SESSION_JOINER;
        lane->switch_expected = true;
        lane->switch_since_ms = now_ms;
    }
    secret_wipe(&secrets, sizeof secrets);
    return r;
}

bool lane_switching(const struct lane *lane)
{
    return lane->next_generation != 0;
}

/* The old keys are gone from here on. */
static void switch_direction(struct lane *lane, struct lane_direction *direction,
                             struct secret *next)
{
    direction->chain = *next;
    direction->generation = lane->next_generation;
    direction->counter = 0;
    secret_wipe(&direction->key, sizeof direction->key);
    secret_wipe(next, sizeof *next);
    if (!lane->switch_due && !lane->switch_expected)
        lane->next_generation = 0;
}

int lane_take_switch(struct lane *lane, uint32_t generation)
{
    /* The joiner says it first, so that the host never has two generations to expect. */
    bool in_turn = lane->switch_expected && !lane->switch_due;
    if (!in_turn || generation != lane->next_generation)
        return fault(lane, "a SWITCH out of turn");
    lane->switch_expected = false;
    lane->switch_due = lane->role == SESSION_HOST;
    switch_direction(lane, &lane->receiving, &lane->next_receiving);
    return 0;
}

/* The key of the frame that comes next. 0 or -EIO. */
static int prepare_key(struct lane_direction *direction)
{
    if (direction->counter % LANE_FRAMES_PER_KEY != 0)
        return 0;
    return keyschedule_ratchet(&direction->chain, &direction->key);
}

static void make_iv(const struct lane_direction *direction, uint8_t iv[static AEAD_IV_SIZE])
{
    put_u32(iv, direction->generation);
    put_u64(iv + 4, direction->counter);
}

/* --- frames out ------------------------------------------------------------------------------- */

size_t lane_room(const struct lane *lane)
{
    return LANE_RECORDS_MAX - (lane->switch_due ? SWITCH_SIZE : 0);
}

bool lane_has_switch(const struct lane *lane)
{
    return lane->switch_due;
}

int lane_frame_begin(struct bytes *frame)
{
    bytes_clear(frame);
    return bytes_append_zeros(frame, LANE_FRAME_START);
}

static size_t content_size(size_t records)
{
    size_t size = LANE_CONTENT_MIN;
    while (size < LENGTH_SIZE + records)
        size *= 2;
    return size;
}

/* Fills in header, length and padding. */
static int frame_finish(struct bytes *frame, size_t *content)
{
    const size_t records = frame->size - LANE_FRAME_START;
    *content = content_size(records);
    int r = bytes_append_zeros(frame, *content - LENGTH_SIZE - records + AEAD_TAG_SIZE);
    if (r != 0)
        return r;
    frame_header_put(
        frame->data,
        (struct frame_header){.length = (uint32_t)(*content + AEAD_TAG_SIZE), .type = FRAME_LANE});
    put_u32(frame->data + FRAME_HEADER_SIZE, (uint32_t)records);
    return 0;
}

int lane_frame_seal(struct lane *lane, struct bytes *frame)
{
    const struct lane_record own_switch = {.type = LANE_SWITCH, .value = lane->next_generation};
    uint8_t iv[AEAD_IV_SIZE];
    size_t content;
    int r = lane->switch_due ? lane_record_append(frame, &own_switch) : 0;
    if (r == 0)
        r = frame_finish(frame, &content);
    if (r == 0)
        r = prepare_key(&lane->sending);
    if (r != 0)
        return r;
    uint8_t *text = frame->data + FRAME_HEADER_SIZE;
    make_iv(&lane->sending, iv);
    r = aead_seal(&lane->sending.key, iv, SPAN(frame->data, FRAME_HEADER_SIZE), SPAN(text, content),
                  text);
    if (r != 0)
        return r;
    lane->sending.counter++;
    if (lane->switch_due) {
        lane->switch_due = false;
        switch_direction(lane, &lane->sending, &lane->next_sending);
    }
    return 0;
}

/* --- frames in -------------------------------------------------------------------------------- */

static bool header_legal(struct frame_header header)
{
    uint32_t content = header.length - AEAD_TAG_SIZE;
    return header.type == FRAME_LANE && header.length >= LANE_CONTENT_MIN + AEAD_TAG_SIZE &&
           header.length <= LANE_CONTENT_MAX + AEAD_TAG_SIZE && (content & (content - 1)) == 0;
}

/* Finds the records in an opened content: at least one header, then nothing but zeros. */
static int find_records(struct lane *lane, struct span content)
{
    struct reader reader = reader_of(content);
    size_t size = reader_u32(&reader);
    const struct span records = SPAN(reader_take(&reader, size), size);
    if (reader.failed || size < FRAME_HEADER_SIZE || !reader_zeros(&reader, reader.left))
        return fault(lane, "a frame with a wrong length or padding");
    if (!lane_records_check(records))
        return fault(lane, "malformed records");
    lane->records = reader_of(records);
    return 0;
}

static int open_frame(struct lane *lane)
{
    uint8_t *text = lane->frame.data + FRAME_HEADER_SIZE;
    size_t sealed = lane->frame.size - FRAME_HEADER_SIZE;
    uint8_t iv[AEAD_IV_SIZE];
    int r = prepare_key(&lane->receiving);
    if (r != 0)
        return r;
    make_iv(&lane->receiving, iv);
    r = aead_open(&lane->receiving.key, iv, SPAN(lane->frame.data, FRAME_HEADER_SIZE),
                  SPAN(text, sealed), text);
    if (r != 0)
        return r == AEAD_FORGED ? LANE_TAMPERED : r;
    lane->receiving.counter++;
    lane->heard = true;
    return find_records(lane, SPAN(text, sealed - AEAD_TAG_SIZE));
}

/* Moves bytes into the frame until it has `size`. */
static int fill(struct lane *lane, struct span data, size_t *used, size_t size)
{
    size_t missing = size - lane->frame.size, left = data.size - *used;
    size_t count = missing < left ? missing : left;
    int r = bytes_append(&lane->frame, data.data + *used, count);
    if (r == 0)
        *used += count;
    return r;
}

int lane_take(struct lane *lane, struct span data, size_t *used, uint64_t now_ms)
{
    *used = 0;
    if (lane->frame.size < FRAME_HEADER_SIZE) {
        int r = fill(lane, data, used, FRAME_HEADER_SIZE);
        if (r != 0 || lane->frame.size < FRAME_HEADER_SIZE)
            return r;
        lane->frame_since_ms = now_ms;
    }
    const struct frame_header header = frame_header_get(lane->frame.data);
    if (!header_legal(header))
        return fault(lane, "not the frame of a lane");
    const size_t whole = FRAME_HEADER_SIZE + (size_t)header.length;
    int r = bytes_reserve(&lane->frame, whole - lane->frame.size);
    if (r == 0)
        r = fill(lane, data, used, whole);
    if (r != 0 || lane->frame.size < whole)
        return r;
    r = open_frame(lane);
    bytes_clear(&lane->frame); /* the records stay where they are until more is taken */
    return r;
}

bool lane_next(struct lane *lane, struct lane_record *record)
{
    return lane_record_next(&lane->records, record);
}

void lane_rest(struct lane *lane)
{
    if (lane->frame.size == 0 && lane->records.left == 0)
        bytes_deinit(&lane->frame);
}

uint64_t lane_deadline(const struct lane *lane)
{
    uint64_t deadline = lane->heard ? UINT64_MAX : lane->started_ms + LANE_FIRST_TIMEOUT_MS;
    if (lane->frame.size >= FRAME_HEADER_SIZE &&
        lane->frame_since_ms + LANE_FRAME_TIMEOUT_MS < deadline)
        deadline = lane->frame_since_ms + LANE_FRAME_TIMEOUT_MS;
    if (lane->switch_expected && lane->switch_since_ms + LANE_SWITCH_TIMEOUT_MS < deadline)
        deadline = lane->switch_since_ms + LANE_SWITCH_TIMEOUT_MS;
    return deadline;
}
