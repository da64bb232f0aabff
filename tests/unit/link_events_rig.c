/* SPDX-License-Identifier: ISC */
/*
 * The parts around a link.
 */
#include "unit/link_events_rig.h"

#include <stdio.h>
#include <string.h>

#include "unit/cmocka_all.h"

struct stage stage;

/* --- stand-ins: each says its name ------------------------------------------------------------ */

static int say(const char *name)
{
    const size_t size = strlen(stage.said);
    snprintf(stage.said + size, sizeof stage.said - size, "%s%s", size > 0 ? " " : "", name);
    return stage.whose != NULL && strcmp(stage.whose, name) == 0 ? stage.outcome : 0;
}

bool limits_hello(struct limits *limits, const struct origin *origin, uint64_t now_ms)
{
    assert_ptr_equal(limits, &stage.limits);
    assert_ptr_equal(origin, &stage.stream.origin);
    assert_int_equal(now_ms, NOW_MS);
    return say("hello") == 0;
}

void admission_identified(struct admission *admission, struct link *link)
{
    (void)admission, (void)link;
    say("identified");
}

void admission_confirmed(struct admission *admission, struct link *link)
{
    (void)admission, (void)link;
    say("confirmed");
}

int peer_link_open(struct peer *peer)
{
    (void)peer;
    return say("open");
}

void delivery_start(struct peer *peer)
{
    (void)peer;
    say("start");
}

int delivery_receive(struct delivery *delivery, struct link *link,
                     const struct session_event *event)
{
    (void)delivery, (void)link, (void)event;
    return say("receive");
}

int delivery_acknowledged(struct delivery *delivery, struct peer *peer,
                          const struct session_event *event)
{
    (void)delivery, (void)event;
    assert_ptr_equal(peer, &stage.peer);
    return say("acknowledged");
}

void delivery_end(struct delivery *delivery, struct peer *peer, const struct link_end *end)
{
    (void)delivery, (void)peer, (void)end;
    say("end");
}

void streams_session_up(struct streams *streams, struct peer *peer, struct link *link)
{
    (void)streams, (void)peer, (void)link;
    say("up");
}

void streams_session_down(struct streams *streams, struct peer *peer, const struct link_end *end)
{
    (void)streams, (void)peer, (void)end;
    say("down");
}

void streams_lane_record(struct streams *streams, struct peer *peer, struct span record)
{
    (void)streams, (void)peer;
    assert_int_equal(record.size, 3);
    say("lane");
}

void streams_rekeyed(struct streams *streams, struct peer *peer)
{
    (void)streams, (void)peer;
    say("rekeyed");
}

void tell_link(const struct tell *tell, struct link *link)
{
    (void)tell, (void)link;
    say("tell");
}

int tell_hear(const struct tell *tell, struct peer *peer, struct span body)
{
    (void)tell, (void)peer;
    assert_int_equal(body.size, 5);
    return say("hear");
}

int roster_note_features(struct roster *roster, struct peer *peer, uint32_t features, bool keep)
{
    (void)roster, (void)peer;
    stage.kept = keep;
    stage.features = features;
    return say("features");
}

int clones_hear(struct clones *clones, struct link *link,
                const uint8_t instance[static INSTANCE_SIZE])
{
    (void)link, (void)instance;
    assert_ptr_equal(clones, &stage.clones);
    return say("instance");
}

int clones_told(struct clones *clones, const struct peer *peer,
                const uint8_t instance[static INSTANCE_SIZE])
{
    (void)clones, (void)instance;
    assert_ptr_equal(peer, &stage.peer);
    return say("cloned");
}

int clones_rival(struct clones *clones, const struct link *loser)
{
    (void)clones;
    assert_ptr_equal(loser, &stage.link);
    return say("rival");
}

int clones_kept_out(struct clones *clones, struct peer *peer)
{
    (void)clones;
    assert_ptr_equal(peer, &stage.peer);
    return say("kept-out");
}

int clones_met_own_key(struct clones *clones, struct link *link)
{
    (void)clones;
    assert_ptr_equal(link, &stage.link);
    return say("own-key");
}

uint32_t session_peer_features(const struct session *session)
{
    (void)session;
    return 5;
}

const struct secret *session_tag(const struct session *session)
{
    return &session->tag;
}

void former_note(struct former *former, const struct secret *tag, uint64_t now_ms)
{
    assert_ptr_equal(former, &stage.peer.former);
    assert_ptr_equal(tag, &stage.session.tag);
    assert_int_equal(now_ms, NOW_MS);
    stage.remembered++;
}

void pending_keys_forget_link(struct pending_keys *pending_keys, const struct link *link)
{
    (void)link;
    assert_ptr_equal(pending_keys, &stage.pending_keys);
    say("forget");
}

struct round *peer_round_of(const struct peer *peer, const struct link *link)
{
    (void)peer, (void)link;
    return stage.round;
}

void round_attempt_ended(struct round *round, const struct link_end *end)
{
    (void)end;
    assert_ptr_equal(round, stage.round);
    say("attempt");
}

void peer_link_down(struct peer *peer, const struct link_end *end)
{
    (void)end;
    peer->link = NULL;
    say("offline");
}

void link_close(struct link *link, enum close_code code)
{
    (void)link;
    stage.closed = code;
}

const char *link_end_text(const struct link_end *end, char *text, size_t size)
{
    (void)end, (void)size;
    return text;
}

bool housekeeping_has_room(const struct housekeeping *housekeeping)
{
    assert_ptr_equal(housekeeping, &stage.housekeeping);
    return stage.room;
}

void runtime_fail(struct runtime *runtime, int error)
{
    (void)runtime;
    stage.failure = error;
}

const struct origin *stream_origin(const struct stream *stream)
{
    return &stream->origin;
}

uint64_t loop_now(const struct loop *loop)
{
    (void)loop;
    return NOW_MS;
}

static void report_pong(void *context, const struct peer *peer)
{
    (void)context;
    assert_ptr_equal(peer, &stage.peer);
    stage.pongs++;
}

/* --- the stage -------------------------------------------------------------------------------- */

static const struct observer observer = {.pong = report_pong};

int stage_set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    stage.runtime.observer = &observer;
    stage.room = true;
    stage.delivery.housekeeping = &stage.housekeeping;
    stage.answers = (struct link_answers){.runtime = &stage.runtime,
                                          .limits = &stage.limits,
                                          .pending_keys = &stage.pending_keys,
                                          .roster = &stage.roster,
                                          .admission = &stage.admission,
                                          .delivery = &stage.delivery,
                                          .streams = &stage.streams,
                                          .tell = &stage.tell,
                                          .clones = &stage.clones};
    stage.link = (struct link){.session = &stage.session, .stream = &stage.stream};
    stage.link.peer = &stage.peer;
    stage.peer.link = &stage.link;
    return 0;
}

void happen(const struct session_event *event)
{
    stage.said[0] = '\0';
    core_link_events.event(&stage.answers, &stage.link, event);
}

void happen_as(enum session_event_type type)
{
    happen(&(struct session_event){.type = type});
}

void let(const char *name, int outcome)
{
    stage.whose = name;
    stage.outcome = outcome;
}

void end_link_by(const struct link_end *end)
{
    stage.said[0] = '\0';
    core_link_events.ended(&stage.answers, &stage.link, end);
}

void end_link(void)
{
    end_link_by(&(struct link_end){0});
}
