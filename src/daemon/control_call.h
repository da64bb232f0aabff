/*
 * One call of a method: JSON in, JSON or a complaint out. Methods do not know how it travels.
 */
#pragma once

#include "daemon/control_state.h"

enum { CALL_PEERS_MAX = 64 }; /* in one parameter */

enum control_answer {
    CALL_DONE,   /* call->result is the answer */
    CALL_FAILED, /* call->kind and call->text say why not */
    CALL_LATER,  /* somebody else answers: a wait */
};

struct control_call {
    struct control *control;
    struct node *node;
    struct control_client *client;
    const json_t *id;
    bool notification;    /* nobody hears the answer */
    const json_t *params; /* checked against methods.def; NULL for none */
    json_t *result;
    enum rpc_kind kind;
    char text[512];
};

typedef enum control_answer control_method(struct control_call *call);

/* The method of this name (every one in methods.def has one). */
control_method *control_call_find(const char *name);

/* Answers CALL_DONE with `result` (stolen). */
enum control_answer control_call_done(struct control_call *call, json_t *result);

/* Answers CALL_FAILED with a reason for people. */
enum control_answer control_call_fail(struct control_call *call, enum rpc_kind kind,
                                      const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Answers CALL_FAILED as an outcome of the node about `subject` (a peer's name, an id …; may be
 * NULL). */
enum control_answer control_call_outcome(struct control_call *call, int outcome,
                                         const char *subject);

/* Parameters; NULL or `fallback` when missing. */
const char *control_call_string(const struct control_call *call, const char *name);
int64_t control_call_integer(const struct control_call *call, const char *name, int64_t fallback);

/* The peer that the parameter names. False: call->kind and text say why not. */
bool control_call_peer(struct control_call *call, const char *name, struct peer **peer);

/*
 * The peers that the parameter "peers" names, each once; none if it is missing. False likewise.
 */
bool control_call_peers(struct control_call *call, struct peer *peers[static CALL_PEERS_MAX],
                        unsigned *count);

/* The fingerprint that the parameter holds. False likewise; the parameter is there. */
bool control_call_fingerprint(struct control_call *call, const char *name,
                              struct fingerprint *fingerprint);

/* The addresses that the parameter holds; none if it is missing. False likewise. */
bool control_call_addresses(struct control_call *call, const char *name,
                            struct address addresses[PEER_ADDRESSES_MAX], unsigned *count);

/* The message id that the parameter "id" holds. False likewise. */
bool control_call_id(struct control_call *call, struct uuid *id);

/* All methods, by the file they live in. */
control_method control_hello, control_status, control_identity_get, control_config_get,
    control_daemon_reload, control_daemon_stop, control_log_level; /* control_daemon.c */
control_method control_peer_list, control_peer_get, control_peer_add, control_peer_rename,
    control_peer_set, control_peer_remove, control_peer_verify, control_peer_block,
    control_peer_unblock, control_peer_accept, control_peer_requests, control_peer_reject,
    control_peer_connect, control_peer_disconnect, control_peer_ping; /* control_peers.c */
control_method control_invite_create, control_invite_accept, control_invite_list,
    control_invite_revoke; /* control_invites.c */
control_method control_message_send, control_message_wait, control_message_get,
    control_message_cancel;                                             /* control_messages.c */
control_method control_history_list, control_history_purge;             /* control_history.c */
control_method control_follow, control_follow_ack, control_follow_stop; /* control_follow.c */
