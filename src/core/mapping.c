/* SPDX-License-Identifier: ISC */
/*
 * Asking a router for a port, and keeping it.
 */
#include "core/mapping.h"

#include <string.h>

enum { GIVE_UP_MS = 2000 }; /* after the last try */

/* From one try to the next, of those that are answered within a local network. */
static const uint64_t try_gap_ms[MAPPING_TRIES] = {250, 500, 1000, GIVE_UP_MS};

static bool is_ipv4(const uint8_t address[static 16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, mapped, sizeof mapped) == 0;
}

void mapping_init(struct mapping *mapping, uint16_t port,
                  const uint8_t nonce[static PCP_NONCE_SIZE], uint32_t random)
{
    *mapping = (struct mapping){.due_ms = UINT64_MAX, .random = random};
    mapping->wish.port = mapping->wish.external_port = port;
    mapping->wish.lifetime_s = MAPPING_LIFETIME_S;
    memcpy(mapping->wish.nonce, nonce, PCP_NONCE_SIZE);
}

static bool is_asking(const struct mapping *mapping)
{
    return mapping->phase >= MAPPING_ASK_PCP && mapping->phase <= MAPPING_ASK_PORT;
}

static void enter(struct mapping *mapping, enum mapping_phase phase, uint64_t due_ms)
{
    mapping->phase = phase;
    mapping->due_ms = due_ms;
    mapping->tries = 0;
}

/* In the words that it understood last. */
static void ask(struct mapping *mapping, uint64_t now_ms)
{
    bool natpmp = mapping->held && mapping->dialect == PCP_DIALECT_NATPMP;
    enter(mapping, natpmp ? MAPPING_ASK_ADDRESS : MAPPING_ASK_PCP, now_ms);
}

static void lose(struct mapping *mapping)
{
    mapping->held = false;
    mapping->wish.external_port = mapping->wish.port;
    memset(mapping->wish.external, 0, sizeof mapping->wish.external);
    if (is_ipv4(mapping->wish.client))
        memcpy(mapping->wish.external, (uint8_t[12]){[10] = 0xff, [11] = 0xff}, 12);
}

void mapping_move(struct mapping *mapping, const struct network_route *route, uint64_t now_ms)
{
    if (memcmp(&mapping->route, route, sizeof *route) == 0 && mapping->phase == MAPPING_HELD)
        return;
    mapping->route = *route;
    memcpy(mapping->wish.client, route->source, sizeof route->source);
    mapping->epoch_known = mapping->answered = false;
    mapping->result = PCP_SUCCESS;
    lose(mapping);
    if (bytes_all_zero(route->gateway, sizeof route->gateway))
        enter(mapping, MAPPING_OFF, UINT64_MAX);
    else
        ask(mapping, now_ms);
}

/* --- what is granted -------------------------------------------------------------------------- */

/* At half of the lease, somewhat spread, then at three and at seven quarters of the halves. */
static uint64_t renewal_ms(const struct mapping *mapping, uint64_t now_ms)
{
    const uint64_t lease_ms = mapping->lease_ms;
    const uint64_t spread_ms = mapping->random % (lease_ms / 8);
    const uint64_t after_ms[] = {lease_ms / 2 + spread_ms, lease_ms / 4 * 3, lease_ms / 8 * 7,
                                 lease_ms};
    for (size_t i = 0; i < sizeof after_ms / sizeof *after_ms; i++)
        if (mapping->granted_ms + after_ms[i] > now_ms)
            return mapping->granted_ms + after_ms[i];
    return now_ms;
}

static void grant(struct mapping *mapping, enum pcp_dialect dialect,
                  const struct pcp_answer *answer, uint64_t now_ms)
{
    uint32_t lease_s = answer->lifetime_s;
    lease_s = lease_s < MAPPING_LEASE_MIN_S ? MAPPING_LEASE_MIN_S : lease_s;
    lease_s = lease_s > MAPPING_LEASE_MAX_S ? MAPPING_LEASE_MAX_S : lease_s;
    mapping->dialect = dialect;
    mapping->held = true;
    mapping->granted_ms = now_ms;
    mapping->lease_ms = (uint64_t)lease_s * 1000;
    mapping->wish.external_port = answer->external_port;
    enter(mapping, MAPPING_HELD, renewal_ms(mapping, now_ms));
}

