/* SPDX-License-Identifier: ISC */
/*
 * Messages on their way into the store.
 */
#include "core/sealed_message.h"

#include "base/cleanup.h"
#include "store/messages.h"

int sealed_message_add(struct db *db, struct body_sealer *body_sealer, struct message_row *row,
                       struct span content)
{
    CLEANUP(bytes_deinit) struct bytes sealed = {0};
    int r = content.size > 0 ? body_sealer_seal(body_sealer, row, content, &sealed) : 0;
    if (r != 0)
        return r;
    row->body = bytes_span(&sealed);
    row->text_size = content.size;
    r = messages_add(db, row);
    row->body = SPAN(NULL, 0);
    return r;
}
