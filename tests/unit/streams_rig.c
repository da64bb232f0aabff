/* SPDX-License-Identifier: ISC */
/*
 * All streams on a stage.
 */
#include "unit/streams_rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/random.h"
#include "proto/file_item.h"
#include "unit/cmocka_all.h"

struct stage stage;

/* --- stand-ins -------------------------------------------------------------------------------- */

bool link_open(const struct link *link)
{
    assert_ptr_equal(link, &stage.link);
    return !stage.offline;
}

uint32_t session_features(const struct session *session)
{
    return session->features;
}

const struct fingerprint *runtime_fingerprint(const struct runtime *runtime)
{
    static const struct fingerprint own = {{OWN}};
    (void)runtime;
    return &own;
}

struct peer *roster_by_id(const struct roster *roster, int64_t id)
{
    assert_ptr_equal(roster, &stage.roster);
    return stage.removed && id == 1 ? NULL : &stage.peers[id - 1];
}

enum peer_trust peer_trust(const struct peer *peer)
{
    (void)peer;
    return stage.trust;
}

bool peer_trusted(const struct peer *peer)
{
    (void)peer;
    return !stage.untrusted;
}

void peer_urge(struct peer *peer)
{
    (void)peer;
    stage.urged++;
}

void services_init(struct services *services)
{
    (void)services;
}

void services_deinit(struct services *services)
{
    (void)services;
}

struct service *services_find(const struct services *services, const char *name)
{
    assert_ptr_equal(services, &stage.streams.services);
    assert_true(strcmp(name, "echo") == 0 || strcmp(name, FILE_SERVICE) == 0);
    return stage.no_service ? NULL : &stage.service;
}

bool service_admits(const struct service *service, const struct peer *peer)
{
    assert_ptr_equal(service, &stage.service);
    assert_non_null(peer);
    return !stage.refused;
}

uint32_t random_u32(void)
{
    return 4;
}

void trunk_ground_init(struct trunk_ground *ground, const struct runtime *runtime)
{
    *ground = (struct trunk_ground){.runtime = runtime};
    list_init(&ground->touched);
}

void trunk_ground_deinit(struct trunk_ground *ground)
{
    assert_true(list_empty(&ground->touched));
}

void trunk_touch(struct trunk *trunk)
{
    trunk->again = !list_empty(&trunk->touched);
    if (!trunk->again)
        list_append(&trunk->ground->touched, &trunk->touched);
    loop_wake(trunk->runtime->loop);
}

int trunk_new(struct trunk **trunk, struct trunk_ground *ground, int64_t peer, uint8_t class,
              const struct channels_parts *parts)
{
    if (stage.trunk_error != 0)
        return stage.trunk_error;
    *trunk = calloc(1, sizeof **trunk);
    assert_non_null(*trunk);
    list_init(&(*trunk)->node);
    list_init(&(*trunk)->channels.all);
    list_init(&(*trunk)->touched);
    hash_node_init(&(*trunk)->by_peer);
    (*trunk)->ground = ground;
    (*trunk)->runtime = ground->runtime;
    (*trunk)->peer = peer;
    (*trunk)->class = class;
    (*trunk)->channels.events = parts->events;
    (*trunk)->channels.odd = parts->odd;
    (*trunk)->channels.streams_max = parts->streams_max;
    (*trunk)->channels.sending.pool = parts->sending;
    stage.trunks++;
    return 0;
}

void trunk_free(struct trunk *trunk)
{
    list_remove(&trunk->node);
    list_remove(&trunk->touched);
    free(trunk);
    stage.trunks--;
}

void trunk_session_up(struct trunk *trunk, struct link *link)
{
    (void)trunk;
    stage.up = link;
}

void trunk_session_down(struct trunk *trunk, bool final)
{
    (void)trunk;
    stage.downs++;
    stage.finals += final;
}

void trunk_hear(struct trunk *trunk, struct span record)
{
    (void)trunk;
    assert_int_equal(record.size, RECORD_HEADER_SIZE + LANE_WANT_SIZE);
    stage.heard++;
}

void trunk_rekeyed(struct trunk *trunk)
{
    (void)trunk;
    stage.rekeyed++;
}

