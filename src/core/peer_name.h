/* SPDX-License-Identifier: ISC */
/*
 * What may be the name of a peer. Names that others suggest have stricter rules than those that the
 * user types: nobody may look like somebody else.
 */
#pragma once

#include <stdbool.h>

/* What a name must be, for who typed one that can't be. */
#define PEER_NAME_RULE \
    "1 to 64 visible characters without space, '/' or ':', not beginning with '-'"

/*
 * Whether people may use this as a peer's name: 1 to 64 characters of visible UTF-8, less than
 * PEER_NAME_MAX bytes, without spaces, '/', ':', characters that have no looks of their own
 * (Unicode's Default_Ignorable_Code_Point), or a '-' or combining mark at the beginning.
 */
bool peer_name_valid(const char *name);

/* Whether it may be taken without asking when somebody else suggests it: ASCII letters, digits and
 * "._-" only, with a letter or digit at the beginning. */
bool peer_name_modest(const char *name);

/* Whether a person may take one name for the other: B0b for bob, rnary for mary, a.lice for alice.
 */
bool peer_name_resembles(const char *name, const char *other);
