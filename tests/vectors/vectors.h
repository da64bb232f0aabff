/* SPDX-License-Identifier: ISC */
/*
 * Recorded conversations: a whole handshake, packets, a rekey and CLOSE, with every secret of both
 * sides. Test keys, public and the same in each: they protect nothing.
 */
#pragma once

#include "base/bytes.h"
#include "crypto/identity.h"

/* What is read from now on; VECTORS_SUITE_1 before. Values that were given live on. */
#define VECTORS_SUITE_1      "handshake-suite1-rsa2048.json"
#define VECTORS_SUITE_1_OF_2 "handshake-suite1-of-2-rsa2048.json" /* both offered, 1 chosen */
#define VECTORS_SUITE_2      "handshake-suite2-rsa2048.json"
void vectors_choose(const char *file);

/* The value of that name, which must exist; lives until the program ends. */
struct span vector(const char *name);
const char *vector_text(const char *name);

/* The private key of that name ("joiner_rsa_pkcs1_private"); the caller frees it. */
struct identity *vector_identity(const char *name);
