/* SPDX-License-Identifier: ISC */
/*
 * p2pchatd: encrypted messages between machines, the daemon.
 */
#define LOG_COMPONENT "daemon"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/hint.h"
#include "base/startup.h"
#include "crypto/crypto.h"
#include "crypto/random.h"
#include "daemon/backup.h"
#include "daemon/confine.h"
#include "daemon/daemon.h"
#include "daemon/notify.h"
#include "daemon/peer_sockets.h"
#include "daemon/sandbox.h"
#include "daemon/state.h"
#include "daemon/turn_away.h"
#include "daemon/version.h"
#include "store/db.h"

/* The store that is there already, or NULL: its peers know another identity so far. */
static enum exit_status open_store(const struct paths *paths, struct db **db)
{
    const char *path = paths->store;
    if (access(path, F_OK) < 0)
        return EXIT_STATUS_OK;
    int r = db_open(db, path);
    if (r == 0)
        return EXIT_STATUS_OK;
    log_error("can't open %s: %s", path,
              r == -EBUSY ? "stop p2pchatd first" : strerror(r < 0 ? -r : EIO));
    return r == -EBUSY ? EXIT_STATUS_BUSY : EXIT_STATUS_IO;
}

/* Whoever makes an identity means it. */
static enum exit_status disown_store(struct db *db)
{
    int r = db_set_owner(db, NULL);
    if (r == 0)
        r = db_commit(db);
    if (r != 0)
        log_error("the store can't be told of the new identity: %s", strerror(r < 0 ? -r : ENOSPC));
    return r == 0 ? EXIT_STATUS_OK : EXIT_STATUS_IO;
}

static enum exit_status generate(const struct paths *paths, const struct config *config)
{
    const struct keys_source keys = config_keys(config, paths);
    struct identity *identity = NULL;
    struct db *db = NULL;
    char text[FINGERPRINT_TEXT_MAX];
    enum exit_status status = state_prepare(paths);
    if (status == EXIT_STATUS_OK)
        status = open_store(paths, &db);
    if (status == EXIT_STATUS_OK && keys_check_no_identity(&keys) < 0)
        status = EXIT_STATUS_CONFIG;
    /* First: whatever ends this in between, no new key is left beside the store of the old one. */
    if (status == EXIT_STATUS_OK && db != NULL)
        status = disown_store(db);
    db_close(db);
    if (status == EXIT_STATUS_OK && keys_generate_identity(&keys, &identity) < 0)
        status = EXIT_STATUS_CONFIG;
    if (status == EXIT_STATUS_OK) {
        fingerprint_format(pubkey_fingerprint(identity_pubkey(identity)), text);
        puts(text);
    }
    identity_free(identity);
    return status;
}

/* As log_set_edit() wants it. */
static int edit_entry(struct bytes *out, const char *text, const void *reader)
{
    return hint_append(out, text, reader);
}

/* Who reads the log: of the system's daemon mostly a user, who may be no administrator of it. */
static struct hint_reader log_reader(const struct options *options, const struct paths *paths)
{
    return (struct hint_reader){
        /* which p2pchatctl would not find by itself */
        .socket = options->control != NULL ? paths->control : NULL,
        .own = !paths->system,
        .sudo = hint_has_sudo(),
    };
}

static enum exit_status serve(const struct options *options, const struct paths *paths,
                              const struct config *config)
{
    const struct hint_reader reader = log_reader(options, paths);
    char complaint[CONFIG_COMPLAINT_MAX];
    if (daemon_check(config, complaint) < 0) {
        log_event(LOG_LEVEL_ERROR, "start-failed", NULL, "%s", complaint);
        return EXIT_STATUS_CONFIG;
    }
    log_set_edit(edit_entry, &reader);
    struct daemon *daemon;
    enum exit_status status = daemon_new(&daemon, options, paths, config);
    if (status != EXIT_STATUS_OK) {
        log_event(LOG_LEVEL_ERROR, "start-failed", NULL, "the start failed; the reason is above");
        log_set_edit(NULL, NULL);
        return status;
    }
    if (geteuid() == 0)
        log_notice("this is root, which p2pchatd does not need: start it by its unit, or as a user "
                   "of its own");
    sandbox_enter(paths);
    status = daemon_run(daemon);
    daemon_free(daemon);
    log_set_edit(NULL, NULL);
    return status;
}

