/* SPDX-License-Identifier: ISC */
/*
 * Tests core/streams: who may open a stream and to what, how many there may be, and who is told of
 * them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/file_item.h"
#include "unit/cmocka_all.h"
#include "unit/streams_rig.h"

/* --- how many --------------------------------------------------------------------------------- */

static void test_nobody_has_more_than_half_of_what_the_others_leave(void **state)
{
    static const struct {
        unsigned all, own;
        bool counted, may;
    } cases[] = {
        {0, 0, false, true}, {3, 3, false, true},  {4, 4, false, false}, {4, 0, false, true},
        {5, 1, false, true}, {6, 2, false, false}, {7, 0, false, true},  {8, 0, false, false},
        {8, 0, true, true},  {4, 3, true, true},   {5, 4, true, false},
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(cases); i++) {
        stage.streams.count = cases[i].all;
        assert_int_equal(streams_share(&stage.streams, cases[i].own, cases[i].counted),
                         cases[i].may);
    }
}

/* --- ours ------------------------------------------------------------------------------------- */

static void test_who_may_not_be_called_is_not_called(void **state)
{
    struct channel *channel;
    (void)state;
    stage.runtime.settings.streams = false;
    assert_int_equal(open_to(1, &channel), STREAMS_OFF);
    stage.runtime.settings.streams = true;
    stage.trust = PEER_BLOCKED;
    assert_int_equal(open_to(1, &channel), NODE_BLOCKED);
    stage.trust = PEER_CHANGED;
    assert_int_equal(open_to(1, &channel), NODE_KEY_CHANGED);
    stage.trust = PEER_TOFU;
    stage.untrusted = true;
    assert_int_equal(open_to(1, &channel), NODE_NO_KEY);
    stage.untrusted = false;
    stage.peers[0].link = &stage.link;
    stage.session.features = ~(uint32_t)FEATURE_STREAMS;
    assert_int_equal(open_to(1, &channel), STREAMS_NOT_SUPPORTED);
    stage.peers[0].link = NULL;
    stage.peers[0].row.met = true;
    assert_int_equal(open_to(1, &channel), STREAMS_NOT_SUPPORTED);
    assert_int_equal(stage.trunks, 0);
    assert_int_equal(stage.urged, 0);
}

