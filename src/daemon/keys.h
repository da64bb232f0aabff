/*
 * The daemon's two long-lived secrets: the identity that peers know it by, and the key that seals
 * the store. Both are files of mode 0600 in the state directory, made at the first start.
 */
#pragma once

#include "crypto/identity.h"
#include "crypto/secret.h"

/*
 * Reads the private key at `path`, or makes one of `bits` if there is none. 0, or -errno after the
 * reason and the remedy were logged.
 */
int keys_load_identity(const char *path, unsigned bits, struct identity **identity);

/* The same for the store key. */
int keys_load_store_key(const char *path, struct secret *key);
