/* SPDX-License-Identifier: ISC */
/*
 * Admission on a stage: sessions, links, the roster and the store are stand-ins that note what they
 * are asked and told, and answer what a test has set.
 */
#pragma once

#include "core/admission.h"

enum { NOW_MS = 1000000, LINKS_MAX = 10, BOB = 1, STRANGER = 7 };

struct pubkey {
    struct fingerprint fingerprint;
};

struct session {
    enum session_role role;
    enum suite suite;
    struct pubkey key;
    bool asks;               /* it waits for an answer of ours: one of the next two */
    bool admitted, approved; /* what it was told … */
    enum close_code code;    /* … or why it may not be; CLOSE_NORMAL while it may */
    bool invited;            /* it shows an invite */
};

struct stream {
    struct origin origin;
};

/* --- the stage -------------------------------------------------------------------------------- */

struct stage {
    struct runtime runtime;
    struct limits limits;
    struct links links;
    struct pending_keys pending_keys;
    struct roster roster;
    struct housekeeping housekeeping;
    struct merging merging;
    struct admission admission;

    struct session session;
    struct stream stream;
    struct link link; /* the one that is judged */
    struct peer bob;  /* known, with the key 1 … */
    bool bob_known;
    struct peer adopted; /* … and one that is made, as it was stored */
    bool has_adopted;
    bool crowded;         /* adoption has no place */
    struct peer *keyless; /* one with any other id, or NULL */

    unsigned steps_left; /* of a merging */
    unsigned dials;

    struct link *rival;    /* the established link with the same key, or NULL */
    bool rival_stays;      /* … which is the one to keep */
    bool established;      /* the link is, and then nothing may be remembered any more */
    const struct peer *up; /* whose link it became */
    unsigned doubts, pins, merges, requests;
    enum peer_trust pinned_as;
    int store;          /* what it answers to changes */
    bool invite_stored; /* the invite that the session shows is a good one */
    bool room;          /* on the disk */
    int failure;
};

extern struct stage stage;

/* Before and after each test: nothing has happened, Bob is known. */
int stage_set_up(void **state);
int stage_tear_down(void **state);
