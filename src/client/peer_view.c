/* SPDX-License-Identifier: ISC */
/*
 * How peers look to people.
 */
#include "client/peer_view.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/shell.h"
#include "client/diagnosis.h"
#include "client/output.h"
#include "client/view.h"

static void add_reason(struct table *table, const json_t *peer)
{
    CLEANUP(diagnosis_deinit) struct diagnosis diagnosis;
    table_add(table, diagnosis_find(&diagnosis, peer) == 0 ? diagnosis.reason : "");
}

int peer_view_table(struct ctl *ctl, const json_t *peers)
{
    struct table table = {.columns = 5, .head = {"PEER", "LINK", "TRUST", "QUEUED", "TROUBLE"}};
    size_t i;
    json_t *peer;
    if (json_array_size(peers) == 0) {
        ctl_note(ctl,
                 "no peers yet; pair with one, here: p2pchatctl invite NAME, and there: p2pchatctl "
                 "join");
        return EX_OK;
    }
    json_array_foreach(peers, i, peer)
    {
        table_add(&table, member_string(peer, "name", "?"));
        table_add(&table, member_string(peer, "link", "?"));
        table_add(&table, member_string(peer, "trust", "?"));
        table_add_number(&table, member_integer(peer, "queued"));
        add_reason(&table, peer);
    }
    const int r = table_print(ctl, &table);
    table_deinit(&table);
    return r;
}

bool peer_view_post_quantum(const json_t *status)
{
    const json_t *suites = json_object_get(status, "suites");
    return json_array_size(suites) > 0 &&
           json_integer_value(json_array_get(suites, json_array_size(suites) - 1)) >= 2;
}

const char *peer_view_suite(const json_t *peer)
{
    switch (member_integer(peer, "suite")) {
    case 1:
        return "X25519";
    case 2:
        return "post-quantum, ML-KEM-768 with X25519";
    default:
        return NULL;
    }
}

static void line_if(struct ctl *ctl, const char *label, const char *text)
{
    if (text != NULL)
        output_line(ctl, "%-14s %s", label, text);
}

/* The last failure of each dial since there was a link; without one, of the link itself. */
static void show_failures(struct ctl *ctl, const json_t *peer)
{
    const json_t *attempts = json_object_get(peer, "attempts");
    const char *error = member_string(peer, "last_error", NULL);
    char local[VIEW_TIME_MAX];
    size_t i;
    json_t *attempt;
    json_array_foreach(attempts, i, attempt)
    {
        view_time(member_string(attempt, "time", ""), local);
        output_line(ctl, "%-14s %s %s: %s", i == 0 ? "last tries" : "", local,
                    member_string(attempt, "address", "?"), member_string(attempt, "error", "?"));
    }
    if (json_array_size(attempts) > 0 || error == NULL)
        return;
    view_time(member_string(peer, "last_error_time", ""), local);
    output_line(ctl, "%-14s %s %s", "last error", local, error);
}

static void show_trouble(struct ctl *ctl, const json_t *peer)
{
    CLEANUP(diagnosis_deinit) struct diagnosis diagnosis;
    if (diagnosis_find(&diagnosis, peer) != 0)
        return;
    line_if(ctl, "trouble", diagnosis.reason);
    if (diagnosis.remedy != NULL)
        output_advice(ctl, "%-14s %s", "what to do", diagnosis.remedy);
    show_failures(ctl, peer);
}

/* Who made the session and where it leads; without one, when there was one. */
static void show_sessions(struct ctl *ctl, const json_t *peer)
{
    const char *remote = member_string(peer, "remote", NULL);
    const char *seen = member_string(peer, "last_seen", NULL);
    char local[VIEW_TIME_MAX];
    if (remote != NULL)
        output_line(ctl, "%-14s %s, %s", "connection", remote,
                    json_is_true(json_object_get(peer, "dialled")) ? "dialled from here"
                                                                   : "dialled from there");
    if (seen != NULL) {
        view_time(seen, local);
        line_if(ctl, "last online", local);
    }
}

