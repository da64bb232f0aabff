/* SPDX-License-Identifier: ISC */
/*
 * Requests for clients: what they ask, what comes of it, and what those are told who provide a
 * service.
 */
#pragma once

#include "core/calls.h"
#include "daemon/control_call.h"

/* The node's observer: a client has to answer a request, or to end it. */
void control_request_given(void *context, const struct call *call);
void control_request_stop(void *context, const struct call *call);

/* The client goes: what it was answering nobody does. */
void control_requests_forget(struct control_client *client);
