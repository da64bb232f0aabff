/* SPDX-License-Identifier: ISC */
/*
 * What p2pchatctl shows of a message or an event: whatever the line from the daemon says, a
 * terminal gets harmless text.
 */
#include <stdlib.h>
#include <string.h>

#include "client/view.h"
#include "fuzz/fuzz.h"
#include "fuzz/harmless.h"
#include "rpc/rpc_message.h"

/* All formats are shown one after the other. */
static void show(struct ctl *ctl, const json_t *object)
{
    for (enum view_format format = VIEW_SHORT; format <= VIEW_JSON; format++) {
        const struct view view = {.format = format, .end = '\n'};
        view_message(ctl, &view, object);
        view_event(ctl, &view, object);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *object = rpc_read(SPAN(data, size));
    struct ctl ctl = {.terminal = true, .quiet = true};
    char *text = NULL;
    size_t shown;
    if (object == NULL)
        return 0;
    ctl.out = ctl.err = open_memstream(&text, &shown);
    assert(ctl.out != NULL);
    show(&ctl, object);
    json_decref(object);
    assert(fclose(ctl.out) == 0 && ctl.out_error == 0 && ctl.status == 0);
    assert(harmless(text, shown));
    free(text);
    return 0;
}
