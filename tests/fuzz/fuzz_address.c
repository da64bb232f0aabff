/* SPDX-License-Identifier: ISC */
/*
 * Addresses and invites, as people paste them: what is read is what is written, and reads the same
 * again.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "fuzz/fuzz.h"
#include "proto/invite_uri.h"

static void read_address(const char *text)
{
    struct address address, again;
    char written[ADDRESS_TEXT_MAX];
    memset(&address, 0xa5, sizeof address);
    memcpy(&again, &address, sizeof again);
    if (address_parse(text, &address) < 0) {
        assert(memcmp(&again, &address, sizeof again) == 0);
        return;
    }
    assert(memchr(address.host, '\0', sizeof address.host) != NULL && address.host[0] != '\0');
    address_format(&address, written);
    assert(strlen(written) < sizeof written - 1);
    assert(address_parse(written, &again) == 0);
    assert(strcmp(address.host, again.host) == 0 && address.port == again.port);
    assert(address_is_numeric(&address) == address_is_numeric(&again));
}

static void read_invite(const char *text)
{
    struct invite_uri invite, again;
    struct bytes written = {0}, rewritten = {0};
    const char *complaint;
    if (invite_uri_parse(text, &invite, &complaint) < 0) {
        assert(complaint != NULL);
        return;
    }
    assert(invite.address_count > 0 && invite.address_count <= INVITE_URI_ADDRESSES_MAX);
    assert(memchr(invite.name, '\0', sizeof invite.name) != NULL);
    assert(invite_uri_format(&invite, &written) == 0);
    assert(written.size < INVITE_URI_MAX && bytes_append_u8(&written, '\0') == 0);
    assert(invite_uri_parse((const char *)written.data, &again, &complaint) == 0);
    assert(again.address_count == invite.address_count && strcmp(again.name, invite.name) == 0);
    assert(memcmp(again.secret, invite.secret, sizeof again.secret) == 0);
    assert(invite_uri_format(&again, &rewritten) == 0 && bytes_append_u8(&rewritten, '\0') == 0);
    assert(strcmp((const char *)written.data, (const char *)rewritten.data) == 0);
    bytes_deinit(&written);
    bytes_deinit(&rewritten);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    assert(crypto_init() == 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup(size > 0 ? (const char *)data : "", size);
    assert(text != NULL);
    read_address(text);
    read_invite(text);
    free(text);
    return 0;
}
