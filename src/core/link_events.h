/*
 * The switchboard: what happens on a link goes to the module that answers it. Nothing is decided
 * here.
 */
#pragma once

#include "core/link.h"

/* For links_init(), whose context is the struct node. */
extern const struct link_events node_link_events;
