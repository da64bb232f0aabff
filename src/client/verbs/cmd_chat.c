/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl chat: a conversation with one peer, on a terminal.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "client/chat/chat.h"
#include "client/chat/chat_commands.h"
#include "client/manager.h"
#include "client/options.h"
#include "client/output.h"
#include "client/verb.h"

enum {
    TAIL = 20,       /* messages of history to begin with */
    LEAVE_MS = 2000, /* how long to wait for the daemon's answers at the end */
};

/* --- the editor's owner ----------------------------------------------------------------------- */

static bool wait_for_typing(void *context, struct pollfd *typed)
{
    struct chat *chat = context;
    for (;;) {
        CLEANUP(json_release) json_t *message = NULL;
        const int r = chat_link_next(&chat->link, typed, &message);
        if (r == CHAT_LINK_TYPED)
            return true;
        if (r < 0)
            return false;
        transcript_line_took(&chat->transcript, editor_tallest(chat->editor));
        editor_hide(chat->editor);
        if (r == CHAT_LINK_LOST)
            chat_take_loss(chat);
        else if (r == CHAT_LINK_BACK)
            chat_take_return(chat);
        else
            chat_take_message(chat, message);
        editor_show(chat->editor);
    }
}

static void interrupted(void *context)
{
    struct chat *chat = context;
    transcript_note(&chat->transcript, "^C again ends the chat");
}

static void resized(void *context)
{
    struct chat *chat = context;
    transcript_resize(&chat->transcript, editor_columns(chat->editor), editor_rows(chat->editor),
                      editor_tallest(chat->editor));
}

static const struct editor_owner owner = {wait_for_typing, interrupted, resized};

/* --- beginning and end ------------------------------------------------------------------------ */

/* Finds out who is meant, and follows. 0 or ctl->status. */
static int follow_peer(struct ctl *ctl, struct chat *chat, const char *name)
{
    CLEANUP(json_release)
    json_t *peer =
        ctl_call(ctl, "peer.get", name != NULL ? json_pack("{s:s}", "name", name) : json_object());
    return peer != NULL ? chat_link_init(&chat->link, ctl, peer) : ctl->status;
}

static int open_editor(struct ctl *ctl, struct chat *chat)
{
    const int r = editor_new(&chat->editor, stdin, ctl->out, &owner, chat);
    if (r == -ELIBACC)
        return ctl_fail_as(ctl, EX_UNAVAILABLE, "unavailable",
                           "chat needs libedit, which is not installed (apt-get install libedit2); "
                           "p2pchatctl send and follow do without");
    if (r != 0)
        return ctl_fail_as(ctl, EX_UNAVAILABLE, "unavailable", "can't use the terminal: %s",
                           strerror(-r));
    return 0;
}

/* How the peer is now that its changes are told: the last one may have come before. */
static bool show_presence(struct ctl *ctl, struct chat *chat)
{
    CLEANUP(json_release)
    json_t *peer =
        ctl_call(ctl, "peer.get", json_pack("{s:s}", "name", chat_link_who(&chat->link)));
    if (peer != NULL)
        chat_take_presence(chat, peer);
    return peer != NULL;
}

/*
 * Ends with what the daemon has not accepted: an answer may be on its way, and what has none is
 * given back. ctl->status.
 */
static int take_leave(struct ctl *ctl, struct chat *chat)
{
    chat_await_answers(chat, clock_monotonic_ms() + LEAVE_MS);
    if (chat->draft_count == 0)
        return ctl->status;
    ctl_fail_as(ctl, EX_TEMPFAIL, "unsent", "the daemon was away; not sent:");
    for (size_t i = 0; i < chat->draft_count; i++)
        output_line(ctl, "%s", json_string_value(chat->drafts[i].body));
    return ctl->status;
}

static int converse(struct ctl *ctl, struct chat *chat)
{
    CLEANUP(bytes_deinit) struct bytes text = {0};
    chat->transcript.columns = editor_columns(chat->editor);
    chat->transcript.rows = editor_rows(chat->editor);
    if (!chat_show_history(chat, TAIL) || !show_presence(ctl, chat))
        return ctl->status;
    while (!chat->over && editor_read(chat->editor, &text) == 0) {
        transcript_line_took(&chat->transcript, editor_tallest(chat->editor));
        chat_take_line(chat, &text);
    }
    return take_leave(ctl, chat);
}

/* The peer, or NULL in *peer if none is named. 0 or OPTIONS_STOP. */
static int read_options(struct ctl *ctl, int argc, char **argv, const char **peer)
{
    static const struct option longs[] = {{"peer", required_argument, NULL, 'p'}, OPTIONS_LONG};
    int option;
    options_begin();
    while ((option = options_next(ctl, argc, argv, ":p:" OPTIONS_SHORT, longs)) >= 0) {
        if (options_peer(ctl, optarg, peer) != 0)
            return OPTIONS_STOP;
    }
    if (option == OPTIONS_STOP || options_count(ctl, argc - optind, 0, 1) != 0)
        return OPTIONS_STOP;
    return optind < argc ? options_peer(ctl, argv[optind], peer) : 0;
}

int cmd_chat(struct ctl *ctl, int argc, char **argv)
{
    CLEANUP(chat_deinit)
    struct chat chat = {.transcript = {.out = ctl->out,
                                       .colour = ctl->colour,
                                       .reader = manager_reader(ctl->socket)}};
    const char *peer = NULL;
    if (read_options(ctl, argc, argv, &peer) != 0)
        return ctl->status;
    if (!ctl->terminal || isatty(ctl->in) != 1)
        return options_misuse(ctl, "chat needs a terminal; scripts have send and follow"),
               ctl->status;
    client_id_init(&chat.ids);
    if (follow_peer(ctl, &chat, peer) != 0 || open_editor(ctl, &chat) != 0)
        return ctl->status;
    return converse(ctl, &chat);
}
