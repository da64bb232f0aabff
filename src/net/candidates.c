/* SPDX-License-Identifier: ISC */
/*
 * The addresses of one race: found, chosen, and brought to their end.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/dialer_state.h"

static const int families[FAMILIES] = {AF_INET6, AF_INET};

static bool leads(const struct candidate *candidate, unsigned way)
{
    return (candidate->ways >> way & 1) != 0;
}

/* The highest: a failed address that was given by hand is reported before a remembered one. */
unsigned candidates_way(const struct candidate *candidate)
{
    unsigned way = DIAL_WAYS_MAX - 1;
    while (!leads(candidate, way))
        way--;
    return way;
}

/* One of the things that a way waits for has ended. */
static void close_one(struct dial *dial, unsigned way)
{
    const struct way *one = &dial->ways[way];
    if (--dial->ways[way].open > 0 || one->connected)
        return;
    dial->events->failed(dial->context, way,
                         one->error != NULL ? one->error : strerror(EADDRNOTAVAIL));
}

/* What a candidate came to, an error or (NULL) a connection. */
static void note_result(struct way *way, const char *error)
{
    way->connected |= error == NULL;
    if (error != NULL)
        way->error = error;
}

void candidates_end(struct dial *dial, struct candidate *candidate, const char *error)
{
    if (candidate->state == CONNECTING)
        candidates_return_socket(dial);
    connector_cancel(STEAL(candidate->connector));
    candidate->state = DONE;
    candidate->error = error;
    dial->hurried |= error != NULL;
    for (unsigned i = 0; i < dial->count; i++)
        if (leads(candidate, i)) {
            note_result(&dial->ways[i], error);
            close_one(dial, i);
        }
}

void candidates_return_socket(struct dial *dial)
{
    dial->connecting--;
    dial->dialer->sockets--;
    dial_wake_first(&dial->dialer->starved);
}

/* --- names ------------------------------------------------------------------------------------ */

static struct candidate *find_candidate(struct dial *dial, const struct addrinfo *address)
{
    for (unsigned i = 0; i < dial->candidate_count; i++) {
        struct candidate *candidate = &dial->candidates[i];
        if (candidate->size == address->ai_addrlen &&
            memcmp(&candidate->address, address->ai_addr, candidate->size) == 0)
            return candidate;
    }
    return NULL;
}

static void add_candidate(struct dial *dial, unsigned way, const struct addrinfo *address)
{
    struct candidate *candidate = find_candidate(dial, address);
    if (candidate == NULL) {
        if (dial->candidate_count == CANDIDATES_MAX ||
            address->ai_addrlen > sizeof candidate->address)
            return;
        candidate = &dial->candidates[dial->candidate_count++];
        *candidate = (struct candidate){.size = address->ai_addrlen, .dial = dial};
        memcpy(&candidate->address, address->ai_addr, candidate->size);
    } else if (leads(candidate, way)) {
        return;
    } else if (candidate->state == DONE) {
        note_result(&dial->ways[way], candidate->error);
        return;
    }
    candidate->ways |= UINT32_C(1) << way;
    dial->ways[way].open++;
}

static void add_answers(struct dial *dial, unsigned way, struct addrinfo *answers)
{
    unsigned count = 0;
    for (const struct addrinfo *a = answers; a != NULL && count < ANSWERS_MAX; a = a->ai_next)
        if (a->ai_family == AF_INET || a->ai_family == AF_INET6) {
            add_candidate(dial, way, a);
            count++;
        }
    lookup_free_addresses(answers);
}

static void on_looked_up(void *context, struct addrinfo *answers, const char *error)
{
    struct lookup_slot *slot = context;
    struct dial *dial = slot->dial;
    struct way *way = &dial->ways[slot->way];
    slot->lookup = NULL;
    add_answers(dial, slot->way, answers);
    /* A family without answers says nothing about the name if the other one has some. */
    if (error != NULL && way->error == NULL)
        way->error = error;
    close_one(dial, slot->way);
    timer_arm_at(dial->timer, 0);
}

static void look_up(struct dial *dial, unsigned index)
{
    struct way *way = &dial->ways[index];
    for (unsigned i = 0; i < FAMILIES; i++) {
        struct lookup_slot *slot = &way->lookups[i];
        *slot = (struct lookup_slot){.dial = dial, .way = index};
        int r = lookup_start(&slot->lookup, dial->dialer->loop, &dial->addresses[index],
                             families[i], on_looked_up, slot);
        if (r < 0)
            way->error = strerror(-r);
        else
            way->open++;
    }
}

void candidates_resolve(struct dial *dial, unsigned index)
{
    struct way *way = &dial->ways[index];
    struct addrinfo *numeric = lookup_numeric(&dial->addresses[index]);
    way->open++; /* this function */
    if (numeric != NULL)
        add_answers(dial, index, numeric);
    else if (address_is_numeric(&dial->addresses[index]))
        way->error = "this machine has no such interface";
    else
        look_up(dial, index);
    close_one(dial, index);
}

/* The first that is untried, of another family than the latest one if there is such a one. */
struct candidate *candidates_choose(struct dial *dial)
{
    struct candidate *best = NULL;
    for (unsigned i = 0; i < dial->candidate_count; i++) {
        struct candidate *one = &dial->candidates[i];
        if (one->state != UNTRIED)
            continue;
        bool turn = one->address.any.sa_family != dial->family;
        bool best_turn = best != NULL && best->address.any.sa_family != dial->family;
        if (best == NULL || turn > best_turn ||
            (turn == best_turn && candidates_way(one) < candidates_way(best)))
            best = one;
    }
    return best;
}

unsigned candidates_untried(const struct dial *dial)
{
    unsigned count = 0;
    for (unsigned i = 0; i < dial->candidate_count; i++)
        count += dial->candidates[i].state == UNTRIED;
    return count;
}

void candidates_end_lookups(struct dial *dial, const char *error)
{
    for (unsigned i = 0; i < dial->count; i++)
        for (unsigned k = 0; k < FAMILIES; k++) {
            struct lookup_slot *slot = &dial->ways[i].lookups[k];
            if (slot->lookup == NULL)
                continue;
            lookup_cancel(STEAL(slot->lookup));
            if (error == NULL)
                continue;
            note_result(&dial->ways[i], error);
            close_one(dial, i);
        }
}
