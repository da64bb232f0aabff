/* SPDX-License-Identifier: ISC */
/*
 * Listeners: bind or inherit, accept, and hand streams up. Who may stay is decided above.
 */
#define LOG_COMPONENT "listener"
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "net/libevent.h"
#include "net/socket.h"
#include "net/unixsock.h"

enum {
    ACCEPT_BATCH = 16, /* per callback, so that a flood leaves the loop to others too */
    PAUSE_MS = 1000,
    RESERVE = 16, /* descriptors that strangers can't have: for the store, clients and our dials */
};

struct listener {
    struct loop *loop;
    int fd;
    struct event *event;
    struct timer *resume;
    listener_accept *accept;
    void *context;
    bool open_to_all; /* TCP: whoever connects may be a stranger */
    char *own_path;   /* of a UNIX socket that was bound here, or NULL */
    struct unixsock_file own_file;
    char name[ADDRESS_TEXT_MAX];
};

/* --- accepting -------------------------------------------------------------------------------- */

static void listener_pause(struct listener *listener, int error)
{
    log_warning("%s accepts nothing for a second: %s", listener->name, strerror(error));
    event_del(listener->event);
    timer_arm_at(listener->resume, loop_now(listener->loop) + PAUSE_MS);
}

static void on_resume(void *context)
{
    struct listener *listener = context;
    if (event_add(listener->event, NULL) < 0)
        listener_pause(listener, ENOMEM);
}

/* Whether it was the one connection that failed and not the listener (see accept(2)). */
static bool is_of_connection(int error)
{
    switch (error) {
    case ECONNABORTED:
    case EINTR:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case EOPNOTSUPP:
    case ETIMEDOUT:
        return true;
    default:
        return false;
    }
}

/* The kernel gives the lowest free descriptor: a high one means that few are left. */
static bool is_reserved(int fd)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           (rlim_t)fd + RESERVE >= limit.rlim_cur;
}

static void listener_hand_over(struct listener *listener, int fd)
{
    struct stream *stream = NULL;
    int r = listener->open_to_all && is_reserved(fd) ? -EMFILE : 0;
    if (r == 0)
        r = stream_new(&stream, listener->loop, fd);
    if (r < 0) {
        log_debug("%s drops a new connection: %s", listener->name, strerror(-r));
        close(fd);
        return;
    }
    listener->accept(listener->context, stream);
}

static void on_connection(evutil_socket_t fd, short what, void *argument)
{
    struct listener *listener = argument;
    (void)what;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        const int connection = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (connection >= 0) {
            listener_hand_over(listener, connection);
        } else if (!is_of_connection(errno)) {
            if (errno != EAGAIN)
                listener_pause(listener, errno);
            return;
        }
    }
}

/* --- life ------------------------------------------------------------------------------------- */

/* Takes `fd` only when it succeeds. */
static int listener_new(struct listener **result, struct loop *loop, int fd,
                        listener_accept *accept, void *context)
{
    struct listener *listener = calloc(1, sizeof *listener);
    int r = -ENOMEM;
    if (listener == NULL)
        return -ENOMEM;
    listener->fd = -1;
    listener->loop = loop;
    listener->accept = accept;
    listener->context = context;
    listener->event = event_new(loop_base(loop), fd, EV_READ | EV_PERSIST, on_connection, listener);
    if (listener->event != NULL)
        r = timer_new(&listener->resume, loop, on_resume, listener);
    if (r == 0 && event_add(listener->event, NULL) < 0)
        r = -ENOMEM;
    if (r < 0) {
        listener_free(listener);
        return r;
    }
    listener->fd = fd;
    *result = listener;
    return 0;
}

void listener_free(struct listener *listener)
{
    if (listener == NULL)
        return;
    if (listener->event != NULL)
        event_free(listener->event);
    timer_free(listener->resume);
    if (listener->own_path != NULL)
        unixsock_remove(listener->own_path, &listener->own_file);
    free(listener->own_path);
    if (listener->fd >= 0)
        close(listener->fd);
    free(listener);
}

const char *listener_name(const struct listener *listener)
{
    return listener->name;
}

/* --- TCP -------------------------------------------------------------------------------------- */

/* Lets the socket be bound to an address that this machine does not have yet. */
static int bind_ahead(int fd, const struct addrinfo *address)
{
    const int on = 1;
    const bool ipv6 = address->ai_family == AF_INET6;
    if (setsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_FREEBIND : IP_FREEBIND, &on,
                   sizeof on) < 0)
        return -errno;
    return bind(fd, address->ai_addr, address->ai_addrlen) < 0 ? -errno : 0;
}

static int bind_tcp(int fd, const struct addrinfo *address)
{
    const int on = 1;
    const int off = 0;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        (address->ai_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0))
        return -errno;
    return bind(fd, address->ai_addr, address->ai_addrlen) < 0 ? -errno : 0;
}

