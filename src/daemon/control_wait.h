/* SPDX-License-Identifier: ISC */
/*
 * Calls that are answered later: when a message reaches a state, a peer answers a ping, or
 * pairing with it is done.
 */
#pragma once

#include "daemon/control_call.h"

#define CONTROL_WAIT_FOR_EVER UINT64_MAX

/* Answers the call when the message reaches `state` (SENT, DELIVERED or PROCESSED), can't reach it
 * any more, or after `timeout_ms` (0: at once). */
enum control_answer control_wait_message(struct control_call *call, const struct uuid *id,
                                         enum message_state state, uint64_t timeout_ms);

/* Answers the call at the peer's next pong, when it goes offline, or after `timeout_ms`. */
enum control_answer control_wait_pong(struct control_call *call, const struct peer *peer,
                                      uint64_t timeout_ms);

/* Answers the call when pairing with the peer is done or has failed, or after `timeout_ms`. */
enum control_answer control_wait_pairing(struct control_call *call, const struct peer *peer,
                                         uint64_t timeout_ms);

/* What answers waits. A peer has ponged, come online, gone or not been reached. */
void control_wait_events(struct control *control); /* new events are in the store */
void control_wait_peer(struct control *control, const struct peer *peer, bool pong);

/* The client is gone: so are its waits. */
void control_wait_forget(struct control_client *client);

/* The daemon stops: all waits are answered so. */
void control_wait_stop(struct control *control);
