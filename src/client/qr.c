/* SPDX-License-Identifier: ISC */
/*
 * QR codes on terminals, by libqrencode. It is loaded here and not linked, so that no other verb
 * waits for it or needs it.
 */
#include "client/qr.h"

#include <dlfcn.h>
#include <qrencode.h>

#include "client/output.h"

enum { QUIET_ZONE = 4 }; /* light modules around a code, without which it can't be read */

typedef QRcode *encode_function(const char *, int, QRecLevel, QRencodeMode, int);
typedef void free_function(QRcode *);

struct library {
    void *handle;
    encode_function *encode;
    free_function *free;
};

static int library_load(struct ctl *ctl, struct library *library)
{
    library->handle = dlopen("libqrencode.so.4", RTLD_NOW | RTLD_LOCAL);
    if (library->handle != NULL) {
        /* POSIX lets a symbol's address be a function's; ISO C has no cast for it. */
        *(void **)&library->encode = dlsym(library->handle, "QRcode_encodeString");
        *(void **)&library->free = dlsym(library->handle, "QRcode_free");
    }
    if (library->encode != NULL && library->free != NULL)
        return 0;
    return ctl_fail_as(ctl, EX_UNAVAILABLE, "no_qr",
                       "QR codes need libqrencode; on Debian: apt-get install libqrencode4");
}

static bool is_dark(const QRcode *code, int x, int y)
{
    return x >= 0 && y >= 0 && x < code->width && y < code->width &&
           (code->data[y * code->width + x] & 1) != 0;
}

/*
 * With colours a code is black on white anywhere. Without, it is right on a dark terminal, where
 * what is drawn is light.
 */
static void draw(struct ctl *ctl, const QRcode *code)
{
    static const char *const blocks[] = {" ", "▀", "▄", "█"};
    const int end = code->width + QUIET_ZONE;
    for (int y = -QUIET_ZONE; y < end; y += 2) {
        fputs(ctl->colour ? "\033[30;47m" : "", ctl->out);
        for (int x = -QUIET_ZONE; x < end; x++) {
            const unsigned dark = is_dark(code, x, y) + 2U * is_dark(code, x, y + 1);
            fputs(blocks[ctl->colour ? dark : 3 - dark], ctl->out);
        }
        fputs(ctl->colour ? "\033[0m\n" : "\n", ctl->out);
    }
}

int qr_print(struct ctl *ctl, const char *text)
{
    struct library library = {0};
    if (library_load(ctl, &library) != 0)
        return ctl->status;
    QRcode *code = library.encode(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
    if (code == NULL)
        return ctl_fail(ctl, RPC_KIND_internal, "this does not fit into a QR code");
    draw(ctl, code);
    library.free(code);
    dlclose(library.handle);
    return 0;
}
