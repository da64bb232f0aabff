/* SPDX-License-Identifier: ISC */
/*
 * The simulated network: net/stream.h, net/listener.h, net/connector.h and net/resolver.h without
 * sockets, and the faults that connections meet.
 *
 * Bytes arrive in order, late, and in pieces of any size. The machine called "ann" is machine 0 and
 * so on; whoever dials one of these at port PORT_CLOSED is refused, at PORT_VOID waits in vain.
 */
#pragma once

#include "base/address.h"
#include "net/listener.h"
#include "simulation/world.h"

enum { PORT_CLOSED = 1, PORT_VOID = 2 };

/* What may happen to a connection. */
enum cut {
    CUT_RESET,    /* both ends learn it; what was on its way is lost from some byte on */
    CUT_ONE_SIDE, /* one end learns it, the other one hears nothing any more */
    CUT_SILENT,   /* nothing passes any more, and nobody says so */
    CUT_KINDS,
};

/* An empty network without faults, and how long bytes take at most. */
void wire_reset(void);
void wire_set_lag(unsigned lag_ms);

/* An address of a machine. */
struct address wire_address(unsigned machine, uint16_t port);

/* Cuts a random connection, if there is one. */
void wire_cut(enum cut cut);

/* Nothing passes between two machines until it is healed; bytes on their way wait. */
void wire_part(unsigned one, unsigned other);
void wire_heal(unsigned one, unsigned other);

/* Whether the machine answers at all. */
void wire_power(unsigned machine, bool on);

/* All connections between two machines that neither end has closed. */
unsigned wire_connections(unsigned one, unsigned other);

/* All streams of a machine, and the most bytes that one of them ever had unsent. */
unsigned wire_streams(unsigned machine);
size_t wire_most_unsent(void);
