/* SPDX-License-Identifier: ISC */
/*
 * The sockets on which peers come in.
 */
#define LOG_COMPONENT "daemon"
#include "daemon/peer_sockets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/notify.h"

enum { LIST_TEXT_MAX = 256 }; /* addresses in the log; more are cut off */

static bool same(const struct address_list *a, const struct address_list *b)
{
    bool same = a->count == b->count;
    for (unsigned i = 0; same && i < a->count; i++)
        same = address_listed(b->at, b->count, &a->at[i]);
    return same;
}

static void format_list(const struct address_list *list, char text[static LIST_TEXT_MAX])
{
    size_t used = 0;
    snprintf(text, LIST_TEXT_MAX, "nothing");
    for (unsigned i = 0; i < list->count && used < LIST_TEXT_MAX; i++) {
        char address[ADDRESS_TEXT_MAX];
        address_format(&list->at[i], address);
        used +=
            (size_t)snprintf(text + used, LIST_TEXT_MAX - used, "%s%s", i > 0 ? ", " : "", address);
    }
}

void peer_sockets_compare(const struct address_list *inherited, const struct config *config,
                          bool system)
{
    const char *user = system ? "" : "--user ";
    char wanted[LIST_TEXT_MAX], used[LIST_TEXT_MAX];
    if (!config->listen_chosen || same(inherited, &config->settings.listen))
        return;
    format_list(&config->settings.listen, wanted);
    format_list(inherited, used);
    log_warning("listen (%s) is ignored: systemd hands over %s; to listen elsewhere: systemctl "
                "%sedit p2pchatd-peer.socket; to use listen: systemctl %smask --now "
                "p2pchatd-peer.socket, then start p2pchatd",
                wanted, used, user, user);
}

static int inherit(struct node *node, struct address_list *inherited)
{
    int fd, r = 0;
    for (unsigned i = 0; r == 0 && (fd = notify_socket("peer", i)) >= 0; i++)
        r = node_inherit(node, fd);
    if (r < 0)
        log_error("can't use the socket \"peer\" of the service manager: %s", strerror(-r));
    inherited->count = 0;
    for (unsigned i = 0; r == 0 && i < node_listener_count(node); i++)
        if (address_parse(node_listener_name(node, i), &inherited->at[inherited->count]) == 0)
            inherited->count++;
    return r;
}

/* A user's daemon on a machine that has one of its own: both want the same port. */
static void explain_neighbour(bool system)
{
    static const char theirs[] = RUNSTATEDIR "/p2pchat/control.sock";
    if (!system && access(theirs, F_OK) == 0)
        log_error(
            "this machine has a p2pchatd of its own, which may have that port; to use it: join "
            "the group p2pchat, then p2pchatctl -s %s; to give this one another port: "
            "systemctl --user edit p2pchatd-peer.socket, or listen in p2pchatd.conf",
            theirs);
}

int peer_sockets_open(struct node *node, struct config *config, bool system)
{
    struct address_list inherited = {0};
    int r = notify_socket("peer", 0) >= 0 ? inherit(node, &inherited) : node_listen(node);
    if (r == -EADDRINUSE)
        explain_neighbour(system);
    if (r < 0 || !node_listeners_inherited(node))
        return r;
    peer_sockets_compare(&inherited, config, system);
    config->settings.listen = inherited;
    return 0;
}

const char *peer_sockets_note(bool system)
{
    if (!notify_manager_runs())
        return NULL;
    return system
               ? "if systemd starts p2pchatd, p2pchatd-peer.socket decides instead: systemctl cat "
                 "p2pchatd-peer.socket"
               : "if systemd starts p2pchatd, p2pchatd-peer.socket decides instead: systemctl "
                 "--user cat p2pchatd-peer.socket";
}
