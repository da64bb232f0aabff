/* SPDX-License-Identifier: ISC */
/*
 * Datagrams by which a machine asks its router to let connections in: PCP (RFC 6887) and its
 * predecessor NAT-PMP (RFC 6886). Pure: bytes in, bytes out.
 *
 * Addresses have 16 bytes, those of IPv4 as ::ffff:a.b.c.d.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PCP_PORT = 5351,        /* of the router */
    PCP_CLIENT_PORT = 5350, /* where a router says, to all, that it has forgotten everything */
    PCP_NONCE_SIZE = 12,
    PCP_REQUEST_MAX = 60,
    PCP_ANSWER_MAX = 1100,
};

/* How a router is spoken to. */
enum pcp_dialect { PCP_DIALECT_PCP, PCP_DIALECT_NATPMP };

/* Results that matter here. The numbers are PCP's (RFC 6887, section 7.4). */
enum pcp_result {
    PCP_SUCCESS = 0,
    PCP_UNSUPP_VERSION = 1,
    PCP_NOT_AUTHORIZED = 2,
    PCP_NETWORK_FAILURE = 7, /* the router has no address of its own; 3 in NAT-PMP */
    PCP_NO_RESOURCES = 8,
    PCP_ADDRESS_MISMATCH = 12, /* there is another NAT between us and the router */
};

/* A TCP port that is to be let in, for so many seconds. */
struct pcp_wish {
    uint8_t client[16]; /* our own address there */
    uint8_t nonce[PCP_NONCE_SIZE];
    uint16_t port;
    uint16_t external_port; /* as we should like it, or as we have it */
    uint8_t external[16];   /* likewise */
    uint32_t lifetime_s;
};

/* Writes a request; its size. */
size_t pcp_write_map(const struct pcp_wish *wish, uint8_t out[static PCP_REQUEST_MAX]);
size_t pcp_write_natpmp_map(const struct pcp_wish *wish, uint8_t out[static PCP_REQUEST_MAX]);
/* What address the router has outside. */
size_t pcp_write_natpmp_address(uint8_t out[static PCP_REQUEST_MAX]);

enum pcp_kind {
    PCP_MAP,            /* all fields */
    PCP_ANNOUNCE,       /* the epoch */
    PCP_REFUSAL,        /* result: not PCP_SUCCESS, without more */
    PCP_NATPMP_MAP,     /* ports, lifetime and epoch */
    PCP_NATPMP_ADDRESS, /* the external address and the epoch */
    PCP_NATPMP_REFUSAL, /* the result, in PCP's numbers */
};

struct pcp_answer {
    enum pcp_kind kind;
    uint8_t result;
    uint32_t lifetime_s; /* of a refusal: how long it stays one */
    uint32_t epoch_s;    /* since the router has remembered */
    uint8_t nonce[PCP_NONCE_SIZE];
    uint16_t port;
    uint16_t external_port;
    uint8_t external[16];
};

/* Reads what came from a router; false if that is no answer to anything written here. */
bool pcp_read(const uint8_t *data, size_t size, struct pcp_answer *answer);
