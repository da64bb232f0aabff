/* SPDX-License-Identifier: ISC */
/*
 * The schema as a table of migrations: SQL only, no code.
 *
 * Numbers of states, directions, trust and event types are those of the enums in the headers; they
 * are part of the format. Every index ends in the row's seq or id, as SQLite's do, so an index on
 * (peer) walks a peer's messages in order.
 */
#include "store/schema.h"

/* clang-format off */
static const char schema_1[] =
    "CREATE TABLE meta ("
    "    epoch TEXT NOT NULL,"
    "    file TEXT NOT NULL DEFAULT ''" /* which one it was when it was last opened */
    ") STRICT;"
    "INSERT INTO meta (epoch) VALUES (lower(hex(randomblob(16))));"

    /* A removed peer keeps its row for its history; its name and key are free again. */
    "CREATE TABLE peer ("
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "    name TEXT NOT NULL,"
    "    key BLOB CHECK (length(key) = 32),"
    "    trust INTEGER NOT NULL CHECK (trust BETWEEN 0 AND 4),"
    "    offered_key BLOB CHECK (length(offered_key) = 32),"
    "    last_in BLOB NOT NULL CHECK (length(last_in) = 16),"
    "    last_out BLOB NOT NULL CHECK (length(last_out) = 16),"
    "    created_ms INTEGER NOT NULL,"
    "    removed_ms INTEGER"
    ") STRICT;"
    "CREATE UNIQUE INDEX peer_by_name ON peer (name) WHERE removed_ms IS NULL;"
    "CREATE UNIQUE INDEX peer_by_key ON peer (key) WHERE removed_ms IS NULL;"

    "CREATE TABLE peer_address ("
    "    peer INTEGER NOT NULL REFERENCES peer,"
    "    position INTEGER NOT NULL,"
    "    host TEXT NOT NULL,"
    "    port INTEGER NOT NULL CHECK (port BETWEEN 0 AND 65535),"
    "    PRIMARY KEY (peer, position)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE peer_old_key ("
    "    id INTEGER PRIMARY KEY,"
    "    peer INTEGER NOT NULL REFERENCES peer,"
    "    key BLOB NOT NULL CHECK (length(key) = 32),"
    "    replaced_ms INTEGER NOT NULL"
    ") STRICT;"

    /*
     * AUTOINCREMENT: a seq is never given twice, even when the newest rows are removed. `message`
     * is the message whose state changed; one that was received or sent has its event's own seq.
     */
    "CREATE TABLE event ("
    "    seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "    type INTEGER NOT NULL CHECK (type BETWEEN 0 AND 4),"
    "    time_ms INTEGER NOT NULL,"
    "    peer INTEGER NOT NULL REFERENCES peer,"
    "    trust INTEGER NOT NULL CHECK (trust BETWEEN 0 AND 4),"
    "    message INTEGER,"
    "    state INTEGER CHECK (state BETWEEN 0 AND 7),"
    "    reason TEXT,"
    "    offered_key BLOB CHECK (length(offered_key) = 32)"
    ") STRICT;"
    "CREATE INDEX event_by_time ON event (time_ms);"
    "CREATE INDEX event_by_message ON event (message) WHERE message IS NOT NULL;"

    /* `previous` is NULL until the first transmission, `body` when the text was removed. */
    "CREATE TABLE message ("
    "    seq INTEGER PRIMARY KEY REFERENCES event,"
    "    peer INTEGER NOT NULL REFERENCES peer,"
    "    direction INTEGER NOT NULL CHECK (direction IN (0, 1)),"
    "    id BLOB NOT NULL CHECK (length(id) = 16),"
    "    previous BLOB CHECK (length(previous) = 16),"
    "    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 7),"
    "    trust INTEGER NOT NULL CHECK (trust BETWEEN 0 AND 4),"
    "    time_ms INTEGER NOT NULL,"
    "    sent_ms INTEGER NOT NULL,"
    "    expires_ms INTEGER NOT NULL,"
    "    client_id TEXT,"
    "    text_size INTEGER NOT NULL,"
    "    body BLOB"
    ") STRICT;"
    "CREATE UNIQUE INDEX message_by_id ON message (id, peer, direction);"
    "CREATE INDEX message_by_peer ON message (peer);"
    "CREATE INDEX message_queue ON message (peer) WHERE state IN (1, 2);"
    "CREATE INDEX message_by_direction ON message (direction, seq, peer);"
    "CREATE INDEX message_by_client_id ON message (client_id) WHERE client_id IS NOT NULL;"
    "CREATE INDEX message_by_expiry ON message (expires_ms)"
    "    WHERE state IN (1, 2) AND expires_ms > 0;"

    /* What stays of a removed message, so that a late repetition is not taken for a new one. */
    "CREATE TABLE tombstone ("
    "    id BLOB NOT NULL CHECK (length(id) = 16),"
    "    peer INTEGER NOT NULL REFERENCES peer,"
    "    direction INTEGER NOT NULL CHECK (direction IN (0, 1)),"
    "    seq INTEGER NOT NULL,"
    "    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 7),"
    "    client_id TEXT,"
    "    removed_ms INTEGER NOT NULL,"
    "    PRIMARY KEY (id, peer, direction)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX tombstone_by_time ON tombstone (removed_ms);"
    "CREATE INDEX tombstone_by_client_id ON tombstone (client_id) WHERE client_id IS NOT NULL;"

    /* How far a named follower has come. */
    "CREATE TABLE consumer ("
    "    name TEXT PRIMARY KEY,"
    "    seq INTEGER NOT NULL,"
    "    used_ms INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    /* Counting a million messages takes too long for who asks: the sums are kept as they change. */
    "CREATE TABLE tally ("
    "    peer INTEGER PRIMARY KEY REFERENCES peer,"
    "    messages INTEGER NOT NULL DEFAULT 0,"
    "    bytes INTEGER NOT NULL DEFAULT 0,"
    "    queued INTEGER NOT NULL DEFAULT 0,"
    "    queued_bytes INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE TRIGGER peer_added AFTER INSERT ON peer BEGIN"
    "    INSERT INTO tally (peer) VALUES (new.id);"
    "END;"
    "CREATE TRIGGER message_added AFTER INSERT ON message BEGIN"
    "    UPDATE tally SET"
    "        messages = messages + 1,"
    "        bytes = bytes + new.text_size,"
    "        queued = queued + (new.state IN (1, 2)),"
    "        queued_bytes = queued_bytes + new.text_size * (new.state IN (1, 2))"
    "    WHERE peer = new.peer;"
    "END;"
    "CREATE TRIGGER message_changed AFTER UPDATE OF state ON message BEGIN"
    "    UPDATE tally SET"
    "        queued = queued + (new.state IN (1, 2)) - (old.state IN (1, 2)),"
    "        queued_bytes = queued_bytes"
    "            + new.text_size * ((new.state IN (1, 2)) - (old.state IN (1, 2)))"
    "    WHERE peer = new.peer;"
    "END;"
    "CREATE TRIGGER message_removed AFTER DELETE ON message BEGIN"
    "    UPDATE tally SET"
    "        messages = messages - 1,"
    "        bytes = bytes - old.text_size,"
    "        queued = queued - (old.state IN (1, 2)),"
    "        queued_bytes = queued_bytes - old.text_size * (old.state IN (1, 2))"
    "    WHERE peer = old.peer;"
    "END;";

