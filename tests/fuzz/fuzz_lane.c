/* SPDX-License-Identifier: ISC */
/*
 * The byte stream of a lane, from the frame behind its ATTACH on, for either role, where every seal
 * is good and a change of keys is on its way. However it is cut into pieces, the same happens.
 *
 *     input: bit 0 the role, bits 1 to 7 the size of pieces; then the stream
 */
#include <stdbool.h>
#include <string.h>

#include "crypto/crypto.h"
#include "fuzz/fuzz.h"
#include "proto/lane.h"
#include "proto/service_name.h"

enum { KEY_SIZE = 5 + 53, GENERATION_AT = 22 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return crypto_init();
}

/* What came of a stream. */
struct outcome {
    struct bytes records;
    int end; /* 0 or a lane_outcome */
    unsigned switches;
};

static void take_records(struct lane *lane, struct outcome *outcome)
{
    struct lane_record record;
    while (outcome->end == 0 && lane_next(lane, &record)) {
        assert(lane_record_append(&outcome->records, &record) == 0);
        if (record.type == LANE_OPEN)
            assert(service_name_known(record.name));
        if (record.type == LANE_SWITCH)
            outcome->end = lane_take_switch(lane, record.value);
        outcome->switches += record.type == LANE_SWITCH && outcome->end == 0;
    }
}

static void hear(enum session_role role, struct span stream, size_t piece, struct outcome *outcome)
{
    static const struct lane_offer offer;
    static const struct lane_secrets secrets;
    uint8_t key[KEY_SIZE] = {[GENERATION_AT + 3] = 1};
    struct lane lane;
    lane_begin(&lane, role, &offer, &secrets, 0);
    assert(lane_take_key(&lane, SPAN(key, sizeof key), 0) == 0);
    for (size_t at = 0; at < stream.size && outcome->end == 0;) {
        size_t used, size = stream.size - at < piece ? stream.size - at : piece;
        outcome->end = lane_take(&lane, SPAN(stream.data + at, size), &used, 0);
        assert(used <= size && (used > 0 || outcome->end != 0));
        at += used;
        if (outcome->end == 0)
            take_records(&lane, outcome);
    }
    assert(outcome->end == 0 || outcome->end == LANE_TAMPERED || outcome->end == LANE_FAULT);
    assert((outcome->end == LANE_FAULT) == (lane.complaint != NULL));
    assert(lane.frame.capacity <= 2 * (LANE_CONTENT_MAX + 64));
    /* A host has one SWITCH to expect, and a joiner none before it has said its own. */
    assert(outcome->switches <= (role == SESSION_HOST));
    lane_deinit(&lane);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole = {0}, pieces = {0};
    if (size == 0)
        return 0;
    enum session_role role = data[0] & 1 ? SESSION_JOINER : SESSION_HOST;
    const struct span stream = SPAN(data + 1, size - 1);
    hear(role, stream, SIZE_MAX, &whole);
    hear(role, stream, 1 + (data[0] >> 1), &pieces);
    assert(whole.end == pieces.end && whole.records.size == pieces.records.size);
    assert(whole.records.size == 0 ||
           memcmp(whole.records.data, pieces.records.data, whole.records.size) == 0);
    bytes_deinit(&whole.records);
    bytes_deinit(&pieces.records);
    return 0;
}
