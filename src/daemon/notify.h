/*
 * The service manager: how it learns of our state, the sockets it hands over, and its journal.
 * Without one, or built without systemd, all of this does nothing.
 */
#pragma once

#include <stdbool.h>

#include "base/log.h"

/* Sends log entries to the journal when the service manager connected standard error to it. */
void notify_use_journal(void);

/* Tells the state in which the service is. Text must hold counts only, never names. */
void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
