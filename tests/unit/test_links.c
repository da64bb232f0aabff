/* SPDX-License-Identifier: ISC */
/*
 * Tests core/links: the rule for two links with the same identity, and room for strangers. Links
 * here have no stream and no session behind them: what they are asked and told is noted instead.
 */
#include "core/links.h"

#include <string.h>

#include "crypto/random.h"
#include "unit/cmocka_all.h"

/* What links.c asks of a session and of a stream. */
struct session {
    enum session_role role;
    bool approved;
    bool indirect;
    const struct session *gone; /* what its joiner says is gone */
    unsigned pings;
};

struct stream {
    struct origin origin;
};

struct fake {
    struct link link;
    struct session session;
    struct stream stream;
    struct fingerprint key;
    bool closed;
    enum close_code code;
    bool dropped;
    unsigned flushed;
    bool freed;
};

/* --- in the place of link.c, session.c and stream.c ------------------------------------------- */

static struct fake *fake_of(const struct link *link)
{
    return container_of(link, struct fake, link);
}

enum session_role session_role(const struct session *session)
{
    return session->role;
}

bool session_approved_at_once(const struct session *session)
{
    return session->approved;
}

bool session_indirect(const struct session *session)
{
    return session->indirect;
}

bool session_says_gone(const struct session *session, const struct session *former)
{
    return session->gone == former;
}

bool session_ping(struct session *session, uint64_t token, uint64_t now_ms)
{
    (void)token;
    (void)now_ms;
    session->pings++;
    return true;
}

const struct origin *stream_origin(const struct stream *stream)
{
    return &stream->origin;
}

const struct fingerprint *link_fingerprint(const struct link *link)
{
    return &fake_of(link)->key;
}

void link_close(struct link *link, enum close_code code)
{
    fake_of(link)->closed = true;
    fake_of(link)->code = code;
    link->state = LINK_FINISHING;
}

static struct turn turn;

void link_touch(struct link *link)
{
    link->dirty = true;
    if (list_empty(&link->touched))
        list_append(&turn.touched, &link->touched);
}

void link_drop(struct link *link, const char *detail)
{
    (void)detail;
    fake_of(link)->dropped = true;
    link->state = LINK_DEAD;
    link_touch(link);
}

void link_go_on(struct link *link)
{
    list_remove(&link->behind);
}

void link_flush(struct link *link)
{
    link->dirty = false;
    fake_of(link)->flushed++;
}

/* The link that is made next. */
static struct link *next;

int link_new(struct link **link, struct loop *loop, struct turn *its_turn, struct stream *stream,
             const struct session_settings *settings, const struct link_events *events,
             void *context)
{
    (void)loop, (void)its_turn, (void)stream, (void)events, (void)context;
    *link = next;
    (*link)->session->role = settings->role;
    return 0;
}

void link_free(struct link *link)
{
    list_remove(&link->node);
    list_remove(&link->touched);
    fake_of(link)->freed = true;
}

uint32_t random_u32(void)
{
    return 0;
}

/* --- making links ----------------------------------------------------------------------------- */

enum { NOW_MS = 1000000, FAKES_MAX = LIMITS_STRANGERS_MAX + 2 };

static const struct fingerprint own = {{5}};

static struct fake fakes[FAKES_MAX];
static const struct runtime runtime = {.turn = &turn};
static struct links links;

static int start(void **state)
{
    (void)state;
    memset(fakes, 0, sizeof fakes);
    list_init(&turn.touched);
    list_init(&turn.behind);
    links_init(&links, &runtime, NULL, NULL);
    return 0;
}

/* A link with the peer whose fingerprint begins with this byte; ours begins with 5. */
static struct fake *make(unsigned number, enum session_role role, uint8_t peer)
{
    struct fake *fake = &fakes[number];
    fake->session = (struct session){.approved = true};
    fake->key = (struct fingerprint){{peer}};
    fake->link.session = &fake->session;
    fake->link.stream = &fake->stream;
    fake->link.started_ms = NOW_MS;
    fake->link.state = LINK_ACTIVE;
    list_init(&fake->link.node);
    list_init(&fake->link.touched);
    next = &fake->link;
    if (role == SESSION_HOST)
        links_host(&links, &fake->stream);
    else
        links_join(&links, &fake->stream, NULL, NULL, NULL, &next);
    return fake;
}

