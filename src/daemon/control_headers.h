/* SPDX-License-Identifier: ISC */
/*
 * The content of messages in the control interface: texts, bytes, and headers.
 */
#pragma once

#include "daemon/control_call.h"

/*
 * Reads "body", "body_base64" and "headers" of a call into the kind and content of a draft; the
 * content lives in `buffer`, or in the call. False: call->kind and text say why not.
 */
bool control_headers_read(struct control_call *call, struct node_draft *draft,
                          struct bytes *buffer);

/*
 * Adds what a message's content is: "body" if that is a text, else "body_base64", and of one with
 * headers these and "size", the bytes of its body. False: it can't be what was stored.
 */
bool control_headers_view(json_t **object, enum message_kind kind, struct span content);
