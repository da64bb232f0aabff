/* SPDX-License-Identifier: ISC */
/*
 * Built without systemd: there is no service manager to talk to.
 */
#include "daemon/notify.h"

const bool notify_built = false;

bool notify_manager_runs(void)
{
    return false;
}

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

void notify_extend_timeout(uint64_t ms)
{
    (void)ms;
}

uint64_t notify_watchdog_ms(void)
{
    return 0;
}

void notify_alive(void)
{
}

int notify_socket(const char *name, unsigned index)
{
    (void)name;
    (void)index;
    return -1;
}
