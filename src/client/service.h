/* SPDX-License-Identifier: ISC */
/*
 * Whose daemon a control socket belongs to, and what to type to reach it.
 */
#pragma once

enum service {
    SERVICE_SYSTEM,  /* the machine's */
    SERVICE_USER,    /* this user's */
    SERVICE_PRIVATE, /* started by hand, with a socket of its own */
};

enum service service_of(const char *socket);

/* What starts it: a command in new memory, or NULL without memory. */
char *service_start_command(const char *socket);

/* `systemctl VERB UNIT` for the daemon's manager, as this user has to type it. In new memory. */
char *service_unit_command(enum service service, const char *verb, const char *unit);

/* What to do when connecting to it failed with this error. A text in new memory, or NULL. */
char *service_remedy(const char *socket, int error);

/*
 * The command line that root has to run because this user is no administrator: our own, which had
 * these arguments (NULL: none) and this --socket (or NULL). In new memory, or NULL.
 */
char *service_root_command(char *const *arguments, const char *socket);
