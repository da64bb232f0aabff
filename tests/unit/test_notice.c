/* SPDX-License-Identifier: ISC */
/*
 * Tests core/notice: what a change of the network means for links and for dialling, and that many
 * links are served one after the other, none of them forgotten.
 */
#include "core/notice.h"

#include <string.h>

#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

enum { START_MS = 1000000, LINKS = 90, PEERS = 2 };

/* --- stand-ins -------------------------------------------------------------------------------- */

struct stream {
    uint8_t local;        /* its own address, or 0: not known */
    unsigned asked, told; /* what its link was, times … */
    uint64_t asked_ms;    /* … and when last */
    uint64_t not_before;  /* when it may be told again */
    const char *dropped;  /* why, or NULL */
};

static struct stage {
    struct runtime runtime;
    struct links links;
    struct roster roster;
    struct tell tell;
    struct notice notice;
    struct stream streams[LINKS];
    struct link list[LINKS];
    struct peer peers[PEERS];
    unsigned dialled[PEERS];
    netwatch_report *report;
    void *context;
    struct portmap portmap;
    unsigned mapped; /* how often the router was looked for */
} stage;

/* The machine has the addresses below 100. */
bool netwatch_has(const struct netwatch *netwatch, const uint8_t address[static 16])
{
    (void)netwatch;
    return address[0] < 100;
}

const char *netwatch_flaw(const struct netwatch *netwatch)
{
    (void)netwatch;
    return NULL;
}

void netwatch_start(struct netwatch *netwatch, netwatch_report *report, void *context)
{
    (void)netwatch;
    stage.report = report;
    stage.context = context;
}

bool stream_local(const struct stream *stream, uint8_t address[static ORIGIN_KEY_SIZE])
{
    address[0] = stream->local;
    return stream->local != 0;
}

void link_drop(struct link *link, const char *detail)
{
    assert_int_equal(link->state, LINK_ACTIVE);
    link->stream->dropped = detail;
    link->state = LINK_DEAD;
}

void link_doubt(struct link *link)
{
    assert_int_equal(link->state, LINK_ACTIVE);
    link->doubted = false;
    link->stream->asked++;
    link->stream->asked_ms = fake_loop.now_ms;
}

uint64_t tell_due(const struct link *link)
{
    return link->stream->not_before;
}

void tell_link(const struct tell *tell, struct link *link)
{
    assert_ptr_equal(tell, &stage.tell);
    link->untold = tell_due(link) > fake_loop.now_ms;
    link->stream->told += !link->untold;
}

struct peer *roster_first(const struct roster *roster)
{
    (void)roster;
    return &stage.peers[0];
}

struct peer *roster_next(const struct roster *roster, const struct peer *peer)
{
    (void)roster;
    return peer == &stage.peers[0] ? &stage.peers[1] : NULL;
}

void portmap_on_change(struct portmap *portmap, void (*changed)(void *context), void *context)
{
    portmap->changed = changed;
    portmap->context = context;
}

void portmap_network_changed(struct portmap *portmap)
{
    assert_ptr_equal(portmap, &stage.portmap);
    stage.mapped++;
}

void peer_network_changed(struct peer *peer)
{
    stage.dialled[peer - stage.peers]++;
}

/* --- the stage -------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    static int netwatch; /* only its address counts */
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(START_MS, 6 * START_MS);
    list_init(&stage.links.established);
    return notice_init(&stage.notice, &stage.runtime, &stage.links, &stage.roster, &stage.tell,
                       &stage.portmap, (struct netwatch *)(void *)&netwatch);
}

static int tear_down(void **state)
{
    (void)state;
    notice_deinit(&stage.notice);
    return 0;
}

/* Links that come from this address of the machine. */
static struct stream *add_links(unsigned count, uint8_t local)
{
    struct stream *first = &stage.streams[stage.links.established_count];
    for (unsigned i = 0; i < count; i++) {
        const unsigned at = stage.links.established_count++;
        stage.streams[at].local = local;
        stage.list[at] = (struct link){.stream = &stage.streams[at], .state = LINK_ACTIVE};
        list_append(&stage.links.established, &stage.list[at].node);
    }
    return first;
}

static void report(unsigned changes, uint64_t suspended_ms)
{
    const struct netwatch_news news = {.changes = changes, .suspended_ms = suspended_ms};
    stage.report(stage.context, &news);
}

/* Lets the timer come until this time, as the loop would. */
static void run_until(uint64_t end_ms)
{
    for (unsigned steps = 0; fake_loop_step(end_ms); steps++)
        assert_true(steps < 1000);
}

/* --- what a change means ---------------------------------------------------------------------- */

static void test_a_link_from_an_address_that_is_lost_ends_at_once(void **state)
{
    struct stream *kept = add_links(1, 1), *lost = add_links(1, 100), *unknown = add_links(1, 0);
    (void)state;
    report(NETWATCH_ADDRESSES, 0);
    assert_null(kept->dropped);
    assert_string_equal(lost->dropped, "this machine lost the address");
    assert_null(unknown->dropped);
    run_until(START_MS + NOTICE_SPREAD_MS);
    assert_int_equal(kept->asked + unknown->asked, 0);
}

