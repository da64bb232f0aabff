/* SPDX-License-Identifier: ISC */
/*
 * What the control interface shows of things: the JSON objects of peers, messages, events and
 * requests. Each returns a new reference, or NULL without memory.
 */
#pragma once

#include <jansson.h>

#include "core/node.h"
#include "rpc/rpc_error.h"

/* Who was meant by names: {name, fingerprint} of each, the latter if it is known. */
json_t *control_view_named_peers(struct peer *const *peers, unsigned count);

json_t *control_view_peer(const struct node *node, const struct peer *peer);

/* Bytes of the disk that messages from a peer (0: from all) take. */
json_t *control_view_inbound(const struct node *node, int64_t peer);

/* The numbers of the suites that this machine can speak. */
json_t *control_view_suites(void);

/*
 * Sets "peers" in a reply, an array of all, oldest first. If these are more than some, there is
 * "peers_after" as well: from where peer.list goes on.
 */
void control_view_peers(const struct node *node, json_t **reply);

/*
 * Adds to the view of a peer what is shown of one peer alone: "safety_code" (the content of the QR
 * code), "attempts" (what came of dialling each address) and "former_keys". 0 or -errno; without
 * memory 0, and the object is NULL.
 */
int control_view_add_details(const struct node *node, const struct peer *peer, json_t **object);

/* Without its secret. */
json_t *control_view_invite(const struct invite_row *row);

json_t *control_view_request(const struct node *node, const struct pending_key *request);

/* Why a message in this state will never be delivered; RPC_KIND_COUNT when it may be, or is. */
enum rpc_kind control_view_dead_end(enum message_state state);

/*
 * Adds what an offer of files offers, of its stored message: "name" (and "name_base64" when that is
 * not UTF-8). 0 or -errno; without memory 0, and the object is NULL.
 */
int control_view_add_offer(const struct node *node, const struct message_row *row, json_t **object);

/* With its text; one whose stored text is damaged or gone has none. */
json_t *control_view_message(const struct node *node, const struct message_row *row);

/* The same by its seq; JSON's null when it is gone. */
json_t *control_view_message_at(const struct node *node, int64_t seq);

/* The same by its id: 0 with *view, DB_NOT_FOUND or -errno. */
int control_view_message_of(const struct node *node, const struct uuid *id, json_t **view);

/*
 * Adds what came of a request of ours, if that is known: "result", and with `whole` "message",
 * which said so.
 */
void control_view_result(const struct node *node, int64_t request, bool whole, json_t **object);

/* The params of an event notification for subscription `sub`. */
json_t *control_view_event(const struct node *node, unsigned sub, const struct event_row *event);

/* An event about a peer that is not stored ("peer.online"); peer may be NULL. */
json_t *control_view_passing_event(const struct node *node, unsigned sub, const char *type,
                                   const struct peer *peer);

/* "queued", "sent", "delivered" … */
const char *control_view_state_name(enum message_state state);

/* A wall clock time as JSON. */
json_t *control_view_time(uint64_t wall_ms);

/* Addresses as an array of texts. */
json_t *control_view_addresses(const struct address *addresses, unsigned count);

json_t *control_view_fingerprint(const uint8_t key[static FINGERPRINT_SIZE]);