static void raise_limit(unsigned resource, struct rlimit *limit)
{
    if (getrlimit(resource, limit) < 0)
        return;
    limit->rlim_cur = limit->rlim_max;
    setrlimit(resource, limit);
}

/*
 * Each link and each client takes a descriptor; the soft limit is for programs that select(2). A
 * limit of a file's size comes from a shell and is not meant for us.
 */
static void raise_limits(void)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    raise_limit(RLIMIT_NOFILE, &limit);
    raise_limit(RLIMIT_FSIZE, &limit);
    if (limit.rlim_cur != RLIM_INFINITY)
        log_warning("files may have at most %llu bytes here (ulimit -f, LimitFSIZE=), so the store "
                    "may end there; start p2pchatd without that limit",
                    (unsigned long long)limit.rlim_cur);
}

static enum exit_status act(const struct options *options, const struct paths *paths,
                            const struct config *config)
{
    switch (options->action) {
    case OPTIONS_GENERATE:
        return generate(paths, config);
    case OPTIONS_BACKUP:
        return backup_make(options, paths, config);
    case OPTIONS_RESTORE:
        return backup_restore(options, paths);
    case OPTIONS_RUN:
    case OPTIONS_TEST:
    case OPTIONS_SHOW:
    case OPTIONS_PREPARE:
    case OPTIONS_HELP:
    case OPTIONS_VERSION:
        break;
    }
    return serve(options, paths, config);
}

/*
 * How objects are hashed, which peers and clients name members of. Jansson asks /dev/urandom at the
 * first object, which may not be there, and is out of reach in the sandbox: then it takes the time.
 */
static int seed_json(void)
{
    size_t seed;
    int r = random_bytes(&seed, sizeof seed);
    if (r == 0)
        json_object_seed(seed != 0 ? seed : 1);
    return r;
}

static enum exit_status start(const struct options *options, const struct paths *paths,
                              const struct config *config)
{
    umask(0077);
    confine_process();
    raise_limits();
    log_set_level(config->log_level);
    if (crypto_init() < 0 || seed_json() < 0)
        return EXIT_STATUS_INTERNAL;
    enum exit_status status = act(options, paths, config);
    crypto_deinit();
    return status;
}

static enum exit_status configure(const struct options *options, const struct paths *paths)
{
    struct config config;
    char complaint[CONFIG_COMPLAINT_MAX];
    if (config_load(&config, paths->config, paths->config_required, options, complaint) < 0) {
        if (options->action == OPTIONS_RUN)
            log_event(LOG_LEVEL_ERROR, "start-failed", NULL, "%s", complaint);
        else
            fprintf(stderr, "%s\n", complaint);
        return EXIT_STATUS_CONFIG;
    }
    if (options->action == OPTIONS_SHOW &&
        config_print(&config, peer_sockets_note(paths->system), stdout) < 0)
        return EXIT_STATUS_INTERNAL;
    const bool asks = options->action == OPTIONS_TEST || options->action == OPTIONS_SHOW;
    return !asks ? start(options, paths, &config) : EXIT_STATUS_OK;
}

static enum exit_status run(struct options *options)
{
    struct paths paths;
    if (options->action == OPTIONS_HELP) {
        options_print_help();
        return EXIT_STATUS_OK;
    }
    if (options->action == OPTIONS_VERSION) {
        return version_print() == 0 ? EXIT_STATUS_OK : EXIT_STATUS_INTERNAL;
    }
    if (options->action == OPTIONS_RUN)
        notify_use_journal();
    enum exit_status status = EXIT_STATUS_CONFIG;
    if (paths_find(&paths, options) == 0)
        status =
            options->action == OPTIONS_PREPARE ? state_prepare(&paths) : configure(options, &paths);
    paths_deinit(&paths);
    return status;
}

int main(int argc, char *argv[])
{
    struct options options;
    if (startup_open_standard() < 0)
        return EXIT_STATUS_OS;
    startup_reset_signals();
    if (options_parse(&options, argc, argv) < 0)
        return EXIT_STATUS_USAGE;
    enum exit_status status = run(&options);
    if (options.action == OPTIONS_RUN)
        turn_away_clients(status);
    int r = startup_flush_output();
    if (r < 0 && status == EXIT_STATUS_OK) {
        fprintf(stderr, "p2pchatd: can't write to standard output: %s\n", strerror(-r));
        status = EXIT_STATUS_IO;
    }
    return (int)status;
}
