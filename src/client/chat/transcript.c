/* SPDX-License-Identifier: ISC */
/*
 * What a chat has on the screen.
 *
 *     --- Sunday, 22 November 2026 ---
 *     20:51   alice: hello
 *     20:52 ✓ me: two
 *             lines
 *     * alice is offline
 *
 * Where a row is on the screen is not known, only how far it is above the edit line; as long as
 * that is less than the terminal's height, it can't have left.
 */
#include "client/chat/transcript.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "client/content.h"
#include "client/ctl.h"
#include "client/view.h"
#include "client/width.h"

enum { MARK_COLUMN = 7, TIME_MAX = 64 }; /* columns count from 1, as terminals do */

static const struct {
    const char *state, *mark;
    bool final;
} marks[] = {
    {"queued", "·", false}, {"sent", "→", false},     {"delivered", "✓", true},
    {"expired", "✗", true}, {"cancelled", "✗", true}, {"failed", "✗", true},
};

static const char *mark_of(const char *state)
{
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (strcmp(marks[i].state, state) == 0)
            return marks[i].mark;
    }
    return " ";
}

static bool is_final(const char *state)
{
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (strcmp(marks[i].state, state) == 0)
            return marks[i].final;
    }
    return false;
}

/* --- printing --------------------------------------------------------------------------------- */

static void entry_deinit(struct transcript_entry *entry)
{
    free(entry->text);
    entry->text = NULL;
}

void transcript_deinit(struct transcript *transcript)
{
    for (size_t i = 0; i < TRANSCRIPT_ENTRIES_MAX; i++)
        entry_deinit(&transcript->entries[i]);
}

/* Appends what an entry looks like. 0 or -ENOMEM. */
static int append_entry(struct bytes *out, const struct transcript_entry *entry)
{
    char head[32];
    const int size = snprintf(head, sizeof head, "%s %s", entry->time, mark_of(entry->state));
    if (entry->time[0] != '\0' && bytes_append(out, head, (size_t)size) != 0)
        return -ENOMEM;
    return bytes_append(out, entry->text, strlen(entry->text));
}

static void print_entry(struct transcript *transcript, struct transcript_entry *entry)
{
    CLEANUP(bytes_deinit) struct bytes text = {0};
    if (append_entry(&text, entry) != 0)
        return;
    const char *data = (const char *)text.data;
    const size_t rows = width_rows(data, text.size, transcript->columns);
    fwrite(data, 1, text.size, transcript->out);
    entry->row = transcript->printed;
    entry->placed = true;
    transcript->printed += rows;
    transcript->slack -= rows < transcript->slack ? rows : transcript->slack;
}

/* Prints an entry for `text`, which it takes, and remembers it. */
static struct transcript_entry *add_entry(struct transcript *transcript, struct bytes *text,
                                          const char *time, const char *state)
{
    struct transcript_entry *entry =
        &transcript->entries[transcript->count++ % TRANSCRIPT_ENTRIES_MAX];
    entry_deinit(entry);
    *entry = (struct transcript_entry){.text = (char *)text->data};
    *text = (struct bytes){0};
    snprintf(entry->time, sizeof entry->time, "%s", time);
    snprintf(entry->state, sizeof entry->state, "%s", state);
    print_entry(transcript, entry);
    return entry;
}

void transcript_note(struct transcript *transcript, const char *format, ...)
{
    CLEANUP(bytes_deinit) struct bytes line = {0}, named = {0};
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(cleanup_free) char *text = text_vformat(format, arguments);
    va_end(arguments);
    if (text != NULL && bytes_append(&line, "* ", 2) == 0 &&
        hint_append(&named, text, &transcript->reader) == 0 &&
        escape_append(&line, (const char *)named.data, named.size, ESCAPE_LINE) == 0 &&
        bytes_append(&line, "\n", 2) == 0)
        add_entry(transcript, &line, "", "");
}

static void print_day(struct transcript *transcript, const struct tm *time)
{
    const int day = time->tm_year * 366 + time->tm_yday + 1;
    CLEANUP(bytes_deinit) struct bytes line = {0};
    char text[TIME_MAX];
    if (day == transcript->day)
        return;
    transcript->day = day;
    const size_t size = strftime(text, sizeof text, "--- %A, %-d %B %Y ---\n", time);
    if (bytes_append(&line, text, size + 1) == 0)
        add_entry(transcript, &line, "", "");
}

/* Appends the text, its further lines below the first one. 0 or -ENOMEM. */
static int append_body(struct bytes *out, const char *body, size_t size)
{
    static const char indent[] = "        ";
    for (;;) {
        const char *end = memchr(body, '\n', size);
        const size_t line = end != NULL ? (size_t)(end - body) : size;
        int r = escape_append(out, body, line, ESCAPE_PARAGRAPH);
        if (r != 0 || end == NULL)
            return r;
        r = bytes_append_u8(out, '\n');
        if (r == 0)
            r = bytes_append(out, indent, sizeof indent - 1);
        if (r != 0)
            return r;
        body += line + 1;
        size -= line + 1;
    }
}

