/* SPDX-License-Identifier: ISC */
/*
 * The control method about the network.
 */
#include "daemon/control_network.h"

#include "core/portmap.h"
#include "daemon/control_call.h"
#include "daemon/control_view.h"
#include "rpc/rpc_value.h"

json_t *control_network_view(const struct node *node)
{
    const struct notice *notice = node_notice(node);
    const char *flaw = notice_flaw(notice);
    json_t *network = json_pack("{s:b, s:s*, s:b}", "watched", flaw == NULL, "error", flaw,
                                "port_mapping", (int)node_settings(node)->port_mapping);
    if (notice->changed_ms != 0)
        rpc_value_set(&network, "changed", control_view_time(notice->changed_ms));
    return network;
}

static const char *dialect_name(const struct mapping *mapping)
{
    return mapping->dialect == PCP_DIALECT_PCP ? "pcp" : "nat-pmp";
}

static json_t *view_mapping(const struct portmap_row *row, uint64_t now_ms)
{
    const struct mapping *mapping = &row->mapping;
    struct address gateway, external;
    char text[ADDRESS_TEXT_MAX];
    json_t *object = json_pack("{s:s, s:i, s:s*}", "family", row->ipv6 ? "ipv6" : "ipv4", "port",
                               (int)mapping->wish.port, "error", mapping_flaw(mapping));
    if (portmap_gateway(mapping, &gateway))
        rpc_value_set(&object, "gateway", json_string(gateway.host));
    if (!portmap_external(mapping, &external))
        return object;
    rpc_value_set(&object, "protocol", json_string(dialect_name(mapping)));
    address_format(&external, text);
    rpc_value_set(&object, "external", json_string(text));
    rpc_value_set(&object, "public", json_boolean(address_is_public(&external)));
    rpc_value_set(&object, "lease_s",
                  json_integer((json_int_t)mapping_left_ms(mapping, now_ms) / 1000));
    return object;
}

static json_t *view_mappings(const struct node *node)
{
    const struct portmap *portmap = node_portmap(node);
    json_t *list = json_array();
    for (unsigned i = 0; i < portmap->count; i++)
        rpc_value_append(&list, view_mapping(&portmap->rows[i], loop_now(node_loop(node))));
    return list;
}

enum control_answer control_network_status(struct control_call *call)
{
    struct address addresses[TOLD_MAX];
    const unsigned count = node_own_addresses(call->node, addresses, TOLD_MAX);
    json_t *network = control_network_view(call->node);
    rpc_value_set(&network, "addresses", control_view_addresses(addresses, count));
    rpc_value_set(&network, "mappings", view_mappings(call->node));
    return control_call_done(call, network);
}
