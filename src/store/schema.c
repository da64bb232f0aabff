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
/* clang-format on */

const char *const schema_migrations[] = {schema_1, schema_2, schema_3};
const int schema_version = sizeof schema_migrations / sizeof *schema_migrations;
