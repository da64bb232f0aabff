/* SPDX-License-Identifier: ISC */
/*
 * The daemon's two long-lived secrets: the identity that peers know it by, and the key that seals
 * the store.
 *
 * Each comes from the service manager if it hands over a credential of that name ("identity",
 * "passphrase", "store-key"), else from a file of mode 0600; identity and store key are made at the
 * first start. A passphrase opens the identity, and closes one that is made.
 *
 * What loads or makes one returns 0, or -errno after the reason and the remedy were logged.
 */
#pragma once

#include "crypto/identity.h"
#include "crypto/secret.h"

/* Where the secrets are. */
struct keys_source {
    const char *state_dir;
    const char *store;           /* path of the database */
    const char *identity;        /* path; "": in the state directory */
    const char *passphrase_file; /* of the identity; "": none */
    const char *store_key;       /* path; NULL: in the state directory */
    unsigned bits;               /* of a new identity */
    bool sealed;                 /* there is data that a store key has sealed: none is made anew */
    bool peopled;                /* there are peers who know an identity: none is made anew */
};

/* Reads the identity, or makes one if there is none. */
int keys_load_identity(const struct keys_source *source, struct identity **identity);

/* Whether there is no identity where keys_load_identity() would look for it: 0, -EEXIST or -errno.
 */
int keys_check_no_identity(const struct keys_source *source);

/* Makes one there. */
int keys_generate_identity(const struct keys_source *source, struct identity **identity);

/* When the identity's file was written: wall clock in milliseconds, 0 when not known. */
uint64_t keys_identity_created(const struct keys_source *source);

/* Reads the store key, or makes one if there is none. */
int keys_load_store_key(const struct keys_source *source, struct secret *key);

/* Reads the files of both as they are, for a backup; neither is made. */
int keys_read(const struct keys_source *source, struct bytes *identity, struct bytes *store_key);
