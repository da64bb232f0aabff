/* SPDX-License-Identifier: ISC */
/*
 * The service manager: how it learns of our state, the sockets it hands over, and its journal.
 * Without one, or built without systemd, all of this does nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"

/* Whether this program was built with systemd. */
extern const bool notify_built;

/* Whether systemd is the service manager of this machine. */
bool notify_manager_runs(void);

/* Sends log entries to the journal when the service manager connected standard error to it. */
void notify_use_journal(void);

/* Tells the state in which the service is. Text must hold counts only, never names. */
void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Asks for patience: being ready, or gone, may take so much longer from now. */
void notify_extend_timeout(uint64_t ms);

/* Within which time notify_alive() is expected, again and again, after notify_ready(); 0 for never.
 */
uint64_t notify_watchdog_ms(void);
void notify_alive(void);

/*
 * The `index`th socket that was handed over under this name (FileDescriptorName=), or -1 when there
 * are no more. It belongs to the caller, who asks for each only once.
 */
int notify_socket(const char *name, unsigned index);
