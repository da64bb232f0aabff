/* SPDX-License-Identifier: ISC */
/*
 * Variables of the environment of commands.
 */
#include "client/environment.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/content.h"

enum { NAME_SIZE = 128 };

/* Whether an entry of the environment is a variable that a command may be given by others. */
static bool is_ours(const char *entry)
{
    static const char prefix[] = "P2PCHAT"
                                 "_";
    static const char *const kept[] = {"P2PCHAT_SOCKET=", "P2PCHAT_SSH="};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (strncmp(entry, kept[i], strlen(kept[i])) == 0)
            return false;
    return strncmp(entry, prefix, strlen(prefix)) == 0;
}

void environment_clear(const struct ctl *ctl)
{
    char **to = environ;
    for (char **from = environ; *from != NULL; from++)
        if (!is_ours(*from))
            *to++ = *from;
    *to = NULL;
    if (ctl->socket != NULL)
        setenv("P2PCHAT_SOCKET", ctl->socket, 1);
}

/* "note" is P2PCHAT_H_NOTE; '-' is '_', which names don't have. */
static void set_user_header(const char *name, const json_t *value)
{
    char variable[NAME_SIZE] = "P2PCHAT_H_";
    size_t at = strlen(variable);
    for (; *name != '\0' && at + 1 < sizeof variable; name++, at++)
        variable[at] = *name == '-' ? '_' : (char)toupper((unsigned char)*name);
    variable[at] = '\0';
    setenv(variable, json_string_value(value), 1);
}

void environment_set_message(const json_t *event)
{
    static const char *const of_event[][2] = {{"P2PCHAT_PEER", "peer"},
                                              {"P2PCHAT_FINGERPRINT", "fingerprint"},
                                              {"P2PCHAT_TRUST", "trust"},
                                              {"P2PCHAT_TIME", "time"}};
    static const char *const of_headers[][2] = {{"P2PCHAT_TYPE", "type"},
                                                {"P2PCHAT_TOPIC", "topic"},
                                                {"P2PCHAT_KEY", "key"},
                                                {"P2PCHAT_PRIORITY", "priority"},
                                                {"P2PCHAT_REPLY_TO", "reply_to"}};
    const json_t *message = json_object_get(event, "message");
    const char *name;
    json_t *value;
    for (size_t i = 0; i < sizeof of_event / sizeof of_event[0]; i++)
        setenv(of_event[i][0], member_string(event, of_event[i][1], ""), 1);
    setenv("P2PCHAT_ID", member_string(message, "id", ""), 1);
    setenv("P2PCHAT_SENT", member_string(message, "sent", ""), 1);
    for (size_t i = 0; i < sizeof of_headers / sizeof of_headers[0]; i++) {
        const char *header = content_header(message, of_headers[i][1]);
        if (header[0] != '\0')
            setenv(of_headers[i][0], header, 1);
    }
    json_object_foreach(json_object_get(json_object_get(message, "headers"), "user"), name, value)
    {
        if (json_is_string(value))
            set_user_header(name, value);
    }
}
