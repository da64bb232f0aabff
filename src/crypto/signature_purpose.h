/* SPDX-License-Identifier: ISC */
/*
 * What a signature is for. Each purpose is a prefix of what is signed; an identity signs nothing
 * else.
 */
#pragma once

enum signature_purpose {
    SIGNATURE_IDENT,  /* "p2pchat/1 ident\0" */
    SIGNATURE_KEY,    /* "p2pchat/1 key\0" */
    SIGNATURE_PACKET, /* "p2pchat/1 packet\0" */
};