static void test_a_stream_that_is_refused_closes_its_descriptor(void **state)
{
    struct channel *channel;
    const int fd = dup(0);
    (void)state;
    stage.runtime.settings.streams = false;
    streams_open(&stage.streams, &stage.peers[0], "echo", true, fd, NULL, &channel);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_a_stream_may_wait_for_a_session(void **state)
{
    struct channel *channel;
    (void)state;
    assert_int_equal(open_to(1, &channel), 0);
    assert_null(stage.up);
    assert_ptr_equal(channel->owner, &stage);
    assert_true(channel->resumes);
    assert_int_equal(stage.streams.count, 1);
    assert_int_equal(stage.urged, 1);
    assert_ptr_equal(streams_peer(&stage.streams, channel), &stage.peers[0]);
    stage.peers[1].link = &stage.link; /* a session of which little is known yet */
    stage.offline = true;
    assert_int_equal(open_to(2, &channel), 0);
    assert_null(stage.up);
}

static void test_a_stream_has_the_session_that_there_is(void **state)
{
    struct channel *channel;
    (void)state;
    stage.peers[0].link = &stage.link;
    assert_int_equal(open_to(1, &channel), 0);
    assert_ptr_equal(stage.up, &stage.link);
    assert_int_equal(open_to(1, &channel), 0);
    assert_int_equal(stage.trunks, 1);
}

static void test_a_stream_too_many_is_busy(void **state)
{
    struct channel *channel;
    (void)state;
    stage.streams.count = MOST;
    assert_int_equal(open_to(1, &channel), STREAMS_BUSY);
    stage.streams.count = 0;
    stage.open_error = CHANNELS_BUSY;
    assert_int_equal(open_to(1, &channel), STREAMS_BUSY);
    stage.open_error = -ENOTSOCK;
    assert_int_equal(open_to(1, &channel), -ENOTSOCK);
    stage.trunk_error = -ENOMEM;
    assert_int_equal(open_to(2, &channel), -ENOMEM);
    assert_int_equal(stage.streams.count, 0);
    assert_int_equal(stage.urged, 0);
}

static void test_the_smaller_key_has_the_odd_numbers(void **state)
{
    (void)state;
    stage.peers[0].row.key[0] = OWN + 1;
    stage.peers[1].row.key[0] = OWN - 1;
    assert_true(trunk_to(1)->channels.odd);
    assert_false(trunk_to(2)->channels.odd);
    assert_int_equal(trunk_to(1)->channels.streams_max, MOST);
}

/* --- the peer's ------------------------------------------------------------------------------- */

static void test_a_call_is_told_and_counted(void **state)
{
    struct trunk *trunk = trunk_to(1);
    (void)state;
    const struct channel channel = call(trunk);
    assert_int_equal(stage.reset, 0);
    assert_true(channel.counted);
    assert_int_equal(stage.service.running, 1);
    assert_int_equal(stage.streams.count, 1);
    assert_int_equal(stage.told, 1);
    assert_int_equal(stage.news[0].type, STREAM_INCOMING);
    assert_ptr_equal(stage.news[0].service, &stage.service);
    assert_ptr_equal(stage.news[0].peer, &stage.peers[0]);
}

static void assert_no_service(struct trunk *trunk)
{
    assert_false(call(trunk).counted);
    assert_int_equal(stage.reset, LANE_NO_SERVICE);
    assert_int_equal(stage.told, 0);
}

static void test_a_call_of_what_is_not_for_the_peer_meets_no_service(void **state)
{
    struct trunk *trunk = trunk_to(1);
    (void)state;
    stage.no_service = true;
    assert_no_service(trunk);
    stage.no_service = false;
    stage.service.server = NULL;
    assert_no_service(trunk);
    stage.service.server = &stage;
    stage.service.terms.streams = false;
    assert_no_service(trunk);
    stage.service.terms.streams = true;
    stage.refused = true;
    assert_no_service(trunk);
    stage.refused = false;
    stage.removed = true;
    assert_no_service(trunk);
    assert_int_equal(stage.streams.count, 5); /* each until it ends */
}

static void test_a_call_too_many_is_busy(void **state)
{
    struct trunk *trunk = trunk_to(1);
    (void)state;
    call(trunk);
    call(trunk);
    assert_int_equal(stage.reset, 0);
    call(trunk);
    assert_int_equal(stage.reset, LANE_BUSY); /* of the service */
    stage.service.terms.max = MOST;
    call(trunk);
    assert_int_equal(stage.reset, 0);
    call(trunk);
    assert_int_equal(stage.reset, LANE_BUSY); /* of the peer: it has half of them */
    assert_int_equal(stage.service.running, 3);
}

static void test_an_end_is_told_to_who_has_the_stream(void **state)
{
    const struct channel_end end = {.code = LANE_LOST};
    struct trunk *trunk = trunk_to(1);
    (void)state;
    struct channel channel = call(trunk), refused = {.channels = &trunk->channels};
    stage.streams.count++;
    snprintf(trunk->error, sizeof trunk->error, "no way");
    channel.owner = &stage;
    trunk->channels.events->ended(trunk, &refused, &end);
    assert_int_equal(stage.told, 1);
    assert_int_equal(stage.service.running, 1);
    trunk->channels.events->ended(trunk, &channel, &end);
    assert_int_equal(stage.told, 2);
    assert_int_equal(stage.news[1].type, STREAM_ENDED);
    assert_ptr_equal(stage.news[1].end, &end);
    assert_string_equal(stage.news[1].error, "no way");
    assert_string_equal(streams_error(&channel), "no way");
    assert_int_equal(stage.service.running, 0);
    assert_int_equal(stage.streams.count, 0);
}

static void test_a_service_may_be_gone_or_anew_when_its_stream_ends(void **state)
{
    const struct channel_end end = {0};
    struct trunk *trunk = trunk_to(1);
    (void)state;
    struct channel first = call(trunk), second = call(trunk);
    stage.service.running = 0; /* removed, and added again */
    trunk->channels.events->ended(trunk, &first, &end);
    assert_int_equal(stage.service.running, 0);
    stage.no_service = true;
    trunk->channels.events->ended(trunk, &second, &end);
    assert_int_equal(stage.streams.count, 0);
}

/* --- lanes ------------------------------------------------------------------------------------ */

static void test_lanes_that_come_and_go_are_told_of_open_streams(void **state)
{
    struct trunk *trunk = trunk_to(1);
    struct channel open = {.state = CHANNEL_OPEN, .owner = &stage}, nobodys = open, young = open;
    (void)state;
    nobodys.owner = NULL;
    young.state = CHANNEL_OPENING;
    list_append(&trunk->channels.all, &nobodys.node);
    list_append(&trunk->channels.all, &young.node);
    list_append(&trunk->channels.all, &open.node);
    snprintf(trunk->error, sizeof trunk->error, "no way");
    trunk->backoff.failures = 3;
    trunk->channels.events->attached(trunk);
    assert_int_equal(stage.told, 1);
    assert_int_equal(stage.news[0].type, STREAM_ATTACHED);
    assert_ptr_equal(stage.news[0].channel, &open);
    assert_string_equal(trunk->error, "");
    assert_int_equal(trunk->backoff.failures, 0);
    trunk->channels.events->detached(trunk);
    assert_int_equal(stage.told, 2);
    assert_int_equal(stage.news[1].type, STREAM_DETACHED);
    trunk->channels.events->opened(trunk, &young);
    assert_int_equal(stage.news[2].type, STREAM_OPENED);
    trunk->channels.events->touched(trunk);
    assert_int_equal(fake_loop.woken, 1);
}

static void test_a_session_without_streams_ends_those_there_are(void **state)
{
    (void)state;
    streams_session_up(&stage.streams, &stage.peers[0], &stage.link);
    assert_null(stage.up); /* there is no trunk that needs it */
    trunk_to(1);
    streams_session_up(&stage.streams, &stage.peers[0], &stage.link);
    assert_ptr_equal(stage.up, &stage.link);
    assert_int_equal(stage.end_code, 0);
    stage.session.features = 0;
    streams_session_up(&stage.streams, &stage.peers[0], &stage.link);
    assert_int_equal(stage.end_code, LANE_LOST);
}

static void test_only_an_end_that_was_meant_is_final(void **state)
{
    static const struct {
        struct link_end end;
        bool final;
    } cases[] = {
        {{.coded = true, .code = CLOSE_NORMAL}, true},
        {{.coded = true, .code = CLOSE_GOING_AWAY}, true},
        {{.coded = true, .code = CLOSE_REFUSED}, true},
        {{.coded = true, .code = CLOSE_INTERNAL_ERROR}, false},
        {{.coded = true, .code = CLOSE_PROTOCOL_ERROR}, false},
        {{.coded = false, .code = CLOSE_NORMAL}, false},
    };
    (void)state;
    streams_session_down(&stage.streams, &stage.peers[0], &cases[0].end);
    assert_int_equal(stage.downs, 0);
    trunk_to(1);
    for (unsigned i = 0; i < COUNT_OF(cases); i++) {
        stage.finals = 0;
        streams_session_down(&stage.streams, &stage.peers[0], &cases[i].end);
        assert_int_equal(stage.downs, i + 1);
        assert_int_equal(stage.finals, cases[i].final);
    }
}

static void test_what_is_said_goes_to_the_peers_own_lane(void **state)
{
    const uint8_t frame[LANE_ATTACH_SIZE] = {0};
    (void)state;
    streams_rekeyed(&stage.streams, &stage.peers[0]);
    assert_int_equal(stage.rekeyed, 0);
    trunk_to(1);
    trunk_to(2);
    streams_rekeyed(&stage.streams, &stage.peers[0]);
    assert_int_equal(stage.rekeyed, 1);
    assert_int_equal(stage.heard, 2);
    assert_false(streams_attach(&stage.streams, NULL, frame));
    stage.takes = true;
    assert_true(streams_attach(&stage.streams, NULL, frame));
    stage.trunk_error = -ENOMEM;
    trunk_to(3);
    assert_int_equal(stage.heard, 2);
}

static void test_each_class_of_a_peer_has_its_own_lane(void **state)
{
    struct trunk *services = trunk_of_class(1, 0), *files = trunk_of_class(1, 1);
    (void)state;
    assert_ptr_not_equal(services, files);
    assert_int_equal(stage.trunks, 2);
    streams_session_up(&stage.streams, &stage.peers[0], &stage.link);
    streams_rekeyed(&stage.streams, &stage.peers[0]);
    assert_int_equal(stage.rekeyed, 2);
    streams_session_down(&stage.streams, &stage.peers[0], &(struct link_end){0});
    assert_int_equal(stage.downs, 2);
    assert_no_service(files); /* what people provide is not among files */
    assert_int_equal(stage.streams.count, 1);
    files->channels.count = MOST / 2;
    stage.streams.count = MOST / 2;
    struct channel *channel;
    assert_int_equal(open_to(1, &channel), STREAMS_BUSY); /* both count as the peer's */
}

static void take_file(void *context, struct channel *channel, const struct peer *peer)
{
    ++*(unsigned *)context;
    assert_string_equal(channel->service, FILE_SERVICE);
    assert_ptr_equal(peer, &stage.peers[0]);
}

static void test_files_are_called_over_their_own_lane(void **state)
{
    static const struct streams_own files = {.name = FILE_SERVICE, .incoming = take_file};
    struct trunk *lanes[] = {trunk_of_class(1, 0), trunk_of_class(1, 1)};
    unsigned taken = 0;
    (void)state;
    stage.streams.own = &files;
    stage.streams.own_context = &taken;
    stage.no_service = true; /* of people */
    for (unsigned i = 0; i < LANE_CLASSES; i++) {
        struct channel file = {.channels = &lanes[i]->channels, .service = FILE_SERVICE};
        stage.reset = 0;
        lanes[i]->channels.count = 1;
        lanes[i]->channels.events->incoming(lanes[i], &file);
        assert_int_equal(stage.reset, i == 1 ? 0 : LANE_NO_SERVICE);
        assert_int_equal(taken, i);
    }
}

static void count_one(void *context, struct channel *channel)
{
    (void)channel;
    ++*(unsigned *)context;
}

static void test_all_streams_are_counted_and_ended(void **state)
{
    struct channel one = {0}, other = {0};
    unsigned count = 0;
    (void)state;
    list_append(&trunk_to(1)->channels.all, &one.node);
    list_append(&trunk_to(2)->channels.all, &other.node);
    streams_each(&stage.streams, count_one, &count);
    assert_int_equal(count, 2);
    streams_stop(&stage.streams);
    assert_int_equal(stage.end_code, LANE_LOST);
}

#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, streams_stage_set_up, streams_stage_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nobody_has_more_than_half_of_what_the_others_leave),
        TEST(test_who_may_not_be_called_is_not_called),
        TEST(test_a_stream_that_is_refused_closes_its_descriptor),
        TEST(test_a_stream_may_wait_for_a_session),
        TEST(test_a_stream_has_the_session_that_there_is),
        TEST(test_a_stream_too_many_is_busy),
        TEST(test_the_smaller_key_has_the_odd_numbers),
        TEST(test_a_call_is_told_and_counted),
        TEST(test_a_call_of_what_is_not_for_the_peer_meets_no_service),
        TEST(test_a_call_too_many_is_busy),
        TEST(test_an_end_is_told_to_who_has_the_stream),
        TEST(test_a_service_may_be_gone_or_anew_when_its_stream_ends),
        TEST(test_lanes_that_come_and_go_are_told_of_open_streams),
        TEST(test_a_session_without_streams_ends_those_there_are),
        TEST(test_only_an_end_that_was_meant_is_final),
        TEST(test_what_is_said_goes_to_the_peers_own_lane),
        TEST(test_each_class_of_a_peer_has_its_own_lane),
        TEST(test_files_are_called_over_their_own_lane),
        TEST(test_all_streams_are_counted_and_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
