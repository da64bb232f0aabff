/* SPDX-License-Identifier: ISC */
/*
 * What was promised: every message that a machine was asked to send, and the checks that the
 * promises hold.
 *
 *   P1  an accepted message is in its sender's store: delivered, or still on its way.
 *   P2  what its sender calls delivered is in the receiver's history.
 *   P3  no history has a message twice, or the messages of one sender in another order than they
 *       were written.
 *
 * A machine that was restored from a backup has lost what came after it, and only that is forgiven:
 * its own messages that its store never heard of (P1), what its history has forgotten (P2). When
 * both sides were restored, old messages may follow new ones. What is old may be removed from a
 * store that keeps only so much, but never comes a second time.
 *
 * Every machine has a follower that is never behind: it is told of each message once, in order.
 */
#pragma once

#include "simulation/machine.h"

/* Begins a run with these machines. */
void ledger_reset(struct machine *machines, unsigned count);

/*
 * Asks a machine to send a text of this size, which waits for at most so long if that is not 0;
 * accepted when its turn has settled.
 */
void ledger_send(unsigned from, unsigned to, size_t size, uint64_t expires_ms);

/* Takes back a message of this machine that seems to be waiting, if there is any. */
void ledger_cancel(unsigned from);

/*
 * A turn of the machine has settled: what it was asked for in it is promised, and its follower
 * reads what is new.
 */
void ledger_settled(unsigned machine);

/* The machine went down: what it was asked for in its last turn is not promised. */
void ledger_machine_down(unsigned machine);

/* Before and after a machine's store is replaced by a backup; it is up, between turns. */
void ledger_before_restore(unsigned machine);
void ledger_after_restore(unsigned machine);

/* Complains if a promise is broken as things are now. Between turns. */
void ledger_check(void);

/* Whether everything promised is delivered; complains about what is not if `complaining`. */
bool ledger_done(bool complaining);

/* How many messages were accepted. */
unsigned ledger_accepted(void);