/*
 * Invites that we gave, until they are used, and the one that a peer gave us, until it has let us
 * in.
 */
static const char schema_2[] =
    "CREATE TABLE invite ("
    "    id BLOB PRIMARY KEY CHECK (length(id) = 16),"
    "    secret BLOB NOT NULL CHECK (length(secret) = 16),"
    "    name TEXT NOT NULL,"
    "    created_ms INTEGER NOT NULL,"
    "    expires_ms INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "ALTER TABLE peer ADD COLUMN invite_secret BLOB CHECK (length(invite_secret) = 16);";

/* A message may go to another peer, when two turn out to be one. */
static const char schema_3[] =
    "CREATE TRIGGER message_moved AFTER UPDATE OF peer ON message BEGIN"
    "    UPDATE tally SET"
    "        messages = messages - 1,"
    "        bytes = bytes - old.text_size,"
    "        queued = queued - (old.state IN (1, 2)),"
    "        queued_bytes = queued_bytes - old.text_size * (old.state IN (1, 2))"
    "    WHERE peer = old.peer;"
    "    UPDATE tally SET"
    "        messages = messages + 1,"
    "        bytes = bytes + new.text_size,"
    "        queued = queued + (new.state IN (1, 2)),"
    "        queued_bytes = queued_bytes + new.text_size * (new.state IN (1, 2))"
    "    WHERE peer = new.peer;"
    "END;";

