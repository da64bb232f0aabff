/* SPDX-License-Identifier: ISC */
/*
 * The daemon: what there is one of, and its coming and going.
 */
#define LOG_COMPONENT "daemon"
#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "core/node.h"
#include "daemon/backup_parts.h"
#include "daemon/control.h"
#include "daemon/heartbeat.h"
#include "daemon/keys.h"
#include "daemon/notify.h"
#include "daemon/peer_sockets.h"
#include "daemon/setting.h"
#include "daemon/socket_watch.h"
#include "daemon/state.h"
#include "proto/exchange.h"

enum {
    STOP_TIMEOUT_MS = 3000,      /* for peers and clients to take our last words */
    RECOVERY_TIMEOUT_MS = 90000, /* to open the store, besides what its size takes */
    RECOVERY_BYTES_PER_MS = 5000,
};

struct daemon {
    const struct options *options;
    const struct paths *paths;
    struct config config; /* the settings in effect */
    struct loop *loop;
    struct identity *self;
    struct secret store_key;
    struct db *db;
    struct space *space;
    struct netwatch *netwatch;
    struct router *router; /* or NULL */
    struct control *control;
    struct socket_watch *socket_watch; /* or NULL */
    struct node *node;
    struct heartbeat *heartbeat;
    struct timer *stop_timer;
    bool stopping;
    bool failed; /* the node has, in the last turn */
    enum exit_status status;
};

/* --- stopping --------------------------------------------------------------------------------- */

static void stop(struct daemon *daemon)
{
    if (daemon->stopping)
        return;
    daemon->stopping = true;
    log_event(LOG_LEVEL_INFO, "stopping", NULL, "stopping");
    notify_stopping();
    control_stop(daemon->control);
    node_stop(daemon->node);
    timer_arm_at(daemon->stop_timer, loop_now(daemon->loop) + STOP_TIMEOUT_MS);
    loop_wake(daemon->loop);
}

static void on_stop_signal(void *context)
{
    stop(context);
}

static void on_stop_timeout(void *context)
{
    struct daemon *daemon = context;
    loop_stop(daemon->loop);
}

/* --- reloading -------------------------------------------------------------------------------- */

/* Takes over what may change while we run, and says what has to wait. */
static void apply(struct daemon *daemon, struct config *config)
{
    const bool inherited = node_listeners_inherited(daemon->node);
    if (inherited)
        peer_sockets_compare(&daemon->config.settings.listen, config, daemon->paths->system);
    for (const struct setting *setting = setting_table; setting->name != NULL; setting++) {
        const bool overruled = inherited && strcmp(setting->name, "listen") == 0;
        if (setting->effect == SETTING_START && setting_copy(setting, config, &daemon->config) &&
            !overruled)
            log_notice("%s has changed; it takes effect at the next start", setting->name);
    }
    daemon->config = *config;
    log_set_level(config->log_level);
    node_configure(daemon->node, &config->settings);
}

int daemon_check(const struct config *config, char complaint[static CONFIG_COMPLAINT_MAX])
{
    if (!config->settings.require_pq || (exchange_suites() & SUITE_BIT(SUITE_HYBRID)) != 0)
        return 0;
    snprintf(complaint, CONFIG_COMPLAINT_MAX,
             "require-pq: OpenSSL here has no ML-KEM-768; take it out, or run on OpenSSL 3.5 or "
             "later (Debian 13)");
    return -EINVAL;
}

/* Whether only the sandbox keeps us from reading a file. */
static bool is_locked_out(const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        close(fd);
    return fd < 0 && errno == EACCES && access(file, R_OK) == 0;
}

/* A confined daemon can read what was there at the start, and not all that took its place. */
static int load_again(const struct daemon *daemon, struct config *config,
                      char reason[static CONFIG_COMPLAINT_MAX])
{
    const struct paths *paths = daemon->paths;
    int r = config_load(config, paths->config, paths->config_required, daemon->options, reason);
    if (r < 0 && is_locked_out(paths->config))
        snprintf(reason, CONFIG_COMPLAINT_MAX,
                 "%s: it or its directory was replaced after the start, and p2pchatd may not read "
                 "the new one; restart p2pchatd",
                 paths->config);
    return r;
}

