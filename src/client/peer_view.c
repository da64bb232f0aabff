/*
 * How peers look to people.
 */
#include "client/peer_view.h"

#include "client/output.h"
#include "client/view.h"

int peer_view_table(struct ctl *ctl, const json_t *peers)
{
    struct table table = {.columns = 5, .head = {"PEER", "LINK", "TRUST", "QUEUED", "LAST ERROR"}};
    size_t i;
    json_t *peer;

    if (json_array_size(peers) == 0) {
        ctl_note(ctl,
                 "no peers yet; pair with one: p2pchatctl invite NAME here, and p2pchatctl join "
                 "there");
        return EX_OK;
    }
    json_array_foreach(peers, i, peer)
    {
        table_add(&table, member_string(peer, "name", "?"));
        table_add(&table, member_string(peer, "link", "?"));
        table_add(&table, member_string(peer, "trust", "?"));
        table_add_number(&table, member_integer(peer, "queued"));
        table_add(&table, member_string(peer, "last_error", ""));
    }
    const int result = table_print(ctl, &table);
    table_deinit(&table);
    return result;
}

static void line_if(struct ctl *ctl, const char *label, const char *text)
{
    if (text != NULL)
        output_line(ctl, "%-14s %s", label, text);
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
    if (since != NULL) {
        view_time(since, local);
        output_line(ctl, "%-14s %s since %s", "link", link, local);
    } else {
        line_if(ctl, "link", link);
    }
    if (json_object_get(peer, "rtt_ms") != NULL)
        output_line(ctl, "%-14s %" JSON_INTEGER_FORMAT " ms", "round trip",
                    member_integer(peer, "rtt_ms"));
    output_line(ctl, "%-14s %" JSON_INTEGER_FORMAT, "queued", member_integer(peer, "queued"));
    line_if(ctl, "last error", member_string(peer, "last_error", NULL));
    json_array_foreach(json_object_get(peer, "former_keys"), i, former)
    {
        view_time(member_string(former, "replaced", ""), local);
        output_line(ctl, "%-14s %s until %s", i == 0 ? "former keys" : "",
                    member_string(former, "fingerprint", "?"), local);
    }
}

void peer_view_met(struct ctl *ctl, const json_t *peer)
{
    if (ctl->json)
        output_json(ctl, peer, '\n');
    else if (!ctl->quiet)
        output_line(ctl, "connected to %s (%s), %s", member_string(peer, "name", "?"),
                    member_string(peer, "fingerprint", "?"), member_string(peer, "trust", "?"));
}

void peer_view_request(struct ctl *ctl, const json_t *request)
{
    const char *fingerprint = member_string(request, "fingerprint", "?");
    char local[VIEW_TIME_MAX];

    view_time(member_string(request, "since", ""), local);
    output_line(ctl, "%s from %s since %s", fingerprint, member_string(request, "address", "?"),
                local);
    output_line(ctl, "  safety number  %s", member_string(request, "safety_number", "not known"));
    output_line(ctl, "  let it in:     p2pchatctl peer accept %s --name NAME", fingerprint);
}
