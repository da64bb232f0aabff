/* SPDX-License-Identifier: ISC */
/*
 * A chat: what it has to say to the daemon, and what the daemon says to it.
 *
 * What is shown comes from the daemon alone: an own message appears when it is in the queue. What
 * the daemon has not answered yet is asked again after its restart, under the same client_id.
 */
#include "client/chat/chat.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/shell.h"
#include "client/history.h"
#include "client/view.h"

/* --- the screen ------------------------------------------------------------------------------- */

/* The prompt says whom we talk to, and what keeps them from hearing it. */
static void set_prompt(struct chat *chat)
{
    char prompt[128], queue[40] = "";
    const char *mark = view_trust_mark(chat->link.peer);
    if (chat->queued > 0)
        snprintf(queue, sizeof queue, ", %" JSON_INTEGER_FORMAT " queued", chat->queued);
    if (!chat_link_connected(&chat->link))
        snprintf(prompt, sizeof prompt, "%.40s%s (no daemon)> ", chat_link_name(&chat->link), mark);
    else if (!chat->online)
        snprintf(prompt, sizeof prompt, "%.40s%s (offline%s)> ", chat_link_name(&chat->link), mark,
                 queue);
    else
        snprintf(prompt, sizeof prompt, "%.40s%s> ", chat_link_name(&chat->link), mark);
    editor_set_prompt(chat->editor, prompt);
}

/* Asks how the peer is; the answer becomes the prompt. */
static void ask_presence(struct chat *chat)
{
    chat_link_ask(&chat->link, "peer.get", json_pack("{s:s}", "name", chat_link_who(&chat->link)),
                  &chat->presence_id);
}

/* It may have got another name. */
static void note_name(struct chat *chat, json_t *peer)
{
    const char *former = chat_link_name(&chat->link), *name = member_string(peer, "name", former);
    if (strcmp(former, name) != 0)
        transcript_note(&chat->transcript, "%s is called %s now", former, name);
    chat_link_learn(&chat->link, peer);
}

void chat_take_presence(struct chat *chat, json_t *peer)
{
    note_name(chat, peer);
    const bool online = strcmp(member_string(peer, "link", ""), "online") == 0;
    if (chat->known && online && !chat->online)
        transcript_note(&chat->transcript, "%s is online", chat_link_name(&chat->link));
    if (!online && (chat->online || !chat->known))
        transcript_note(&chat->transcript,
                        "%s is offline: what you write waits in the queue until it is back",
                        chat_link_name(&chat->link));
    if (!chat->known && view_trust_mark(peer)[0] != '\0')
        transcript_note(&chat->transcript,
                        "%s is unverified, so somebody may be in between: /verify says what to "
                        "compare with them",
                        chat_link_name(&chat->link));
    chat->known = true;
    chat->online = online;
    chat->queued = member_integer(peer, "queued");
    if (chat->queued == 0)
        transcript_settle(&chat->transcript);
    set_prompt(chat);
}

/* --- sending ---------------------------------------------------------------------------------- */

static void ask_to_send(struct chat *chat, struct chat_draft *draft)
{
    json_t *params = json_pack("{s:[s],s:O,s:s}", "peers", chat_link_who(&chat->link), "body",
                               draft->body, "client_id", draft->client_id);
    chat_link_ask(&chat->link, "message.send", params, &draft->request);
}

void chat_send(struct chat *chat, struct span text)
{
    if (chat->draft_count == CHAT_DRAFTS_MAX) {
        transcript_note(&chat->transcript, "not sent: too much waits for the daemon already");
        return;
    }
    struct chat_draft *draft = &chat->drafts[chat->draft_count++];
    draft->body = json_stringn((const char *)text.data, text.size);
    client_id_next(&chat->ids, draft->client_id);
    ask_to_send(chat, draft);
    if (!chat_link_connected(&chat->link))
        transcript_note(&chat->transcript, "sent as soon as the daemon is back");
}

static void forget_draft(struct chat *chat, size_t i)
{
    json_decref(chat->drafts[i].body);
    chat->draft_count--;
    memmove(&chat->drafts[i], &chat->drafts[i + 1],
            (chat->draft_count - i) * sizeof chat->drafts[0]);
}

/* --- what the daemon says --------------------------------------------------------------------- */

/* Nobody has the key any more: another one was accepted for the name. */
static void ask_by_name(struct chat *chat)
{
    CLEANUP(json_release)
    json_t *peer = json_pack("{s:s}", "name", chat_link_name(&chat->link));
    if (peer == NULL || chat_link_who(&chat->link) == chat_link_name(&chat->link))
        return;
    chat_link_learn(&chat->link, peer);
    ask_presence(chat);
}

static void take_reply(struct chat *chat, const json_t *reply)
{
    const json_int_t id = member_integer(reply, "id");
    const json_t *error = json_object_get(reply, "error");
    if (id == chat->presence_id && error == NULL)
        chat_take_presence(chat, json_object_get(reply, "result"));
    else if (id == chat->presence_id)
        ask_by_name(chat);
    for (size_t i = 0; i < chat->draft_count; i++) {
        if (chat->drafts[i].request != id)
            continue;
        if (error != NULL && ctl_stopping(error))
            return; /* it goes to the next one */
        if (error != NULL)
            transcript_note(&chat->transcript, "not sent: %s", member_string(error, "message", ""));
        forget_draft(chat, i);
        return;
    }
}

