/* SPDX-License-Identifier: ISC */
/*
 * What a client is told: a reply promises something, so it is held until the turn has settled.
 */
#pragma once

#include "daemon/control_shared.h"

/* Holds a message (stolen) until the turn has settled; `id` is what an error instead of it would
 * carry. */
void control_client_reply(struct control_client *client, const json_t *id, json_t *message);

/* Holds a notification (stolen) likewise; it promises nothing and is sent in any case. */
void control_client_notify(struct control_client *client, json_t *message);

/* The turn has settled: sends what was held; with another outcome than 0 as errors. */
void control_client_release(struct control_client *client, int outcome);

/* Sends a message (stolen) now. For the end of the turn only. */
void control_client_send(struct control_client *client, json_t *message);

/* Frees what is held. For the end of the client only. */
void control_client_forget(struct control_client *client);
