/* SPDX-License-Identifier: ISC */
/*
 * The node: everything between the network and the control interface. This is what a control method
 * may ask.
 *
 * Whatever changes something answers at once, but is durable only when `settled` is called with 0:
 * a caller that promises something to others waits for that. All functions return 0, an enum
 * node_outcome, or -errno after which the node has failed.
 */
#pragma once

#include "core/calls.h"
#include "core/clones.h"
#include "core/files.h"
#include "core/node_outcome.h"
#include "core/notice.h"
#include "core/observer.h"
#include "core/pending_keys.h"
#include "core/roster.h"
#include "core/settings.h"
#include "core/streams.h"
#include "crypto/identity.h"
#include "net/netwatch.h"
#include "proto/invite_uri.h"
#include "store/events.h"
#include "store/invites.h"
#include "store/space.h"

struct node;

/* What a node is made of; everything outlives it. */
struct node_parts {
    struct loop *loop;
    struct db *db;
    struct space *space;       /* of the store's disk; NULL: not watched */
    struct netwatch *netwatch; /* NULL: changes of the network are not noticed */
    struct router *router;     /* NULL: it is not asked for anything */
    const char *spool;         /* directory of files that wait; NULL: no files */
    const struct identity *self;
    const struct secret *store_key;
    const struct observer *observer;
    void *observer_context;

    /*
     * The turn is over, but for what the links now say. 0: all of it is on disk; NODE_DISK_FULL:
     * none of it was kept; -errno: the node has failed and promises nothing any more.
     */
    void (*settled)(void *context, int outcome);
    void *settled_context;
};

/*
 * Binds a store to its key. 0, NODE_MISMATCH (its messages are sealed with another), NODE_DISK_FULL
 * or -errno.
 */
int node_bind_store(struct db *db, const struct secret *store_key);

/* Makes a node and its peers from the store. Nothing is listened on or dialled yet. 0 or -errno. */
int node_new(struct node **node, const struct node_parts *parts, const struct settings *settings);
void node_free(struct node *node);

/*
 * Opens the listening sockets of the settings. What can't be listened on is logged; -errno when
 * something is wanted and nothing could be opened, else 0.
 */
int node_listen(struct node *node);

/* Serves a socket inherited from the service manager instead. 0 or -errno. */
int node_inherit(struct node *node, int fd);

/* Starts dialling. */
void node_start(struct node *node);

/* Says goodbye to all peers; node_stopped() tells when they have been told. */
void node_stop(struct node *node);
bool node_stopped(const struct node *node);

/* New settings; the addresses listened on stay as they are. */
void node_configure(struct node *node, const struct settings *settings);
const struct settings *node_settings(const struct node *node);

/* What the settings call the default peer, if it has been renamed since; else NULL. */
const char *node_outdated_default(const struct node *node);

/* The end of the turn (node_turn.c): hands out what is due, commits, and releases what waited for
 * the commit. */
void node_turn_end(struct node *node);

/* Nothing more is done in this turn: what comes then has the time of the next. */
void node_turn_over(struct node *node);

/* A client has work in this turn (once for each): links leave it its share of the time. */
void node_note_client(struct node *node);

/* --- what there is to see --------------------------------------------------------------------- */

struct db *node_db(const struct node *node);
struct loop *node_loop(const struct node *node);
struct space *node_space(const struct node *node); /* or NULL */
/* Whether the messages from all peers take as much of the disk as they may. */
bool node_inbound_spent(const struct node *node);
const struct notice *node_notice(const struct node *node);
const struct portmap *node_portmap(const struct node *node);
const struct clones *node_clones(const struct node *node);
const struct pubkey *node_pubkey(const struct node *node);
const struct roster *node_roster(const struct node *node);
const struct pending_keys *node_pending_keys(const struct node *node);
unsigned node_listener_count(const struct node *node);
const char *node_listener_name(const struct node *node, unsigned index);
bool node_listeners_inherited(const struct node *node); /* from the service manager */

/* Where this machine listens, as addresses to dial, what its router lets in first: how many, at
 * most `max`. (node_invites.c) */
unsigned node_own_addresses(const struct node *node, struct address *addresses, unsigned max);

/* Streams, services and requests, with functions of their own: streams.h, services.h, calls.h. */
struct streams *node_streams(struct node *node);
struct calls *node_calls(struct node *node);

/* Appends the text of a stored message. 0, BODY_SEALER_DAMAGED or -errno. */
int node_read_body(const struct node *node, const struct message_row *row, struct bytes *text);

