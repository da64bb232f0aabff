/* SPDX-License-Identifier: ISC */
/*
 * What a session, its parts and its owner all speak of: settings, items and the window.
 */
#pragma once

#include "base/bytes.h"
#include "base/uuid.h"
#include "crypto/identity.h"
#include "proto/gone.h"
#include "proto/role.h"

enum {
    SESSION_TEXT_MAX = 65536,               /* bytes of text in a message */
    SESSION_WINDOW_ITEMS = 1024,            /* unacknowledged items in flight, per direction */
    INSTANCE_SIZE = 16,                     /* see session_settings */
    SESSION_WINDOW_BYTES = 4 * 1024 * 1024, /* and their size; one item always fits */
};

/* What a session starts from. Everything pointed to outlives the session. */
struct session_settings {
    enum session_role role;
    const struct identity *self;
    unsigned suites;   /* that may be spoken, a set as in exchange.h; 0 for all that we can do */
    uint32_t features; /* what we offer: bits of features.h */
    const uint8_t
        *invite_secret;      /* joiner: INVITE_SECRET_SIZE bytes to show to the host, or NULL */
    const struct gone *gone; /* joiner: former links to name, maybe none; NULL to keep silent */
    const uint8_t *instance; /* INSTANCE_SIZE bytes by which the peer tells us from others that have
                                our key; NULL to keep silent */
};

/* What an item's content is; the values are those of the wire. */
enum session_kind {
    SESSION_TEXT = 0,    /* valid UTF-8, 1..SESSION_TEXT_MAX bytes, no NUL */
    SESSION_HEADERS = 1, /* headers and bytes, see headers.h; needs FEATURE_HEADERS */

    /* Items of their own, see file_item.h; they need FEATURE_FILES. These are types of records. */
    SESSION_FILE_OFFER = 0x11,
    SESSION_FILE_STATE = 0x12,
};

/* A message as it travels. The content is borrowed. */
struct session_item {
    struct uuid id;
    struct uuid previous; /* the item transmitted before it, zero if none */
    uint64_t time_ms;     /* when the sender says it was written, wall clock */
    enum session_kind kind;
    struct span content;
    int64_t handle; /* what its owner knows our own item by; stays here */
};
