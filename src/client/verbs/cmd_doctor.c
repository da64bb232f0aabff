/* SPDX-License-Identifier: ISC */
/*
 * p2pchatctl doctor: looks at everything that p2pchat needs, and says for each thing that is wrong
 * what to do about it.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/shell.h"
#include "base/timestamp.h"
#include "client/diagnosis.h"
#include "client/findings.h"
#include "client/manager.h"
#include "client/network_view.h"
#include "client/options.h"
#include "client/peer_view.h"
#include "client/service.h"
#include "client/verb.h"
#include "client/view.h"
#include "rpc/rpc_path.h"

enum {
    CLOCK_EARLIEST = 1735689600,        /* 2025-01-01: before this program was made */
    CLOCK_SPAN = 50 * 365 * 24 * 3600,  /* seconds after that in which it may be in use */
    CLOCK_STEP_MS = 60 * 1000,          /* that what is stored may be ahead of now */
    DISK_LOW_BYTES = 256 * 1024 * 1024, /* when nothing more is accepted it is too late to act */
};

struct doctor {
    struct ctl *ctl;
    char *socket;
    enum service service;
    struct findings findings;
};

#define show(doctor, ...)         findings_add(&(doctor)->findings, __VA_ARGS__)
#define ok(doctor, ...)           findings_ok(&(doctor)->findings, __VA_ARGS__)
#define advise(doctor, ...)       findings_advise(&(doctor)->findings, __VA_ARGS__)
#define wrong(doctor, check, ...) advise(doctor, LEVEL_WRONG, check, __VA_ARGS__)
#define note(doctor, check, ...)  advise(doctor, LEVEL_NOTE, check, __VA_ARGS__)

/* --- socket and daemon ------------------------------------------------------------------------ */

static bool is_by_unit(const struct doctor *doctor)
{
    return doctor->service != SERVICE_PRIVATE && manager_has_unit(doctor->service == SERVICE_USER);
}

/* "systemctl restart p2pchatd" and the like. In new memory, or NULL. */
static char *restart_command(const struct doctor *doctor)
{
    return is_by_unit(doctor) ? service_unit_command(doctor->service, "restart", "p2pchatd")
                              : strdup("end it, and start it as before");
}

/* Where its log is. In new memory, or NULL. */
static char *log_command(const struct doctor *doctor)
{
    if (!is_by_unit(doctor))
        return strdup("it goes where its standard error does");
    return doctor->service == SERVICE_USER ? strdup("journalctl --user -n 50 -u p2pchatd")
                                           : manager_as_root("journalctl -n 50 -u p2pchatd");
}

/* Whether the daemon can be asked. */
static bool check_socket(struct doctor *doctor)
{
    CLEANUP(cleanup_free) char *finding = NULL, *remedy = NULL;
    const int r = ctl_try_connect(doctor->ctl);
    if (r == 0) {
        ok(doctor, "socket", "%s", doctor->socket);
        return true;
    }
    if (asprintf(&finding, "%s: %s", doctor->socket, strerror(-r)) < 0) {
        finding = NULL;
        return false;
    }
    remedy = service_remedy(doctor->socket, -r);
    wrong(doctor, "socket", finding, "%s; or name another socket with -s",
          remedy != NULL ? remedy : "start the daemon");
    return false;
}

static json_t *check_daemon(struct doctor *doctor)
{
    CLEANUP(json_release) json_t *reply = NULL;
    CLEANUP(cleanup_free) char *restart = restart_command(doctor), *log = log_command(doctor);
    if (restart == NULL || log == NULL)
        return NULL;
    if (ctl_exchange(doctor->ctl, "status", json_object(), &reply) != 0) {
        wrong(doctor, "daemon", "it takes connections and does not answer",
              "look at its log (%s), then restart it: %s", log, restart);
        return NULL;
    }
    json_t *status = json_object_get(reply, "result");
    if (status == NULL) {
        wrong(doctor, "daemon",
              member_string(json_object_get(reply, "error"), "message", "it refuses to answer"),
              "look at its log: %s", log);
        return NULL;
    }
    const char *version = member_string(status, "version", "?");
    if (strcmp(version, VERSION) == 0)
        ok(doctor, "daemon", "p2pchatd %s, %s", version, member_string(status, "fingerprint", "?"));
    else
        wrong(doctor, "daemon", "it is of another version than this program",
              "restart it, so that it is the one that is installed: %s", restart);
    return json_incref(status);
}