/* --- peers (node_peers.c) --------------------------------------------------------------------- */

/* The peer of this name or fingerprint text. 0 or NODE_NO_SUCH_PEER. */
int node_find_peer(const struct node *node, const char *name, struct peer **peer);

/* The peer that is meant when nobody is named: the default one, else the only one. 0,
 * NODE_NO_SUCH_PEER or NODE_AMBIGUOUS_PEER. */
int node_find_only_peer(const struct node *node, struct peer **peer);

/*
 * The id of a peer, for its history: also of one that was removed, the last one of that name or
 * key. NODE_NO_SUCH_PEER.
 */
int node_find_past_peer(const struct node *node, const char *name, int64_t *id);

/* Makes a peer known and starts dialling it; key may be NULL (pinned at first contact). */
int node_peer_add(struct node *node, const char *name, const struct address *addresses,
                  unsigned address_count, const struct fingerprint *key, enum peer_trust trust,
                  struct peer **peer);
int node_peer_rename(struct node *node, struct peer *peer, const char *name);
int node_peer_set_addresses(struct node *node, struct peer *peer, const struct address *addresses,
                            unsigned address_count);

/* Whether this machine could hold a peer to that: 0 or NODE_NO_PQ. */
int node_check_pq(bool require);

/*
 * Whether the peer may have sessions in a post-quantum suite only; one that it has in another ends.
 * NODE_NO_PQ.
 */
int node_peer_require_pq(struct node *node, struct peer *peer, bool require);

/*
 * Forgets the peer, which is freed; what was queued for it is cancelled, or unknown if it was sent:
 * in this turn, or, when that is a lot, in this one and those that follow.
 */
int node_peer_remove(struct node *node, struct peer *peer);

/*
 * Marks the peer's key as verified by people, who got its fingerprint or the safety number (in
 * either of its forms) from somewhere else. 0, NODE_MISMATCH (nothing changes), NODE_MALFORMED,
 * NODE_NO_KEY, NODE_BLOCKED and others.
 */
int node_peer_verify(struct node *node, struct peer *peer, const struct fingerprint *key);
int node_peer_verify_number(struct node *node, struct peer *peer, const char *number);

/* Refuses the peer from now on. */
int node_peer_block(struct node *node, struct peer *peer);

/* Ends a block: the key that is pinned is let in again, but nobody vouches for it any more. */
int node_peer_unblock(struct node *node, struct peer *peer);

/* Refuses a key that asked, from now on, under a name made of it. */
int node_request_block(struct node *node, const struct fingerprint *key, struct peer **peer);

/*
 * Lets in a key: one that asked (as a new peer `name`, or one made of the key when that is NULL),
 * or one that the peer `name` has changed to.
 */
int node_accept(struct node *node, const char *name, const struct fingerprint *key,
                struct peer **peer);

/* Turns away a key that asked. */
int node_request_reject(struct node *node, const struct fingerprint *key);

/*
 * Ends node_peer_disconnect(), dials at once, and again whenever there is no link. 0, NODE_BLOCKED,
 * or NODE_NO_ADDRESS when that does nothing because the peer can only call us.
 */
int node_peer_connect(struct peer *peer);

/* Closes the link, and neither dials nor lets the peer in until node_peer_connect(). */
void node_peer_disconnect(struct peer *peer);

/*
 * Somebody here has to do with the peer: it stays, even if it came by itself. 0, NODE_DISK_FULL or
 * -EIO.
 */
int node_peer_use(struct node *node, struct peer *peer);

/* 0, NODE_OFFLINE or NODE_TOO_OFTEN. The observer's pong() follows, or the link ends. */
int node_peer_ping(struct node *node, struct peer *peer);

/* --- invites (node_invites.c) ----------------------------------------------------------------- */

enum { NODE_INVITES_MAX = 1000 };

/* What an invite is made of; addresses may be none. */
struct node_invite {
    const char *name; /* of the peer that it makes; NULL for one made of the key */
    const struct address *addresses;
    unsigned address_count;
    uint64_t lifetime_ms;
};

/*
 * Makes an invite: `row` is what is stored, `uri` what the invited one gets. Without addresses
 * it has those that we listen on. 0, NODE_NO_ADDRESS (there are none) and others.
 */
int node_invite_create(struct node *node, const struct node_invite *wanted, struct invite_row *row,
                       struct invite_uri *uri);

