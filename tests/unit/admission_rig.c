/* SPDX-License-Identifier: ISC */
/*
 * Admission on a stage.
 */
#include "unit/admission_rig.h"

#include <string.h>

#include "core/delivery.h"
#include "store/handover.h"
#include "store/invites.h"
#include "unit/cmocka_all.h"
#include "unit/fake_loop.h"

struct stage stage;

static void report_request(void *context, const struct pending_key *request)
{
    (void)context, (void)request;
    stage.requests++;
}

static void report_merged(void *context, const struct peer *peer, int64_t former)
{
    (void)context, (void)peer, (void)former;
    stage.merges++;
}

static const struct observer observer = {.request = report_request, .merged = report_merged};

/* What is asked after the session may exist would come too late. */
static int remember(void)
{
    assert_false(stage.established);
    return stage.store;
}

/* --- stand-ins: session and stream ------------------------------------------------------------ */

enum session_role session_role(const struct session *session)
{
    return session->role;
}

enum suite session_suite(const struct session *session)
{
    return session->suite;
}

const struct pubkey *session_peer(const struct session *session)
{
    return &session->key;
}

int pubkey_check(const struct pubkey *key)
{
    (void)key;
    return 0;
}

static void answer(struct session *session)
{
    assert_true(session->asks);
    session->asks = false;
}

void session_admit(struct session *session, bool approved, uint64_t now_ms)
{
    (void)now_ms;
    answer(session);
    session->admitted = true;
    session->approved = approved;
}

void session_reject(struct session *session, enum close_code code, uint64_t now_ms)
{
    (void)now_ms;
    answer(session);
    session->code = code;
}

void session_approve(struct session *session, uint64_t now_ms)
{
    (void)now_ms;
    session->approved = true;
}

bool session_approved_here(const struct session *session)
{
    return session->approved;
}

bool session_approved_there(const struct session *session)
{
    (void)session;
    return true;
}

const uint8_t *session_invite_id(const struct session *session)
{
    static const uint8_t id[INVITE_ID_SIZE];
    return session->invited ? id : NULL;
}

bool session_invite_proven(const struct session *session,
                           const uint8_t secret[static INVITE_SECRET_SIZE])
{
    (void)secret;
    return session->invited;
}

const struct origin *stream_origin(const struct stream *stream)
{
    return &stream->origin;
}

/* --- stand-ins: links and peers --------------------------------------------------------------- */

const struct fingerprint *link_fingerprint(const struct link *link)
{
    return &link->session->key.fingerprint;
}

void link_touch(struct link *link)
{
    link->dirty = true;
}

void link_close(struct link *link, enum close_code code)
{
    link->state = LINK_FINISHING;
    link->session->code = code;
}

struct link *links_find(const struct links *links, const struct fingerprint *fingerprint)
{
    (void)links, (void)fingerprint;
    return stage.rival;
}

bool links_resolve(struct links *links, struct link *link, const struct fingerprint *own,
                   uint64_t now_ms)
{
    (void)links, (void)link, (void)own, (void)now_ms;
    return stage.rival == NULL || !stage.rival_stays;
}

void links_establish(struct links *links, struct link *link)
{
    (void)links, (void)link;
    stage.established = true;
}

void peer_link_up(struct peer *peer, struct link *link)
{
    stage.up = peer;
    link->peer = peer;
    peer->link = link;
}

void peer_link_waits(struct peer *peer)
{
    (void)peer;
}

enum peer_trust peer_trust(const struct peer *peer)
{
    return peer->row.offered ? PEER_CHANGED : peer->row.trust;
}

const struct fingerprint *runtime_fingerprint(const struct runtime *runtime)
{
    static const struct fingerprint own = {{99}};
    (void)runtime;
    return &own;
}

void runtime_fail(struct runtime *runtime, int error)
{
    (void)runtime;
    stage.failure = error;
}

/* --- stand-ins: the roster -------------------------------------------------------------------- */

static bool has_key(const struct peer *peer, const struct fingerprint *key)
{
    return peer->row.pinned && memcmp(peer->row.key, key->bytes, PEER_KEY_SIZE) == 0;
}

struct peer *roster_by_key(const struct roster *roster, const struct fingerprint *fingerprint)
{
    (void)roster;
    if (stage.bob_known && has_key(&stage.bob, fingerprint))
        return &stage.bob;
    return stage.has_adopted && has_key(&stage.adopted, fingerprint) ? &stage.adopted : NULL;
}

bool roster_unnamed(const struct peer *peer)
{
    return peer == &stage.adopted;
}

int roster_check_name(const struct roster *roster, const char *name)
{
    (void)roster, (void)name;
    return 0;
}

int roster_adopt(struct roster *roster, const char *name, const struct fingerprint *key,
                 enum peer_trust trust, struct peer **peer)
{
    (void)roster, (void)name;
    stage.adopted.row = (struct peer_row){.pinned = true, .trust = trust};
    memcpy(stage.adopted.row.key, key->bytes, PEER_KEY_SIZE);
    stage.has_adopted = remember() == 0;
    *peer = &stage.adopted;
    return stage.store;
}

bool adoption_has_place(struct adoption *adoption)
{
    (void)adoption;
    return !stage.crowded;
}