static int reload(void *context, char *complaint, size_t size)
{
    struct daemon *daemon = context;
    struct config config;
    char reason[CONFIG_COMPLAINT_MAX];
    notify_reloading();
    int r = load_again(daemon, &config, reason);
    if (r == 0)
        r = daemon_check(&config, reason);
    if (r == 0) {
        apply(daemon, &config);
        log_event(LOG_LEVEL_INFO, "reloaded", NULL, "configuration reloaded");
    } else {
        log_event(LOG_LEVEL_ERROR, "reload-failed", NULL, "%s; the old settings stay", reason);
        snprintf(complaint, size, "%s", reason);
    }
    notify_ready();
    return r;
}

static void on_reload_signal(void *context)
{
    char complaint[CONFIG_COMPLAINT_MAX];
    reload(context, complaint, sizeof complaint);
}

static void on_stop_request(void *context)
{
    stop(context);
}

static const char *state_directory(void *context)
{
    const struct daemon *daemon = context;
    return daemon->paths->state_dir;
}

static json_t *view_settings(void *context)
{
    struct daemon *daemon = context;
    struct settings *settings = &daemon->config.settings;
    daemon->config.log_level = log_get_level();
    /* It follows a peer that is renamed. */
    memcpy(settings->default_peer, node_settings(daemon->node)->default_peer, PEER_NAME_MAX);
    return config_view(&daemon->config);
}

static uint64_t find_creation(void *context)
{
    const struct daemon *daemon = context;
    const struct keys_source keys = config_keys(&daemon->config, daemon->paths);
    return keys_identity_created(&keys);
}

static const struct control_owner control_owner = {reload, on_stop_request, state_directory,
                                                   view_settings, find_creation};

/* --- the end of a turn ------------------------------------------------------------------------ */

static void on_settled(void *context, int outcome)
{
    struct daemon *daemon = context;
    control_settled(daemon->control, outcome);
    if (outcome < 0) {
        daemon->status = EXIT_STATUS_IO;
        stop(daemon);
    }
    daemon->failed = outcome < 0;
}

static void on_turn_end(void *context)
{
    struct daemon *daemon = context;
    node_turn_end(daemon->node);
    if (!daemon->failed)
        heartbeat_settled(daemon->heartbeat);
    control_go_on(daemon->control);
    node_turn_over(daemon->node);
    const bool told = daemon->failed || node_stopped(daemon->node);
    if (daemon->stopping && told && control_flushed(daemon->control))
        loop_stop(daemon->loop);
}

/* --- coming up -------------------------------------------------------------------------------- */

/* Opening reads all of the store, of which there may be a lot, from a disk that may be slow. */
static void ask_for_patience(const char *store)
{
    struct stat file;
    if (stat(store, &file) == 0)
        notify_extend_timeout(RECOVERY_TIMEOUT_MS + (uint64_t)file.st_size / RECOVERY_BYTES_PER_MS);
}

static enum exit_status bind_store(struct daemon *daemon)
{
    const char *store = daemon->paths->store;
    int r = node_bind_store(daemon->db, &daemon->store_key);
    if (r == NODE_MISMATCH) {
        log_error("the store key is not the one that the messages in %s were sealed "
                  "with: put back the right one; to begin without them: mv '%s' '%s.old'",
                  store, store, store);
        return EXIT_STATUS_CONFIG;
    }
    return r < 0 ? EXIT_STATUS_IO : EXIT_STATUS_OK; /* on a full disk it is bound another time */
}

