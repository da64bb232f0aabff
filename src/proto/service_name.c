/* SPDX-License-Identifier: ISC */
/*
 * Names of services.
 */
#include "proto/service_name.h"

static bool is_letter_or_digit(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(struct span text)
{
    if (text.size == 0 || !is_letter_or_digit(text.data[0]))
        return false;
    for (size_t i = 1; i < text.size; i++) {
        const uint8_t c = text.data[i];
        if (!is_letter_or_digit(c) && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

bool service_name_valid(struct span name)
{
    return name.size <= SERVICE_NAME_MAX && is_word(name);
}

bool service_name_known(struct span name)
{
    const bool own = name.size > 0 && name.data[0] == '.';
    return name.size <= SERVICE_NAME_MAX &&
           is_word(own ? SPAN(name.data + 1, name.size - 1) : name);
}
