/* SPDX-License-Identifier: ISC */
/*
 * The log: one line per thing that happened, for people and for machines.
 *
 * What is logged goes to a sink (standard error unless told otherwise). Text is made harmless on
 * the way (base/escape.h), so peers' words and names may be arguments. Never log keys, secrets or
 * message text. The log is the one piece of process-wide state in the program.
 */
#pragma once

#include <stdbool.h>

struct bytes;

/* As in syslog(3). */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7,
};

/* One entry on its way to the sink; the strings live until the sink returns. */
struct log_entry {
    enum log_level level;
    const char *component; /* the module that speaks: "link", "store" */
    const char *event;     /* stable identifier a person would search for, or NULL: "peer-online" */
    const char *peer;      /* the peer it is about, or NULL */
    const char *message;   /* one harmless line */
};

typedef void log_sink(const struct log_entry *entry);

/* Entries below this importance are dropped; the default is LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* "error", "warning", "notice", "info", "debug". 0 or -EINVAL. */
int log_level_parse(const char *text, enum log_level *level);
const char *log_level_name(enum log_level level);

/*
 * What edits the text of each entry first: appends it to `out` as `context`, which is kept, says.
 * 0, or another value and the text stays as it is. NULL: nothing does.
 */
typedef int log_edit(struct bytes *out, const char *text, const void *context);
void log_set_edit(log_edit *edit, const void *context);

/* Where entries go from now on; NULL is standard error. */
void log_set_sink(log_sink *sink);

void log_write(enum log_level level, const char *component, const char *event, const char *peer,
               const char *format, ...) __attribute__((format(printf, 5, 6)));

/*
 * The usual way to log: a file defines LOG_COMPONENT and calls these. `log_event` adds what
 * machines search for. Errors always pass; of everything else at most LOG_BURST lines of one call
 * site pass in LOG_INTERVAL_S, and before the first of the next interval a line tells how many were
 * dropped.
 */
enum { LOG_BURST = 50, LOG_INTERVAL_S = 10 };

#define log_error(...)                     log_write(LOG_LEVEL_ERROR, LOG_COMPONENT, NULL, NULL, __VA_ARGS__)
#define log_warning(...)                   log_limited(LOG_LEVEL_WARNING, NULL, NULL, __VA_ARGS__)
#define log_notice(...)                    log_limited(LOG_LEVEL_NOTICE, NULL, NULL, __VA_ARGS__)
#define log_info(...)                      log_limited(LOG_LEVEL_INFO, NULL, NULL, __VA_ARGS__)
#define log_debug(...)                     log_limited(LOG_LEVEL_DEBUG, NULL, NULL, __VA_ARGS__)
#define log_event(level, event, peer, ...) log_limited(level, event, peer, __VA_ARGS__)

/* The state of one call site's limit. */
struct log_site {
    unsigned long long window_ms;
    unsigned count;
};

/* Whether one more line of this call site may pass now. */
bool log_allow(struct log_site *site, enum log_level level, const char *component);

#define log_limited(level, event, peer, ...)                           \
    do {                                                               \
        static struct log_site log_site_here;                          \
        if (log_allow(&log_site_here, level, LOG_COMPONENT))           \
            log_write(level, LOG_COMPONENT, event, peer, __VA_ARGS__); \
    } while (0)
