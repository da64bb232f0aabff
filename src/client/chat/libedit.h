/* SPDX-License-Identifier: ISC */
/*
 * libedit, loaded while the program runs: only editing needs it, and the start is slower for it.
 */
#pragma once

#include <histedit.h>

/* The functions that are used. One for the process, as all loaded code is. */
struct libedit {
    void *handle;
    typeof(&el_init) el_init;
    typeof(&el_end) el_end;
    typeof(&el_wset) el_wset;
    typeof(&el_wget) el_wget;
    typeof(&el_wgets) el_wgets;
    typeof(&el_wgetc) el_wgetc;
    typeof(&el_wline) el_wline;
    typeof(&el_winsertstr) el_winsertstr;
    typeof(&el_deletestr) el_deletestr;
    typeof(&el_cursor) el_cursor;
    typeof(&el_resize) el_resize;
    typeof(&el_source) el_source;
    typeof(&history_winit) history_winit;
    typeof(&history_wend) history_wend;
    typeof(&history_w) history_w;
};
extern struct libedit libedit;

/* 0, or -ELIBACC when there is none. */
int libedit_load(void);
