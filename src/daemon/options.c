/* SPDX-License-Identifier: ISC */
/*
 * The command line of p2pchatd.
 */
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

enum {
    OPTION_STATE_DIR = 256,
    OPTION_CONTROL,
    OPTION_LISTEN,
    OPTION_LOG_LEVEL,
    OPTION_PREPARE,
    OPTION_GENERATE,
    OPTION_BACKUP,
    OPTION_RESTORE,
    OPTION_PASSPHRASE_FILE,
    OPTION_IDENTITY,
    OPTION_STORE_KEY,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"state-dir", required_argument, NULL, OPTION_STATE_DIR},
    {"control", required_argument, NULL, OPTION_CONTROL},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
    {"prepare", no_argument, NULL, OPTION_PREPARE},
    {"generate-identity", no_argument, NULL, OPTION_GENERATE},
    {"backup", required_argument, NULL, OPTION_BACKUP},
    {"restore", required_argument, NULL, OPTION_RESTORE},
    {"passphrase-file", required_argument, NULL, OPTION_PASSPHRASE_FILE},
    {"identity", required_argument, NULL, OPTION_IDENTITY},
    {"store-key", required_argument, NULL, OPTION_STORE_KEY},
    {"test", no_argument, NULL, 't'},
    {"show", no_argument, NULL, 'T'},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, 'h'},
    {0},
};

void options_print_help(void)
{
    fputs("Usage: p2pchatd [OPTION]...\n"
          "Encrypted messages between machines: the daemon. p2pchatctl talks to it.\n"
          "\n"
          "  -c, --config FILE      settings (default: /etc/p2pchat/p2pchatd.conf, for users\n"
          "                         $XDG_CONFIG_HOME/p2pchat/p2pchatd.conf)\n"
          "      --state-dir DIR    identity, queue and history (default: /var/lib/p2pchat, for\n"
          "                         users $XDG_STATE_HOME/p2pchat)\n"
          "      --control PATH     control socket (default: /run/p2pchat/control.sock, for users\n"
          "                         $XDG_RUNTIME_DIR/p2pchat/control.sock)\n"
          "      --listen ADDR:PORT where peers connect (default: [::]:8766); may be repeated\n"
          "      --log-level LEVEL  error, warning, notice, info or debug\n"
          "      --prepare          make the state directory and exit, for units\n"
          "      --generate-identity\n"
          "                         make the key that peers know this machine by, print its\n"
          "                         fingerprint and exit; the first start does so by itself\n"
          "      --backup FILE      write identity, store and store key into a new file, sealed\n"
          "                         with a passphrase, also while the daemon runs\n"
          "      --restore FILE     fill an empty state directory from such a file\n"
          "      --passphrase-file FILE\n"
          "                         its first line is the passphrase of the backup; - is standard\n"
          "                         input; without it the terminal is asked\n"
          "      --identity FILE, --store-key FILE\n"
          "                         for a backup: the secrets, where they are credentials\n"
          "  -t, --test             test the configuration and exit\n"
          "  -T, --show             print the effective configuration and exit\n"
          "      --version          print the versions and exit\n"
          "  -h, --help             print this and exit\n",
          stdout);
}

static int complain(const char *what, const char *value)
{
    fprintf(stderr, "p2pchatd: %s: %s\n", what, value);
    return -EINVAL;
}

static int add_listen(struct options *options, const char *text)
{
    if (options->listen.count == SETTINGS_LISTEN_MAX)
        return complain("too many addresses to listen on", text);
    struct address *address = &options->listen.at[options->listen.count];
    if (address_parse(text, address) < 0 || !address_is_numeric(address))
        return complain("not an IP address to listen on", text);
    options->listen.count++;
    return 0;
}

static int apply(struct options *options, int option, const char *value)
{
    switch (option) {
    case 'c':
        options->config = value;
        return 0;
    case OPTION_STATE_DIR:
        options->state_dir = value;
        return 0;
    case OPTION_CONTROL:
        options->control = value;
        return 0;
    case OPTION_LISTEN:
        return add_listen(options, value);
    case OPTION_LOG_LEVEL:
        options->has_log_level = true;
        return log_level_parse(value, &options->log_level) == 0
                   ? 0
                   : complain("not a log level", value);
    case OPTION_PREPARE:
        options->action = OPTIONS_PREPARE;
        return 0;
    case OPTION_GENERATE:
        options->action = OPTIONS_GENERATE;
        return 0;
    case OPTION_BACKUP:
        options->action = OPTIONS_BACKUP;
        options->file = value;
        return 0;
    case OPTION_RESTORE:
        options->action = OPTIONS_RESTORE;
        options->file = value;
        return 0;
    case OPTION_PASSPHRASE_FILE:
        options->passphrase_file = value;
        return 0;
    case OPTION_IDENTITY:
        options->identity = value;
        return 0;
    case OPTION_STORE_KEY:
        options->store_key = value;
        return 0;
    case 't':
        options->action = OPTIONS_TEST;
        return 0;
    case 'T':
        options->action = OPTIONS_SHOW;
        return 0;
    case OPTION_VERSION:
        options->action = OPTIONS_VERSION;
        return 0;
    case 'h':
        options->action = OPTIONS_HELP;
        return 0;
    default:
        fputs("Try 'p2pchatd --help'.\n", stderr);
        return -EINVAL;
    }
}

int options_parse(struct options *options, int argc, char *argv[])
{
    *options = (struct options){.action = OPTIONS_RUN};
    for (int option; (option = getopt_long(argc, argv, "c:tTh", long_options, NULL)) != -1;) {
        int r = apply(options, option, optarg);
        if (r < 0)
            return r;
    }
    return optind == argc ? 0 : complain("unexpected argument", argv[optind]);
}