/* --- the machine ------------------------------------------------------------------------------ */

/* When the newest message was stored; 0 if there is none. */
static uint64_t ask_newest(struct doctor *doctor)
{
    CLEANUP(json_release) json_t *reply = NULL;
    uint64_t newest = 0;
    if (ctl_exchange(doctor->ctl, "history.list", json_pack("{s:i}", "limit", 1), &reply) == 0) {
        const json_t *messages = json_object_get(json_object_get(reply, "result"), "messages");
        timestamp_parse(member_string(json_array_get(messages, 0), "time", ""), &newest);
    }
    return newest;
}

/* Whether the kernel says that nobody (such as NTP) keeps its clock right. */
static bool clock_is_left_alone(void)
{
    struct timex state = {.modes = 0};
    return adjtimex(&state) == TIME_ERROR && (state.status & STA_UNSYNC) != 0;
}

/* Invites and messages expire by it, and it must not have been ahead of now before. */
static void check_clock(struct doctor *doctor)
{
    CLEANUP(cleanup_free) char *set = manager_as_root("timedatectl set-ntp true");
    const uint64_t now = clock_wall_ms(), newest = ask_newest(doctor);
    char text[TIMESTAMP_TEXT_MAX];
    timestamp_format(now, text);
    if (set == NULL)
        return;
    if (now / 1000 < CLOCK_EARLIEST)
        wrong(doctor, "clock", text, "it is far in the past; set it, and let NTP keep it: %s", set);
    else if (now / 1000 - CLOCK_EARLIEST > CLOCK_SPAN)
        wrong(doctor, "clock", text, "it is far in the future; set it, and let NTP keep it: %s",
              set);
    else if (newest > now + CLOCK_STEP_MS)
        wrong(doctor, "clock", text,
              "it is behind the newest message; set it, and let NTP keep it: %s", set);
    else if (clock_is_left_alone())
        note(doctor, "clock", text,
             "nothing keeps it right, and invites and messages expire by it: %s (needs "
             "systemd-timesyncd or chrony; in a container, on its host)",
             set);
    else
        ok(doctor, "clock", "%s", text);
}

static void check_disk(struct doctor *doctor, const json_t *store)
{
    const json_int_t mebibytes = member_integer(store, "free_bytes") / (1024 * 1024);
    const char *directory = member_string(store, "directory", "the store");
    CLEANUP(cleanup_free) char *finding = NULL;
    if (json_object_get(store, "free_bytes") == NULL)
        return;
    if (asprintf(&finding, "%" JSON_INTEGER_FORMAT " MiB free for %s", mebibytes, directory) < 0)
        finding = NULL;
    else if (mebibytes >= DISK_LOW_BYTES / (1024 * 1024))
        ok(doctor, "disk", "%s", finding);
    else
        wrong(doctor, "disk", finding,
              "make room there, or keep less: p2pchatctl purge --before -7d, retention in "
              "p2pchatd.conf");
}

/* What all peers together have sent. Of a daemon that does not count it there is nothing to say. */
static void check_inbound(struct doctor *doctor, const json_t *store)
{
    char size[VIEW_SIZE_MAX], finding[VIEW_SIZE_MAX + 48];
    if (json_object_get(store, "inbound_bytes") == NULL)
        return;
    view_size(member_integer(store, "inbound_bytes"), size);
    snprintf(finding, sizeof finding, "messages from peers take %s of the disk", size);
    if (!json_is_true(json_object_get(store, "inbound_full")))
        ok(doctor, "inbound", "%s", finding);
    else
        wrong(doctor, "inbound", finding,
              "no more are taken; remove some: p2pchatctl purge --before -7d; or set a higher "
              "inbound-limit-total in p2pchatd.conf");
}

