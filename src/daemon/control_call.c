/* SPDX-License-Identifier: ISC */
/*
 * Calls: finding the function, reading parameters, and saying what went wrong.
 */
#include "daemon/control_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/shell.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "core/peer_name.h"
#include "store/lives.h"

enum { SUBJECT_MAX = 200 };

static control_method *const functions[] = {
#define METHOD(name, function, access, parameters, help) function,
#include "rpc/methods.def"
#undef METHOD
};

control_method *control_call_function(const struct rpc_method *method)
{
    return functions[method - rpc_methods];
}

enum control_answer control_call_done(struct control_call *call, json_t *result)
{
    call->result = result;
    if (result != NULL)
        return CALL_DONE;
    return control_call_fail(call, RPC_KIND_internal, "out of memory");
}

/* Texts are cut to fit, maybe within a character, and a reply can't have half of one. */
static void mend(char *text)
{
    size_t size = strlen(text);
    for (size_t at = 0; at < size;) {
        uint32_t character;
        size_t length = utf8_decode(text + at, size - at, &character);
        if (length == 0)
            text[at++] = '?';
        at += length;
    }
}

enum control_answer control_call_fail(struct control_call *call, enum rpc_kind kind,
                                      const char *format, ...)
{
    va_list arguments;
    call->kind = kind;
    va_start(arguments, format);
    vsnprintf(call->text, sizeof call->text, format, arguments);
    va_end(arguments);
    mend(call->text);
    return CALL_FAILED;
}

/*
 * The node's outcomes as kinds, with what to do next. %s is what the call was about, %q the same as
 * a word of a command.
 */
struct explanation {
    enum node_outcome outcome;
    enum rpc_kind kind;
    const char *text;
};

static const struct explanation explanations[] = {
    {NODE_AMBIGUOUS_PEER, RPC_KIND_ambiguous_peer,
     "there are several peers: say which one, or set default-peer in p2pchatd.conf"},
    {NODE_NAME_TAKEN, RPC_KIND_name_taken, "there is a peer %s already; see: p2pchatctl peer list"},
    {NODE_KEY_TAKEN, RPC_KIND_name_taken, "another peer has this key already"},
    {NODE_BAD_NAME, RPC_KIND_usage, "%s can't be a name: " PEER_NAME_RULE},
    {NODE_OWN_KEY, RPC_KIND_usage, "this is our own key"},
    {NODE_NO_SUCH_REQUEST, RPC_KIND_no_such_request,
     "no key %s has asked; see: p2pchatctl peer requests"},
    {NODE_MISMATCH, RPC_KIND_mismatch,
     "this is not the key that was offered for %s; if a stranger's is its new one: p2pchatctl "
     "peer remove %q, then p2pchatctl peer accept FP --name %q"},
    {NODE_NO_KEY, RPC_KIND_not_trusted,
     "the key of %s is not known before the first contact; why there was none: p2pchatctl doctor"},
    {NODE_MALFORMED, RPC_KIND_usage,
     "not a whole safety number: 60 digits, see: p2pchatctl fingerprint %q"},
    {NODE_NO_SUCH_INVITE, RPC_KIND_no_such_invite,
     "no open invite %s; see: p2pchatctl invite list"},
    {NODE_INVITES_FULL, RPC_KIND_queue_full,
     "too many invites are open; see: p2pchatctl invite list, p2pchatctl invite revoke ID"},
    {NODE_NO_SUCH_MESSAGE, RPC_KIND_no_such_message, "no message %s; see: p2pchatctl queue"},
    {NODE_CONFLICT, RPC_KIND_conflict,
     "the client_id was used before, for another text or other peers: choose another one"},
    {NODE_TOO_LATE, RPC_KIND_usage,
     "message %s can't be taken back: it was transmitted, or has left the queue"},
    {NODE_NOT_SUPPORTED, RPC_KIND_not_supported,
     "the p2pchat of %s is too old for headers and bytes; send a plain text, or upgrade it"},
    {NODE_NOT_UTF8, RPC_KIND_not_utf8, "the text is not UTF-8, or contains NUL"},
    {NODE_EMPTY, RPC_KIND_empty, "the text is empty"},
    {NODE_TOO_LARGE, RPC_KIND_too_large, "the text is larger than 65536 bytes"},
    {NODE_KEY_CHANGED, RPC_KIND_key_changed,
     "another key answered in place of %s, so nothing is sent; which one, and what to do: "
     "p2pchatctl peer show %q"},
    {NODE_BLOCKED, RPC_KIND_blocked,
     "peer %s is blocked; to let it in again: p2pchatctl peer unblock %q"},
    {NODE_OFFLINE, RPC_KIND_peer_offline, "peer %s is not online; why: p2pchatctl doctor"},
    {NODE_TOO_OFTEN, RPC_KIND_rate_limited,
     "%s was asked often enough; try again in a few seconds"},
    {NODE_NO_PQ, RPC_KIND_not_supported,
     "OpenSSL here has no ML-KEM-768, so %s would be shut out: run on OpenSSL 3.5 or later (Debian "
     "13)"},
    {NODE_NO_ADDRESS, RPC_KIND_usage,
     "peer %s has no address to dial; tell one: p2pchatctl peer set %q ADDRESS"},
    {NODE_QUEUE_FULL, RPC_KIND_queue_full,
     "the queue of %s is full; why nothing goes out: p2pchatctl doctor; to make room: p2pchatctl "
     "queue, p2pchatctl queue cancel ID"},
    {NODE_DISK_FULL, RPC_KIND_disk_full,
     "the disk is full, or nearly so: make room; p2pchatctl doctor says where"},
    {NODE_STOPPING, RPC_KIND_stopping, "the daemon is stopping"},
};