/* An event's message, as history would have it. */
static void show_message(struct chat *chat, const json_t *event, const char *direction)
{
    CLEANUP(json_release) json_t *message = json_copy(json_object_get(event, "message"));
    json_object_set_new(message, "direction", json_string(direction));
    json_object_set(message, "time", json_object_get(event, "time"));
    json_object_set(message, "peer", json_object_get(event, "peer"));
    json_object_set(message, "trust", json_object_get(event, "trust"));
    transcript_message(&chat->transcript, message);
}

static void show_file(struct chat *chat, const json_t *event)
{
    struct bytes text = {0};
    if (view_file_event(&text, event) == 0)
        transcript_note(&chat->transcript, "%s %.*s", member_string(event, "peer", "?"),
                        (int)text.size, (const char *)text.data);
    bytes_deinit(&text);
}

static void take_event(struct chat *chat, const json_t *event)
{
    const char *type = member_string(event, "type", "");
    const json_t *message = json_object_get(event, "message");
    if (strcmp(type, "message.received") == 0) {
        show_message(chat, event, "in");
        if (strcmp(member_string(event, "peer", "?"), chat_link_name(&chat->link)) != 0)
            ask_presence(chat);
    } else if (strcmp(type, "message.sent") == 0) {
        show_message(chat, event, "out");
        ask_presence(chat);
    } else if (strcmp(type, "message.state") == 0) {
        transcript_state(&chat->transcript, member_string(message, "id", ""),
                         member_string(message, "state", ""), member_string(message, "reason", ""));
        ask_presence(chat);
    } else if (strcmp(type, "peer.online") == 0 || strcmp(type, "peer.offline") == 0) {
        ask_presence(chat);
    } else if (strcmp(type, "peer.key_changed") == 0) {
        transcript_note(&chat->transcript,
                        "another key answers in place of %s, so nothing is sent; what to do: "
                        "p2pchatctl peer show %s",
                        chat_link_name(&chat->link), shell_word(chat_link_name(&chat->link)).text);
    } else if (strcmp(type, "peer.cloned") == 0) {
        transcript_note(&chat->transcript,
                        "two machines use the key of %s, and messages reach one or the other; "
                        "see: p2pchatctl doctor",
                        chat_link_name(&chat->link));
    } else if (strcmp(type, "identity.cloned") == 0) {
        transcript_note(&chat->transcript,
                        "another machine uses this machine's key; see: p2pchatctl doctor");
    } else if (strcmp(type, "peer.trust") == 0) {
        transcript_note(&chat->transcript, "%s is %s now", chat_link_name(&chat->link),
                        member_string(event, "trust", "?"));
        ask_presence(chat);
    } else if (strncmp(type, "file.", 5) == 0) {
        show_file(chat, event);
    } else if (strcmp(type, "follow.gap") == 0) {
        char text[VIEW_GAP_MAX];
        view_gap(event, text);
        transcript_note(&chat->transcript, "%s", text);
    }
}

void chat_take_message(struct chat *chat, const json_t *message)
{
    const json_t *event = json_object_get(message, "params");
    if (event != NULL)
        take_event(chat, event);
    else
        take_reply(chat, message);
}

void chat_take_loss(struct chat *chat)
{
    transcript_note(&chat->transcript, "lost the connection to the daemon, waiting for it");
    set_prompt(chat);
}

void chat_take_return(struct chat *chat)
{
    transcript_note(&chat->transcript, "the daemon is back");
    for (size_t i = 0; i < chat->draft_count; i++)
        ask_to_send(chat, &chat->drafts[i]);
    set_prompt(chat);
    ask_presence(chat);
}

void chat_await_answers(struct chat *chat, uint64_t deadline_ms)
{
    chat->link.deadline_ms = deadline_ms;
    while (chat->draft_count > 0 && chat_link_connected(&chat->link)) {
        CLEANUP(json_release) json_t *message = NULL;
        const int r = chat_link_next(&chat->link, NULL, &message);
        if (r < 0)
            return;
        if (r == 0)
            chat_take_message(chat, message);
    }
}

/* --- beginning and end ------------------------------------------------------------------------ */

bool chat_show_history(struct chat *chat, json_int_t count)
{
    struct ctl *ctl = chat->link.ctl;
    CLEANUP(json_release) json_t *params = json_pack("{s:s}", "peer", chat_link_who(&chat->link));
    CLEANUP(json_release) json_t *messages = history_fetch(ctl, params, count);
    size_t i;
    json_t *message;
    json_array_foreach(messages, i, message)
    {
        /* What is newer comes as an event. */
        if (member_integer(message, "seq") <= chat->link.cursor)
            transcript_message(&chat->transcript, message);
    }
    return messages != NULL;
}

void chat_deinit(struct chat *chat)
{
    editor_free(chat->editor);
    while (chat->draft_count > 0)
        forget_draft(chat, 0);
    chat_link_deinit(&chat->link);
    transcript_deinit(&chat->transcript);
}