/* A file that holds a secret. */
static void check_secret(struct doctor *doctor, const char *directory, const char *name)
{
    CLEANUP(cleanup_free) char *path = path_join(directory, name);
    CLEANUP(cleanup_free) char *finding = NULL;
    struct stat file;
    if (path == NULL || (stat(path, &file) != 0 && errno == ENOENT))
        return; /* it is kept elsewhere */
    if (stat(path, &file) != 0) {
        const char *reason = strerror(errno);
        CLEANUP(cleanup_free)
        char *command = service_root_command(doctor->ctl->arguments, doctor->ctl->socket);
        if (command != NULL)
            note(doctor, "keys", reason, "to look at %s: %s", path, command);
        return;
    }
    if ((file.st_mode & 077) == 0) {
        ok(doctor, "keys", "%s is for its owner only", path);
        return;
    }
    if (asprintf(&finding, "%s can be read or written by others (mode %04o)", path,
                 (unsigned)file.st_mode & 07777) < 0)
        finding = NULL;
    else
        wrong(doctor, "keys", finding,
              "chmod 600 %s; whoever has read it can act as this machine, or read its store: if "
              "that may be, let your peers block this key",
              shell_word(path).text);
}

static void check_keys(struct doctor *doctor, const char *directory)
{
    if (directory == NULL)
        return;
    check_secret(doctor, directory, "identity.pem");
    check_secret(doctor, directory, "store.key");
}

/* Whether this machine's key is used by another one, too. */
static void check_identity(struct doctor *doctor, const json_t *clone)
{
    char local[VIEW_TIME_MAX];
    CLEANUP(cleanup_free) char *finding = NULL;
    if (clone == NULL)
        return;
    view_time(member_string(clone, "time", ""), local);
    if (asprintf(&finding, "another machine uses this machine's key: seen by %s, last %s",
                 member_string(clone, "source", "?"), local) < 0)
        finding = NULL;
    else
        wrong(doctor, "identity", finding, "%s", diagnosis_own_clone);
}

/* --- the network ------------------------------------------------------------------------------ */

/* Whether the configuration wants no listener. */
static bool only_dials(struct doctor *doctor)
{
    CLEANUP(json_release) json_t *reply = NULL;
    if (ctl_exchange(doctor->ctl, "config.get", json_object(), &reply) != 0)
        return false;
    const json_t *listen = json_object_get(json_object_get(reply, "result"), "listen");
    return json_is_array(listen) && json_array_size(listen) == 0;
}

static void check_listeners(struct doctor *doctor, const json_t *listeners)
{
    size_t i;
    json_t *listener;
    if (json_array_size(listeners) == 0 && only_dials(doctor))
        ok(doctor, "listener", "none, as p2pchatd.conf has it: this daemon only dials");
    else if (json_array_size(listeners) == 0)
        wrong(doctor, "listener", "no peer can reach this daemon, it only dials",
              "set listen in p2pchatd.conf, and look whether something else has the port: "
              "ss -ltnp 'sport = :8766'");
    json_array_foreach(listeners, i, listener)
    {
        ok(doctor, "listener", "%s port %" JSON_INTEGER_FORMAT,
           member_string(listener, "address", "?"), member_integer(listener, "port"));
    }
}

/* Of a daemon that does not say so there is nothing to say. */
static void check_network(struct doctor *doctor, const json_t *network)
{
    const char *error = member_string(network, "error", NULL);
    CLEANUP(cleanup_free) char *finding = NULL;
    if (network == NULL)
        return;
    if (error == NULL) {
        ok(doctor, "network", "changes of addresses and routes are noticed");
        return;
    }
    if (asprintf(&finding, "changes of it are not noticed: %s", error) < 0)
        finding = NULL;
    else
        show(doctor, LEVEL_NOTE, "network", finding,
             "a link that dies with one is missed only after 25 s; allow netlink to p2pchatd: "
             "RestrictAddressFamilies=AF_NETLINK in its unit, network netlink raw in its AppArmor "
             "profile");
}

