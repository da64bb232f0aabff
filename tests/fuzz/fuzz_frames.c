/* SPDX-License-Identifier: ISC */
/*
 * The byte stream of a link, from its first byte on, for a session of either role to which every
 * seal and signature is good. However it is cut into pieces, the same happens.
 *
 *     input: bit 0 the role, bits 1 to 7 the size of pieces; then the stream
 */
#include <string.h>

#include "dialogue/party.h"
#include "fuzz/fuzz.h"
#include "unit/fake_random.h"

enum { START_MS = 1000000 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    party_set_up();
    return 0;
}

static void hear(struct party *party, enum session_role role, struct span stream, size_t piece)
{
    fake_random_reset();
    party_init(party, role, START_MS);
    party->logs = true;
    party_hear(party, stream, piece, START_MS);
    party_speak(party, START_MS);
}

static void expect_same(const struct bytes *one, const struct bytes *other)
{
    assert(one->size == other->size);
    assert(one->size == 0 || memcmp(one->data, other->data, one->size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct party whole, pieces;
    if (size == 0)
        return 0;
    enum session_role role = data[0] & 1 ? SESSION_JOINER : SESSION_HOST;
    const struct span stream = SPAN(data + 1, size - 1);
    hear(&whole, role, stream, 0);
    hear(&pieces, role, stream, 1 + (data[0] >> 1));
    expect_same(&whole.log, &pieces.log);
    expect_same(&whole.sent, &pieces.sent);
    /* Nothing more comes, and no session waits for ever. */
    party_tick(&whole, START_MS + EPOCH_AGE_MAX_MS);
    assert(whole.ended == 1);
    party_deinit(&whole);
    party_deinit(&pieces);
    return 0;
}