/* Appends " alice: text". 0 or -ENOMEM. */
static int append_message(struct bytes *out, bool colour, const char *who, const json_t *message)
{
    static const char removed[] = "(the text was removed)";
    const json_t *body = content_text(message);
    int r = bytes_append(out, colour ? " \033[1m" : " ", colour ? 5 : 1);
    if (r == 0)
        r = escape_append(out, who, strlen(who), ESCAPE_LINE);
    if (r == 0)
        r = content_append_tags(out, message);
    if (r == 0)
        r = bytes_append(out, colour ? ":\033[0m " : ": ", colour ? 6 : 2);
    if (r == 0 && body != NULL)
        r = append_body(out, json_string_value(body), json_string_length(body));
    else if (r == 0 && content_has_body(message))
        r = content_append_size(out, message);
    else if (r == 0)
        r = bytes_append(out, removed, sizeof removed - 1);
    return r == 0 ? bytes_append(out, "\n", 2) : r;
}

void transcript_message(struct transcript *transcript, const json_t *message)
{
    const bool own = strcmp(member_string(message, "direction", "in"), "out") == 0;
    const char *state = own ? member_string(message, "state", "queued") : "";
    CLEANUP(bytes_deinit) struct bytes text = {0};
    char time[TIME_MAX] = "--:--";
    uint64_t wall_ms;
    struct tm parts;
    if (timestamp_parse(member_string(message, "time", ""), &wall_ms) == 0) {
        const time_t seconds = (time_t)(wall_ms / 1000);
        if (localtime_r(&seconds, &parts) != NULL) {
            strftime(time, sizeof time, "%H:%M", &parts);
            print_day(transcript, &parts);
        }
    }
    const char *mark = own ? "" : view_trust_mark(message);
    CLEANUP(cleanup_free) char *who = NULL;
    if (asprintf(&who, "%s%s", own ? "me" : member_string(message, "peer", "?"), mark) < 0) {
        who = NULL;
        return;
    }
    if (append_message(&text, transcript->colour, who, message) != 0)
        return;
    struct transcript_entry *entry = add_entry(transcript, &text, time, state);
    if (own && !is_final(state))
        snprintf(entry->id, sizeof entry->id, "%s", member_string(message, "id", ""));
}

/* --- what changes ----------------------------------------------------------------------------- */

void transcript_resize(struct transcript *transcript, size_t columns, size_t rows, size_t line_rows)
{
    size_t room = rows > line_rows ? rows - line_rows : 0, first = transcript->count;
    transcript->columns = columns;
    transcript->rows = rows;
    transcript->printed = transcript->slack = 0;
    for (size_t i = 0; i < TRANSCRIPT_ENTRIES_MAX; i++)
        transcript->entries[i].placed = false;
    fputs("\033[H\033[2J", transcript->out);
    while (first > 0 && transcript->count - first < TRANSCRIPT_ENTRIES_MAX) {
        CLEANUP(bytes_deinit) struct bytes text = {0};
        if (append_entry(&text, &transcript->entries[(first - 1) % TRANSCRIPT_ENTRIES_MAX]) != 0)
            break;
        const size_t needed = width_rows((const char *)text.data, text.size, columns);
        if (needed > room)
            break;
        room -= needed;
        first--;
    }
    for (; first < transcript->count; first++)
        print_entry(transcript, &transcript->entries[first % TRANSCRIPT_ENTRIES_MAX]);
}

void transcript_line_took(struct transcript *transcript, size_t rows)
{
    if (rows > 0 && rows - 1 > transcript->slack)
        transcript->slack = rows - 1;
}

static struct transcript_entry *find_entry(struct transcript *transcript, const char *id)
{
    for (size_t i = 0; i < TRANSCRIPT_ENTRIES_MAX; i++) {
        if (id[0] != '\0' && strcmp(transcript->entries[i].id, id) == 0)
            return &transcript->entries[i];
    }
    return NULL;
}

static bool is_on_screen(const struct transcript *transcript, const struct transcript_entry *entry)
{
    return entry->placed && transcript->printed - entry->row + transcript->slack < transcript->rows;
}

void transcript_state(struct transcript *transcript, const char *id, const char *state,
                      const char *reason)
{
    struct transcript_entry *entry = find_entry(transcript, id);
    if (entry == NULL || strcmp(entry->state, state) == 0)
        return;
    snprintf(entry->state, sizeof entry->state, "%s", state);
    const bool visible = is_on_screen(transcript, entry);
    if (visible) /* save the cursor, go there, and come back */
        fprintf(transcript->out, "\0337\033[%zuA\033[%dG%s\0338", transcript->printed - entry->row,
                MARK_COLUMN, mark_of(state));
    if (!is_final(state))
        return;
    entry->id[0] = '\0';
    if (strcmp(state, "delivered") != 0)
        transcript_note(transcript, "%s your message of %s is %s%s%s", mark_of(state), entry->time,
                        state, reason[0] != '\0' ? ": " : "", reason);
    else if (!visible)
        transcript->unseen++;
}

void transcript_settle(struct transcript *transcript)
{
    if (transcript->unseen > 0)
        transcript_note(transcript, "%s %zu earlier message%s delivered", mark_of("delivered"),
                        transcript->unseen, transcript->unseen == 1 ? " is" : "s are");
    transcript->unseen = 0;
}
