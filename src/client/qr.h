/* SPDX-License-Identifier: ISC */
/*
 * QR codes on terminals.
 */
#pragma once

#include "client/ctl.h"

/* Prints a text as a QR code, two rows of it per line. 0 or ctl->status. */
int qr_print(struct ctl *ctl, const char *text);
