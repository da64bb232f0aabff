/* SPDX-License-Identifier: ISC */
/*
 * How messages and events look.
 */
#include "client/view.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/shell.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "client/content.h"
#include "client/options.h"
#include "client/output.h"
#include "client/width.h"

#define DIM   "\033[2m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

int view_parse(struct ctl *ctl, const char *text, enum view_format *format)
{
    if (strcmp(text, "short") == 0)
        *format = VIEW_SHORT;
    else if (strcmp(text, "verbose") == 0)
        *format = VIEW_VERBOSE;
    else if (strcmp(text, "cat") == 0)
        *format = VIEW_CAT;
    else if (strcmp(text, "json") == 0)
        *format = VIEW_JSON;
    else
        return options_misuse(ctl, "-o must be short, verbose, cat or json, not \"%s\"", text);
    return 0;
}

void view_gap(const json_t *event, char text[static VIEW_GAP_MAX])
{
    const char *reason = member_string(event, "reason", "removed");
    if (strcmp(reason, "restored") == 0)
        snprintf(text, VIEW_GAP_MAX,
                 "the daemon's store was replaced: events %" JSON_INTEGER_FORMAT
                 " to %" JSON_INTEGER_FORMAT " are not in it",
                 member_integer(event, "from"), member_integer(event, "to"));
    else
        snprintf(text, VIEW_GAP_MAX, "messages are missing here: %s", reason);
}

void view_time(const char *text, char local[static VIEW_TIME_MAX])
{
    uint64_t wall_ms;
    struct tm parts;
    memcpy(local, "-", 2);
    if (timestamp_parse(text, &wall_ms) != 0)
        return;
    const time_t seconds = (time_t)(wall_ms / 1000);
    if (localtime_r(&seconds, &parts) != NULL)
        strftime(local, VIEW_TIME_MAX, "%Y-%m-%d %H:%M:%S", &parts);
}

void view_duration(json_int_t seconds, char text[static VIEW_DURATION_MAX])
{
    if (seconds >= 86400)
        snprintf(text, VIEW_DURATION_MAX, "%" JSON_INTEGER_FORMAT " d %d h", seconds / 86400,
                 (int)(seconds % 86400 / 3600));
    else if (seconds >= 3600)
        snprintf(text, VIEW_DURATION_MAX, "%d h %d min", (int)(seconds / 3600),
                 (int)(seconds % 3600 / 60));
    else if (seconds >= 60)
        snprintf(text, VIEW_DURATION_MAX, "%d min %d s", (int)(seconds / 60), (int)(seconds % 60));
    else
        snprintf(text, VIEW_DURATION_MAX, "%d s", (int)seconds);
}

void view_size(json_int_t bytes, char text[static VIEW_SIZE_MAX])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double size = (double)bytes / 1024;
    size_t unit = 0;
    if (bytes < 1024) {
        snprintf(text, VIEW_SIZE_MAX, "%d B", (int)bytes);
        return;
    }
    for (; size >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        size /= 1024;
    snprintf(text, VIEW_SIZE_MAX, "%.1f %s", size, units[unit]);
}

char *view_join(const json_t *strings)
{
    CLEANUP(bytes_deinit) struct bytes text = {0};
    size_t i;
    json_t *string;
    json_array_foreach(strings, i, string)
    {
        const char *one = json_string_value(string);
        if ((i > 0 && bytes_append(&text, ", ", 2) != 0) ||
            bytes_append(&text, one, strlen(one)) != 0)
            return NULL;
    }
    return strndup(text.size > 0 ? (const char *)text.data : "", text.size);
}

/* Appends printf-like text on one harmless line. */
__attribute__((format(printf, 2, 3))) static int append(struct bytes *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(cleanup_free) char *text = text_vformat(format, arguments);
    va_end(arguments);
    return text != NULL ? escape_append(out, text, strlen(text), ESCAPE_LINE) : -ENOMEM;
}

/* Appends a body whose lines after the first begin in column `indent`. */
static int append_body(struct bytes *out, const char *body, size_t size, size_t indent)
{
    static const char spaces[] = "                                ";
    for (;;) {
        const char *end = memchr(body, '\n', size);
        const size_t line = end != NULL ? (size_t)(end - body) : size;
        if (escape_append(out, body, line, ESCAPE_PARAGRAPH) != 0)
            return -ENOMEM;
        if (end == NULL)
            return 0;
        body += line + 1;
        size -= line + 1;
        if (bytes_append_u8(out, '\n') != 0)
            return -ENOMEM;
        for (size_t left = size > 0 && body[0] != '\n' ? indent : 0; left > 0;) {
            const size_t piece = left < sizeof spaces - 1 ? left : sizeof spaces - 1;
            if (bytes_append(out, spaces, piece) != 0)
                return -ENOMEM;
            left -= piece;
        }
    }
}