/* Takes back an invite that nobody has used. 0, NODE_NO_SUCH_INVITE and others. */
int node_invite_revoke(struct node *node, const uint8_t id[static INVITE_ID_SIZE]);

/*
 * Takes up an invite that somebody gave us: the inviter is a peer from now on, dialled at once and
 * shown the invite until it has let us in. `name` may be NULL for the one that it suggests or one
 * made of its key; one that is a peer already keeps its name.
 */
int node_invite_accept(struct node *node, const struct invite_uri *uri, const char *name,
                       struct peer **peer);

/* --- messages (node_messages.c) --------------------------------------------------------------- */

/* A message to send. */
struct node_draft {
    enum message_kind kind;
    struct span content;       /* a text, to be judged; else what is legal for its kind */
    struct peer *const *peers; /* to whom, each once */
    size_t peer_count;
    uint32_t uid;          /* of who sends it, in whose name client_id is */
    const char *client_id; /* or NULL */
    uint64_t expires_ms;   /* from now; 0 for what the settings say */
};

/* A message of a draft. */
struct node_accepted {
    struct uuid id;
    int64_t seq;
    const char *peer; /* name; lives until the visit returns */
    enum message_state state;
    enum peer_trust trust; /* in the key that it is for, when it was accepted */
};
typedef void node_accepted_visit(void *context, const struct node_accepted *accepted);

/*
 * Accepts a message into the queue of each of the peers, or of none, and tells of each. The same
 * draft under the same client_id is accepted once: from then on its messages are told of as they
 * are. 0, NODE_CONFLICT, another outcome or -errno; *about is the peer it is about, or NULL.
 */
int node_send(struct node *node, const struct node_draft *draft, node_accepted_visit *visit,
              void *context, const struct peer **about);

/* What is known of a message besides its text. */
struct node_message {
    int64_t seq;
    int64_t peer;
    enum message_direction direction;
    enum message_kind kind;
    enum message_state state;
    bool held;       /* it waits for the peer to learn what it needs, or to be … */
    bool unreadable; /* … what can be read again */
};

/* Whether a message is in the queue of a peer that can't take it, or can't be read. */
bool node_holds(const struct node *node, const struct message_row *row);

/* The message of this id. 0, NODE_NO_SUCH_MESSAGE or -errno. */
int node_find_message(const struct node *node, const struct uuid *id, struct node_message *message);

/*
 * Takes back a message that was never transmitted; of a request that was, its peer is asked to end
 * it. One that was and can't be read any more is given up: it may have arrived. 0,
 * NODE_NO_SUCH_MESSAGE, NODE_TOO_LATE and others.
 */
int node_cancel(struct node *node, const struct uuid *id);

enum {
    NODE_PURGE_MAX = 200,
    NODE_PURGE_ROOM = 64 * 1024 * 1024, /* of the disk, for the write-ahead log of so many */
};

/*
 * Removes messages of a peer (by its id; 0: of all) from before a wall clock time (0: of any), but
 * none in the queue. At most NODE_PURGE_MAX at a time, fewer on a disk that is nearly full:
 * *removed says how many, and *more whether there may be others.
 */
int node_purge(struct node *node, int64_t peer, uint64_t before_ms, unsigned *removed, bool *more);

/* --- files (node_files.c) --------------------------------------------------------------------- */

/* Files, with functions of their own: files.h, store/transfers.h. */
struct files *node_files(struct node *node);

enum { NODE_UPLOAD_PEERS_MAX = 64 };

struct node_upload;

struct node_upload_events {
    node_accepted_visit *accepted; /* an offer, before the turn is committed */
    /* It is over and gone: 0, a node_outcome or files_outcome (about a peer, or NULL) or -errno. */
    void (*over)(void *context, int r, const struct peer *about);
};

/*
 * Takes files for peers: reads them from `fd`, which is taken over in any case, and offers them to
 * all of the draft's peers; its content is not looked at. What files_upload() returns.
 */
int node_file_send(struct node *node, const struct node_draft *draft,
                   const struct file_offer *offer, int fd, const struct node_upload_events *events,
                   void *context, struct node_upload **upload);

/* Gives it up without telling. NULL is allowed. */
void node_upload_free(struct node_upload *upload);

/*
 * Ends an open transfer and tells the peer. 0, FILES_ENDED, another outcome or -errno.
 */
int node_file_end(struct node *node, const struct transfer_row *row, enum file_end_state state,
                  enum file_reason reason);
