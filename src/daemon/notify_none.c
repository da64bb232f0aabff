/*
 * Built without systemd: there is no service manager to talk to.
 */
#include "daemon/notify.h"

void notify_use_journal(void)
{
}

void notify_ready(void)
{
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}

void notify_status(const char *format, ...)
{
    (void)format;
}