/* What the router was asked for, if it was. */
static void check_mappings(struct doctor *doctor, const json_t *network)
{
    CLEANUP(json_release) json_t *reply = NULL;
    char text[NETWORK_VIEW_MAX];
    size_t i;
    json_t *mapping;
    if (!json_is_true(json_object_get(network, "port_mapping")) ||
        ctl_exchange(doctor->ctl, "network.status", json_object(), &reply) != 0)
        return;
    json_array_foreach(json_object_get(json_object_get(reply, "result"), "mappings"), i, mapping)
    {
        if (json_object_get(mapping, "gateway") == NULL)
            continue;
        const enum network_finding finding = network_view_mapping(mapping, text);
        if (finding == NETWORK_SHUT)
            wrong(doctor, "mapping", text,
                  "forward the port by hand in the router's own pages, use IPv6, or let the other "
                  "side be the one that is dialled");
        else
            ok(doctor, "mapping", "%s", text);
    }
}

/*
 * A peer that is switched off is no fault; one that turns us away, has another key, or is not
 * listened to, is.
 */
static bool is_broken(const json_t *peer, const char *trust)
{
    return strcmp(trust, "changed") == 0 || json_object_get(peer, "cloned") != NULL ||
           json_is_true(json_object_get(peer, "refused")) ||
           json_is_true(json_object_get(peer, "inbound_full"));
}

/* What a quantum computer could read one day is no fault, but could be better. */
static void check_encryption(struct doctor *doctor, bool post_quantum)
{
    show(doctor, post_quantum ? LEVEL_OK : LEVEL_NOTE, "encryption",
         post_quantum ? "post-quantum with peers that can, too"
                      : "not post-quantum: OpenSSL here has no ML-KEM",
         post_quantum ? NULL : "OpenSSL 3.5 or later (Debian 13)");
}

static void show_online(struct doctor *doctor, const char *check, const json_t *peer,
                        bool post_quantum)
{
    CLEANUP(cleanup_free) char *finding = NULL;
    const bool behind = post_quantum && member_integer(peer, "suite") == 1;
    if (asprintf(&finding, "online, %s%s", member_string(peer, "trust", "?"),
                 behind ? ", not post-quantum: the other side is too old for it" : "") < 0)
        finding = NULL;
    else
        show(doctor, behind ? LEVEL_NOTE : LEVEL_OK, check, finding,
             behind ? "there: OpenSSL 3.5 or later (Debian 13), and this release of p2pchatd"
                    : NULL);
}

/* Messages for it that stay because nobody can read them any more. */
static void check_queue(struct doctor *doctor, const json_t *peer)
{
    const json_int_t count = member_integer(peer, "damaged");
    CLEANUP(cleanup_free) char *check = NULL, *finding = NULL;
    if (count == 0)
        return;
    if (asprintf(&check, "queue %s", member_string(peer, "name", "?")) < 0)
        check = NULL;
    else if (asprintf(&finding, "messages that can't be read from the store: %" JSON_INTEGER_FORMAT,
                      count) < 0)
        finding = NULL;
    else
        wrong(doctor, check, finding,
              "look at the health of the disk; then send them again and take these back "
              "(p2pchatctl queue, p2pchatctl queue cancel ID), or restore a backup (p2pchatd(8))");
}