/* Until the next chance to keep the lease, or for as long as is polite without one. */
static void rest(struct mapping *mapping, uint64_t rest_ms, uint64_t now_ms)
{
    if (mapping->held)
        enter(mapping, MAPPING_HELD, renewal_ms(mapping, now_ms));
    else
        enter(mapping, MAPPING_RESTING, now_ms + rest_ms);
}

static void refuse(struct mapping *mapping, const struct pcp_answer *answer, uint64_t now_ms)
{
    uint64_t rest_ms = (uint64_t)answer->lifetime_s * 1000;
    rest_ms = rest_ms < MAPPING_RETRY_MIN_MS ? MAPPING_RETRY_MIN_MS : rest_ms;
    rest(mapping, rest_ms > MAPPING_REST_MS ? MAPPING_REST_MS : rest_ms, now_ms);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* The router does not speak this dialect. */
static void give_up(struct mapping *mapping, uint64_t now_ms)
{
    if (mapping->phase == MAPPING_ASK_PCP && is_ipv4(mapping->route.gateway))
        enter(mapping, MAPPING_ASK_ADDRESS, now_ms);
    else
        rest(mapping, MAPPING_REST_MS, now_ms);
}

static void hear_nothing(struct mapping *mapping, uint64_t now_ms)
{
    mapping->answered = false;
    give_up(mapping, now_ms);
}

static size_t write_request(const struct mapping *mapping, uint8_t out[static PCP_REQUEST_MAX])
{
    switch (mapping->phase) {
    case MAPPING_ASK_PCP:
        return pcp_write_map(&mapping->wish, out);
    case MAPPING_ASK_ADDRESS:
        return pcp_write_natpmp_address(out);
    case MAPPING_ASK_PORT:
        return pcp_write_natpmp_map(&mapping->wish, out);
    case MAPPING_OFF:
    case MAPPING_HELD:
    case MAPPING_RESTING:
        break;
    }
    return 0;
}

size_t mapping_next(struct mapping *mapping, uint64_t now_ms,
                    uint8_t datagram[static PCP_REQUEST_MAX])
{
    if (now_ms < mapping->due_ms)
        return 0;
    if (mapping->held && now_ms >= mapping->granted_ms + mapping->lease_ms)
        lose(mapping);
    if (mapping->phase == MAPPING_HELD || mapping->phase == MAPPING_RESTING)
        ask(mapping, now_ms);
    else if (mapping->tries == MAPPING_TRIES)
        hear_nothing(mapping, now_ms);
    if (now_ms < mapping->due_ms)
        return 0;
    mapping->due_ms = now_ms + try_gap_ms[mapping->tries++];
    return write_request(mapping, datagram);
}

uint64_t mapping_due(const struct mapping *mapping)
{
    return mapping->due_ms;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Whether the router's clock and ours ran alike since its last answer (RFC 6887, section 8.5). */
static bool runs_on(const struct mapping *mapping, uint32_t epoch_s, uint64_t now_ms)
{
    if (!mapping->epoch_known)
        return true;
    if (epoch_s + UINT64_C(1) < mapping->epoch_s)
        return false;
    const uint64_t ours_s = (now_ms - mapping->epoch_ms) / 1000;
    const uint64_t theirs_s = epoch_s > mapping->epoch_s ? epoch_s - mapping->epoch_s : 0;
    return ours_s + 2 >= theirs_s - theirs_s / 16 && theirs_s + 2 >= ours_s - ours_s / 16;
}

/* Whether the answer is one to what was asked, so that nobody answers for another. */
static bool is_ours(const struct mapping *mapping, const struct pcp_answer *answer)
{
    switch (answer->kind) {
    case PCP_MAP:
        return mapping->phase == MAPPING_ASK_PCP && answer->port == mapping->wish.port &&
               memcmp(answer->nonce, mapping->wish.nonce, PCP_NONCE_SIZE) == 0;
    case PCP_REFUSAL:
        return mapping->phase == MAPPING_ASK_PCP;
    case PCP_NATPMP_ADDRESS:
        return mapping->phase == MAPPING_ASK_ADDRESS;
    case PCP_NATPMP_MAP:
        return mapping->phase == MAPPING_ASK_PORT && answer->port == mapping->wish.port;
    case PCP_NATPMP_REFUSAL:
        return is_asking(mapping);
    case PCP_ANNOUNCE:
        break;
    }
    return false;
}

static void take_answer(struct mapping *mapping, const struct pcp_answer *answer, uint64_t now_ms)
{
    const bool other_dialect = answer->kind == PCP_REFUSAL || (answer->kind == PCP_NATPMP_REFUSAL &&
                                                               mapping->phase == MAPPING_ASK_PCP);
    mapping->answered = true;
    mapping->result = answer->result;
    if (other_dialect) {
        give_up(mapping, now_ms);
    } else if (answer->result != PCP_SUCCESS) {
        refuse(mapping, answer, now_ms);
    } else if (answer->kind == PCP_NATPMP_ADDRESS) {
        memcpy(mapping->wish.external, answer->external, sizeof answer->external);
        enter(mapping, MAPPING_ASK_PORT, now_ms);
    } else if (answer->lifetime_s == 0 || answer->external_port == 0) {
        refuse(mapping, answer, now_ms);
    } else {
        if (answer->kind == PCP_MAP)
            memcpy(mapping->wish.external, answer->external, sizeof answer->external);
        grant(mapping, answer->kind == PCP_MAP ? PCP_DIALECT_PCP : PCP_DIALECT_NATPMP, answer,
              now_ms);
    }
}

bool mapping_take(struct mapping *mapping, struct span datagram, uint64_t now_ms)
{
    struct pcp_answer answer;
    if (mapping->phase == MAPPING_OFF || !pcp_read(datagram.data, datagram.size, &answer))
        return false;
    if (!is_ours(mapping, &answer))
        return false;
    const bool lost = !runs_on(mapping, answer.epoch_s, now_ms);
    mapping->epoch_known = true;
    mapping->epoch_s = answer.epoch_s;
    mapping->epoch_ms = now_ms;
    take_answer(mapping, &answer, now_ms);
    return lost;
}

void mapping_refused(struct mapping *mapping, uint64_t now_ms)
{
    if (!is_asking(mapping))
        return;
    mapping->answered = false;
    rest(mapping, MAPPING_REST_MS, now_ms);
}

void mapping_renew(struct mapping *mapping, uint64_t now_ms)
{
    const bool again =
        mapping->announced_ms != 0 && now_ms - mapping->announced_ms < MAPPING_ANNOUNCED_GAP_MS;
    if (again || (mapping->phase != MAPPING_HELD && mapping->phase != MAPPING_RESTING))
        return;
    mapping->announced_ms = now_ms;
    ask(mapping, now_ms);
}

/* --- what there is to see --------------------------------------------------------------------- */

uint64_t mapping_left_ms(const struct mapping *mapping, uint64_t now_ms)
{
    const uint64_t end_ms = mapping->granted_ms + mapping->lease_ms;
    return mapping->held && end_ms > now_ms ? end_ms - now_ms : 0;
}

const char *mapping_flaw(const struct mapping *mapping)
{
    if (mapping->phase == MAPPING_OFF)
        return "there is no router";
    if (mapping->held || mapping->phase != MAPPING_RESTING)
        return NULL;
    if (!mapping->answered)
        return "the router does not answer";
    switch (mapping->result) {
    case PCP_NOT_AUTHORIZED:
        return "the router does not allow it";
    case PCP_NETWORK_FAILURE:
    case PCP_NO_RESOURCES:
        return "the router has no public address of its own, or no room";
    case PCP_ADDRESS_MISMATCH:
        return "there is another router between";
    default:
        return "the router refuses";
    }
}
