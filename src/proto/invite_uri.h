/* SPDX-License-Identifier: ISC */
/*
 * An invite as one line of text:
 *
 *     p2pchat://192.0.2.1:8766,[2001:db8::1]:8766/alice#<68 characters>
 *
 * where the inviter may be reached, what name it suggests for itself (optional, percent-encoded),
 * and base64url of the fingerprint of its key, the secret, and three bytes that check all of this,
 * so that a typo is found before anything is dialled. A line of 64 characters there, which older
 * programs print, has no check. Whoever reads the line can use it.
 */
#pragma once

#include "base/address.h"
#include "base/bytes.h"
#include "base/fingerprint.h"
#include "proto/invite_proof.h"

enum {
    INVITE_URI_MAX = 4096,
    INVITE_URI_ADDRESSES_MAX = 8,
    INVITE_URI_NAME_CHARACTERS = 64,
    INVITE_URI_NAME_MAX = 4 * INVITE_URI_NAME_CHARACTERS + 1, /* bytes, with the NUL */
};

struct invite_uri {
    struct address addresses[INVITE_URI_ADDRESSES_MAX];
    unsigned address_count;
    char name[INVITE_URI_NAME_MAX]; /* "" for none; whether it is fit for a peer is not checked */
    struct fingerprint inviter;
    uint8_t secret[INVITE_SECRET_SIZE];
};

/* Appends the text without a NUL. 0, -ENOMEM or -EIO. */
int invite_uri_format(const struct invite_uri *invite, struct bytes *text);

/*
 * Reads exactly that form; white space, also line breaks in the middle, is left out as mail
 * programs and terminals put it in. 0, or -EINVAL with `complaint` set to what is wrong with it:
 * static text for people that goes with "this is no invite: …".
 */
int invite_uri_parse(const char *text, struct invite_uri *invite, const char **complaint);
