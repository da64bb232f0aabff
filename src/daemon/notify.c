/* SPDX-License-Identifier: ISC */
/*
 * The service manager is systemd: sd_notify(3), sd_listen_fds(3) and the journal.
 */
#define LOG_COMPONENT "daemon"
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "daemon/notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

const bool notify_built = true;

/* --- the journal ------------------------------------------------------------------------------ */

static const char *message_id(const char *event)
{
    static const struct {
        const char *event;
        const char *id;
    } table[] = {
#define EVENT(name, message_id) {name, message_id},
#include "daemon/journal_events.def"
#undef EVENT
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].event, event) == 0)
            return table[i].id;
    }
    return NULL;
}

/* The fields of one entry, each "NAME=value" in memory of its own. */
struct fields {
    struct iovec list[8];
    int count;
};

/* A field for which there is no memory is left out. */
__attribute__((format(printf, 2, 3))) static void add_field(struct fields *fields,
                                                            const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = text_vformat(format, arguments);
    va_end(arguments);
    if (text != NULL)
        fields->list[fields->count++] = (struct iovec){text, strlen(text)};
}

static void send_to_journal(const struct log_entry *entry)
{
    const char *id = entry->event != NULL ? message_id(entry->event) : NULL;
    struct fields fields = {0};
    add_field(&fields, "PRIORITY=%d", (int)entry->level);
    add_field(&fields, "P2PCHAT_COMPONENT=%s", entry->component);
    if (entry->event != NULL)
        add_field(&fields, "P2PCHAT_EVENT=%s", entry->event);
    if (id != NULL)
        add_field(&fields, "MESSAGE_ID=%s", id);
    if (entry->peer != NULL) {
        add_field(&fields, "P2PCHAT_PEER=%s", entry->peer);
        add_field(&fields, "MESSAGE=%s: %s", entry->peer, entry->message);
    } else {
        add_field(&fields, "MESSAGE=%s", entry->message);
    }
    sd_journal_sendv(fields.list, fields.count);
    while (fields.count > 0)
        free(fields.list[--fields.count].iov_base);
}

/* Whether standard error is the very stream that $JOURNAL_STREAM names (device:inode). */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat file;
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &file) == 0 && file.st_dev == device && file.st_ino == inode;
}

void notify_use_journal(void)
{
    if (stderr_is_journal())
        log_set_sink(send_to_journal);
}

/* --- the state of the service ----------------------------------------------------------------- */

void notify_ready(void)
{
    sd_notify(0, "READY=1");
}

void notify_reloading(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    unsigned long long us =
        (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000;
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", us);
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void notify_status(const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sd_notifyf(0, "STATUS=%s", text);
}

void notify_extend_timeout(uint64_t ms)
{
    sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long)ms * 1000);
}

uint64_t notify_watchdog_ms(void)
{
    uint64_t us = 0;
    return sd_watchdog_enabled(0, &us) > 0 ? us / 1000 : 0;
}

void notify_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}

/* --- sockets ---------------------------------------------------------------------------------- */

static void free_names(char **names)
{
    for (char **name = names; name != NULL && *name != NULL; name++)
        free(*name);
    free(names);
}

bool notify_manager_runs(void)
{
    return sd_booted() > 0;
}

int notify_socket(const char *name, unsigned index)
{
    char **names = NULL;
    int count = sd_listen_fds_with_names(0, &names);
    int fd = -1;
    for (int i = 0; i < count && fd < 0; i++) {
        if (strcmp(names[i], name) == 0 && index-- == 0)
            fd = SD_LISTEN_FDS_START + i;
    }
    free_names(names);
    return fd;
}
