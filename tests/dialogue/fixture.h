/* SPDX-License-Identifier: ISC */
/*
 * What test programs with a rig share: the rig, before the handshake or after it, and how a session
 * must look at its end.
 */
#pragma once

#include "dialogue/rig.h"
#include "proto/session_state.h"
#include "unit/cmocka_all.h"

static struct rig rig;

static inline int start(void **state)
{
    (void)state;
    rig_init(&rig);
    return 0;
}

static inline int start_open(void **state)
{
    (void)state;
    rig_open(&rig);
    return 0;
}

static inline int finish(void **state)
{
    (void)state;
    rig_deinit(&rig);
    return 0;
}

/* Tests that begin with the first byte, and with an open session. */
#define FRESH(test) cmocka_unit_test_setup_teardown(test, start, finish)
#define OPEN(test)  cmocka_unit_test_setup_teardown(test, start_open, finish)

static inline void assert_ended(struct party *party, enum close_code code, bool by_peer)
{
    const struct session_event *event = party_last(party, SESSION_ENDED);
    assert_int_equal(event->code, code);
    assert_int_equal(event->by_peer, by_peer);
    assert_int_equal(session_phase(party->session), SESSION_CLOSED);
    assert_false(session_has_output(party->session));
    assert_true(bytes_all_zero((const uint8_t *)&party->session->epoch, sizeof(struct epoch)));
    assert_null(party->session->handshake);
    assert_true(session_deadline(party->session) == UINT64_MAX);
}
