/* SPDX-License-Identifier: ISC */
/*
 * Writing and reading of PCP (RFC 6887, sections 7 and 11) and NAT-PMP (RFC 6886, section 3).
 */
#include "net/pcp_packet.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"

enum {
    VERSION_NATPMP = 0,
    VERSION_PCP = 2,
    RESPONSE = 0x80,
    OPCODE_ANNOUNCE = 0,
    OPCODE_MAP = 1,
    HEADER_SIZE = 24,
    MAP_SIZE = 60,
    NATPMP_OPCODE_ADDRESS = 0,
    NATPMP_OPCODE_MAP_TCP = 2,
    NATPMP_ADDRESS_SIZE = 12,
    NATPMP_MAP_SIZE = 16,
    NATPMP_REFUSAL_SIZE = 8,
};

/* Where the fields of a MAP packet are, in both directions. */
enum {
    AT_OPCODE = 1,
    AT_RESULT = 3,
    AT_LIFETIME = 4,
    AT_CLIENT = 8, /* of a request; the epoch of an answer */
    AT_NONCE = 24,
    AT_PROTOCOL = 36,
    AT_PORT = 40,
    AT_EXTERNAL_PORT = 42,
    AT_EXTERNAL = 44,
};

size_t pcp_write_map(const struct pcp_wish *wish, uint8_t out[static PCP_REQUEST_MAX])
{
    memset(out, 0, MAP_SIZE);
    out[0] = VERSION_PCP;
    out[AT_OPCODE] = OPCODE_MAP;
    put_u32(out + AT_LIFETIME, wish->lifetime_s);
    memcpy(out + AT_CLIENT, wish->client, sizeof wish->client);
    memcpy(out + AT_NONCE, wish->nonce, sizeof wish->nonce);
    out[AT_PROTOCOL] = IPPROTO_TCP;
    put_u16(out + AT_PORT, wish->port);
    put_u16(out + AT_EXTERNAL_PORT, wish->external_port);
    memcpy(out + AT_EXTERNAL, wish->external, sizeof wish->external);
    return MAP_SIZE;
}

size_t pcp_write_natpmp_map(const struct pcp_wish *wish, uint8_t out[static PCP_REQUEST_MAX])
{
    memset(out, 0, 12);
    out[0] = VERSION_NATPMP;
    out[1] = NATPMP_OPCODE_MAP_TCP;
    put_u16(out + 4, wish->port);
    put_u16(out + 6, wish->external_port);
    put_u32(out + 8, wish->lifetime_s);
    return 12;
}

size_t pcp_write_natpmp_address(uint8_t out[static PCP_REQUEST_MAX])
{
    out[0] = VERSION_NATPMP;
    out[1] = NATPMP_OPCODE_ADDRESS;
    return 2;
}

static bool read_pcp(const uint8_t *data, size_t size, struct pcp_answer *answer)
{
    if (size < HEADER_SIZE || size > PCP_ANSWER_MAX || size % 4 != 0)
        return false;
    answer->result = data[AT_RESULT];
    answer->lifetime_s = get_u32(data + AT_LIFETIME);
    answer->epoch_s = get_u32(data + AT_CLIENT);
    const uint8_t opcode = data[AT_OPCODE] & (RESPONSE - 1);
    if (opcode == OPCODE_ANNOUNCE ||
        (opcode == OPCODE_MAP && answer->result == PCP_UNSUPP_VERSION)) {
        answer->kind = opcode == OPCODE_ANNOUNCE ? PCP_ANNOUNCE : PCP_REFUSAL;
        return true;
    }
    if (opcode != OPCODE_MAP || size < MAP_SIZE || data[AT_PROTOCOL] != IPPROTO_TCP)
        return false;
    answer->kind = PCP_MAP;
    memcpy(answer->nonce, data + AT_NONCE, sizeof answer->nonce);
    answer->port = get_u16(data + AT_PORT);
    answer->external_port = get_u16(data + AT_EXTERNAL_PORT);
    memcpy(answer->external, data + AT_EXTERNAL, sizeof answer->external);
    return true;
}

/* NAT-PMP's results 0 to 2 mean what PCP's do. */
static uint8_t translate(uint16_t result)
{
    if (result <= PCP_NOT_AUTHORIZED)
        return (uint8_t)result;
    return result == 3 ? PCP_NETWORK_FAILURE : PCP_NO_RESOURCES;
}

static bool read_natpmp(const uint8_t *data, size_t size, struct pcp_answer *answer)
{
    if (size < NATPMP_REFUSAL_SIZE)
        return false;
    const uint8_t opcode = data[AT_OPCODE] & (RESPONSE - 1);
    answer->result = translate(get_u16(data + 2));
    answer->epoch_s = get_u32(data + 4);
    if (answer->result != PCP_SUCCESS) {
        answer->kind = PCP_NATPMP_REFUSAL;
        return true;
    }
    if (opcode == NATPMP_OPCODE_ADDRESS && size >= NATPMP_ADDRESS_SIZE) {
        answer->kind = PCP_NATPMP_ADDRESS;
        answer->external[10] = answer->external[11] = 0xff;
        memcpy(answer->external + 12, data + 8, 4);
        return true;
    }
    if (opcode != NATPMP_OPCODE_MAP_TCP || size < NATPMP_MAP_SIZE)
        return false;
    answer->kind = PCP_NATPMP_MAP;
    answer->port = get_u16(data + 8);
    answer->external_port = get_u16(data + 10);
    answer->lifetime_s = get_u32(data + 12);
    return true;
}

bool pcp_read(const uint8_t *data, size_t size, struct pcp_answer *answer)
{
    *answer = (struct pcp_answer){0};
    if (size < 2 || (data[1] & RESPONSE) == 0)
        return false;
    return data[0] == VERSION_NATPMP ? read_natpmp(data, size, answer)
           : data[0] == VERSION_PCP  ? read_pcp(data, size, answer)
                                     : false;
}
