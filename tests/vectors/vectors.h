/* SPDX-License-Identifier: ISC */
/*
 * The recorded conversation in handshake-suite1-rsa2048.json: a whole handshake, packets, a rekey
 * and CLOSE, with every secret of both sides. Test keys, public: they protect nothing.
 */
#pragma once

#include "base/bytes.h"
#include "crypto/identity.h"

/* The value of that name, which must exist; lives until the program ends. */
struct span vector(const char *name);
const char *vector_text(const char *name);

/* The private key of that name ("joiner_rsa_pkcs1_private"); the caller frees it. */
struct identity *vector_identity(const char *name);
