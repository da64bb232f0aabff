/* SPDX-License-Identifier: ISC */
/*
 * Words for how transfers end, and why: those of the control interface, and of people.
 */
#pragma once

#include <stdint.h>

/* "done" and so on of an end (enum transfer_state, or of the wire); "open" of none. */
const char *file_end_word(uint8_t state);

/* "person" and so on of a reason on the wire; "" of none. */
const char *file_reason_word(uint8_t reason);

/* The other way round; 0 for none. */
uint8_t file_reason_of(const char *word);
