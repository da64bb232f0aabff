/* SPDX-License-Identifier: ISC */
/*
 * The versions of the interfaces that others rely on. That of the program is VERSION, which
 * configure sets. When each is raised: p2pchatd(8), "Versions".
 */
#pragma once

enum {
    VERSION_CONTROL_MAJOR = 1, /* of the control interface, p2pchat-control(7) */
    VERSION_CONTROL_MINOR = 0,
    VERSION_PROTOCOL = 1, /* on the wire, p2pchat-protocol(7) */
};
