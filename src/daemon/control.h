/* SPDX-License-Identifier: ISC */
/*
 * The control interface: serves JSON-RPC on a UNIX socket.
 *
 * Nothing leaves for a client inside a turn. Replies are held until control_settled() says that
 * what they promise is on disk; only then do followers read the store, too. However slow a client
 * is, the daemon keeps a bounded amount for it and reads no more from it until it takes its
 * replies.
 */
#pragma once

#include <jansson.h>

#include "core/node.h"
#include "daemon/control_owner.h"

struct control;

/* 0 or -ENOMEM. The node is given later, since it is made with us as its observer. */
int control_new(struct control **control, struct loop *loop, const struct control_owner *owner,
                void *context);
void control_free(struct control *control);
void control_attach(struct control *control, struct node *node);

/* Listens at `path` (mode 0600, for a system daemon 0660). 0 or -errno. */
int control_listen(struct control *control, const char *path, mode_t mode);

/* Serves a socket inherited from the service manager instead. 0 or -errno. */
int control_inherit(struct control *control, int fd);

/* The path of the socket, as it was given or bound; it lives as long as the control. */
const char *control_path(const struct control *control);

/* Hears what happens in the node; the context is the struct control. */
extern const struct observer control_observer;

/*
 * To be called when the node has settled, with what came of it. What waited for that leaves at
 * once.
 */
void control_settled(struct control *control, int outcome);

/* To be called when the node's turn is over: goes on with what the clients have to say. */
void control_go_on(struct control *control);

/* The daemon stops: followers are told, waits are answered, no new client is served. */
void control_stop(struct control *control);

/* Whether everything that was said has been taken by its client. */
bool control_flushed(const struct control *control);
