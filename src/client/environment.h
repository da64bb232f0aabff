/* SPDX-License-Identifier: ISC */
/*
 * What a command that we run knows of a message or a stream: variables P2PCHAT_… of its
 * environment. To be called in the child, before it becomes the command.
 */
#pragma once

#include "client/ctl.h"

/*
 * Unsets every variable P2PCHAT_… that we were given ourselves, so that none is taken for one of
 * the message. P2PCHAT_SOCKET and P2PCHAT_SSH stay; with --socket the first is that.
 */
void environment_clear(const struct ctl *ctl);

/* Sets the variables of the message of an event, one for each header too. */
void environment_set_message(const json_t *event);
