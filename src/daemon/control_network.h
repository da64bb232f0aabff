/* SPDX-License-Identifier: ISC */
/*
 * The network as control objects: whether its changes are noticed, and where this machine is
 * reached.
 */
#pragma once

#include <jansson.h>

#include "core/node.h"

/* {watched, error?, changed?, port_mapping} */
json_t *control_network_view(const struct node *node);