/* Appends harmless text between a colour and its end, and adds its columns to *columns. */
static int append_part(struct bytes *out, const char *colour, const char *text, size_t *columns)
{
    const size_t start = out->size;
    int r = append(out, "%s", text);
    if (r != 0)
        return r;
    *columns += width_of_part((const char *)out->data + start, out->size - start);
    if (colour[0] == '\0')
        return 0;
    out->size = start;
    r = bytes_append(out, colour, strlen(colour));
    if (r == 0)
        r = append(out, "%s", text);
    return r == 0 ? bytes_append(out, PLAIN, strlen(PLAIN)) : r;
}

const char *view_trust_mark(const json_t *object)
{
    return strcmp(member_string(object, "trust", "verified"), "verified") == 0 ? ""
                                                                               : " (unverified)";
}

void view_advise(struct ctl *ctl, const json_t *object)
{
    const char *name = member_string(object, "peer", "?");
    if (!ctl->watched || ctl->advised || view_trust_mark(object)[0] == '\0')
        return;
    ctl->advised = true;
    ctl_note(ctl,
             "%s is unverified: compare with them the safety number of p2pchatctl fingerprint %s, "
             "then: p2pchatctl peer verify %s NUMBER",
             name, shell_word(name).text, shell_word(name).text);
}

/*
 * "2026-11-22 20:51:03 alice: text", or "... -> alice (queued): text" for an own one; "alice
 * (unverified):" before its key was compared; with headers
 * "alice [disk/root] !high:", which no text can pretend, since names have no spaces.
 */
static int append_message(struct bytes *out, const json_t *object, bool own, const json_t *message,
                          bool colour)
{
    const json_t *body = content_text(message);
    const char *state = own ? member_string(message, "state", "") : "";
    const bool marked = state[0] != '\0' && strcmp(state, "delivered") != 0;
    CLEANUP(cleanup_free) char *who = NULL;
    CLEANUP(bytes_deinit) struct bytes tags = {0};
    char local[VIEW_TIME_MAX];
    size_t indent = 2; /* the spaces */
    view_time(member_string(object, "time", ""), local);
    if (content_append_tags(&tags, message) != 0 ||
        asprintf(&who, "%s%s%s%.*s%s%s%s:", own ? "-> " : "", member_string(object, "peer", "?"),
                 view_trust_mark(object), (int)tags.size, (const char *)tags.data,
                 marked ? " (" : "", marked ? state : "", marked ? ")" : "") < 0) {
        who = NULL;
        return -ENOMEM;
    }
    if (append_part(out, colour ? DIM : "", local, &indent) != 0 ||
        bytes_append(out, " ", 1) != 0 || append_part(out, colour ? BOLD : "", who, &indent) != 0 ||
        bytes_append(out, " ", 1) != 0)
        return -ENOMEM;
    if (body == NULL && content_has_body(message))
        return content_append_size(out, message);
    if (body == NULL)
        return append(out, json_is_true(json_object_get(message, "damaged"))
                               ? "(the stored text is damaged)"
                               : "(the text was removed)");
    return append_body(out, json_string_value(body), json_string_length(body), indent);
}

int view_short_message(struct bytes *out, const json_t *message, bool colour)
{
    const bool own = strcmp(member_string(message, "direction", "in"), "out") == 0;
    return append_message(out, message, own, message, colour);
}

/* "offers report.pdf (1.2 MiB): p2pchatctl files get ID" */
static int append_offer(struct bytes *out, const json_t *event)
{
    const json_t *message = json_object_get(event, "message");
    const json_t *file = json_object_get(message, "file");
    const bool own = strcmp(member_string(message, "direction", ""), "out") == 0;
    const char *name = member_string(file, "name", "?");
    char size[VIEW_SIZE_MAX];
    view_size(member_integer(file, "size"), size);
    if (own)
        return append(out, "%s (%s) is offered", name, size);
    return append(out, "offers %s (%s): p2pchatctl files get %s", name, size,
                  member_string(message, "id", "?"));
}

