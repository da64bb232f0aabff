/* SPDX-License-Identifier: ISC */
/*
 * What keeps a peer from being online, or its messages from being taken. The first thing that does
 * is told; behind it may be others.
 */
#include "client/diagnosis.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/shell.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "client/view.h"

const char diagnosis_own_clone[] = "stop p2pchatd on one of the two, and give it a key of its own: "
                                   "see \"A machine was copied\" in "
                                   "p2pchatd(8)";

__attribute__((format(printf, 2, 3))) static int say(char **text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *text = text_vformat(format, arguments);
    va_end(arguments);
    return *text != NULL ? 0 : -ENOMEM;
}

/* "; next try in 12 s, 3 have failed" */
static int say_progress(char **text, const json_t *peer)
{
    const json_int_t failed = member_integer(peer, "failed_dials");
    const uint64_t now = clock_wall_ms();
    char wait[VIEW_DURATION_MAX], failures[40] = "";
    uint64_t next;
    if (strcmp(member_string(peer, "link", ""), "connecting") == 0)
        return say(text, "; dialled again just now");
    if (timestamp_parse(member_string(peer, "next_dial", ""), &next) != 0)
        return say(text, "%s", "");
    if (failed > 0)
        snprintf(failures, sizeof failures, ", %" JSON_INTEGER_FORMAT " ha%s failed", failed,
                 failed == 1 ? "s" : "ve");
    view_duration(next > now ? (json_int_t)((next - now + 999) / 1000) : 0, wait);
    return say(text, "; next try in %s%s", wait, failures);
}

/* A peer that could have a link, and has none. */
static int find_cause(struct diagnosis *diagnosis, const json_t *peer, const char *name)
{
    const bool in_touch = strcmp(member_string(peer, "link", ""), "handshake") == 0;
    const char *error =
        member_string(peer, "last_error", in_touch ? "it answers just now" : "not dialled yet");
    const char *leads_to = member_string(peer, "leads_to", "");
    CLEANUP(cleanup_free) char *progress = NULL;
    if (say_progress(&progress, peer) != 0 || say(&diagnosis->reason, "%s%s", error, progress) != 0)
        return -ENOMEM;
    if (in_touch)
        return say(&diagnosis->remedy,
                   "its owner has to let this machine in; there: p2pchatctl peer requests");
    if (leads_to[0] != '\0')
        return say(&diagnosis->remedy,
                   "%s; give %s its own address: p2pchatctl peer set %s ADDRESS..., or p2pchatctl "
                   "peer remove %s",
                   strcmp(leads_to, "self") == 0 ? "this machine can't be its own peer"
                                                 : "if that is a peer already (p2pchatctl peer "
                                                   "list), one name is enough",
                   name, shell_word(name).text, shell_word(name).text);
    if (json_is_true(json_object_get(peer, "refused")))
        return say(&diagnosis->remedy,
                   "let this machine in there (p2pchatctl peer unblock NAME, p2pchatctl peer "
                   "requests, or pair again by p2pchatctl invite), then here: p2pchatctl peer "
                   "connect %s",
                   shell_word(name).text);
    return say(&diagnosis->remedy,
               "is p2pchatd running there, its port open, and this machine let in (there: "
               "p2pchatctl peer requests)? Try: p2pchatctl peer connect %s; other addresses: "
               "p2pchatctl peer set %s ADDRESS...",
               shell_word(name).text, shell_word(name).text);
}

static int find_unaddressed(struct diagnosis *diagnosis, const json_t *peer, const char *name)
{
    const char *error = member_string(peer, "last_error", NULL);
    if (say(&diagnosis->reason, "no address, so it has to dial us%s%s", error != NULL ? "; " : "",
            error != NULL ? error : "") != 0)
        return -ENOMEM;
    return say(&diagnosis->remedy,
               "let it dial us, or tell where it is: p2pchatctl peer set %s ADDRESS",
               shell_word(name).text);
}

