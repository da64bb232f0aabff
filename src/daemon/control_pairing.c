/* SPDX-License-Identifier: ISC */
/*
 * How pairing by an invite stands.
 *
 * The other side never says why it does not take an invite, so neither can we.
 */
#include "daemon/control_pairing.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/shell.h"
#include "base/text.h"

static const char not_taken[] =
    "it was used already, has expired or was revoked, or their machine was restored from a backup "
    "(which, only they can see); if it was not you who used it, somebody else may have read it";

enum pairing pairing_state(const struct peer *peer)
{
    if (peer->state == PEER_ONLINE)
        return PAIRING_DONE;
    if (peer->state == PEER_WAITING || attempts_any(&peer->attempts, ATTEMPT_OTHER_KEY) ||
        attempts_any(&peer->attempts, ATTEMPT_REFUSED))
        return PAIRING_FAILED;
    return PAIRING_OPEN;
}

/* " 192.0.2.1:8766 (connection refused), [2001:db8::1]:8766 (timed out)" */
static int say_attempts(const struct peer *peer, struct bytes *text)
{
    int r = 0;
    for (unsigned i = 0; i < peer->row.address_count && r == 0; i++) {
        const struct address *given = &peer->row.addresses[i];
        const struct attempt *attempt = attempts_find(&peer->attempts, given);
        char address[ADDRESS_TEXT_MAX];
        address_format(given, address);
        r = text_append(text, "%s %s (%s)", i > 0 ? "," : "", address,
                        attempt != NULL ? attempt->error : "no answer yet");
    }
    return r;
}

static int say_waiting(const struct node *node, const struct peer *peer, struct bytes *text)
{
    char own[FINGERPRINT_TEXT_MAX];
    fingerprint_format(pubkey_fingerprint(node_pubkey(node)), own);
    return text_append(
        text,
        "%s answered with the right key, but did not take the invite: %s. Our key waits "
        "for a yes now; there: p2pchatctl peer accept %s",
        peer->row.name, not_taken, own);
}

static int say_other_key(const struct peer *peer, struct bytes *text)
{
    int r = text_append(
        text, "somebody else answered in place of %s and was told nothing:", peer->row.name);
    if (r == 0)
        r = say_attempts(peer, text);
    return r != 0
               ? r
               : text_append(text, ". The invite is still good; p2pchatd goes on trying. Check the "
                                   "addresses with who gave it");
}

static int say_unreached(const struct peer *peer, struct bytes *text)
{
    int r = text_append(text, "%s could not be reached:", peer->row.name);
    if (r == 0)
        r = say_attempts(peer, text);
    return r != 0 ? r
                  : text_append(text,
                                ". p2pchatd goes on trying; to give up: p2pchatctl peer remove %s",
                                shell_word(peer->row.name).text);
}

int pairing_explain(const struct node *node, const struct peer *peer, enum rpc_kind *kind,
                    struct bytes *text)
{
    int r;
    if (peer->state == PEER_WAITING) {
        *kind = RPC_KIND_rejected;
        r = say_waiting(node, peer, text);
    } else if (attempts_any(&peer->attempts, ATTEMPT_REFUSED)) {
        *kind = RPC_KIND_rejected;
        r = text_append(text, "%s refused the invite: %s. Ask for a new one", peer->row.name,
                        not_taken);
    } else if (attempts_any(&peer->attempts, ATTEMPT_OTHER_KEY)) {
        *kind = RPC_KIND_mismatch;
        r = say_other_key(peer, text);
    } else {
        *kind = RPC_KIND_timeout;
        r = say_unreached(peer, text);
    }
    return r == 0 ? bytes_append_u8(text, '\0') : r;
}
