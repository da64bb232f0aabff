/* SPDX-License-Identifier: ISC */
/*
 * Headers of a message, out of the options of a command line.
 */
#include "client/own_headers.h"

#include <string.h>

#include "base/cleanup.h"
#include "client/options.h"

int own_headers_add(struct ctl *ctl, json_t **headers, const char *name, json_t *value)
{
    if (*headers == NULL)
        *headers = json_object();
    if (value == NULL)
        return options_misuse(ctl, "the %s is not UTF-8", name);
    json_object_set_new(*headers, name, value);
    return 0;
}

int own_headers_add_user(struct ctl *ctl, json_t **headers, const char *text)
{
    const size_t size = strcspn(text, "=");
    if (size == 0 || text[size] == '\0')
        return options_misuse(ctl, "-H takes NAME=VALUE, not \"%s\"", text);
    json_t *users = json_object_get(*headers, "user");
    CLEANUP(cleanup_free) char *name = strndup(text, size);
    json_t *value = json_string(text + size + 1);
    if (users == NULL) {
        users = json_object();
        if (own_headers_add(ctl, headers, "user", users) != 0)
            return OPTIONS_STOP;
    }
    if (name == NULL || value == NULL || json_object_get(users, name) != NULL) {
        json_decref(value);
        return options_misuse(ctl, "-H %s is %s", text,
                              value == NULL ? "not UTF-8" : "given twice");
    }
    return json_object_set_new(users, name, value) == 0
               ? 0
               : options_misuse(ctl, "-H %s is not UTF-8", text);
}