/* "transfer ID: refused (size)" */
static int append_end(struct bytes *out, const json_t *event)
{
    const json_t *file = json_object_get(json_object_get(event, "message"), "file");
    const char *reason = member_string(file, "reason", "");
    const bool has_reason = reason[0] != '\0';
    return append(out, "transfer %s: %s%s%s%s", member_string(file, "id", "?"),
                  member_string(file, "state", "?"), has_reason ? " (" : "", reason,
                  has_reason ? ")" : "");
}

/* What an event that is no message says, for people. */
static int append_event(struct bytes *out, const char *type, const json_t *event)
{
    const json_t *message = json_object_get(event, "message");
    const char *reason = member_string(message, "reason", member_string(event, "reason", ""));
    if (strcmp(type, "message.state") == 0)
        return append(out, "%s is %s%s%s", member_string(message, "id", "?"),
                      member_string(message, "state", "?"), reason[0] != '\0' ? ": " : "", reason);
    if (strcmp(type, "peer.trust") == 0)
        return append(out, "trust is %s now", member_string(event, "trust", "?"));
    if (strcmp(type, "peer.key_changed") == 0)
        return append(out, "another key answers in its place; nothing is sent until you decide");
    if (strcmp(type, "peer.moved") == 0)
        return append(out, "it runs with another state directory now");
    if (strcmp(type, "peer.cloned") == 0)
        return append(out, "two machines use its key");
    if (strcmp(type, "identity.cloned") == 0)
        return append(out, "another machine uses this machine's key; see p2pchatctl doctor");
    if (strcmp(type, "peer.request") == 0)
        return append(out, "%s asks to be let in", member_string(event, "fingerprint", "?"));
    if (strncmp(type, "peer.", 5) == 0)
        return append(out, "%s", type + 5);
    if (strcmp(type, "file.offered") == 0)
        return append_offer(out, event);
    if (strcmp(type, "file.state") == 0)
        return append_end(out, event);
    return append(out, "%s", type);
}

int view_file_event(struct bytes *out, const json_t *event)
{
    return append_event(out, member_string(event, "type", ""), event);
}

int view_short_event(struct bytes *out, const json_t *event, bool colour)
{
    const char *type = member_string(event, "type", "");
    const char *time = member_string(event, "time", "");
    const char *peer = member_string(event, "peer", "");
    const bool own = strcmp(type, "message.sent") == 0;
    char local[VIEW_TIME_MAX];
    if (own || strcmp(type, "message.received") == 0)
        return append_message(out, event, own, json_object_get(event, "message"), colour);
    view_time(time, local);
    if (append(out, "%s * %s%s", local, peer, peer[0] != '\0' ? ": " : "") != 0)
        return -ENOMEM;
    return append_event(out, type, event);
}

/* Appends the body, which is there: exact bytes, but harmless on a terminal. */
static int append_exact(struct bytes *out, const json_t *message, bool terminal)
{
    CLEANUP(bytes_deinit) struct bytes body = {0};
    const int r = content_append_body(terminal ? &body : out, message);
    if (r != 0 || !terminal)
        return r;
    return escape_append(out, (const char *)body.data, body.size, ESCAPE_PARAGRAPH);
}

/* The body alone. */
static bool print_body(struct ctl *ctl, struct span end, const json_t *message)
{
    struct bytes out = {0};
    if (!content_has_body(message) && json_is_true(json_object_get(message, "damaged")))
        ctl_note(ctl, "the stored text of message %s is damaged",
                 member_string(message, "id", "?"));
    if (!content_has_body(message))
        return false;
    if (append_exact(&out, message, ctl->terminal) != 0 ||
        bytes_append(&out, end.data, end.size) != 0)
        ctl_fail(ctl, RPC_KIND_internal, "out of memory");
    else
        output_bytes(ctl, bytes_span(&out));
    bytes_deinit(&out);
    return true;
}

void view_body(struct ctl *ctl, const json_t *message)
{
    print_body(ctl, SPAN("", 0), message);
}

static bool print_short(struct ctl *ctl, const struct view *view, const json_t *object,
                        view_short *append_short)
{
    struct bytes out = {0};
    if (append_short(&out, object, ctl->colour) != 0 || bytes_append(&out, &view->end, 1) != 0)
        ctl_fail(ctl, RPC_KIND_internal, "out of memory");
    else
        output_bytes(ctl, bytes_span(&out));
    bytes_deinit(&out);
    return true;
}

