/* SPDX-License-Identifier: ISC */
/*
 * The cryptographic library: our own OpenSSL context, so that no system-wide configuration or other
 * library changes what we compute.
 */
#pragma once

/*
 * Makes the context and fetches every algorithm once. Call it before anything else in crypto/, once
 * per process. 0, or -EIO when OpenSSL lacks something (logged).
 */
int crypto_init(void);

/* The version of the OpenSSL that runs, which may be another than that of the build: "3.0.17". */
const char *crypto_library_version(void);

/* Releases everything crypto_init() made. */
void crypto_deinit(void);
