/* SPDX-License-Identifier: ISC */
/*
 * The log: formats, makes harmless, limits and hands over. Where lines end up (journal, syslog,
 * file) is the sink's business; the one built in writes to standard error.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/escape.h"

enum { LINE_MAX_SIZE = 1024, PEER_MAX_SIZE = 256 };

static const struct {
    enum log_level level;
    const char *name;
} LEVELS[] = {
    {LOG_LEVEL_ERROR, "error"}, {LOG_LEVEL_WARNING, "warning"}, {LOG_LEVEL_NOTICE, "notice"},
    {LOG_LEVEL_INFO, "info"},   {LOG_LEVEL_DEBUG, "debug"},
};

enum { LEVEL_COUNT = sizeof LEVELS / sizeof LEVELS[0] };

static void log_to_stderr(const struct log_entry *entry)
{
    fprintf(stderr, "%s: %s: %s%s%s\n", program_invocation_short_name, entry->component,
            entry->peer != NULL ? entry->peer : "", entry->peer != NULL ? ": " : "",
            entry->message);
}

static struct {
    enum log_level level;
    log_sink *sink;
    log_edit *edit;
    const void *context;
} log_state = {LOG_LEVEL_INFO, log_to_stderr, NULL, NULL};

void log_set_level(enum log_level level)
{
    log_state.level = level;
}

enum log_level log_get_level(void)
{
    return log_state.level;
}

int log_level_parse(const char *text, enum log_level *level)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (strcmp(text, LEVELS[i].name) == 0) {
            *level = LEVELS[i].level;
            return 0;
        }
    }
    return -EINVAL;
}

const char *log_level_name(enum log_level level)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (LEVELS[i].level == level)
            return LEVELS[i].name;
    }
    return "unknown";
}

void log_set_sink(log_sink *sink)
{
    log_state.sink = sink != NULL ? sink : log_to_stderr;
}

void log_set_edit(log_edit *edit, const void *context)
{
    log_state.edit = edit;
    log_state.context = context;
}

static void make_line(char line[static LINE_MAX_SIZE], const char *text)
{
    CLEANUP(bytes_deinit) struct bytes edited = {0};
    const bool done = log_state.edit != NULL &&
                      log_state.edit(&edited, text, log_state.context) == 0 &&
                      bytes_append_u8(&edited, '\0') == 0;
    escape_copy(line, LINE_MAX_SIZE, done ? (const char *)edited.data : text, ESCAPE_LINE);
}

void log_write(enum log_level level, const char *component, const char *event, const char *peer,
               const char *format, ...)
{
    /* One byte more than a line holds, so that what is cut here is marked as cut there. */
    char text[LINE_MAX_SIZE + 1];
    char line[LINE_MAX_SIZE];
    char peer_line[PEER_MAX_SIZE];
    int saved_errno = errno;
    va_list arguments;
    if (level > log_state.level)
        return;
    va_start(arguments, format);
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    make_line(line, text);
    if (peer != NULL)
        escape_copy(peer_line, sizeof peer_line, peer, ESCAPE_LINE);
    log_state.sink(&(struct log_entry){
        .level = level,
        .component = component,
        .event = event,
        .peer = peer != NULL ? peer_line : NULL,
        .message = line,
    });
    errno = saved_errno;
}

bool log_allow(struct log_site *site, enum log_level level, const char *component)
{
    unsigned long long now_ms;
    unsigned dropped;
    if (level > log_state.level)
        return false;
    if (level <= LOG_LEVEL_ERROR)
        return true;
    now_ms = clock_monotonic_ms();
    if (now_ms - site->window_ms >= LOG_INTERVAL_S * 1000ULL) {
        dropped = site->count > LOG_BURST ? site->count - LOG_BURST : 0;
        *site = (struct log_site){.window_ms = now_ms};
        if (dropped > 0)
            log_write(level, component, NULL, NULL, "%u lines like the next were dropped", dropped);
    }
    site->count++;
    return site->count <= LOG_BURST;
}