/* A subject that is too long to be of use in a command is cut, as in the text. */
static void fill(char *out, size_t size, const char *text, const char *subject)
{
    char word[SUBJECT_MAX + 1];
    snprintf(word, sizeof word, "%s", subject);
    size_t used = 0;
    while (used < size - 1 && text[0] != '\0') {
        const size_t plain = strcspn(text, "%");
        const char *gap = text[plain] == '\0'      ? ""
                          : text[plain + 1] == 'q' ? shell_word(word).text
                                                   : word;
        used += (size_t)snprintf(out + used, size - used, "%.*s%s", (int)plain, text, gap);
        text += plain + (text[plain] == '\0' ? 0 : 2);
    }
}

static const struct explanation *explain(int outcome)
{
    for (size_t i = 0; i < sizeof explanations / sizeof explanations[0]; i++)
        if ((int)explanations[i].outcome == outcome)
            return &explanations[i];
    return NULL;
}

/* `name` is NULL when nobody was named, and nobody could be meant. */
static enum control_answer fail_no_such_peer(struct control_call *call, const char *name)
{
    if (name == NULL || name[0] == '\0')
        return control_call_fail(call, RPC_KIND_no_such_peer,
                                 "there is no peer yet; pair with one: p2pchatctl invite NAME");
    struct suggestion suggestion = suggest_for(name);
    roster_each (peer, node_roster(call->node))
        suggest_offer(&suggestion, peer->row.name);
    if (suggestion.best != NULL)
        return control_call_fail(call, RPC_KIND_no_such_peer, "no peer %.200s; did you mean %s?",
                                 name, suggestion.best);
    return control_call_fail(
        call, RPC_KIND_no_such_peer,
        "no peer %.200s; see: p2pchatctl peer list, p2pchatctl peer add NAME ADDRESS", name);
}

enum control_answer control_call_outcome(struct control_call *call, int outcome,
                                         const char *subject)
{
    if (outcome < 0)
        return control_call_fail(call, RPC_KIND_store_error, "the store failed: %s",
                                 strerror(-outcome));
    if (outcome == NODE_NO_SUCH_PEER)
        return fail_no_such_peer(call, subject);
    const struct explanation *found = explain(outcome);
    if (found == NULL)
        return control_call_fail(call, RPC_KIND_internal, "unexpected outcome %d", outcome);
    call->kind = found->kind;
    fill(call->text, sizeof call->text, found->text, subject != NULL ? subject : "");
    mend(call->text);
    return CALL_FAILED;
}

enum control_answer control_call_no_default(struct control_call *call, int outcome)
{
    const char *name = node_settings(call->node)->default_peer;
    if (outcome != NODE_NO_SUCH_PEER || name[0] == '\0')
        return control_call_outcome(call, outcome, name);
    return control_call_fail(
        call, RPC_KIND_no_such_peer,
        "default-peer in p2pchatd.conf is %s, and there is no such peer; was it "
        "renamed? Change it there, then reload p2pchatd",
        name);
}

const char *control_call_string(const struct control_call *call, const char *name)
{
    return json_string_value(json_object_get(call->params, name));
}

int64_t control_call_integer(const struct control_call *call, const char *name, int64_t fallback)
{
    const json_t *value = json_object_get(call->params, name);
    return value != NULL ? json_integer_value(value) : fallback;
}

int64_t control_call_position(const struct control_call *call, int64_t fallback, int64_t *parted)
{
    const int64_t after = control_call_integer(call, "after", fallback);
    const char *past = control_call_string(call, "past");
    const int64_t common = past != NULL ? lives_common(node_db(call->node), past, after) : after;
    *parted = common < after ? after : 0;
    return common;
}