/* Peers know the machine by one identity: another one would be a stranger with their messages. */
static enum exit_status check_owner(struct daemon *daemon, bool peopled)
{
    const char *store = daemon->paths->store;
    const struct fingerprint *own = pubkey_fingerprint(identity_pubkey(daemon->self));
    struct fingerprint owner = {0};
    bool known = false;
    int r = db_owner(daemon->db, &known, owner.bytes);
    if (r == 0 && known && fingerprint_equal(own, &owner))
        return EXIT_STATUS_OK;
    if (r == 0 && known && peopled) {
        char text[FINGERPRINT_TEXT_MAX];
        fingerprint_format(&owner, text);
        log_error("the identity is not the one that the peers in %s know this machine "
                  "by: put back that of %s; to begin without them: mv '%s' '%s.old'",
                  store, text, store, store);
        return EXIT_STATUS_CONFIG;
    }
    if (r == 0)
        r = db_set_owner(daemon->db, own->bytes);
    if (r == 0)
        r = db_commit(daemon->db);
    return r < 0 ? EXIT_STATUS_IO : EXIT_STATUS_OK; /* on a full disk it is said another time */
}

static enum exit_status open_state(struct daemon *daemon, const struct config *config)
{
    const char *directory = daemon->paths->state_dir;
    const char *store = daemon->paths->store;
    enum exit_status status = state_prepare(daemon->paths);
    if (status != EXIT_STATUS_OK)
        return status;
    ask_for_patience(store);
    int r = space_new(&daemon->space, directory);
    if (r < 0)
        return EXIT_STATUS_INTERNAL;
    r = db_open(&daemon->db, store);
    if (r != 0) {
        log_error("can't open %s: %s", store,
                  r == DB_TOO_NEW   ? "it was made by a newer version of p2pchatd"
                  : r == DB_DAMAGED ? "it is damaged; restore it from a backup, or move it away"
                  : r == -EBUSY     ? "another p2pchatd uses it"
                  : r == -EROFS     ? "it can only be read; see the modes there, and: findmnt -T"
                                    : strerror(-r));
        return r == -EBUSY ? EXIT_STATUS_BUSY : EXIT_STATUS_IO;
    }
    backup_discard_copy(directory);
    struct keys_source keys = config_keys(config, daemon->paths);
    if (db_sealed(daemon->db, &keys.sealed) < 0 || db_peopled(daemon->db, &keys.peopled) < 0)
        return EXIT_STATUS_IO;
    r = keys_load_identity(&keys, &daemon->self);
    if (r == 0)
        r = keys_load_store_key(&keys, &daemon->store_key);
    if (r != 0)
        return EXIT_STATUS_CONFIG;
    status = bind_store(daemon);
    return status == EXIT_STATUS_OK ? check_owner(daemon, keys.peopled) : status;
}

static int make_node(struct daemon *daemon, const struct config *config)
{
    CLEANUP(cleanup_free) char *spool = path_join(daemon->paths->state_dir, "spool");
    int r = spool != NULL ? directory_make(spool) : -ENOMEM;
    if (r < 0) {
        log_error("can't make the spool in %s: %s", daemon->paths->state_dir, strerror(-r));
        return r;
    }
    const struct node_parts parts = {.loop = daemon->loop,
                                     .db = daemon->db,
                                     .space = daemon->space,
                                     .netwatch = daemon->netwatch,
                                     .router = daemon->router,
                                     .spool = spool,
                                     .self = daemon->self,
                                     .store_key = &daemon->store_key,
                                     .observer = &control_observer,
                                     .observer_context = daemon->control,
                                     .settled = on_settled,
                                     .settled_context = daemon};
    return node_new(&daemon->node, &parts, &config->settings);
}

static int make_parts(struct daemon *daemon, const struct config *config)
{
    int r = control_new(&daemon->control, daemon->loop, &control_owner, daemon);
    if (r == 0)
        r = netwatch_new(&daemon->netwatch, daemon->loop);
    if (r == 0 && config->settings.port_mapping)
        r = router_new(&daemon->router, daemon->loop);
    if (r == 0)
        r = make_node(daemon, config);
    if (r == 0)
        r = heartbeat_new(&daemon->heartbeat, daemon->node);
    if (r == 0)
        r = timer_new(&daemon->stop_timer, daemon->loop, on_stop_timeout, daemon);
    if (r == 0)
        r = loop_on_signal(daemon->loop, SIGTERM, on_stop_signal, daemon);
    if (r == 0)
        r = loop_on_signal(daemon->loop, SIGINT, on_stop_signal, daemon);
    if (r == 0)
        r = loop_on_signal(daemon->loop, SIGHUP, on_reload_signal, daemon);
    if (r < 0)
        return r;
    control_attach(daemon->control, daemon->node);
    loop_on_turn_end(daemon->loop, on_turn_end, daemon);
    return 0;
}

