/* SPDX-License-Identifier: ISC */
/*
 * Sealed bodies in the store: a changed one is damaged and gives nothing, an unchanged one gives
 * what was sealed.
 *
 *     input: size of the text (2 bytes), text, changes: place (2 bytes), bits to flip (1 byte) …
 */
#include <string.h>

#include "base/cleanup.h"
#include "core/body_sealer.h"
#include "crypto/crypto.h"
#include "fuzz/fuzz.h"
#include "unit/fake_random.h"

static const struct secret key = {{1, 2, 3}};
static const char before[] = "what was there before";

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return crypto_init();
}

/* Opens the row behind what is in `text` already. */
static int open_row(struct body_sealer *body_sealer, const struct message_row *row,
                    struct bytes *text)
{
    int r;
    assert(bytes_append(text, before, sizeof before) == 0);
    r = body_sealer_open(body_sealer, row, text);
    assert(r == 0 || r == BODY_SEALER_DAMAGED);
    assert(memcmp(text->data, before, sizeof before) == 0);
    assert(r == 0 || text->size == sizeof before);
    return r;
}

static void expect_text(struct body_sealer *body_sealer, const struct message_row *row,
                        struct span text)
{
    CLEANUP(bytes_deinit) struct bytes opened = {0};
    assert(open_row(body_sealer, row, &opened) == 0);
    assert(opened.size == sizeof before + text.size);
    if (text.size > 0)
        assert(memcmp(opened.data + sizeof before, text.data, text.size) == 0);
}

static void expect_damage(struct body_sealer *body_sealer, const struct message_row *row)
{
    CLEANUP(bytes_deinit) struct bytes opened = {0};
    assert(open_row(body_sealer, row, &opened) == BODY_SEALER_DAMAGED);
}

/* Changes what is sealed, or cuts it off where no bit is flipped. */
static void change(struct bytes *sealed, struct reader *changes)
{
    while (changes->left > 0) {
        size_t at = reader_u16(changes);
        uint8_t bits = reader_u8(changes);
        if (at < sealed->size && bits == 0)
            sealed->size = at;
        else if (at < sealed->size)
            sealed->data[at] ^= bits;
    }
}

static void seal_and_open(struct body_sealer *body_sealer, struct span text, struct reader changes)
{
    CLEANUP(bytes_deinit) struct bytes sealed = {0}, original = {0};
    struct message_row row = {.peer = 7, .direction = MESSAGE_IN, .id = {{9}}};
    assert(body_sealer_seal(body_sealer, &row, text, &sealed) == 0);
    assert(bytes_append(&original, sealed.data, sealed.size) == 0);
    change(&sealed, &changes);
    row.body = bytes_span(&sealed);
    if (sealed.size != original.size || memcmp(sealed.data, original.data, sealed.size) != 0) {
        expect_damage(body_sealer, &row);
        return;
    }
    expect_text(body_sealer, &row, text);
    row.peer++;
    expect_damage(body_sealer, &row);
    row.peer--;
    row.direction = MESSAGE_OUT;
    expect_damage(body_sealer, &row);
    row.direction = MESSAGE_IN;
    row.kind = MESSAGE_HEADERS;
    expect_damage(body_sealer, &row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message_row row = {.body = SPAN(data, size)};
    struct reader input = reader_of(row.body);
    struct body_sealer *body_sealer;
    size_t text_size = reader_u16(&input);
    fake_random_reset();
    assert(body_sealer_new(&body_sealer, &key) == 0);
    expect_damage(body_sealer, &row);
    if (text_size > input.left)
        text_size = input.left;
    const uint8_t *text = reader_take(&input, text_size);
    seal_and_open(body_sealer, SPAN(text, text_size), input);
    body_sealer_free(body_sealer);
    return 0;
}