bool control_call_peer(struct control_call *call, const char *name, struct peer **peer)
{
    const char *who = control_call_string(call, name);
    int r = node_find_peer(call->node, who, peer);
    if (r != 0)
        control_call_outcome(call, r, who);
    return r == 0;
}

bool control_call_past_peer(struct control_call *call, const char *name, int64_t *id)
{
    const char *who = control_call_string(call, name);
    const int r = node_find_past_peer(call->node, who, id);
    if (r != 0)
        control_call_outcome(call, r, who);
    return r == 0;
}

bool control_call_addresses(struct control_call *call, const char *name,
                            struct address addresses[PEER_ADDRESSES_MAX], unsigned *count)
{
    const json_t *list = json_object_get(call->params, name);
    const char *flaw;
    size_t index;
    json_t *value;
    *count = 0;
    if (json_array_size(list) > PEER_ADDRESSES_MAX) {
        control_call_fail(call, RPC_KIND_usage, "a peer has at most %d addresses",
                          PEER_ADDRESSES_MAX);
        return false;
    }
    json_array_foreach(list, index, value)
    {
        if (address_parse(json_string_value(value), &addresses[*count]) < 0) {
            control_call_fail(call, RPC_KIND_usage, "'%.100s' is not an address like host:8766",
                              json_string_value(value));
            return false;
        }
        flaw = address_flaw(&addresses[*count]);
        if (flaw != NULL) {
            control_call_fail(call, RPC_KIND_usage, "nobody can dial '%.100s': it %s",
                              json_string_value(value), flaw);
            return false;
        }
        ++*count;
    }
    return true;
}

static void add_once(struct peer **peers, unsigned *count, struct peer *peer)
{
    for (unsigned i = 0; i < *count; i++)
        if (peers[i] == peer)
            return;
    peers[(*count)++] = peer;
}

bool control_call_peers(struct control_call *call, struct peer *peers[static CALL_PEERS_MAX],
                        unsigned *count)
{
    const json_t *names = json_object_get(call->params, "peers");
    size_t index;
    json_t *value;
    *count = 0;
    if (json_array_size(names) > CALL_PEERS_MAX) {
        control_call_fail(call, RPC_KIND_usage, "at most %d peers", CALL_PEERS_MAX);
        return false;
    }
    json_array_foreach(names, index, value)
    {
        struct peer *peer;
        int r = node_find_peer(call->node, json_string_value(value), &peer);
        if (r != 0) {
            control_call_outcome(call, r, json_string_value(value));
            return false;
        }
        add_once(peers, count, peer);
    }
    return true;
}

bool control_call_recipients(struct control_call *call, struct node_draft *draft,
                             struct call_recipients *recipients)
{
    const json_t *names = json_object_get(call->params, "peers");
    draft->peers = recipients->peers;
    if (names != NULL && json_array_size(names) == 0) {
        control_call_fail(call, RPC_KIND_usage, "\"peers\" names nobody");
        return false;
    }
    if (!control_call_peers(call, recipients->peers, &recipients->count))
        return false;
    draft->peer_count = recipients->count > 0 ? recipients->count : 1;
    if (recipients->count > 0)
        return true;
    recipients->count = 1;
    if (control_call_string(call, "peer") != NULL)
        return control_call_peer(call, "peer", &recipients->peers[0]);
    int r = node_find_only_peer(call->node, &recipients->peers[0]);
    if (r != 0)
        control_call_no_default(call, r);
    return r == 0;
}

bool control_call_draft(struct control_call *call, struct node_draft *draft)
{
    const int64_t after_s = control_call_integer(call, "expires_s", 0);
    *draft = (struct node_draft){
        .uid = call->client->user,
        .client_id = control_call_string(call, "client_id"),
        .expires_ms = after_s < INT64_MAX / 1000 ? (uint64_t)after_s * 1000 : INT64_MAX,
    };
    if (draft->client_id == NULL ||
        (draft->client_id[0] != '\0' && strlen(draft->client_id) < CLIENT_ID_MAX))
        return true;
    control_call_fail(call, RPC_KIND_usage, "a client_id has 1 to %d bytes", CLIENT_ID_MAX - 1);
    return false;
}

bool control_call_fingerprint(struct control_call *call, const char *name,
                              struct fingerprint *fingerprint)
{
    const char *text = control_call_string(call, name);
    if (fingerprint_parse(text, fingerprint) == 0)
        return true;
    control_call_fail(call, RPC_KIND_usage,
                      "'%.100s' is not a fingerprint: SHA256: and 43 characters; see: p2pchatctl "
                      "fingerprint",
                      text);
    return false;
}

bool control_call_id(struct control_call *call, struct uuid *id)
{
    const char *text = control_call_string(call, "id");
    if (uuid_parse(text, id) == 0)
        return true;
    control_call_outcome(call, NODE_NO_SUCH_MESSAGE, text);
    return false;
}
