/*
 * The service manager is systemd: sd_notify(3) and the journal.
 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "daemon/notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

static void send_to_journal(const struct log_entry *entry)
{
    sd_journal_send("PRIORITY=%d", (int)entry->level, "MESSAGE=%s%s%s",
                    entry->peer != NULL ? entry->peer : "", entry->peer != NULL ? ": " : "",
                    entry->message, "P2PCHAT_COMPONENT=%s", entry->component, "P2PCHAT_EVENT=%s",
                    entry->event != NULL ? entry->event : "", "P2PCHAT_PEER=%s",
                    entry->peer != NULL ? entry->peer : "", NULL);
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
