/* SPDX-License-Identifier: ISC */
/*
 * The byte stream of a link, from its first byte on, for a session of either role to which every
 * seal and signature is good. However it is cut into pieces, the same happens.
 *
 *     input: bit 0 the role, bits 1 to 7 the size of pieces; then the stream
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/talker.h"
#include "unit/fake_random.h"

enum { START_MS = 1000000 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    talker_set_up();
    return 0;
}

static void hear(struct talker *talker, enum session_role role, struct span stream, size_t piece)
{
    fake_random_reset();
    talker_init(talker, role, START_MS);
    talker_hear(talker, stream, piece, START_MS);
    talker_speak(talker, START_MS);
}

static void expect_same(const struct bytes *one, const struct bytes *other)
{
    assert(one->size == other->size);
    assert(one->size == 0 || memcmp(one->data, other->data, one->size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct talker whole, pieces;
    if (size == 0)
        return 0;
    enum session_role role = data[0] & 1 ? SESSION_JOINER : SESSION_HOST;
    const struct span stream = SPAN(data + 1, size - 1);
    hear(&whole, role, stream, 0);
    hear(&pieces, role, stream, 1 + (data[0] >> 1));
    expect_same(&whole.log, &pieces.log);
    expect_same(&whole.said, &pieces.said);
    /* Nothing more comes, and no session waits for ever. */
    talker_tick(&whole, START_MS + EPOCH_AGE_MAX_MS);
    assert(whole.ended == 1);
    talker_deinit(&whole);
    talker_deinit(&pieces);
    return 0;
}