static void test_after_a_long_sleep_no_link_is_alive(void **state)
{
    struct stream *link = add_links(1, 1);
    (void)state;
    report(NETWATCH_RESUMED, NOTICE_SLEPT_MS - 1);
    assert_null(link->dropped);
    run_until(START_MS);
    assert_int_equal(link->asked, 1);
    report(NETWATCH_RESUMED, NOTICE_SLEPT_MS);
    assert_string_equal(link->dropped, "this machine was suspended");
}

static void test_links_are_asked_when_they_may_be_dead(void **state)
{
    static const struct {
        unsigned change;
        bool asked;
    } rows[] = {{NETWATCH_ADDRESSES, false},
                {NETWATCH_ROUTES, true},
                {NETWATCH_RESUMED, true},
                {NETWATCH_CLOCK, true},
                {NETWATCH_ADDRESSES | NETWATCH_ROUTES, true}};
    struct stream *link = add_links(1, 1);
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        link->asked = link->told = 0;
        report(rows[i].change, 0);
        run_until(fake_loop.now_ms);
        assert_int_equal(link->asked, rows[i].asked);
        assert_int_equal(link->told, 1);
    }
}

static void test_peers_are_dialled_unless_only_the_clock_was_set(void **state)
{
    (void)state;
    report(NETWATCH_CLOCK, 0);
    assert_int_equal(stage.dialled[0] + stage.dialled[1] + stage.mapped, 0);
    report(NETWATCH_CLOCK | NETWATCH_RESUMED, 0);
    assert_int_equal(stage.dialled[0], 1);
    assert_int_equal(stage.dialled[1], 1);
    report(NETWATCH_ADDRESSES, 0);
    assert_int_equal(stage.dialled[1], 2);
    assert_int_equal(stage.mapped, 2);
    assert_int_equal(stage.notice.changed_ms, 7 * START_MS);
}

static void test_peers_are_told_when_the_router_lets_in_others(void **state)
{
    struct stream *link = add_links(1, 1);
    (void)state;
    stage.portmap.changed(stage.portmap.context);
    run_until(START_MS);
    assert_int_equal(link->told, 1);
    assert_int_equal(link->asked + stage.dialled[0], 0);
}

static void test_nothing_is_begun_while_the_node_stops(void **state)
{
    struct stream *link = add_links(1, 100);
    (void)state;
    stage.runtime.stopping = true;
    report(NETWATCH_ADDRESSES | NETWATCH_ROUTES, 0);
    assert_null(link->dropped);
    assert_int_equal(stage.dialled[0], 0);
    assert_int_equal(fake_loop_due(), UINT64_MAX);
}

/* --- many links ------------------------------------------------------------------------------- */

static void test_many_links_are_served_in_steps(void **state)
{
    const unsigned step = LINKS / NOTICE_STEPS + 1;
    struct stream *links = add_links(LINKS, 1);
    unsigned asked = 0;
    (void)state;
    report(NETWATCH_ROUTES, 0);
    run_until(START_MS);
    for (unsigned i = 0; i < LINKS; i++)
        asked += links[i].asked;
    assert_int_equal(asked, step);
    run_until(START_MS + NOTICE_SPREAD_MS);
    for (unsigned i = 0; i < LINKS; i++) {
        assert_int_equal(links[i].asked, 1);
        assert_int_equal(links[i].told, 1);
    }
    assert_int_equal(fake_loop_due(), UINT64_MAX);
}

static void test_who_was_told_a_moment_ago_keeps_nobody_waiting(void **state)
{
    struct stream *waiting = add_links(LINKS / 2, 1), *others = add_links(LINKS / 2, 1);
    (void)state;
    for (unsigned i = 0; i < LINKS / 2; i++)
        waiting[i].not_before = START_MS + 10000 + i;
    report(NETWATCH_ROUTES, 0);
    run_until(START_MS + NOTICE_SPREAD_MS);
    for (unsigned i = 0; i < LINKS / 2; i++) {
        assert_int_equal(waiting[i].asked, 1);
        assert_int_equal(waiting[i].told, 0);
        assert_int_equal(others[i].asked, 1);
        assert_int_equal(others[i].told, 1);
    }
    assert_int_equal(fake_loop_due(), START_MS + 10000);
    run_until(START_MS + 10000 + LINKS);
    for (unsigned i = 0; i < LINKS / 2; i++)
        assert_int_equal(waiting[i].told, 1);
}

static void test_a_link_that_has_ended_is_left_alone(void **state)
{
    struct stream *links = add_links(2, 1);
    (void)state;
    report(NETWATCH_ROUTES, 0);
    stage.list[0].state = LINK_FINISHING;
    run_until(START_MS);
    assert_int_equal(links[0].asked, 0);
    assert_int_equal(links[1].asked, 1);
    report(NETWATCH_RESUMED, NOTICE_SLEPT_MS);
    assert_null(links[0].dropped);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_link_from_an_address_that_is_lost_ends_at_once),
        TEST(test_after_a_long_sleep_no_link_is_alive),
        TEST(test_links_are_asked_when_they_may_be_dead),
        TEST(test_peers_are_dialled_unless_only_the_clock_was_set),
        TEST(test_peers_are_told_when_the_router_lets_in_others),
        TEST(test_nothing_is_begun_while_the_node_stops),
        TEST(test_many_links_are_served_in_steps),
        TEST(test_who_was_told_a_moment_ago_keeps_nobody_waiting),
        TEST(test_a_link_that_has_ended_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
