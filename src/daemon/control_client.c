/* SPDX-License-Identifier: ISC */
/*
 * What a client is told.
 */
#include "daemon/control_client.h"

#include <stdlib.h>

void control_client_send(struct control_client *client, json_t *message)
{
    struct bytes line = {0};
    if (message == NULL || rpc_write(&line, message) < 0 ||
        stream_write(client->stream, bytes_span(&line)) < 0)
        client->broken = true; /* out of memory: half a conversation is worse than none */
    bytes_deinit(&line);
    json_decref(message);
}

/* A place for one more; NULL without memory. */
static struct control_held *hold(struct control_client *client)
{
    if (client->held_count == client->held_capacity) {
        const unsigned capacity = client->held_capacity > 0 ? 2 * client->held_capacity : 4;
        struct control_held *larger = reallocarray(client->held, capacity, sizeof *larger);
        if (larger == NULL)
            return NULL;
        client->held = larger;
        client->held_capacity = capacity;
    }
    return &client->held[client->held_count++];
}

static void hold_message(struct control_client *client, const struct control_held *message)
{
    struct control_held *held = hold(client);
    loop_wake(client->control->loop);
    if (held == NULL) {
        client->broken = true;
        json_decref(message->id);
        json_decref(message->message);
        return;
    }
    *held = *message;
}

void control_client_reply(struct control_client *client, const json_t *id, json_t *message)
{
    hold_message(client, &(struct control_held){.id = json_deep_copy(id), .message = message});
}

void control_client_notify(struct control_client *client, json_t *message)
{
    /* A client that does not read what it is told about its streams can't provide any. */
    client->broken |= stream_unsent(client->stream) >= CONTROL_OUTPUT_MAX;
    hold_message(client, &(struct control_held){.message = message, .unasked = true});
}

void control_client_release(struct control_client *client, int outcome)
{
    for (unsigned i = 0; i < client->held_count; i++) {
        struct control_held *held = &client->held[i];
        if (outcome != 0 && !held->unasked) {
            json_decref(held->message);
            held->message = outcome == NODE_DISK_FULL
                                ? rpc_error_of_kind(held->id, RPC_KIND_disk_full,
                                                    "the disk is full; nothing was kept")
                                : rpc_error_of_kind(held->id, RPC_KIND_store_error,
                                                    "the store failed; nothing more is accepted");
        }
        control_client_send(client, held->message);
        json_decref(held->id);
    }
    client->held_count = 0;
}

void control_client_forget(struct control_client *client)
{
    for (unsigned i = 0; i < client->held_count; i++) {
        json_decref(client->held[i].id);
        json_decref(client->held[i].message);
    }
    free(client->held);
}