int adoption_take(struct adoption *adoption, const struct fingerprint *key, struct peer **peer)
{
    (void)adoption;
    assert_false(stage.crowded);
    return roster_adopt(NULL, NULL, key, PEER_TOFU, peer);
}

int roster_pin(struct roster *roster, struct peer *peer, const struct fingerprint *key,
               enum peer_trust trust)
{
    (void)roster;
    if (remember() != 0)
        return stage.store;
    stage.pins++;
    stage.pinned_as = trust;
    peer->row.pinned = true;
    peer->row.offered = peer->row.invited = false;
    memcpy(peer->row.key, key->bytes, PEER_KEY_SIZE);
    return 0;
}

int roster_doubt(struct roster *roster, struct peer *peer, const struct fingerprint *key)
{
    (void)roster;
    stage.doubts++;
    peer->row.offered = true;
    memcpy(peer->row.offered_key, key->bytes, PEER_KEY_SIZE);
    return remember();
}

int roster_merge(struct roster *roster, struct peer *nameless, struct peer *keyless)
{
    (void)roster;
    stage.link.peer = nameless;
    nameless->row.require_pq |= keyless->row.require_pq;
    return remember();
}

/* --- stand-ins: the store --------------------------------------------------------------------- */

int invites_get(struct db *db, const uint8_t id[static INVITE_ROW_ID_SIZE], struct invite_row *row)
{
    (void)db, (void)id;
    *row = (struct invite_row){.expires_ms = NOW_MS + 1};
    return stage.invite_stored ? 0 : DB_NOT_FOUND;
}

int db_restored(struct db *db, uint64_t *time_ms)
{
    (void)db;
    *time_ms = 0;
    return 0;
}

int invites_remove(struct db *db, const uint8_t id[static INVITE_ROW_ID_SIZE])
{
    (void)db, (void)id;
    stage.invite_stored = false;
    return remember();
}

int handover_step(struct db *db, struct handover *handover, handover_reseal *reseal, void *context,
                  bool *more)
{
    (void)db, (void)handover, (void)reseal, (void)context;
    *more = stage.steps_left > 0 && --stage.steps_left > 0;
    return remember();
}

void peer_dial_at_once(struct peer *peer)
{
    (void)peer;
    stage.dials++;
}

struct peer *roster_by_id(const struct roster *roster, int64_t id)
{
    (void)roster;
    return id == stage.adopted.row.id ? &stage.adopted : stage.keyless;
}

int body_sealer_open(struct body_sealer *body_sealer, const struct message_row *row,
                     struct bytes *text)
{
    (void)body_sealer, (void)row, (void)text;
    return 0;
}

int body_sealer_open_secret(struct body_sealer *body_sealer, const char *label, struct span owner,
                            const uint8_t sealed[static BODY_SEALER_SEALED_SIZE],
                            uint8_t secret[static BODY_SEALER_SECRET_SIZE])
{
    (void)body_sealer, (void)label, (void)owner, (void)sealed;
    memset(secret, 0, BODY_SEALER_SECRET_SIZE);
    return 0;
}

int body_sealer_seal(struct body_sealer *body_sealer, const struct message_row *row,
                     struct span content, struct bytes *sealed)
{
    (void)body_sealer, (void)row, (void)content, (void)sealed;
    return 0;
}

void peer_touch_queue(struct peer *peer)
{
    peer->giving_due = true;
}

void housekeeping_look(struct housekeeping *housekeeping, size_t size)
{
    (void)housekeeping, (void)size;
}

bool housekeeping_has_room(const struct housekeeping *housekeeping)
{
    (void)housekeeping;
    return stage.room;
}

/* --- the beginning and the end ---------------------------------------------------------------- */

int stage_set_up(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    fake_loop_start(NOW_MS, 0);
    stage.room = true;
    stage.runtime.observer = &observer;
    stage.runtime.settings.max_links = LINKS_MAX;
    stage.runtime.settings.unknown_peers = UNKNOWN_ASK;
    limits_init(&stage.limits, NOW_MS);
    pending_keys_init(&stage.pending_keys);
    stage.bob.row = (struct peer_row){
        .id = 1, .name = "bob", .trust = PEER_VERIFIED, .pinned = true, .key = {BOB}};
    stage.bob_known = true;
    bucket_init(&stage.bob.keys, LIMITS_PEER_KEYS_PER_S, LIMITS_PEER_KEYS_BURST, NOW_MS);
    stage.link.session = &stage.session;
    stage.link.stream = &stage.stream;
    stage.link.state = LINK_ACTIVE;
    stage.merging = (struct merging){
        .runtime = &stage.runtime, .roster = &stage.roster, .housekeeping = &stage.housekeeping};
    merging_init(&stage.merging);
    stage.admission = (struct admission){.runtime = &stage.runtime,
                                         .limits = &stage.limits,
                                         .links = &stage.links,
                                         .pending_keys = &stage.pending_keys,
                                         .roster = &stage.roster,
                                         .housekeeping = &stage.housekeeping,
                                         .merging = &stage.merging};
    return 0;
}

int stage_tear_down(void **state)
{
    (void)state;
    pending_keys_deinit(&stage.pending_keys);
    return 0;
}
