/* SPDX-License-Identifier: ISC */
/*
 * Contents of messages with headers: what is accepted has one form.
 *
 *     input: bit 0 whether calls are allowed; then a content
 */
#include <string.h>

#include "base/cleanup.h"
#include "fuzz/fuzz.h"
#include "proto/features.h"
#include "proto/headers.h"

static bool same(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(bytes_deinit) struct bytes again = {0};
    struct headers headers;
    struct span body;
    if (size == 0)
        return 0;
    const uint32_t features = FEATURE_HEADERS | (data[0] & 1 ? FEATURE_CALLS : 0);
    const struct span content = SPAN(data + 1, size - 1);
    if (headers_parse(content, features, &headers, &body) != 0)
        return 0;
    assert(headers_flaw(&headers, body.size, features) == NULL && !headers_empty(&headers));
    assert(body.size <= HEADERS_BODY_MAX && headers_sort_users(&headers));
    if (headers.unknown_count > 0)
        return 0;
    assert(headers_append(&again, &headers, body) == 0);
    assert(same(bytes_span(&again), content));
    return 0;
}
