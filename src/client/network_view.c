/* SPDX-License-Identifier: ISC */
/*
 * Showing addresses and mappings.
 */
#include "client/network_view.h"

#include <string.h>

#include "client/connection.h"
#include "client/output.h"
#include "client/view.h"

enum network_finding network_view_mapping(const json_t *mapping, char text[static NETWORK_VIEW_MAX])
{
    const char *gateway = member_string(mapping, "gateway", "no router");
    const char *external = member_string(mapping, "external", NULL);
    const char *error = member_string(mapping, "error", NULL);
    const char *family =
        strcmp(member_string(mapping, "family", ""), "ipv6") == 0 ? "IPv6" : "IPv4";
    char left[VIEW_DURATION_MAX];
    if (external == NULL) {
        snprintf(text, NETWORK_VIEW_MAX, "%s, %s: %s", family, gateway,
                 error != NULL ? error : "is being asked");
        return error != NULL ? NETWORK_SHUT : NETWORK_ASKING;
    }
    const bool is_public = json_is_true(json_object_get(mapping, "public"));
    view_duration(member_integer(mapping, "lease_s"), left);
    snprintf(text, NETWORK_VIEW_MAX, "%s, %s (%s) lets in %s for another %s%s", family, gateway,
             strcmp(member_string(mapping, "protocol", ""), "pcp") == 0 ? "PCP" : "NAT-PMP",
             external, left,
             is_public ? "" : "; that is no public address: there is one more router behind it");
    return is_public ? NETWORK_OPEN : NETWORK_SHUT;
}

void network_view_print(struct ctl *ctl, const json_t *network)
{
    const json_t *addresses = json_object_get(network, "addresses");
    const json_t *mappings = json_object_get(network, "mappings");
    char text[NETWORK_VIEW_MAX];
    size_t i;
    json_t *each;
    json_array_foreach(addresses, i, each)
    {
        output_line(ctl, "%-12s %s", i == 0 ? "reached at" : "", json_string_value(each));
    }
    if (json_array_size(addresses) == 0)
        output_line(ctl, "%-12s nowhere: it has no address, or does not listen", "reached at");
    output_line(ctl, "%-12s %s", "changes",
                json_is_true(json_object_get(network, "watched"))
                    ? "are noticed"
                    : member_string(network, "error", "are not noticed"));
    if (!json_is_true(json_object_get(network, "port_mapping")))
        output_line(ctl, "%-12s is not asked for anything (port-mapping in p2pchatd.conf)",
                    "router");
    json_array_foreach(mappings, i, each)
    {
        network_view_mapping(each, text);
        output_line(ctl, "%-12s %s", i == 0 ? "router" : "", text);
    }
}
