/* SPDX-License-Identifier: ISC */
/*
 * Loads libedit. The version of its interface that Debian calls libedit.so.2 is libedit.so.0 as its
 * authors have it.
 */
#include "client/chat/libedit.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

struct libedit libedit;

int libedit_load(void)
{
    static const char *const names[] = {"libedit.so.2", "libedit.so.0"};
    static const struct {
        const char *name;
        size_t offset;
    } symbols[] = {
#define SYMBOL(name) {#name, offsetof(struct libedit, name)}
        SYMBOL(el_init),       SYMBOL(el_end),       SYMBOL(el_wset),   SYMBOL(el_wget),
        SYMBOL(el_wgets),      SYMBOL(el_wgetc),     SYMBOL(el_wline),  SYMBOL(el_winsertstr),
        SYMBOL(el_deletestr),  SYMBOL(el_cursor),    SYMBOL(el_resize), SYMBOL(el_source),
        SYMBOL(history_winit), SYMBOL(history_wend), SYMBOL(history_w),
#undef SYMBOL
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0] && libedit.handle == NULL; i++)
        libedit.handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (libedit.handle == NULL)
        return -ELIBACC;
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *symbol = dlsym(libedit.handle, symbols[i].name);
        if (symbol == NULL)
            return -ELIBACC;
        memcpy((char *)&libedit + symbols[i].offset, &symbol, sizeof symbol);
    }
    return 0;
}
