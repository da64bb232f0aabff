/* SPDX-License-Identifier: ISC */
/*
 * One chat: its link to the daemon, its screen, and what it has not got an answer to.
 */
#pragma once

#include "client/chat/chat_link.h"
#include "client/chat/editor.h"
#include "client/chat/transcript.h"
#include "client/client_id.h"

enum { CHAT_DRAFTS_MAX = 256 };

/* A message that the daemon has not accepted yet. */
struct chat_draft {
    json_t *body;
    json_int_t request; /* the one that asks to send it */
    char client_id[CLIENT_ID_TEXT_MAX];
};

struct chat {
    struct chat_link link;
    struct editor *editor;
    struct transcript transcript;
    struct client_id ids;
    bool known; /* whether it is online */
    bool online;
    bool over; /* the user wants to leave */
    json_int_t queued;
    json_int_t presence_id; /* of the last request about it */
    struct chat_draft drafts[CHAT_DRAFTS_MAX];
    size_t draft_count;
};

void chat_deinit(struct chat *chat);

/* Sends a text, or keeps it until the daemon is back. */
void chat_send(struct chat *chat, struct span text);

/* Waits until the daemon has answered all that was sent to it, is gone, or until the deadline. */
void chat_await_answers(struct chat *chat, uint64_t deadline_ms);

/* Shows the last messages. False after telling. */
bool chat_show_history(struct chat *chat, json_int_t count);

/* How the peer is, as peer.get has it: tells what is new, and makes it the prompt. */
void chat_take_presence(struct chat *chat, json_t *peer);

/* What the link has brought: an event or a reply, the loss of the daemon, its return. */
void chat_take_message(struct chat *chat, const json_t *message);
void chat_take_loss(struct chat *chat);
void chat_take_return(struct chat *chat);