/*
 * The log: messages, what became of them, and events of peers, in one order and only appended to.
 *
 * What a message of the log carries is its own, but whether an outgoing one was transmitted and
 * delivered follows from the marks of its peer (store/marks.h), unless its row says more. What can
 * be told from the log is written seldom: `message_of_peer` and `peer_mark` are right up to
 * meta.settled. Bodies are the last column, so that nothing else is read through their pages.
 */
static const char schema_4[] =
    "CREATE TABLE log ("
    "    seq INTEGER PRIMARY KEY,"              /* of a row that stands for several: its last */
    "    type INTEGER NOT NULL CHECK (type >= 0)," /* a message: its direction */
    "    peer INTEGER NOT NULL,"
    "    trust INTEGER NOT NULL CHECK (trust >= 0),"
    "    time_ms INTEGER NOT NULL,"
    "    state INTEGER CHECK (state >= 0)," /* NULL: by the marks; 15: in `extra` */
    "    kind INTEGER,"                     /* NULL: a text */
    "    needs INTEGER,"                    /* features of the peer without which it waits */
    "    uid INTEGER,"                      /* who sent it; NULL: an administrator */
    "    id BLOB CHECK (length(id) = 16),"  /* of messages only */
    "    sent_ms INTEGER,"                  /* NULL: as time_ms */
    "    expires_ms INTEGER,"
    "    text_size INTEGER,"
    "    client_id TEXT,"
    "    detail BLOB," /* type 2: of which seqs it tells, and why; 3: the key; else `previous` */
    "    body BLOB"
    ") STRICT;"
    "CREATE UNIQUE INDEX log_by_id ON log (id, peer, type) WHERE id IS NOT NULL;"

    /* Of the messages that need it: their own state and place in the queue, and what else. */
    "CREATE TABLE extra ("
    "    seq INTEGER PRIMARY KEY,"
    "    peer INTEGER NOT NULL,"
    "    state INTEGER CHECK (state >= 0),"
    "    level INTEGER,"
    "    needs INTEGER,"
    "    place INTEGER,"
    "    ticket_mark INTEGER,"
    "    ticket INTEGER,"
    "    prev BLOB CHECK (length(prev) = 16),"
    "    key_tag BLOB CHECK (length(key_tag) = 16),"
    "    not_before_ms INTEGER,"
    "    forget_ms INTEGER,"
    "    reply_to BLOB CHECK (length(reply_to) = 16),"
    "    answers BLOB CHECK (length(answers) = 16),"
    "    call INTEGER,"
    "    call_deadline_ms INTEGER,"
    "    claim BLOB,"
    "    service TEXT,"
    "    result INTEGER,"
    "    result_seq INTEGER"
    ") STRICT;"
    "CREATE INDEX extra_waiting ON extra (peer, level, needs, place) WHERE state = 1;"
    "CREATE INDEX extra_ticketed ON extra (peer, ticket_mark, ticket) WHERE state = 2;"
    "CREATE INDEX extra_by_key ON extra (peer, key_tag)"
    "    WHERE key_tag IS NOT NULL AND state IS NOT NULL;"
    "CREATE INDEX extra_by_start ON extra (not_before_ms) WHERE state = 8;"
    "CREATE INDEX extra_by_end ON extra (forget_ms) WHERE forget_ms > 0;"
    "CREATE INDEX extra_by_deadline ON extra (call_deadline_ms) WHERE call IN (0, 1);"
    "CREATE INDEX extra_by_service ON extra (service, seq) WHERE call = 0;"
    "CREATE UNIQUE INDEX extra_answers ON extra (peer, answers) WHERE answers IS NOT NULL;"

    "CREATE TABLE message_of_peer ("
    "    peer INTEGER NOT NULL,"
    "    type INTEGER NOT NULL,"
    "    seq INTEGER NOT NULL,"
    "    PRIMARY KEY (peer, type, seq)"
    ") STRICT, WITHOUT ROWID;"

    /* What a client_id was answered. */
    "CREATE TABLE client_request ("
    "    uid INTEGER NOT NULL,"
    "    client_id TEXT NOT NULL,"
    "    digest BLOB NOT NULL CHECK (length(digest) IN (0, 16)),"
    "    first INTEGER NOT NULL,"
    "    count INTEGER NOT NULL,"
    "    refused TEXT,"
    "    time_ms INTEGER NOT NULL,"
    "    PRIMARY KEY (uid, client_id)"
    ") STRICT, WITHOUT ROWID;"

    /* Messages whose time is over before that of one that was accepted before them. */
    "CREATE TABLE expiry ("
    "    at_ms INTEGER NOT NULL,"
    "    seq INTEGER NOT NULL,"
    "    PRIMARY KEY (at_ms, seq)"
    ") STRICT, WITHOUT ROWID;"

    /* The first seq of each minute in which there was one. */
    "CREATE TABLE minute (at_ms INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;"

    /* Each time that the store was open and something was added: what proves a seq's past. */
    "CREATE TABLE life ("
    "    first_seq INTEGER PRIMARY KEY,"
    "    tag BLOB NOT NULL CHECK (length(tag) = 16),"
    "    shift_ms INTEGER NOT NULL DEFAULT 0" /* to add to all times of its rows */
    ") STRICT;"

    "CREATE TABLE peer_mark ("
    "    peer INTEGER PRIMARY KEY REFERENCES peer,"
    "    last_in BLOB CHECK (length(last_in) = 16),"
    "    last_out BLOB CHECK (length(last_out) = 16),"
    "    base BLOB CHECK (length(base) = 16),"
    "    sent INTEGER NOT NULL DEFAULT 0,"
    "    delivered INTEGER NOT NULL DEFAULT 0,"
    "    messages INTEGER NOT NULL DEFAULT 0,"
    "    bytes INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"

    "ALTER TABLE meta ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE meta ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;" /* no seq up to it comes again */
    "ALTER TABLE meta ADD COLUMN key_check BLOB;"
    "ALTER TABLE meta ADD COLUMN identity_check BLOB;"
    "ALTER TABLE meta ADD COLUMN instance BLOB CHECK (length(instance) = 16);"
    "ALTER TABLE meta ADD COLUMN restored_ms INTEGER;"
    "ALTER TABLE meta ADD COLUMN onion_key BLOB;"

    /* Messages become rows of the log with their state in them: those in the queue have their own
     * place there, too. */
    "UPDATE meta SET floor = ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0);"
    "INSERT INTO log (seq, type, peer, trust, time_ms, state, id, sent_ms, expires_ms, text_size,"
    "    client_id, detail, body)"
    " SELECT seq, direction, peer, trust, time_ms,"
    "    iif(direction = 0, NULL, iif(state IN (1, 2), 15, state)), id,"
    "    nullif(sent_ms, time_ms), nullif(expires_ms, 0), text_size, client_id,"
    "    iif(direction = 1 AND state NOT IN (1, 2), previous, NULL), body"
    " FROM message ORDER BY seq;"
    "INSERT INTO log (seq, type, peer, trust, time_ms, state, detail)"
    " SELECT e.seq, e.type, e.peer, e.trust, e.time_ms, e.state,"
    "    iif(e.type = 2, about(e.message, e.reason), e.offered_key)"
    " FROM event e WHERE e.type >= 2;"
    "INSERT INTO extra (seq, peer, state, place, ticket_mark, ticket, prev)"
    " SELECT seq, peer, state, seq, iif(state = 2, 0, NULL), iif(state = 2, seq, NULL), previous"
    " FROM message WHERE direction = 1 AND state IN (1, 2);"
    "INSERT INTO peer_mark (peer, last_in, last_out, base, sent, delivered, messages, bytes)"
    " SELECT id, nullif(last_in, zeroblob(16)), nullif(last_out, zeroblob(16)),"
    "    nullif(last_out, zeroblob(16)), (SELECT floor FROM meta), (SELECT floor FROM meta),"
    "    (SELECT count(*) FROM message WHERE peer = p.id),"
    "    (SELECT ifnull(sum(text_size), 0) FROM message WHERE peer = p.id)"
    " FROM peer p;"
    "INSERT INTO message_of_peer SELECT peer, direction, seq FROM message;"
    "UPDATE meta SET settled = floor;"
    "INSERT INTO expiry SELECT expires_ms, seq FROM message"
    "    WHERE state IN (1, 2) AND expires_ms > 0;"
    "INSERT OR IGNORE INTO minute SELECT time_ms - time_ms % 60000, seq FROM event ORDER BY seq;"
    "INSERT INTO client_request (uid, client_id, digest, first, count, time_ms)"
    " SELECT 0, client_id, x'', min(seq), count(*), max(time_ms) FROM message"
    " WHERE client_id IS NOT NULL GROUP BY client_id;"
    "INSERT INTO client_request (uid, client_id, digest, first, count, time_ms)"
    " SELECT 0, client_id, x'', min(seq), count(*), max(removed_ms) FROM tombstone"
    " WHERE client_id IS NOT NULL GROUP BY client_id"
    " ON CONFLICT (uid, client_id) DO UPDATE SET first = min(first, excluded.first),"
    "    count = count + excluded.count;"

    "ALTER TABLE tombstone RENAME TO old_tombstone;"
    "CREATE TABLE tombstone ("
    "    seq INTEGER PRIMARY KEY,"
    "    id BLOB NOT NULL CHECK (length(id) = 16),"
    "    peer INTEGER NOT NULL,"
    "    type INTEGER NOT NULL CHECK (type >= 0),"
    "    state INTEGER NOT NULL CHECK (state >= 0),"
    "    removed_ms INTEGER NOT NULL"
    ") STRICT;"
    "INSERT INTO tombstone SELECT seq, id, peer, direction, state, removed_ms FROM old_tombstone;"
    "DROP TABLE old_tombstone;"
    "CREATE UNIQUE INDEX tombstone_by_id ON tombstone (id, peer, type);"
    "CREATE INDEX tombstone_by_time ON tombstone (removed_ms);"

    "DROP TRIGGER peer_added;"
    "DROP TABLE tally;"
    "DROP TABLE message;"
    "DROP TABLE event;"

    /* Where a peer can be found: as people gave it (kind 0: a host as text), as it told, as it was
     * last. */
    "CREATE TABLE peer_way ("
    "    peer INTEGER NOT NULL REFERENCES peer,"
    "    origin INTEGER NOT NULL CHECK (origin >= 0),"
    "    position INTEGER NOT NULL,"
    "    kind INTEGER NOT NULL CHECK (kind >= 0),"
    "    value BLOB NOT NULL,"
    "    zone TEXT,"
    "    port INTEGER NOT NULL CHECK (port BETWEEN 0 AND 65535),"
    "    source INTEGER,"
    "    time_ms INTEGER,"
    "    good_ms INTEGER,"
    "    failures INTEGER NOT NULL DEFAULT 0,"
    "    PRIMARY KEY (peer, origin, position)"
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO peer_way (peer, origin, position, kind, value, port)"
    " SELECT peer, 0, position, 0, CAST(host AS BLOB), port FROM peer_address;"
    "DROP TABLE peer_address;"

    "ALTER TABLE peer DROP COLUMN last_in;"
    "ALTER TABLE peer DROP COLUMN last_out;"
    "ALTER TABLE peer ADD COLUMN features INTEGER;" /* those it has; NULL: never met */
    "ALTER TABLE peer ADD COLUMN seen_ms INTEGER;"
    "ALTER TABLE peer ADD COLUMN adopted INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE peer ADD COLUMN used_ms INTEGER;"
    "ALTER TABLE peer ADD COLUMN declared INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE peer ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE peer ADD COLUMN instance BLOB CHECK (length(instance) = 16);"
    "ALTER TABLE peer ADD COLUMN instance_before BLOB CHECK (length(instance_before) = 16);"
    "ALTER TABLE peer ADD COLUMN proxy TEXT;"
    "ALTER TABLE peer ADD COLUMN tell INTEGER;"
    "ALTER TABLE peer ADD COLUMN relayed INTEGER;"
    "ALTER TABLE peer ADD COLUMN onion_private BLOB;"
    "ALTER TABLE peer ADD COLUMN onion_theirs BLOB;"
    "ALTER TABLE peer ADD COLUMN files INTEGER;"
    "ALTER TABLE peer ADD COLUMN require_pq INTEGER;"
    "ALTER TABLE peer ADD COLUMN purge_before INTEGER;" /* a purge in steps: seqs up to it go */
    "CREATE TABLE relay_pair (a INTEGER NOT NULL, b INTEGER) STRICT;" /* b NULL: anybody */
    "CREATE UNIQUE INDEX relay_pair_once ON relay_pair (a, ifnull(b, 0));"

    "CREATE TABLE transfer ("
    "    seq INTEGER PRIMARY KEY,"
    "    state INTEGER NOT NULL CHECK (state >= 0),"
    "    reason TEXT,"
    "    spool BLOB CHECK (length(spool) = 16),"
    "    source_tag BLOB CHECK (length(source_tag) = 16),"
    "    uid INTEGER,"
    "    data_size INTEGER,"
    "    manifest_size INTEGER,"
    "    entries INTEGER,"
    "    chunk_log2 INTEGER,"
    "    root BLOB,"
    "    rate INTEGER,"
    "    moved INTEGER NOT NULL DEFAULT 0,"
    "    ended_ms INTEGER"
    ") STRICT;"

    "ALTER TABLE consumer ADD COLUMN uid INTEGER;"
    "ALTER TABLE consumer ADD COLUMN head INTEGER;"
    "ALTER TABLE consumer ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE consumer ADD COLUMN tag BLOB CHECK (length(tag) = 16);" /* of the life of `seq` */
    "CREATE TABLE dead ("
    "    consumer TEXT NOT NULL,"
    "    seq INTEGER NOT NULL,"
    "    tries INTEGER NOT NULL,"
    "    status INTEGER NOT NULL,"
    "    time_ms INTEGER NOT NULL,"
    "    retry INTEGER NOT NULL DEFAULT 0,"
    "    PRIMARY KEY (consumer, seq)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX dead_to_retry ON dead (consumer, seq) WHERE retry = 1;"
    "CREATE INDEX dead_by_seq ON dead (seq);"

    "CREATE TABLE service (name TEXT PRIMARY KEY, uid INTEGER, tofu INTEGER NOT NULL DEFAULT 0)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE service_allow (name TEXT NOT NULL, peer INTEGER, set_name TEXT) STRICT;"
    "CREATE INDEX service_allow_by_name ON service_allow (name);"
    "CREATE TABLE peer_set (set_name TEXT NOT NULL, peer INTEGER NOT NULL REFERENCES peer,"
    "    PRIMARY KEY (set_name, peer)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE revoked (fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32))"
    " STRICT, WITHOUT ROWID;"

    "ALTER TABLE invite ADD COLUMN sealed BLOB;" /* its secret, when it is not in `secret` */
    "ALTER TABLE invite ADD COLUMN uses INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE invite ADD COLUMN used INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE invite ADD COLUMN set_name TEXT;"
    "ALTER TABLE invite ADD COLUMN approve INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE invite_use ("
    "    invite BLOB NOT NULL,"
    "    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),"
    "    name TEXT NOT NULL,"
    "    time_ms INTEGER NOT NULL,"
    "    PRIMARY KEY (invite, fingerprint)"
    ") STRICT, WITHOUT ROWID;";

/* How much of the disk goes to what came from a peer: 100 of an id that is only remembered. */
static const char schema_5[] =
    "ALTER TABLE peer_mark ADD COLUMN inbound INTEGER NOT NULL DEFAULT 0;"
    "UPDATE peer_mark SET inbound = ifnull((SELECT sum(inbound_size(m.text_size))"
    " FROM message_of_peer o JOIN log m ON m.seq = o.seq"
    " WHERE o.peer = peer_mark.peer AND o.type = 0), 0);"
    "UPDATE peer_mark SET inbound = inbound + t.ids * 100 FROM"
    " (SELECT peer, count(*) AS ids FROM tombstone WHERE type = 0 GROUP BY peer) t"
    " WHERE t.peer = peer_mark.peer;";

/* Of the invite that a peer gave us, in place of peer.invite_secret. */
static const char schema_6[] = "ALTER TABLE peer ADD COLUMN invite_sealed BLOB"
    " CHECK (length(invite_sealed) = 48);";
/* clang-format on */

const char *const schema_migrations[] = {schema_1, schema_2, schema_3,
                                         schema_4, schema_5, schema_6};
const int schema_version = sizeof schema_migrations / sizeof *schema_migrations;