static bool resolve(struct fake *fake)
{
    return links_resolve(&links, &fake->link, &own, NOW_MS);
}

/* --- two links -------------------------------------------------------------------------------- */

/*
 * What becomes of a link in one direction when one in another direction is established, both with
 * the same peer.
 */
static void meet(enum session_role old_role, enum session_role new_role, uint8_t peer,
                 bool new_wins)
{
    start(NULL);
    struct fake *old = make(0, old_role, peer);
    assert_true(resolve(old));
    links_establish(&links, &old->link);
    struct fake *new = make(1, new_role, peer);
    assert_int_equal(resolve(new), new_wins);
    assert_int_equal(old->closed, new_wins);
    assert_int_equal(old->session.pings, !new_wins);
    assert_int_equal(old->link.rival_ms != 0, !new_wins);
    if (new_wins)
        assert_int_equal(old->code, CLOSE_REPLACED);
    assert_false(new->closed);
}

static void test_newer_link_of_the_same_joiner_wins(void **state)
{
    (void)state;
    for (uint8_t peer = 1; peer < 10; peer++) {
        if (peer == 5)
            continue;
        meet(SESSION_JOINER, SESSION_JOINER, peer, true);
        meet(SESSION_HOST, SESSION_HOST, peer, true);
    }
}

static void test_link_dialled_by_the_smaller_fingerprint_wins(void **state)
{
    enum { SMALLER = 1, LARGER = 9 };
    (void)state;
    meet(SESSION_JOINER, SESSION_HOST, SMALLER, true);
    meet(SESSION_HOST, SESSION_JOINER, SMALLER, false);
    meet(SESSION_JOINER, SESSION_HOST, LARGER, false);
    meet(SESSION_HOST, SESSION_JOINER, LARGER, true);
}

/* What is worth more wins whoever dialled, and what is worth less never does. */
static void rank(bool better_is_direct, bool better_is_approved)
{
    static const enum session_role roles[] = {SESSION_JOINER, SESSION_HOST};
    for (unsigned i = 0; i < 2 * 2 * 2 * 2; i++) {
        bool better_is_new = i & 1;
        start(NULL);
        struct fake *old = make(0, roles[i >> 1 & 1], i & 8 ? 1 : 9);
        struct fake *new = make(1, roles[i >> 2 & 1], i & 8 ? 1 : 9);
        struct session *worse = better_is_new ? &old->session : &new->session;
        struct session *better = better_is_new ? &new->session : &old->session;
        worse->indirect = better_is_direct;
        better->indirect = !better_is_direct;
        worse->approved = !better_is_approved;
        links_establish(&links, &old->link);
        assert_int_equal(resolve(new), better_is_new);
        assert_int_equal(old->closed, better_is_new);
        assert_int_equal(old->session.pings, !better_is_new);
    }
}

static void test_link_that_waited_for_people_is_worth_less(void **state)
{
    (void)state;
    rank(true, true);
    rank(false, true);
}

static void test_indirect_link_is_worth_less(void **state)
{
    (void)state;
    rank(true, false);
}

static void test_link_that_its_joiner_calls_gone_gives_way(void **state)
{
    enum { SMALLER = 1, LARGER = 9 };
    (void)state;
    for (uint8_t peer = SMALLER; peer <= LARGER; peer += LARGER - SMALLER) {
        start(NULL);
        struct fake *old = make(0, SESSION_JOINER, peer);
        struct fake *new = make(1, SESSION_HOST, peer);
        new->session.approved = false;
        new->session.indirect = true;
        new->session.gone = &old->session;
        links_establish(&links, &old->link);
        assert_true(resolve(new));
        assert_int_equal(old->code, CLOSE_REPLACED);
    }
}

static void test_link_stays_if_nothing_from_the_other_end_displaces_it(void **state)
{
    enum { SMALLER = 1, LARGER = 9 };
    (void)state;
    struct fake *link = make(0, SESSION_JOINER, LARGER);
    assert_true(links_stays(&link->link, &own));
    link->session.indirect = true;
    assert_false(links_stays(&link->link, &own));
    link->session = (struct session){.role = SESSION_JOINER};
    assert_false(links_stays(&link->link, &own));
    assert_false(links_stays(&make(1, SESSION_JOINER, SMALLER)->link, &own));
}

