/*
 * The daemon's two long-lived secrets: the identity that peers know it by, and the key that seals
 * the store.
 *
 * Each comes from the service manager if it hands over a credential of that name ("identity",
 * "store-key"), else from a file of mode 0600, which is made at the first start. The credential
 * "passphrase" opens the identity, and closes one that is made.
 */
#pragma once

#include "crypto/identity.h"
#include "crypto/secret.h"

/*
 * Loads the private key, in a file from `path`, or makes one of `bits` there if there is none. 0,
 * or -errno after the reason and the remedy were logged.
 */
int keys_load_identity(const char *path, unsigned bits, struct identity **identity);

/* The same for the store key. */
int keys_load_store_key(const char *path, struct secret *key);