bool trunk_attach(struct trunk_ground *ground, struct stream *stream,
                  const uint8_t frame[static LANE_ATTACH_SIZE])
{
    (void)stream, (void)frame;
    assert_ptr_equal(ground, &stage.streams.ground);
    return stage.takes;
}

static void note_step(struct trunk *trunk)
{
    assert_in_range(stage.steps, 0, STEPS_MAX - 1);
    stage.order[stage.steps++] = trunk;
}

/* One that is busy goes on, a frame at a time, until nothing is left of the budget. */
static bool work(struct trunk *trunk, bool busy, size_t *budget, size_t *done)
{
    note_step(trunk);
    while (busy && *budget > 0) {
        *done += TRUNK_WORK;
        *budget -= TRUNK_WORK < *budget ? TRUNK_WORK : *budget;
    }
    return busy;
}

bool trunk_read(struct trunk *trunk, size_t *budget)
{
    return work(trunk, stage.busy[trunk->class] && !stage.nothing_comes, budget,
                &stage.read[trunk->peer - 1][trunk->class]);
}

bool trunk_write(struct trunk *trunk, struct bytes *frame, size_t *budget)
{
    assert_ptr_equal(frame, &stage.streams.frame);
    if (stage.stirs)
        trunk_touch(trunk);
    return work(trunk, stage.busy[trunk->class] && !stage.nothing_goes, budget,
                &stage.written[trunk->peer - 1][trunk->class]);
}

void trunk_settle(struct trunk *trunk)
{
    note_step(trunk);
}

bool trunk_done(const struct trunk *trunk, bool removed)
{
    return removed ? trunk->channels.count == 0 : stage.done;
}

int channels_open(struct channels *channels, const char *service, bool resumes, int fd,
                  struct channel **channel)
{
    static struct channel made;
    close(fd);
    made = (struct channel){.channels = channels, .resumes = resumes};
    *channel = &made;
    assert_string_equal(service, "echo");
    channels->count += stage.open_error == 0;
    return stage.open_error;
}

void channels_reset(struct channel *channel, uint8_t code)
{
    (void)channel;
    stage.reset = code;
}

void channels_end_all(struct channels *channels, uint8_t code)
{
    (void)channels;
    stage.end_code = code;
}

static void report(void *context, const struct stream_news *news)
{
    (void)context;
    assert_in_range(stage.told, 0, NEWS_MAX - 1);
    stage.news[stage.told++] = *news;
}

/* --- the stage -------------------------------------------------------------------------------- */

int streams_stage_set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(1000000, 0);
    stage.observer.stream = report;
    stage.runtime.observer = &stage.observer;
    stage.runtime.settings.max_streams = MOST;
    stage.runtime.settings.streams = true;
    stage.trust = PEER_VERIFIED;
    stage.link.session = &stage.session;
    stage.session.features = FEATURE_STREAMS;
    for (unsigned i = 0; i < PEERS; i++)
        stage.peers[i].row.id = i + 1;
    stage.service.terms = (struct service_terms){.streams = true, .max = 2};
    stage.service.server = &stage;
    streams_init(&stage.streams, &stage.runtime, &stage.roster);
    return 0;
}

int streams_stage_tear_down(void **state)
{
    (void)state;
    streams_deinit(&stage.streams);
    assert_int_equal(stage.trunks, 0);
    return 0;
}

struct trunk *trunk_of_class(unsigned id, uint8_t class)
{
    const uint8_t want[] = {0, 0, 0, LANE_WANT_SIZE, RECORD_LANE_WANT, class};
    streams_lane_record(&stage.streams, &stage.peers[id - 1], SPAN(want, sizeof want));
    list_for_each (node, &stage.streams.trunks) {
        struct trunk *trunk = container_of(node, struct trunk, node);
        if (trunk->peer == id && trunk->class == class)
            return trunk;
    }
    return NULL;
}

struct trunk *trunk_to(unsigned id)
{
    return trunk_of_class(id, 0);
}

int open_to(unsigned id, struct channel **channel)
{
    return streams_open(&stage.streams, &stage.peers[id - 1], "echo", true, dup(0), &stage,
                        channel);
}

struct channel call(struct trunk *trunk)
{
    struct channel channel = {.channels = &trunk->channels, .service = "echo"};
    stage.reset = 0;
    trunk->channels.count++;
    trunk->channels.events->incoming(trunk, &channel);
    return channel;
}
