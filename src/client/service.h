/* SPDX-License-Identifier: ISC */
/*
 * Whose daemon a control socket belongs to, and how it is started.
 */
#pragma once

#include "client/ctl.h"

enum service {
    SERVICE_SYSTEM,  /* the machine's, by systemd */
    SERVICE_USER,    /* this user's, by systemd */
    SERVICE_PRIVATE, /* started by hand, with a socket of its own */
};

enum service service_of(const char *socket);

/* What starts it: a command in new memory, or NULL without memory. */
char *service_start_command(const char *socket);
