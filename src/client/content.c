/* SPDX-License-Identifier: ISC */
/*
 * Bodies and headers of messages. How a whole message looks is view.c's matter.
 */
#include "client/content.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "rpc/rpc_bytes.h"

const json_t *content_text(const json_t *message)
{
    const json_t *body = json_object_get(message, "body");
    return json_is_string(body) ? body : NULL;
}

static const json_t *encoded(const json_t *message)
{
    const json_t *body = json_object_get(message, "body_base64");
    return json_is_string(body) ? body : NULL;
}

bool content_has_body(const json_t *message)
{
    return content_text(message) != NULL || encoded(message) != NULL;
}

int content_append_body(struct bytes *out, const json_t *message)
{
    const json_t *text = content_text(message);
    if (text != NULL)
        return bytes_append(out, json_string_value(text), json_string_length(text));
    return encoded(message) != NULL ? rpc_bytes_read(encoded(message), out) : -EINVAL;
}

const char *content_header(const json_t *message, const char *name)
{
    return member_string(json_object_get(message, "headers"), name, "");
}

static int append_harmless(struct bytes *out, const char *text)
{
    return escape_append(out, text, strlen(text), ESCAPE_LINE);
}

int content_append_size(struct bytes *out, const json_t *message)
{
    char size[64];
    const json_int_t bytes = json_integer_value(json_object_get(message, "size"));
    snprintf(size, sizeof size, ", %" JSON_INTEGER_FORMAT " byte%s>", bytes, bytes == 1 ? "" : "s");
    int r = bytes_append_u8(out, '<');
    if (r == 0)
        r = append_harmless(out, content_header(message, "type"));
    return r == 0 ? bytes_append(out, size, strlen(size)) : r;
}

int content_append_tags(struct bytes *out, const json_t *message)
{
    const char *topic = content_header(message, "topic");
    const char *priority = content_header(message, "priority");
    int r = 0;
    if (topic[0] != '\0') {
        r = bytes_append(out, " [", 2);
        if (r == 0)
            r = append_harmless(out, topic);
        if (r == 0)
            r = bytes_append_u8(out, ']');
    }
    if (r == 0 && priority[0] != '\0')
        r = bytes_append(out, " !", 2);
    return r == 0 ? append_harmless(out, priority) : r;
}
