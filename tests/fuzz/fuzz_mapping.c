/* SPDX-License-Identifier: ISC */
/*
 * What a router, or somebody in its name, answers: one mapping, time that passes, and datagrams.
 *
 *     input: again and again  u8 what  0: so many seconds pass; else a datagram of so many bytes
 */
#include <string.h>

#include "core/mapping.h"
#include "fuzz/fuzz.h"

static const struct network_route home = {
    .gateway = {[10] = 0xff, [11] = 0xff, 192, 168, 77, 1},
    .source = {[10] = 0xff, [11] = 0xff, 192, 168, 77, 2},
};

/* All that is due; it asks so often, and no more. */
static void ask(struct mapping *mapping, uint64_t now_ms)
{
    uint8_t request[PCP_REQUEST_MAX];
    for (unsigned i = 0; mapping_due(mapping) <= now_ms; i++) {
        assert(i <= 4);
        size_t size = mapping_next(mapping, now_ms, request);
        assert(size == 0 || size == 2 || size == 12 || size == 60);
    }
}

static void check(const struct mapping *mapping, uint64_t now_ms)
{
    assert(mapping_left_ms(mapping, now_ms) <= (uint64_t)MAPPING_LEASE_MAX_S * 1000);
    assert(!mapping->held || mapping->wish.external_port != 0);
    assert(mapping->wish.port == 8766 && mapping->phase != MAPPING_OFF);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nonce[PCP_NONCE_SIZE];
    struct reader reader = reader_of(SPAN(data, size));
    struct mapping mapping;
    uint64_t now_ms = 1;
    mapping_init(&mapping, 8766, nonce, 7);
    mapping_move(&mapping, &home, now_ms);
    while (reader.left > 0) {
        uint8_t what = reader_u8(&reader);
        ask(&mapping, now_ms);
        if (what == 0) {
            now_ms += (uint64_t)reader_u16(&reader) * 1000;
        } else {
            size_t length = what < reader.left ? what : reader.left;
            const uint8_t *datagram = reader_take(&reader, length);
            if (mapping_take(&mapping, SPAN(datagram, length), now_ms))
                mapping_renew(&mapping, now_ms);
        }
        check(&mapping, now_ms);
    }
    return 0;
}
