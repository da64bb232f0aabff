/* SPDX-License-Identifier: ISC */
/*
 * A pager for long output, as journalctl and git have one.
 */
#pragma once

#include "client/ctl.h"

/*
 * Sends what is printed from now on through $PAGER, or less(1), if it goes to a terminal and the
 * user wants one. Without a pager it is printed as it is.
 */
void pager_start(struct ctl *ctl);

/* Waits until the user has left the pager. Everything has been printed. */
void pager_wait(struct ctl *ctl);
