/* SPDX-License-Identifier: ISC */
/*
 * What the user of a chat types: a text to send, or a command.
 */
#pragma once

#include "client/chat/chat.h"

/* Does what a typed line says: sends it, or carries out its command. The text is valid UTF-8. */
void chat_take_line(struct chat *chat, const struct bytes *text);
