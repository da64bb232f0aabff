/* SPDX-License-Identifier: ISC */
/*
 * The commands of a chat have a table of their own.
 */
#include "client/chat/chat_commands.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "base/shell.h"
#include "base/suggest.h"
#include "client/input.h"
#include "client/peers.h"
#include "client/view.h"

enum { HISTORY_DEFAULT = 50, HISTORY_MAX = 1000, COMMAND_MAX = 32 };

/* A command with what follows its name, without the spaces around. */
typedef void command_run(struct chat *chat, const char *argument);

static command_run run_help, run_peers, run_verify, run_history, run_quit;

static const struct {
    const char *name;
    command_run *run;
    const char *help;
} commands[] = {
    {"/help", run_help, "this list"},
    {"/peers", run_peers, "who is known, and who is online"},
    {"/verify", run_verify, "what to compare with the peer over another channel"},
    {"/history", run_history, "the last messages; /history N: so many"},
    {"/quit", run_quit, "end the chat; ^D does it too"},
};
static const size_t command_count = sizeof commands / sizeof commands[0];

static void run_help(struct chat *chat, const char *argument)
{
    (void)argument;
    for (size_t i = 0; i < command_count; i++)
        transcript_note(&chat->transcript, "%-9s %s", commands[i].name, commands[i].help);
    transcript_note(&chat->transcript, "%-9s sends a text that begins with a slash", "//text");
    transcript_note(&chat->transcript,
                    "marks: · in the queue, → sent, ✓ the peer has it, ✗ failed");
}

/* The result of a call that is waited for, or NULL after saying why not. */
static json_t *call(struct chat *chat, const char *method, json_t *params)
{
    CLEANUP(json_release) json_t *reply = NULL;
    if (!chat_link_connected(&chat->link)) {
        json_decref(params);
        transcript_note(&chat->transcript, "there is no connection to the daemon");
        return NULL;
    }
    if (ctl_exchange(chat->link.ctl, method, params, &reply) != 0)
        return NULL; /* the next wait says that the connection is lost */
    json_t *result = json_object_get(reply, "result");
    if (result == NULL)
        transcript_note(&chat->transcript, "%s",
                        member_string(json_object_get(reply, "error"), "message", "refused"));
    return json_incref(result);
}

static void run_peers(struct chat *chat, const char *argument)
{
    (void)argument;
    json_t *params = json_object();
    bool more = true;
    while (more) {
        CLEANUP(json_release) json_t *result = call(chat, "peer.list", params);
        size_t i;
        json_t *peer;
        json_array_foreach(json_object_get(result, "peers"), i, peer)
        {
            transcript_note(&chat->transcript, "%-16s %-10s %s", member_string(peer, "name", "?"),
                            member_string(peer, "link", "?"), member_string(peer, "trust", "?"));
        }
        more = peers_more(result, &params);
    }
}

static void run_verify(struct chat *chat, const char *argument)
{
    (void)argument;
    CLEANUP(json_release)
    json_t *peer = call(chat, "peer.get", json_pack("{s:s}", "name", chat_link_who(&chat->link)));
    const char *fingerprint = member_string(peer, "fingerprint", NULL);

    if (peer == NULL)
        return;
    if (fingerprint == NULL) {
        transcript_note(&chat->transcript, "the key of %s is not known before the first contact",
                        chat_link_name(&chat->link));
        return;
    }
    transcript_note(&chat->transcript, "trust          %s", member_string(peer, "trust", "?"));
    transcript_note(&chat->transcript, "fingerprint    %s", fingerprint);
    transcript_note(&chat->transcript, "safety number  %s",
                    member_string(peer, "safety_number", "not known"));
    transcript_note(&chat->transcript,
                    "read the number to %s over another channel; it must be the same there",
                    chat_link_name(&chat->link));
    if (view_trust_mark(peer)[0] != '\0')
        transcript_note(&chat->transcript, "if it is: p2pchatctl peer verify %s NUMBER",
                        shell_word(chat_link_name(&chat->link)).text);
}

static void run_history(struct chat *chat, const char *argument)
{
    uint64_t count = HISTORY_DEFAULT;
    if (argument[0] != '\0' && number_parse(argument, HISTORY_MAX, &count) != 0)
        transcript_note(&chat->transcript,
                        "/history takes a number of messages up to %d, not \"%s\"", HISTORY_MAX,
                        argument);
    else if (!chat_link_connected(&chat->link))
        transcript_note(&chat->transcript, "there is no connection to the daemon");
    else
        chat_show_history(chat, (json_int_t)count);
}

static void run_quit(struct chat *chat, const char *argument)
{
    (void)argument;
    chat->over = true;
}

static void run_command(struct chat *chat, const char *text)
{
    const size_t size = strcspn(text, " \t\n");
    char name[COMMAND_MAX];
    snprintf(name, sizeof name, "%.*s", (int)size, text);
    struct suggestion suggestion = suggest_for(name);
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            commands[i].run(chat, text + size + strspn(text + size, " \t\n"));
            return;
        }
        suggest_offer(&suggestion, commands[i].name);
    }
    transcript_note(&chat->transcript, "there is no command %s; %s%s%s", name,
                    suggestion.best != NULL ? "did you mean " : "see /help",
                    suggestion.best != NULL ? suggestion.best : "",
                    suggestion.best != NULL ? "?" : ", or write // to send a slash");
}

static bool is_blank(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] != ' ' && text.data[i] != '\t' && text.data[i] != '\n')
            return false;
    }
    return true;
}

void chat_take_line(struct chat *chat, const struct bytes *text)
{
    struct span span = bytes_span(text);
    if (is_blank(span))
        return;
    if (span.data[0] == '/' && (span.size == 1 || span.data[1] != '/')) {
        CLEANUP(cleanup_free) char *command = strndup((const char *)span.data, span.size);
        if (command != NULL)
            run_command(chat, command);
        return;
    }
    if (span.data[0] == '/')
        span = SPAN(span.data + 1, span.size - 1);
    if (span.size > INPUT_TEXT_MAX)
        transcript_note(&chat->transcript, "not sent: a message has at most %d bytes",
                        INPUT_TEXT_MAX);
    else
        chat_send(chat, span);
}
