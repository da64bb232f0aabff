/* SPDX-License-Identifier: ISC */
/*
 * The rig: wire and clock. What is expected of the sessions is in the tests.
 */
#include "dialogue/rig.h"

#include <string.h>

#include "unit/cmocka_all.h"

int rig_group_setup(void **state)
{
    (void)state;
    party_suites = SUITE_BIT(SUITE_CLASSIC);
    party_set_up();
    return 0;
}

int rig_group_teardown(void **state)
{
    (void)state;
    party_tear_down();
    return 0;
}

void rig_init(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->now_ms = RIG_START_MS;
    party_init(&rig->joiner, SESSION_JOINER, rig->now_ms);
    party_init(&rig->host, SESSION_HOST, rig->now_ms);
}

void rig_deinit(struct rig *rig)
{
    party_deinit(&rig->joiner);
    party_deinit(&rig->host);
}

void rig_run(struct rig *rig)
{
    party_converse(&rig->joiner, &rig->host, rig->segment, rig->now_ms);
}

void rig_open(struct rig *rig)
{
    rig_init(rig);
    rig_run(rig);
    assert_int_equal(session_phase(rig->joiner.session), SESSION_OPEN);
    assert_int_equal(session_phase(rig->host.session), SESSION_OPEN);
    rig->joiner.event_count = rig->host.event_count = 0;
}

static void say_measured(struct party *from, struct party *to, size_t size, uint64_t now_ms)
{
    party_speak(from, now_ms);
    assert_int_equal(from->sent.size, size);
    party_hear(to, bytes_span(&from->sent), 0, now_ms);
    bytes_clear(&from->sent);
}

void rig_open_measured(struct rig *rig, const size_t joiner_sizes[static 4],
                       const size_t host_sizes[static 4])
{
    for (size_t i = 0; i < 4; i++) {
        if (i == 3)
            assert_int_equal(party_send_text(&rig->joiner, "short", 1, rig->now_ms), 0);
        say_measured(&rig->joiner, &rig->host, joiner_sizes[i], rig->now_ms);
        say_measured(&rig->host, &rig->joiner, host_sizes[i], rig->now_ms);
    }
}

void rig_pass(struct rig *rig, uint64_t ms)
{
    uint64_t end_ms = rig->now_ms + ms;
    rig_run(rig);
    while (rig->now_ms < end_ms) {
        uint64_t next_ms = end_ms;
        uint64_t joiner_ms = session_deadline(rig->joiner.session);
        uint64_t host_ms = session_deadline(rig->host.session);
        if (joiner_ms < next_ms)
            next_ms = joiner_ms;
        if (host_ms < next_ms)
            next_ms = host_ms;
        /* A deadline that stays in the past would spin a daemon. */
        assert_true(next_ms > rig->now_ms);
        rig->now_ms = next_ms;
        session_tick(rig->joiner.session, rig->now_ms);
        session_tick(rig->host.session, rig->now_ms);
        rig_run(rig);
    }
}