static void test_link_that_is_over_gives_way(void **state)
{
    (void)state;
    struct fake *old = make(0, SESSION_HOST, 1);
    links_establish(&links, &old->link);
    old->link.state = LINK_LINGERING;
    assert_true(resolve(make(1, SESSION_JOINER, 1)));
    assert_false(old->closed);
    assert_int_equal(old->session.pings, 0);
}

static void test_links_with_others_are_left_alone(void **state)
{
    (void)state;
    struct fake *old = make(0, SESSION_HOST, 1);
    links_establish(&links, &old->link);
    assert_true(resolve(make(1, SESSION_HOST, 2)));
    assert_false(old->closed);
    assert_ptr_equal(links_find(&links, &old->key), &old->link);
}

static void test_stranger_is_no_link_to_give_way_to(void **state)
{
    (void)state;
    make(0, SESSION_HOST, 1);
    assert_true(resolve(make(1, SESSION_JOINER, 1)));
}

/* --- strangers -------------------------------------------------------------------------------- */

static struct origin origin_of(unsigned number)
{
    struct origin origin = {.text = ""};
    put_u32(origin.key, number);
    return origin;
}

static struct fake *make_stranger(unsigned number, unsigned origin, uint64_t started_ms)
{
    struct fake *fake = make(number, SESSION_HOST, 1);
    fake->stream.origin = origin_of(origin);
    fake->link.started_ms = started_ms;
    return fake;
}

static bool admits(unsigned origin)
{
    struct origin from = origin_of(origin);
    return links_admit_stranger(&links, &from, 0, 0, NOW_MS);
}

static void test_one_origin_has_its_limit(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LIMITS_PER_ORIGIN_MAX; i++) {
        assert_true(admits(1));
        make_stranger(i, 1, 0);
    }
    assert_false(admits(1));
    assert_true(admits(2));
}

static void test_own_dials_do_not_count(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LIMITS_PER_ORIGIN_MAX; i++)
        make_stranger(i, 1, 0)->session.role = SESSION_JOINER;
    assert_true(admits(1));
}

static void test_full_house_drops_one_that_had_its_chance(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LIMITS_STRANGERS_MAX; i++)
        make_stranger(i, i, NOW_MS - (i == 77 ? LIMITS_EVICTABLE_AGE_MS : 0));
    assert_true(admits(1000));
    for (unsigned i = 0; i < LIMITS_STRANGERS_MAX; i++)
        assert_int_equal(fakes[i].dropped, i == 77);
}

static void test_full_house_of_newcomers_takes_nobody(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LIMITS_STRANGERS_MAX; i++)
        make_stranger(i, i, NOW_MS - LIMITS_EVICTABLE_AGE_MS + 1);
    assert_false(admits(1000));
}

/* --- the end of a turn ------------------------------------------------------------------------ */

static void test_turn_end_flushes_what_was_touched_and_frees_what_is_dead(void **state)
{
    (void)state;
    struct fake *touched = make(0, SESSION_HOST, 1);
    struct fake *untouched = make(1, SESSION_HOST, 2);
    struct fake *dead = make(2, SESSION_HOST, 3);
    links_establish(&links, &dead->link);
    link_touch(&touched->link);
    link_drop(&dead->link, "");
    links_turn_end(&links);
    assert_int_equal(touched->flushed, 1);
    assert_int_equal(untouched->flushed, 0);
    assert_true(dead->freed);
    assert_false(touched->freed || untouched->freed);
    assert_int_equal(links.established_count, 0);
    assert_false(links_empty(&links));
}

#define TEST(test) cmocka_unit_test_setup(test, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_newer_link_of_the_same_joiner_wins),
        TEST(test_link_dialled_by_the_smaller_fingerprint_wins),
        TEST(test_link_that_waited_for_people_is_worth_less),
        TEST(test_indirect_link_is_worth_less),
        TEST(test_link_that_its_joiner_calls_gone_gives_way),
        TEST(test_link_stays_if_nothing_from_the_other_end_displaces_it),
        TEST(test_link_that_is_over_gives_way),
        TEST(test_links_with_others_are_left_alone),
        TEST(test_stranger_is_no_link_to_give_way_to),
        TEST(test_one_origin_has_its_limit),
        TEST(test_own_dials_do_not_count),
        TEST(test_full_house_drops_one_that_had_its_chance),
        TEST(test_full_house_of_newcomers_takes_nobody),
        TEST(test_turn_end_flushes_what_was_touched_and_frees_what_is_dead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
