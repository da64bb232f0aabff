/* SPDX-License-Identifier: ISC */
/*
 * The numbers of outcomes. A function returns 0, a -errno, or an outcome > 0 of its module, which
 * the caller must handle. No two modules share a number, so an outcome that is passed on by mistake
 * is never read as another module's, and one in a log or a debugger says whose it is.
 *
 * `enum x_outcome` begins with OUTCOME_X and counts up from there, for at most OUTCOME_RANGE
 * values. A new module takes the next hundred that is free. tests/lint/outcomes holds all this.
 */
#pragma once

enum {
    OUTCOME_RANGE = 100,
};

enum outcome_first {
    /* crypto/ */
    OUTCOME_AEAD = 100,
    OUTCOME_IDENTITY = 200,
    OUTCOME_KEM = 600,
    OUTCOME_KEYX = 300,
    OUTCOME_PKCS8 = 400,
    OUTCOME_PUBKEY = 500,
    /* store/ */
    OUTCOME_DB = 1000,
    OUTCOME_QUEUE = 1100,
    /* rpc/ */
    OUTCOME_RPC_LINE = 1500,
    /* proto/ */
    OUTCOME_CONFIRM = 2000,
    OUTCOME_EPOCH = 2100,
    OUTCOME_EXCHANGE = 3200,
    OUTCOME_FILE_ITEM = 3400,
    OUTCOME_HEADERS = 3300,
    OUTCOME_HELLO = 2200,
    OUTCOME_IDENT = 2300,
    OUTCOME_MESSAGE = 2400,
    OUTCOME_LANE = 3000,
    OUTCOME_LANE_KEYS = 3100,
    OUTCOME_PACKET = 2500,
    OUTCOME_RECORD = 2600,
    OUTCOME_SAFETY_NUMBER = 2700,
    OUTCOME_SEAL = 2800,
    OUTCOME_SESSION = 2900,
    /* core/ */
    OUTCOME_BODY_SEALER = 5000,
    OUTCOME_NODE = 5100,
    OUTCOME_CALLS = 5800,
    OUTCOME_CHANNELS = 5500,
    OUTCOME_SERVICES = 5600,
    OUTCOME_STREAMS = 5700,
    OUTCOME_FILES = 6000,
    OUTCOME_SPOOL = 5900,
    /* daemon/ */
    OUTCOME_BACKUP = 7000,
    /* client/ */
    OUTCOME_CHAT_LINK = 8000,
    OUTCOME_CONNECTION = 8100,
    OUTCOME_DIAGNOSIS = 8200,
    OUTCOME_EDITOR = 8300,
    OUTCOME_FOLLOWER = 8400,
    OUTCOME_INPUT = 8500,
    OUTCOME_MANIFEST = 8700,
    OUTCOME_UNPACK = 8800,
    OUTCOME_PACK = 8900,
    OUTCOME_OUTBOX = 8600,
};