static void check_peer(struct doctor *doctor, const json_t *peer, bool post_quantum)
{
    CLEANUP(cleanup_free)
    char *check = NULL, *finding = NULL, *addresses = view_join(json_object_get(peer, "addresses"));
    const bool several = json_array_size(json_object_get(peer, "addresses")) > 1;
    CLEANUP(diagnosis_deinit) struct diagnosis diagnosis;
    const int r = diagnosis_find(&diagnosis, peer);
    if (asprintf(&check, "peer %s", member_string(peer, "name", "?")) < 0) {
        check = NULL;
        return;
    }
    if (r == DIAGNOSIS_NONE) {
        show_online(doctor, check, peer, post_quantum);
        return;
    }
    const char *trust = member_string(peer, "trust", "");
    if (strcmp(trust, "blocked") == 0) {
        ok(doctor, check, "blocked, as you wished");
        return;
    }
    if (r < 0 || addresses == NULL ||
        asprintf(&finding, "%s; %s%s%s%s", member_string(peer, "link", "?"), diagnosis.reason,
                 several ? " (addresses: " : "", several ? addresses : "", several ? ")" : "") < 0)
        finding = NULL;
    else
        advise(doctor, is_broken(peer, trust) ? LEVEL_WRONG : LEVEL_NOTE, check, finding, "%s",
               diagnosis.remedy);
}

/* --- the service ------------------------------------------------------------------------------ */

/* What `systemctl [--user] is-active p2pchatd` says, or nothing where there is no such unit. */
static void ask_unit(bool user, char *state, size_t size)
{
    CLEANUP(cleanup_free) char *command = NULL;
    state[0] = '\0';
    if (asprintf(&command, "systemctl %s is-active p2pchatd.service 2>/dev/null",
                 user ? "--user" : "") < 0) {
        command = NULL;
        return;
    }
    FILE *output = popen(command, "re");
    if (output == NULL)
        return;
    if (fgets(state, (int)size, output) == NULL)
        state[0] = '\0';
    state[strcspn(state, "\n")] = '\0';
    pclose(output);
}

static void check_unit(struct doctor *doctor, bool reachable)
{
    CLEANUP(cleanup_free) char *log = log_command(doctor);
    CLEANUP(cleanup_free) char *start = service_start_command(doctor->socket);
    char state[32];
    if (!is_by_unit(doctor) || log == NULL || start == NULL)
        return;
    ask_unit(doctor->service == SERVICE_USER, state, sizeof state);
    if (strcmp(state, "active") == 0)
        ok(doctor, "unit", "p2pchatd.service is active");
    else if (state[0] != '\0' && (strcmp(state, "failed") == 0 || !reachable))
        wrong(doctor, "unit", state, "%s; why it is not running: %s", start, log);
}

int cmd_doctor(struct ctl *ctl, int argc, char **argv)
{
    struct doctor doctor = {.ctl = ctl, .findings.ctl = ctl};
    CLEANUP(json_release) json_t *status = NULL;
    size_t i;
    json_t *peer;
    if (options_none(ctl, argc, argv) != 0 || options_count(ctl, argc - optind, 0, 0) != 0)
        return ctl->status;
    CLEANUP(cleanup_free) char *path = rpc_path_find(ctl->socket);
    if (path == NULL)
        return ctl_fail(ctl, RPC_KIND_internal, "out of memory");
    doctor.socket = path;
    doctor.service = service_of(path);
    const bool reachable = check_socket(&doctor);
    if (reachable)
        status = check_daemon(&doctor);
    if (status != NULL) {
        const json_t *store = json_object_get(status, "store");
        const bool post_quantum = peer_view_post_quantum(status);
        check_clock(&doctor);
        check_disk(&doctor, store);
        check_inbound(&doctor, store);
        check_keys(&doctor, member_string(store, "directory", NULL));
        check_identity(&doctor, json_object_get(status, "cloned"));
        check_listeners(&doctor, json_object_get(status, "listeners"));
        check_network(&doctor, json_object_get(status, "network"));
        check_mappings(&doctor, json_object_get(status, "network"));
        if (json_object_get(status, "suites") != NULL)
            check_encryption(&doctor, post_quantum);
        json_array_foreach(json_object_get(status, "peers"), i, peer)
        {
            check_peer(&doctor, peer, post_quantum);
            check_queue(&doctor, peer);
        }
    }
    check_unit(&doctor, reachable);
    return !doctor.findings.broken ? EX_OK : EX_UNAVAILABLE;
}