static void watch_control(struct daemon *daemon, bool inherited)
{
    const char *remedy = !inherited              ? "restart p2pchatd"
                         : daemon->paths->system ? "systemctl restart p2pchatd.socket"
                                                 : "systemctl --user restart p2pchatd.socket";
    int r = socket_watch_new(&daemon->socket_watch, daemon->loop, control_path(daemon->control),
                             remedy);
    if (r < 0)
        log_debug("the control socket is not looked after: %s", strerror(-r));
}

/* A system daemon's socket is for its group, a user's for the user. */
static int open_control(struct daemon *daemon)
{
    int fd = notify_socket("control", 0);
    int r = fd >= 0 ? control_inherit(daemon->control, fd) : 0;
    if (r < 0)
        log_error("can't use the socket \"control\" of the service manager: %s", strerror(-r));
    if (fd < 0) {
        directory_make_parents(daemon->paths->control); /* else listening says why not */
        r = control_listen(daemon->control, daemon->paths->control,
                           daemon->paths->system ? 0660 : 0600);
    }
    if (r == 0)
        watch_control(daemon, fd >= 0);
    return r;
}

static enum exit_status open_sockets(struct daemon *daemon)
{
    int r = peer_sockets_open(daemon->node, &daemon->config, daemon->paths->system);
    if (r == 0)
        r = open_control(daemon); /* last: until then the clients can be turned away */
    return r < 0 ? EXIT_STATUS_OS : EXIT_STATUS_OK;
}

enum exit_status daemon_new(struct daemon **daemon, const struct options *options,
                            const struct paths *paths, const struct config *config)
{
    struct daemon *made = calloc(1, sizeof *made);
    if (made == NULL)
        return EXIT_STATUS_INTERNAL;
    made->options = options;
    made->paths = paths;
    made->config = *config;
    enum exit_status status = loop_new(&made->loop) < 0 ? EXIT_STATUS_INTERNAL : EXIT_STATUS_OK;
    if (status == EXIT_STATUS_OK)
        status = open_state(made, config);
    if (status == EXIT_STATUS_OK && make_parts(made, config) < 0)
        status = EXIT_STATUS_INTERNAL;
    if (status == EXIT_STATUS_OK)
        status = open_sockets(made);
    if (status != EXIT_STATUS_OK) {
        daemon_free(made);
        return status;
    }
    *daemon = made;
    return EXIT_STATUS_OK;
}

enum exit_status daemon_run(struct daemon *daemon)
{
    char text[FINGERPRINT_TEXT_MAX];
    fingerprint_format(pubkey_fingerprint(identity_pubkey(daemon->self)), text);
    node_start(daemon->node);
    log_event(LOG_LEVEL_NOTICE, "ready", NULL, "p2pchatd %s is ready; own key %s", VERSION, text);
    heartbeat_start(daemon->heartbeat);
    int r = loop_run(daemon->loop);
    if (r < 0) {
        log_error("event loop: %s", strerror(-r));
        return EXIT_STATUS_INTERNAL;
    }
    return daemon->status;
}

void daemon_free(struct daemon *daemon)
{
    heartbeat_free(daemon->heartbeat);
    socket_watch_free(daemon->socket_watch);
    control_free(daemon->control);
    node_free(daemon->node);
    router_free(daemon->router);
    netwatch_free(daemon->netwatch);
    timer_free(daemon->stop_timer);
    db_close(daemon->db);
    space_free(daemon->space);
    identity_free(daemon->self);
    secret_wipe(&daemon->store_key, sizeof daemon->store_key);
    loop_free(daemon->loop);
    free(daemon);
}
