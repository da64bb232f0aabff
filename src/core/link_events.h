/* SPDX-License-Identifier: ISC */
/*
 * What happens on a link goes to the module that answers it. Nothing is decided here.
 */
#pragma once

#include "core/admission.h"
#include "core/clones.h"
#include "core/delivery.h"
#include "core/streams.h"
#include "core/tell.h"

/* Who answers. All outlive it. */
struct link_answers {
    struct runtime *runtime;
    struct limits *limits;
    struct pending_keys *pending_keys;
    struct roster *roster;
    struct admission *admission;
    struct delivery *delivery;
    struct streams *streams;
    const struct tell *tell;
    struct clones *clones;
};

/* For links_init(), whose context is a struct link_answers. */
extern const struct link_events core_link_events;
