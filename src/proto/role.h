/* SPDX-License-Identifier: ISC */
/*
 * The two ends of a session.
 */
#pragma once

/* Which end of the TCP connection this is; the values are those that packets are signed with. */
enum session_role {
    SESSION_JOINER = 'J', /* connected */
    SESSION_HOST = 'H',   /* accepted */
};

/* The same as an index, of what exists once for each end. */
enum session_side { SIDE_JOINER, SIDE_HOST, SIDES };

static inline enum session_side session_side_of(enum session_role role)
{
    return role == SESSION_JOINER ? SIDE_JOINER : SIDE_HOST;
}

static inline enum session_role session_role_other(enum session_role role)
{
    return role == SESSION_JOINER ? SESSION_HOST : SESSION_JOINER;
}
