/* SPDX-License-Identifier: ISC */
/*
 * What a message carries, as the daemon tells it: a text or bytes, and headers.
 */
#pragma once

#include "base/bytes.h"
#include "client/ctl.h"

/* Whether the message has a body (which may be empty): not one that was removed or is damaged. */
bool content_has_body(const json_t *message);

/* The body if it is a text, or NULL. */
const json_t *content_text(const json_t *message);

/* Appends the body, exactly. 0, -ENOMEM, or -EINVAL when there is none. */
int content_append_body(struct bytes *out, const json_t *message);

/* Appends "<application/octet-stream, 4096 bytes>", harmless. 0 or -ENOMEM. */
int content_append_size(struct bytes *out, const json_t *message);

/* Appends " [topic] !high" as far as the message has them, harmless. 0 or -ENOMEM. */
int content_append_tags(struct bytes *out, const json_t *message);

/* A header that is text, or "". */
const char *content_header(const json_t *message, const char *name);
