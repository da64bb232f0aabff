/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl version: of this program, and of the daemon if one answers.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/version.h"
#include "client/connection.h"
#include "client/options.h"
#include "client/output.h"
#include "client/verb.h"

enum { PATIENCE_MS = 2000 }; /* with a daemon that takes the connection and says nothing */

/* What the daemon says of itself, or NULL. */
static json_t *ask_daemon(struct ctl *ctl)
{
    json_int_t id;
    json_t *reply = NULL;
    if (ctl_try_connect(ctl) == 0 && ctl_request(ctl, "hello", json_object(), &id) == 0 &&
        connection_receive(ctl->connection, NULL, clock_monotonic_ms() + PATIENCE_MS, &reply) != 0)
        reply = NULL;
    json_t *result = json_incref(json_object_get(reply, "result"));
    json_decref(reply);
    return result;
}

/* "1 2" */
static void join_suites(const json_t *suites, char *text, size_t size)
{
    size_t i, used = 0;
    json_t *suite;
    text[0] = '\0';
    json_array_foreach(suites, i, suite)
    {
        const int n = snprintf(text + used, size - used, " %d", (int)json_integer_value(suite));
        if (n < 0 || (size_t)n >= size - used)
            return;
        used += (size_t)n;
    }
}

static void show_daemon(struct ctl *ctl, const json_t *daemon)
{
    const json_t *api = json_object_get(daemon, "api");
    char suites[32];
    join_suites(json_object_get(daemon, "suites"), suites, sizeof suites);
    output_line(ctl, "p2pchatd %s", member_string(daemon, "version", "?"));
    output_line(ctl, "control interface %d.%d, protocol %d, suites%s, OpenSSL %s",
                (int)member_integer(api, "major"), (int)member_integer(api, "minor"),
                (int)member_integer(daemon, "protocol"), suites,
                member_string(daemon, "openssl", "?"));
}

void version_print(struct ctl *ctl)
{
    output_line(ctl, "p2pchatctl %s", VERSION);
    output_line(ctl, "control interface %d.%d", VERSION_CONTROL_MAJOR, VERSION_CONTROL_MINOR);
}

int cmd_version(struct ctl *ctl, int argc, char **argv)
{
    if (options_none(ctl, argc, argv) != 0 || options_count(ctl, argc - optind, 0, 0) != 0)
        return ctl->status;
    CLEANUP(json_release) json_t *daemon = ask_daemon(ctl);
    if (ctl->json) {
        CLEANUP(json_release)
        json_t *versions = json_pack("{s:s, s:{s:i, s:i}, s:[], s:O?}", "version", VERSION, "api",
                                     "major", VERSION_CONTROL_MAJOR, "minor", VERSION_CONTROL_MINOR,
                                     "features", "daemon", daemon);
        output_json(ctl, versions, '\n');
        return EX_OK;
    }
    version_print(ctl);
    if (daemon != NULL)
        show_daemon(ctl, daemon);
    return EX_OK;
}
