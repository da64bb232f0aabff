/* SPDX-License-Identifier: ISC */
/*
 * Followers: positions in the store's events, from which a client is sent what comes after. Never a
 * queue.
 */
#pragma once

#include "daemon/control_call.h"

/* Sends each follower of the client what its buffer takes. After the commit only. */
void control_follow_pump(struct control_client *client);

/* Tells the client's followers that a peer went online or offline; one that is behind is told
 * later. */
void control_follow_presence(struct control_client *client, const struct peer *peer);

/* A client that follows the peer with the id `former` follows this one from now on. */
void control_follow_merged(struct control_client *client, const struct peer *peer, int64_t former);

/* Tells the client's followers of a key that asks. */
void control_follow_request(struct control_client *client, const struct pending_key *request);

/* Tells the client's followers that the daemon stops. */
void control_follow_stopping(struct control_client *client);

/* Ends all of the client's followers. */
void control_follow_forget(struct control_client *client);

/* All consumers, as `status` shows them. */
json_t *control_follow_consumers(const struct control *control);

/* The client's followers as `status` shows them, appended to an array. */
void control_follow_view(const struct control_client *client, json_t **list);