static int find_changed(struct diagnosis *diagnosis, const json_t *peer, const char *name)
{
    const char *offered = member_string(peer, "offered", "FINGERPRINT");
    if (say(&diagnosis->reason, "another key answered in its place: %s", offered) != 0)
        return -ENOMEM;
    return say(&diagnosis->remedy,
               "compare the new fingerprint with its owner, then: p2pchatctl peer accept %s "
               "--fingerprint %s",
               shell_word(name).text, offered);
}

/* Whom messages reach is a matter of chance, even while there is a link. */
static int find_cloned(struct diagnosis *diagnosis, const char *name)
{
    if (say(&diagnosis->reason, "two machines use its key") != 0)
        return -ENOMEM;
    return say(
        &diagnosis->remedy,
        "ask its owner, who gives one of them a key of its own; if nobody copied its disk or "
        "state directory, the key was stolen: p2pchatctl peer block %s",
        shell_word(name).text);
}

static int find_displaced(struct diagnosis *diagnosis, const json_t *peer)
{
    CLEANUP(cleanup_free) char *progress = NULL;
    if (say_progress(&progress, peer) != 0 ||
        say(&diagnosis->reason, "another machine with this machine's key has the link%s",
            progress) != 0)
        return -ENOMEM;
    return say(&diagnosis->remedy, "%s", diagnosis_own_clone);
}

static int find_blocked(struct diagnosis *diagnosis, const char *name)
{
    if (say(&diagnosis->reason, "blocked: its key is refused") != 0)
        return -ENOMEM;
    return say(&diagnosis->remedy, "to let it in again: p2pchatctl peer unblock %s",
               shell_word(name).text);
}

static int find_disconnected(struct diagnosis *diagnosis, const char *name)
{
    if (say(&diagnosis->reason, "disconnected by hand") != 0)
        return -ENOMEM;
    return say(&diagnosis->remedy, "p2pchatctl peer connect %s", shell_word(name).text);
}

/* It may well be online, but is not listened to. */
static int find_full(struct diagnosis *diagnosis, const json_t *peer, const char *name)
{
    char size[VIEW_SIZE_MAX];
    view_size(member_integer(peer, "inbound_bytes"), size);
    if (say(&diagnosis->reason,
            "it is not read from: messages take as much of the disk here as "
            "they may (its own: %s), and the others stay with it",
            size) != 0)
        return -ENOMEM;
    return say(&diagnosis->remedy,
               "remove some: p2pchatctl purge -p %s --before -7d; or set a higher inbound-limit "
               "(of all peers: inbound-limit-total) in p2pchatd.conf",
               shell_word(name).text);
}

int diagnosis_find(struct diagnosis *diagnosis, const json_t *peer)
{
    const char *trust = member_string(peer, "trust", ""), *name = member_string(peer, "name", "?");
    *diagnosis = (struct diagnosis){0};
    if (strcmp(trust, "changed") == 0)
        return find_changed(diagnosis, peer, name);
    if (strcmp(trust, "blocked") == 0)
        return find_blocked(diagnosis, name);
    if (json_object_get(peer, "cloned") != NULL)
        return find_cloned(diagnosis, name);
    if (json_is_true(json_object_get(peer, "inbound_full")))
        return find_full(diagnosis, peer, name);
    if (strcmp(member_string(peer, "link", ""), "online") == 0)
        return DIAGNOSIS_NONE;
    if (json_is_true(json_object_get(peer, "disconnected")))
        return find_disconnected(diagnosis, name);
    if (json_is_true(json_object_get(peer, "displaced")))
        return find_displaced(diagnosis, peer);
    if (json_array_size(json_object_get(peer, "addresses")) == 0)
        return find_unaddressed(diagnosis, peer, name);
    return find_cause(diagnosis, peer, name);
}

void diagnosis_deinit(struct diagnosis *diagnosis)
{
    free(diagnosis->reason);
    free(diagnosis->remedy);
}