/* Older daemons don't count. */
static void show_counters(struct ctl *ctl, const json_t *peer)
{
    if (json_object_get(peer, "received") != NULL)
        output_line(ctl,
                    "%-14s %" JSON_INTEGER_FORMAT " received, %" JSON_INTEGER_FORMAT
                    " delivered since the daemon started",
                    "messages", member_integer(peer, "received"),
                    member_integer(peer, "delivered"));
    if (json_object_get(peer, "inbound_bytes") != NULL) {
        char size[VIEW_SIZE_MAX];
        view_size(member_integer(peer, "inbound_bytes"), size);
        output_line(ctl, "%-14s %s, for messages from it", "on disk here", size);
    }
}

/* What its program can do beside messages. */
static void show_features(struct ctl *ctl, const json_t *peer)
{
    CLEANUP(cleanup_free) char *text = view_join(json_object_get(peer, "features"));
    if (text != NULL && *text != '\0')
        output_line(ctl, "%-14s %s", "can do", text);
}

void peer_view_details(struct ctl *ctl, const json_t *peer)
{
    const char *since = member_string(peer, "since", NULL);
    const char *link = member_string(peer, "link", "?");
    char local[VIEW_TIME_MAX];
    size_t i;
    json_t *address, *former;
    line_if(ctl, "name", member_string(peer, "name", "?"));
    line_if(ctl, "fingerprint",
            member_string(peer, "fingerprint", "not known before first contact"));
    line_if(ctl, "trust", member_string(peer, "trust", "?"));
    line_if(ctl, "other key", member_string(peer, "offered", NULL));
    line_if(ctl, "safety number", member_string(peer, "safety_number", NULL));
    json_array_foreach(json_object_get(peer, "addresses"), i, address)
    {
        line_if(ctl, i == 0 ? "addresses" : "", json_string_value(address));
    }
    json_array_foreach(json_object_get(peer, "told"), i, address)
    {
        line_if(ctl, i == 0 ? "told by it" : "", json_string_value(address));
    }
    if (since != NULL) {
        view_time(since, local);
        output_line(ctl, "%-14s %s since %s", "link", link, local);
    } else {
        line_if(ctl, "link", link);
    }
    show_sessions(ctl, peer);
    line_if(ctl, "encryption", peer_view_suite(peer));
    if (json_is_true(json_object_get(peer, "require_pq")))
        line_if(ctl, "required", "a post-quantum suite");
    show_features(ctl, peer);
    show_trouble(ctl, peer);
    if (json_object_get(peer, "rtt_ms") != NULL)
        output_line(ctl, "%-14s %" JSON_INTEGER_FORMAT " ms", "round trip",
                    member_integer(peer, "rtt_ms"));
    output_line(ctl, "%-14s %" JSON_INTEGER_FORMAT, "queued", member_integer(peer, "queued"));
    show_counters(ctl, peer);
    json_array_foreach(json_object_get(peer, "former_keys"), i, former)
    {
        view_time(member_string(former, "replaced", ""), local);
        output_line(ctl, "%-14s %s until %s", i == 0 ? "former keys" : "",
                    member_string(former, "fingerprint", "?"), local);
    }
}

void peer_view_met(struct ctl *ctl, const json_t *peer, const char *wanted)
{
    const char *name = member_string(peer, "name", "?");
    if (ctl->json)
        output_json(ctl, peer, '\n');
    else if (!ctl->quiet)
        output_line(ctl, "connected to %s (%s), %s", name, member_string(peer, "fingerprint", "?"),
                    member_string(peer, "trust", "?"));
    if (wanted != NULL && strcmp(wanted, name) != 0)
        ctl_note(ctl,
                 "%s is a peer already and keeps this name; to change it: p2pchatctl peer "
                 "rename %s %s",
                 name, shell_word(name).text, shell_word(wanted).text);
}

void peer_view_request(struct ctl *ctl, const json_t *request)
{
    const char *fingerprint = member_string(request, "fingerprint", "?");
    char local[VIEW_TIME_MAX];
    view_time(member_string(request, "since", ""), local);
    output_line(ctl, "%s from %s since %s", fingerprint, member_string(request, "address", "?"),
                local);
    output_line(ctl, "  safety number  %s", member_string(request, "safety_number", "not known"));
    output_advice(ctl, "  let it in:     p2pchatctl peer accept %s --name NAME", fingerprint);
}
