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

/* The same for a request to a service, whose name is judged, too. */
bool control_headers_ask(struct control_call *call, const char *service, uint32_t timeout_s,
                         struct node_draft *draft, struct bytes *buffer);

/* Reads "body" or "body_base64" alone; the body lives in `buffer`, or in the call. False likewise.
 */
bool control_headers_body(struct control_call *call, struct bytes *buffer, struct span *body);

/*
 * Adds what a message's content is: "body" if that is a text, else "body_base64", and of one with
 * headers these and "size", the bytes of its body; of a request and a result also what makes it
 * one. False: it can't be what was stored.
 */
bool control_headers_view(json_t **object, enum message_kind kind, struct span content);

/* "exited" and so on, of an outcome of the wire. */
const char *control_result_name(uint8_t outcome);