/* Listens on a numeric address. 0 or -errno. */
static int listen_tcp(const char *host, uint16_t port, int *result)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
        .ai_socktype = SOCK_STREAM,
    };
    struct addrinfo *address;
    char service[8];
    int fd;
    int r = 0;
    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(host, service, &hints, &address) != 0)
        return strchr(host, '%') != NULL ? -ENODEV : -EINVAL;
    fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        r = -errno;
    if (r == 0)
        r = bind_tcp(fd, address);
    if (r == -EADDRNOTAVAIL && (r = bind_ahead(fd, address)) == 0)
        log_warning("this machine has no address %s yet; peers are let in there as soon as it has; "
                    "see those it has with: ip address",
                    host);
    if (r == 0 && listen(fd, SOMAXCONN) < 0)
        r = -errno;
    freeaddrinfo(address);
    if (r < 0 && fd >= 0)
        close(fd);
    if (r == 0)
        *result = fd;
    return r;
}

/* A kernel may be without IPv6. */
static int listen_everywhere(uint16_t port, int *fd)
{
    const int r = listen_tcp("::", port, fd);
    return r == -EAFNOSUPPORT ? listen_tcp("0.0.0.0", port, fd) : r;
}

static bool is_everywhere(const char *host)
{
    return host[0] == '\0' || strcmp(host, "*") == 0 || strcmp(host, "::") == 0;
}

static void listener_set_tcp(struct listener *listener)
{
    union socket_address local = {0};
    socklen_t size = sizeof local;
    struct origin own;
    getsockname(listener->fd, &local.any, &size);
    socket_origin(&local, &own);
    memcpy(listener->name, own.text, sizeof listener->name);
    listener->open_to_all = true;
}

int listener_new_tcp(struct listener **listener, struct loop *loop, const struct address *address,
                     listener_accept *accept, void *context)
{
    int fd = -1;
    int r = is_everywhere(address->host) ? listen_everywhere(address->port, &fd)
                                         : listen_tcp(address->host, address->port, &fd);
    if (r < 0)
        return r;
    r = listener_new(listener, loop, fd, accept, context);
    if (r < 0)
        close(fd);
    else
        listener_set_tcp(*listener);
    return r;
}

bool listener_serves(const struct listener *listener, const struct address *address)
{
    struct address own;
    if (address->port == 0 || address_parse(listener->name, &own) < 0 || own.port != address->port)
        return false;
    const bool ipv6 = strchr(address->host, ':') != NULL;
    return strcmp(own.host, "::") == 0 || (strcmp(own.host, "0.0.0.0") == 0 && !ipv6) ||
           strcmp(own.host, address->host) == 0;
}

/* --- UNIX and inherited ----------------------------------------------------------------------- */

int listener_new_unix(struct listener **listener, struct loop *loop, const char *path, mode_t mode,
                      listener_accept *accept, void *context)
{
    struct unixsock_file file;
    char *own_path = strdup(path);
    int fd = -1;
    int r;
    if (own_path == NULL)
        return -ENOMEM;
    r = unixsock_listen(path, mode, &fd, &file);
    if (r == 0) {
        r = listener_new(listener, loop, fd, accept, context);
        if (r < 0) {
            unixsock_remove(path, &file);
            close(fd);
        }
    }
    if (r < 0) {
        free(own_path);
        return r;
    }
    (*listener)->own_path = own_path;
    (*listener)->own_file = file;
    snprintf((*listener)->name, sizeof(*listener)->name, "%s", path);
    return 0;
}

/* The name that the socket was bound to; "@" stands for the NUL of an abstract one, as in ss(8). */
static void listener_name_unix(struct listener *listener)
{
    struct sockaddr_un local = {0};
    socklen_t size = sizeof local - 1; /* keeps the path terminated */
    getsockname(listener->fd, (struct sockaddr *)&local, &size);
    if (local.sun_path[0] == '\0')
        local.sun_path[0] = '@';
    snprintf(listener->name, sizeof listener->name, "%s", local.sun_path);
}

static bool is_listening_stream(int fd)
{
    int listening = 0;
    int type = 0;
    socklen_t listening_size = sizeof listening;
    socklen_t type_size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_size) == 0 &&
           listening != 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) == 0 &&
           type == SOCK_STREAM;
}

int listener_inherit(struct listener **listener, struct loop *loop, int fd, listener_accept *accept,
                     void *context)
{
    const int family = socket_family(fd);
    int r;
    if (family < 0)
        return family;
    if ((family != AF_INET && family != AF_INET6 && family != AF_UNIX) || !is_listening_stream(fd))
        return -EINVAL;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
        return -errno;
    r = listener_new(listener, loop, fd, accept, context);
    if (r < 0)
        return r;
    if (family == AF_UNIX)
        listener_name_unix(*listener);
    else
        listener_set_tcp(*listener);
    return 0;
}