/* Appends a member on lines of its own, its name in a column before it. */
static int append_member(struct bytes *out, const char *name, const json_t *value)
{
    enum { NAME_WIDTH = 13, INDENT = 4 + NAME_WIDTH + 1 };
    char local[VIEW_TIME_MAX];
    int r = append(out, "    %-*s ", NAME_WIDTH, name);
    if (r != 0)
        return r;
    if (strcmp(name, "sent") == 0 && json_is_string(value)) {
        view_time(json_string_value(value), local);
        r = append(out, "%s", local);
    } else if (json_is_string(value)) {
        r = append_body(out, json_string_value(value), json_string_length(value), INDENT);
    } else if (json_is_integer(value)) {
        r = append(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else {
        r = append(out, "%s", json_is_true(value) ? "yes" : "no");
    }
    return r == 0 ? bytes_append_u8(out, '\n') : r;
}

/* Tags of headers that this version does not know. */
static int append_unknown(struct bytes *out, const json_t *tags)
{
    size_t i;
    json_t *tag;
    json_array_foreach(tags, i, tag)
    {
        if (append_member(out, "unknown", tag) != 0)
            return -ENOMEM;
    }
    return 0;
}

/* Headers of people's own as `send -H` takes them. */
static int append_user_headers(struct bytes *out, const json_t *users)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)users, name, value)
    {
        CLEANUP(json_release)
        json_t *both = json_sprintf("%s=%s", name, json_string_value(value));
        if (both == NULL || append_member(out, "header", both) != 0)
            return -ENOMEM;
    }
    return 0;
}

/* Headers are lines like the others. */
static int append_headers(struct bytes *out, const json_t *headers)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)headers, name, value)
    {
        const int r = json_is_object(value)  ? append_user_headers(out, value)
                      : json_is_array(value) ? append_unknown(out, value)
                                             : append_member(out, name, value);
        if (r != 0)
            return r;
    }
    return 0;
}

/* "body         <image/png, 4096 bytes>" */
static int append_size(struct bytes *out, const json_t *message)
{
    CLEANUP(bytes_deinit) struct bytes size = {0};
    if (content_append_size(&size, message) != 0)
        return -ENOMEM;
    CLEANUP(json_release)
    json_t *text = json_stringn((const char *)size.data, size.size);
    return append_member(out, "body", text);
}

/* Appends what an object has, but for what the first line says already. */
static int append_members(struct bytes *out, const json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        if (strcmp(name, "time") == 0 || strcmp(name, "peer") == 0 || strcmp(name, "sub") == 0 ||
            strcmp(name, "message") == 0)
            continue;
        const int r = strcmp(name, "headers") == 0       ? append_headers(out, value)
                      : strcmp(name, "body_base64") == 0 ? append_size(out, object)
                      : json_is_object(value)            ? 0
                                                         : append_member(out, name, value);
        if (r != 0)
            return -ENOMEM;
    }
    return 0;
}

/* Everything that is known about a message or an event. */
static int append_verbose(struct bytes *out, const json_t *object, bool colour)
{
    char local[VIEW_TIME_MAX];
    size_t columns = 0;
    view_time(member_string(object, "time", ""), local);
    if (append_part(out, colour ? DIM : "", local, &columns) != 0 ||
        bytes_append(out, " ", 1) != 0 ||
        append_part(out, colour ? BOLD : "", member_string(object, "peer", "-"), &columns) != 0 ||
        bytes_append_u8(out, '\n') != 0 || append_members(out, object) != 0)
        return -ENOMEM;
    return append_members(out, json_object_get(object, "message"));
}

bool view_message(struct ctl *ctl, const struct view *view, const json_t *message)
{
    switch (view->format) {
    case VIEW_JSON:
        output_json(ctl, message, view->end);
        return true;
    case VIEW_CAT:
        return print_body(ctl, SPAN(&view->end, 1), message);
    case VIEW_SHORT:
    case VIEW_VERBOSE:
        break;
    }
    return print_short(ctl, view, message,
                       view->format == VIEW_VERBOSE ? append_verbose : view_short_message);
}

bool view_event(struct ctl *ctl, const struct view *view, const json_t *event)
{
    const char *type = member_string(event, "type", "");
    switch (view->format) {
    case VIEW_JSON:
        output_json(ctl, event, view->end);
        return true;
    case VIEW_CAT:
        return strcmp(type, "message.state") != 0 &&
               print_body(ctl, SPAN(&view->end, 1), json_object_get(event, "message"));
    case VIEW_SHORT:
    case VIEW_VERBOSE:
        break;
    }
    if (strcmp(type, "message.received") == 0 || strcmp(type, "message.sent") == 0)
        view_advise(ctl, event);
    return print_short(ctl, view, event,
                       view->format == VIEW_VERBOSE ? append_verbose : view_short_event);
}
