/* SPDX-License-Identifier: ISC */
/*
 * One call of a method: JSON in, JSON or a complaint out. Methods do not know how it travels.
 */
#pragma once

#include "daemon/control_shared.h"

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
    int descriptor;       /* that came along, for a method that takes one; -1: none (any more) */
    const json_t *params; /* checked against methods.def; NULL for none */
    json_t *result;
    enum rpc_kind kind;
    char text[512];
};

typedef enum control_answer control_method(struct control_call *call);

/* Every method's function. */
#define METHOD(name, function, access, parameters, help) control_method function;
#include "rpc/methods.def"
#undef METHOD

/* The one of this method. */
control_method *control_call_function(const struct rpc_method *method);

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

/* The same where nobody was named, so that the default peer or the only one is meant. */
enum control_answer control_call_no_default(struct control_call *call, int outcome);

/* Parameters; NULL or `fallback` when missing. */
const char *control_call_string(const struct control_call *call, const char *name);
int64_t control_call_integer(const struct control_call *call, const char *name, int64_t fallback);

/*
 * The position `after`, or where the `past` beside it parts from that of the store: then *parted is
 * the last event of before which does not exist here; else it is 0.
 */
int64_t control_call_position(const struct control_call *call, int64_t fallback, int64_t *parted);

/* The peer that the parameter names. False: call->kind and text say why not. */
bool control_call_peer(struct control_call *call, const char *name, struct peer **peer);

/* The same for one whose history is wanted: it may have been removed. Gives its id. */
bool control_call_past_peer(struct control_call *call, const char *name, int64_t *id);

/*
 * The peers that the parameter "peers" names, each once; none if it is missing. False likewise.
 */
bool control_call_peers(struct control_call *call, struct peer *peers[static CALL_PEERS_MAX],
                        unsigned *count);

/* Whom something is for. */
struct call_recipients {
    struct peer *peers[CALL_PEERS_MAX];
    unsigned count;
};

/*
 * Makes the draft one for those in the parameter "peers", else for the one in "peer", else for the
 * one who is meant when nobody is named. False likewise. The draft refers to the recipients.
 */
bool control_call_recipients(struct control_call *call, struct node_draft *draft,
                             struct call_recipients *recipients);

/* A draft of this client with the parameters "client_id" and "expires_s". False likewise. */
bool control_call_draft(struct control_call *call, struct node_draft *draft);

/* The fingerprint that the parameter holds. False likewise; the parameter is there. */
bool control_call_fingerprint(struct control_call *call, const char *name,
                              struct fingerprint *fingerprint);

/* The addresses that the parameter holds; none if it is missing. False likewise. */
bool control_call_addresses(struct control_call *call, const char *name,
                            struct address addresses[PEER_ADDRESSES_MAX], unsigned *count);

/* The message id that the parameter "id" holds. False likewise. */
bool control_call_id(struct control_call *call, struct uuid *id);
