/* SPDX-License-Identifier: ISC */
/*
 * What the process gives up before it holds any secret: gaining privileges, core files, and being
 * looked into by other processes of the same user. What it may do later is the sandbox's matter.
 */
#pragma once

/* All of it works on every kernel we run on; a failure is logged. */
void confine_process(void);
